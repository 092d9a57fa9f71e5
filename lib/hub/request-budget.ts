/**
 * Keeps the number of requests per time window below the limit of the account, or the remaining number that the Hub
 * reports.
 */
import type { Clock } from '../core/types.js'

interface RequestBudgetOptions {
  readonly requestsMax: number
  readonly windowMs: number
}

/** A header such as `RateLimit: "api";r=0;t=55`. */
interface RateLimit {
  readonly requestsLeft: number
  /** Time until the next window. */
  readonly waitMs: number
}

export class RequestBudget {
  readonly #options: RequestBudgetOptions
  readonly #clock: Clock
  #requestsLeft: number
  #windowEndsAt: number

  constructor(options: RequestBudgetOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#requestsLeft = options.requestsMax
    this.#windowEndsAt = clock.now() + options.windowMs
  }

  /** Takes one request; waits for the next window if this one is used up. */
  async take(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const now = this.#clock.now()
      if (now >= this.#windowEndsAt) {
        this.#requestsLeft = this.#options.requestsMax
        this.#windowEndsAt = now + this.#options.windowMs
      }
      if (this.#requestsLeft > 0) break
      await this.#clock.sleep(this.#windowEndsAt - now, signal)
    }
    this.#requestsLeft--
  }

  /** Applies a reported limit. Waits longer than a window are ignored here: the 429 that follows decides whether to wait. */
  learn({ requestsLeft, waitMs }: RateLimit): void {
    if (requestsLeft >= this.#requestsLeft || waitMs > this.#options.windowMs) return
    this.#requestsLeft = requestsLeft
    this.#windowEndsAt = this.#clock.now() + waitMs
  }
}

export function parseRateLimit(header: string | undefined): RateLimit | null {
  const left = /;\s*r=(\d+)/.exec(header ?? '')?.[1]
  const seconds = /;\s*t=(\d+)/.exec(header ?? '')?.[1]
  if (left === undefined || seconds === undefined) return null
  return { requestsLeft: Number(left), waitMs: Number(seconds) * 1000 }
}
