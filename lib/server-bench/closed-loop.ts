/**
 * A closed load: keeps a number of requests in flight, replacing each one when it ends. Bounded by requests in all. Keeps
 * the records of the level that is measured, not of earlier ones.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestRecord } from './request-record.js'

interface ClosedLoopOptions {
  /** Sends request number `number`; resolves with its record, failed or not, and rejects only if aborted. */
  readonly send: (number: number) => Promise<RequestRecord>
  /** Whether another request may be sent; called once for each. */
  readonly admit: () => boolean
}

/** Pause of a worker after a failure, ms: a server that refuses everything is not flooded. */
const failurePauseMs = 250
/** Interval at which conditions are looked at, ms. */
const lookMs = 20

export class ClosedLoop {
  readonly #options: ClosedLoopOptions
  readonly #workers: Promise<void>[] = []
  #records: RequestRecord[] = []
  #concurrency = 0
  #running = 0
  #next = 0
  /** Requests in flight: their numbers. */
  readonly #open = new Set<number>()
  /** Requests that each worker has finished since the level was set. */
  #finished: number[] = []
  #exhausted = false
  #failure: unknown = null

  constructor(options: ClosedLoopOptions) {
    this.#options = options
  }

  get records(): readonly RequestRecord[] {
    return this.#records
  }

  /** True once `admit` refused a request. */
  get exhausted(): boolean {
    return this.#exhausted
  }

  /** Sets the requests in flight; further workers start evenly over `spreadMs`, so that they do not run in step. */
  async setConcurrency(concurrency: number, spreadMs: number, signal: AbortSignal): Promise<void> {
    this.#concurrency = concurrency
    this.#records = []
    this.#finished = new Array(concurrency).fill(0)
    await this.#until(() => this.#running <= concurrency, Number.POSITIVE_INFINITY, signal)
    const added = concurrency - this.#running
    const taken = new Set(this.#indexes)
    const free = Array.from({ length: concurrency }, (_, index) => index).filter((index) => !taken.has(index))
    for (const [place, index] of free.slice(0, added).entries()) {
      this.#workers.push(this.#work(index))
      if (place + 1 < added && spreadMs > 0) await sleep(spreadMs / added, undefined, { signal })
      if (this.#exhausted || this.#failure !== null) break
    }
    this.#throwFailure()
  }

  /** Resolves once each worker has finished a request of this level, or after `mostMs`. */
  async settled(mostMs: number, signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#finished.every((count) => count > 0), mostMs, signal)
  }

  /** Resolves once the requests that are in flight now have ended; the load continues meanwhile. */
  async openEnded(mostMs: number, signal: AbortSignal): Promise<void> {
    const open = [...this.#open]
    await this.#until(() => !open.some((number) => this.#open.has(number)), mostMs, signal)
  }

  /** Resolves after `mostMs`, or earlier if no more requests may be sent. */
  async pause(mostMs: number, signal: AbortSignal): Promise<void> {
    await this.#until(() => false, mostMs, signal)
  }

  /** Sends nothing more; resolves once the workers have ended. */
  async stop(): Promise<void> {
    this.#concurrency = 0
    await Promise.allSettled(this.#workers)
  }

  readonly #indexes = new Set<number>()

  async #work(index: number): Promise<void> {
    this.#running++
    this.#indexes.add(index)
    try {
      while (index < this.#concurrency) {
        if (!this.#options.admit()) {
          this.#exhausted = true
          return
        }
        const number = this.#next++
        this.#open.add(number)
        const record = await this.#options.send(number)
        this.#records.push(record)
        this.#open.delete(number)
        if (index < this.#finished.length) this.#finished[index] = (this.#finished[index] ?? 0) + 1
        if (record.failure !== '') await sleep(failurePauseMs)
      }
    } catch (error) {
      this.#failure ??= error
    } finally {
      this.#running--
      this.#indexes.delete(index)
    }
  }

  async #until(holds: () => boolean, mostMs: number, signal: AbortSignal): Promise<void> {
    const endMs = performance.now() + mostMs
    while (!holds() && performance.now() < endMs && !(this.#exhausted && this.#running === 0)) {
      this.#throwFailure()
      await sleep(Math.max(1, Math.min(lookMs, endMs - performance.now())), undefined, { signal })
    }
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure
  }
}
