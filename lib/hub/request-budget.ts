/** Requests to the Hub in a window of time: kept under what an account has, and slowed to what the Hub says is left. */
import type { Clock } from '../core/types.js'

export interface BudgetOptions {
  readonly requestsMax: number
  readonly windowMs: number
}

/** What a `RateLimit: "api";r=0;t=55` header says. */
export interface RateLimit {
  readonly left: number
  readonly waitMs: number
}

export class RequestBudget {
  #left: number
  #endsAt: number
  readonly #options: BudgetOptions
  readonly #clock: Clock

  constructor(options: BudgetOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#left = options.requestsMax
    this.#endsAt = clock.now() + options.windowMs
  }

  /** Waits for the next window when this one is used up. */
  async take(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const now = this.#clock.now()
      if (now >= this.#endsAt) {
        this.#left = this.#options.requestsMax
        this.#endsAt = now + this.#options.windowMs
      }
      if (this.#left > 0) break
      await this.#clock.sleep(this.#endsAt - now, signal)
    }
    this.#left--
  }

  /** A wait longer than a window is left to the refusal that follows: it may be too long to wait. */
  learn({ left, waitMs }: RateLimit): void {
    if (left >= this.#left || waitMs > this.#options.windowMs) return
    this.#left = left
    this.#endsAt = this.#clock.now() + waitMs
  }
}

export function parseRateLimit(header: string | undefined): RateLimit | null {
  const left = /;\s*r=(\d+)/.exec(header ?? '')?.[1]
  const seconds = /;\s*t=(\d+)/.exec(header ?? '')?.[1]
  return left === undefined || seconds === undefined ? null : { left: Number(left), waitMs: Number(seconds) * 1000 }
}
