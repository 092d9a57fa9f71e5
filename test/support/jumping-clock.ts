/** A clock for tests whose time jumps over each sleep, so that leases of a minute take no time. */
import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../lib/core/types.js'

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
