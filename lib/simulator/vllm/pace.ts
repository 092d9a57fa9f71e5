/**
 * Times the replies: immediately, after a latency, or token by token as a simulated engine produces them. Uses
 * lengths of texts only.
 */

import { generator, logNormal } from '../random.js'
import { Engine, type EngineOptions, type RequestHandle } from './engine.js'
import { blockHashes } from './kv-blocks.js'
import type { LatencyOptions } from './options.js'
import { ServerMetrics } from './server-metrics.js'

interface Job {
  readonly promptIds: readonly number[]
  readonly outputTokens: number
  readonly finishedReason: 'stop' | 'length'
  /** For streams: called with the number of tokens so far. */
  readonly onToken?: (tokens: number) => void
}

/** Capacity relative to the start: with `speed` 0.5 everything takes twice as long. */
export interface Capacity {
  readonly speed?: number | undefined
  readonly runningMax?: number | undefined
}

export interface Pace {
  readonly metrics: ServerMetrics
  /** Returns null if the queue is full. */
  start(job: Job, onDone: () => void): RequestHandle | null
  setCapacity(capacity: Capacity): void
  close(): void
}

/** Events of a streamed reply if only its latency is known. */
const piecesMax = 16
/** Largest latency: the longest delay of a timer. */
const latencyMsMax = 2 ** 31 - 1

/** Delays each job by a latency, drawn in the order of arrival; 0 replies in the same turn of the event loop. */
export class DelayPace implements Pace {
  readonly metrics = new ServerMetrics()
  readonly #random: () => number
  readonly #timers = new Set<NodeJS.Timeout>()
  #speed = 1
  readonly #latency: LatencyOptions

  constructor(latency: LatencyOptions, seed: number) {
    this.#latency = latency
    this.#random = generator(seed)
  }

  start(job: Job, onDone: () => void): RequestHandle {
    const waitMs = Math.min(latencyMsMax, this.#drawMs() / this.#speed)
    this.metrics.running++
    let over = false
    const end = (reason: 'stop' | 'length' | 'abort'): boolean => {
      if (over) return false
      over = true
      this.metrics.running--
      this.metrics.success[reason]++
      return true
    }
    const done = () => {
      if (!end(job.finishedReason)) return
      this.metrics.promptTokens += job.promptIds.length
      this.metrics.generationTokens += job.outputTokens
      this.metrics.requestLatency.observe(waitMs / 1_000)
      job.onToken?.(job.outputTokens)
      onDone()
    }
    if (waitMs === 0) queueMicrotask(done)
    else if (job.onToken === undefined) this.#wait(waitMs, done)
    else this.#pieces(job, waitMs, () => over, done)
    return { abort: () => end('abort') }
  }

  setCapacity({ speed = this.#speed }: Capacity): void {
    this.#speed = speed
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #drawMs(): number {
    const latency = this.#latency
    if (typeof latency === 'number') return latency
    if ('min' in latency) return latency.min + (latency.max - latency.min) * this.#random()
    return Math.min(latency.max ?? latencyMsMax, logNormal(latency.mean, latency.sigma, this.#random(), this.#random()))
  }

  #wait(waitMs: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      then()
    }, waitMs)
    this.#timers.add(timer)
  }

  /** Spreads the tokens of a stream evenly over the latency. */
  #pieces(job: Job, waitMs: number, over: () => boolean, done: () => void): void {
    const pieces = Math.min(piecesMax, job.outputTokens)
    const next = (piece: number) => {
      if (over()) return
      if (piece === pieces) return done()
      job.onToken?.(Math.floor((job.outputTokens * piece) / pieces))
      this.#wait(waitMs / pieces, () => next(piece + 1))
    }
    this.#wait(waitMs / pieces, () => next(1))
  }
}

/** Follows the clock of a simulated engine, which is `speed` times as fast as the wall clock. */
export class EnginePace implements Pace {
  readonly #engine: Engine
  readonly #startedMs = performance.now()
  #timer: NodeJS.Timeout | null = null
  #soon: NodeJS.Immediate | null = null
  readonly #speed: number

  constructor(options: EngineOptions, speed: number) {
    this.#speed = speed
    this.#engine = new Engine(options)
  }

  get metrics(): ServerMetrics {
    return this.#engine.metrics
  }

  start(job: Job, onDone: () => void): RequestHandle | null {
    const { onToken } = job
    const request = {
      promptTokens: Math.max(1, job.promptIds.length),
      outputTokens: Math.max(1, job.outputTokens),
      hashes: blockHashes(job.promptIds),
      finishedReason: job.finishedReason,
      ...(onToken === undefined ? {} : { onToken: (tokens: number) => onToken(tokens) }),
    }
    // The clock of an idle engine stops: without this, its first step would start in the past.
    if (this.#engine.nextEventMs === null) this.#engine.advance(this.#presentMs())
    const handle = this.#engine.submit(request, onDone)
    this.#wake()
    return handle
  }

  setCapacity(capacity: Capacity): void {
    this.#engine.setCapacity(capacity)
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#soon !== null) clearImmediate(this.#soon)
  }

  /** Requests that arrive in one turn of the event loop join the same step. */
  #wake(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = null
      this.#run()
    })
  }

  /** Brings the engine to the present and sleeps until its next step ends. */
  #run(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#engine.advance(this.#presentMs())
    const nextMs = this.#engine.nextEventMs
    if (nextMs === null) return
    const waitMs = (nextMs - this.#presentMs()) / this.#speed
    this.#timer = setTimeout(() => this.#run(), Math.max(0, Math.ceil(waitMs)))
  }

  /** The wall clock, in the engine's time. */
  #presentMs(): number {
    return (performance.now() - this.#startedMs) * this.#speed
  }
}
