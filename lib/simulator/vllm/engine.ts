/**
 * Engine of a model server, without a model: continuous batching in discrete steps on a virtual clock.
 * Each step gives one token to every running sequence, then prefills in chunks, first come first served, up to
 * `batchedTokensMax`; if KV blocks run out, the newest sequence is preempted. Deterministic: no randomness, no timer.
 * HTTP is implemented by server.ts, real time by pace.ts.
 */
import { InvalidOptionError } from '../../errors.js'
import { type BlockHash, blockTokens, KvBlocks, namedHash } from './kv-blocks.js'
import {
  blocksFor,
  type EngineRequest,
  type EngineResult,
  remainingTokens,
  type Sequence,
  WaitingQueue,
} from './sequence.js'
import { ServerMetrics } from './server-metrics.js'

/**
 * Duration of a step in ms =
 * stepMs + prefillMs × prefilled tokens + decodeMs × decoding sequences + contextMs × tokens in their context.
 */
export interface EngineOptions {
  readonly stepMs: number
  readonly prefillMs: number
  readonly decodeMs: number
  readonly contextMs: number
  /** Sequences that run concurrently (max_num_seqs). */
  readonly runningMax: number
  /** Tokens of one step (max_num_batched_tokens). */
  readonly batchedTokensMax: number
  /** Blocks of 16 tokens. */
  readonly kvBlocks: number
  /** Sequences waiting before `submit` refuses; unbounded when absent. */
  readonly queueMax?: number
}

/** A submitted request. */
export interface RequestHandle {
  /** Removes the request; `onDone` is not called. Returns false if it was done or removed before. */
  abort(): boolean
}

export class Engine {
  readonly metrics = new ServerMetrics()
  readonly #kv: KvBlocks
  #running: Sequence[] = []
  readonly #queue = new WaitingQueue()
  #serial = 0
  #clockMs = 0
  #stepEndMs: number | null = null
  #speed = 1
  #runningMax: number
  #steps = 0
  readonly #options: EngineOptions

  constructor(options: EngineOptions) {
    this.#options = options
    if (!(options.runningMax >= 1 && options.batchedTokensMax >= 1 && options.kvBlocks >= 1)) {
      throw new InvalidOptionError('engine: runningMax, batchedTokensMax and kvBlocks must be at least 1')
    }
    this.#kv = new KvBlocks(options.kvBlocks)
    this.#runningMax = options.runningMax
  }

  get nowMs(): number {
    return this.#clockMs
  }

  /** Time of the next event; null if idle. */
  get nextEventMs(): number | null {
    return this.#stepEndMs ?? (this.#pending() ? this.#clockMs : null)
  }

