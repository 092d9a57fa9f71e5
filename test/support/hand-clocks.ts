/** Clocks for tests: time passes by hand, or jumps over each sleep, so that leases of a minute take no time. */
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../lib/core/types.js'

/** Moved by `advance` alone. */
export class HandClock implements Clock {
  #nowMs = 0
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>()

  now(): number {
    return this.#nowMs
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
      const sleeper = { atMs: this.#nowMs + waitMs, wake }
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
    for (const sleeper of this.#sleepers) {
      if (sleeper.atMs > this.#nowMs) continue
      this.#sleepers.delete(sleeper)
      sleeper.wake()
    }
  }
}

/** A sleep is over at once, and took its time; `onSleep` runs meanwhile. */
export class JumpingClock implements Clock {
  #nowMs = 0

  constructor(private readonly onSleep: (waitMs: number) => Promise<void> | void = () => undefined) {}

  now(): number {
    return this.#nowMs
  }

  async sleep(waitMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    await this.onSleep(waitMs)
    this.#nowMs += waitMs
    await setImmediate()
    signal?.throwIfAborted()
  }
}
