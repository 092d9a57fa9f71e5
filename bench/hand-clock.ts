/** A clock whose time passes by hand: for benches and tests, so that minutes take no time. */
import type { Clock } from '../lib/core/types.js'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** Moved by `advance` and `skip` alone. */
export class HandClock implements Clock {
  #nowMs = 0
  readonly #sleepers = new Set<Sleeper>()

  now(): number {
    return this.#nowMs
  }

  /** When the next sleep is over, ms; infinite where nobody sleeps. */
  get nextDueMs(): number {
    return Math.min(...[...this.#sleepers].map(({ dueMs }) => dueMs))
  }

  sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        this.#sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const sleeper: Sleeper = { dueMs: this.#nowMs + waitMs, wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Passes time without waking anyone, as a process that is suspended. */
  skip(ms: number): void {
    this.#nowMs += ms
  }

  /** Passes time and wakes whose sleep is over. */
  advance(ms: number): void {
    this.#nowMs += ms
    for (const sleeper of [...this.#sleepers]) {
      if (sleeper.dueMs > this.#nowMs) continue
      this.#sleepers.delete(sleeper)
      sleeper.wake()
    }
  }
}