  /**
   * Adds a request to the queue at the current time of the engine.
   *
   * @returns null if the queue is full
   * @throws {InvalidOptionError} it does not fit the KV cache, or requests no token
   */
  submit(request: EngineRequest, onDone: (result: EngineResult) => void): RequestHandle | null {
    const blocks = Math.ceil((request.promptTokens + request.outputTokens) / blockTokens)
    if (!(request.outputTokens >= 1 && request.promptTokens >= 1 && blocks <= this.#kv.count)) {
      throw new InvalidOptionError(
        `engine: a request of ${request.promptTokens} + ${request.outputTokens} tokens; ` +
          `at least 1 + 1 and at most ${this.#kv.count * blockTokens} tokens in all are possible`,
      )
    }
    if (this.#queue.length >= (this.#options.queueMax ?? Number.POSITIVE_INFINITY)) return null
    const sequence: Sequence = {
      request,
      onDone,
      serial: ++this.#serial,
      arrivedMs: this.#clockMs,
      state: 'waiting',
      startedMs: -1,
      firstTokenMs: -1,
      lastTokenMs: -1,
      produced: 0,
      computed: 0,
      chunk: 0,
      blocks: [],
      preemptions: 0,
    }
    this.#queue.add(sequence)
    this.#gauge()
    return { abort: () => this.#abort(sequence) }
  }

  /** Runs up to `untilMs`, or to the end of the next step; returns the time reached. */
  advance(untilMs?: number): number {
    const limit = untilMs ?? Number.POSITIVE_INFINITY
    do {
      if (this.#stepEndMs === null && this.#pending()) this.#schedule()
      if (this.#stepEndMs === null || this.#stepEndMs > limit) break
      this.#clockMs = this.#stepEndMs
      this.#stepEndMs = null
      this.#finishStep()
    } while (untilMs !== undefined)
    if (untilMs !== undefined && this.#clockMs < untilMs) this.#clockMs = untilMs
    return this.#clockMs
  }

  /** Changes the capacity: with `speed` 0.5 every step takes twice as long. */
  setCapacity(capacity: { readonly speed?: number | undefined; readonly runningMax?: number | undefined }): void {
    const { speed = this.#speed, runningMax = this.#runningMax } = capacity
    if (!(speed > 0 && runningMax >= 1)) {
      throw new InvalidOptionError(`engine: speed ${speed} and runningMax ${runningMax} must be over 0`)
    }
    this.#speed = speed
    this.#runningMax = runningMax
  }

  stats(): { readonly steps: number; readonly running: number; readonly waiting: number; readonly kvUsage: number } {
    return { steps: this.#steps, running: this.#running.length, waiting: this.#queue.length, kvUsage: this.#kv.usage }
  }

  #pending(): boolean {
    return this.#running.length > 0 || this.#queue.length > 0
  }

  #abort(sequence: Sequence): boolean {
    if (sequence.state === 'done' || sequence.state === 'aborted') return false
    if (sequence.state === 'waiting') this.#queue.length--
    else this.#running = this.#running.filter((other) => other !== sequence)
    sequence.state = 'aborted'
    this.#kv.release(sequence.blocks)
    sequence.blocks = []
    this.metrics.success.abort++
    this.#gauge()
    return true
  }

  /** Schedules the next step and computes its duration. */
  #schedule(): void {
    let budget = this.#options.batchedTokensMax
    let prefill = 0
    let decoding = 0
    let context = 0
    const count = (sequence: Sequence): void => {
      budget -= sequence.chunk
      if (sequence.produced > 0 && sequence.chunk === 1) {
        decoding++
        context += sequence.computed + 1
      } else prefill += sequence.chunk
    }
    const preemptionsBefore = this.metrics.preemptions
    for (let place = 0; place < this.#running.length; place++) {
      const sequence = this.#running[place] as Sequence
      sequence.chunk = Math.min(remainingTokens(sequence), budget)
      if (sequence.chunk > 0 && this.#reserveBlocks(sequence)) count(sequence)
    }
    while (budget > 0 && this.#running.length < this.#runningMax && this.metrics.preemptions === preemptionsBefore) {
      const sequence = this.#admit(budget)
      if (sequence === null) break
      count(sequence)
    }
    this.#gauge()
    if (this.#running.length === 0) return
    const { stepMs, prefillMs, decodeMs, contextMs } = this.#options
    const durationMs = (stepMs + prefillMs * prefill + decodeMs * decoding + contextMs * context) / this.#speed
    this.#stepEndMs = this.#clockMs + durationMs
    this.#steps++
  }

  /** Reserves blocks for the chunk of this step; preempts the newest sequences if necessary. Returns false if preempted itself. */
  #reserveBlocks(sequence: Sequence): boolean {
    const needed = blocksFor(sequence.computed + sequence.chunk) - sequence.blocks.length
    while (this.#kv.free < needed) {
      const newest = this.#running.pop() as Sequence
      this.#kv.release(newest.blocks)
      newest.blocks = []
      newest.computed = 0
      newest.chunk = 0
      newest.preemptions++
      newest.state = 'waiting'
      this.#queue.putBack(newest)
      this.metrics.preemptions++
      if (newest === sequence) return false
    }
    for (let block = 0; block < needed; block++) sequence.blocks.push(this.#kv.take())
    return true
  }

  /** Starts the first waiting sequence if its first chunk fits; its cached prefix is not computed again. */
  #admit(budget: number): Sequence | null {
    const sequence = this.#queue.first()
    if (sequence === null) return null
    const total = remainingTokens(sequence)
    const hashes = this.#hashesOf(sequence)
    const { blocks, unused } = this.#kv.cached(hashes, Math.floor((total - 1) / blockTokens))
    const chunk = Math.min(total - blocks * blockTokens, budget)
    const fresh = blocksFor(blocks * blockTokens + chunk) - blocks
    if (fresh + unused > this.#kv.free) return null
    for (let place = 0; place < blocks; place++) sequence.blocks.push(this.#kv.share(hashes[place] as BlockHash))
    for (let block = 0; block < fresh; block++) sequence.blocks.push(this.#kv.take())
    sequence.computed = blocks * blockTokens
    sequence.chunk = chunk
    sequence.state = 'running'
    this.metrics.prefixCacheQueries += total
    this.metrics.prefixCacheHits += blocks * blockTokens
    if (sequence.startedMs < 0) {
      sequence.startedMs = this.#clockMs
      this.metrics.queueTime.observe((this.#clockMs - sequence.arrivedMs) / 1_000)
    }
    this.#queue.remove(sequence)
    this.#running.push(sequence)
    return sequence
  }

  /** Hashes of the full blocks of the prompt and, after a preemption, of those filled by its own tokens. */
  #hashesOf(sequence: Sequence): readonly BlockHash[] {
    const { promptTokens, hashes } = sequence.request
    const full = Math.floor((promptTokens + sequence.produced) / blockTokens)
    if (sequence.preemptions === 0) return hashes ?? []
    return Array.from({ length: full }, (_, place) => hashes?.[place] ?? namedHash(-sequence.serial, place))
  }

  #finishStep(): void {
    const done: Sequence[] = []
    const tokens: Sequence[] = []
    for (const sequence of this.#running) {
      if (sequence.chunk === 0) continue
      const before = Math.floor(sequence.computed / blockTokens)
      const whole = remainingTokens(sequence) === sequence.chunk
      sequence.computed += sequence.chunk
      sequence.chunk = 0
      this.#nameBlocks(sequence, before)
      if (!whole) continue
      this.#noteToken(sequence)
      if (sequence.request.onToken !== undefined) tokens.push(sequence)
      if (sequence.produced === sequence.request.outputTokens) done.push(sequence)
    }
    if (done.length > 0) this.#retire(done)
    this.#gauge()
    for (const sequence of tokens) sequence.request.onToken?.(sequence.produced, this.#clockMs)
    for (const sequence of done) {
      const { arrivedMs, startedMs, firstTokenMs, preemptions } = sequence
      sequence.onDone({ arrivedMs, startedMs, firstTokenMs, doneMs: this.#clockMs, preemptions })
    }
  }

  #nameBlocks(sequence: Sequence, from: number): void {
    const full = Math.floor(sequence.computed / blockTokens)
    for (let place = from; place < full; place++) {
      const hash = sequence.request.hashes?.[place] ?? namedHash(-sequence.serial, place)
      this.#kv.name(sequence.blocks[place] as number, hash)
    }
  }

  #noteToken(sequence: Sequence): void {
    sequence.produced++
    this.metrics.generationTokens++
    if (sequence.produced === 1) {
      sequence.firstTokenMs = this.#clockMs
      this.metrics.promptTokens += sequence.request.promptTokens
      this.metrics.timeToFirstToken.observe((this.#clockMs - sequence.arrivedMs) / 1_000)
    } else this.metrics.interTokenLatency.observe((this.#clockMs - sequence.lastTokenMs) / 1_000)
    sequence.lastTokenMs = this.#clockMs
  }

  #retire(done: readonly Sequence[]): void {
    for (const sequence of done) {
      sequence.state = 'done'
      this.#kv.release(sequence.blocks)
      sequence.blocks = []
      this.metrics.success[sequence.request.finishedReason ?? 'stop']++
      this.metrics.requestLatency.observe((this.#clockMs - sequence.arrivedMs) / 1_000)
    }
    this.#running = this.#running.filter(({ state }) => state === 'running')
  }

  #gauge(): void {
    this.metrics.running = this.#running.length
    this.metrics.waiting = this.#queue.length
    this.metrics.kvCacheUsage = this.#kv.usage
  }
}
