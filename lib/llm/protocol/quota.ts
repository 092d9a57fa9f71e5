/**
 * Remaining quota of one limit (requests or tokens) in a server's headers, and its reset. Pure: times are passed in.
 *
 * The remaining quota is spread over the time until the reset. This fits both kinds of limit: a fixed window is used
 * evenly; a token bucket, whose reset is when it is full again, stays half full and the rest is used as it refills.
 */

/** Longer windows are not spread, ms: the rest of a daily limit may be used now. */
const spreadMaxMs = 120_000
/** Wait after which a request is sent even with nothing left, ms: limits may have been raised. */
const holdMaxMs = 120_000

/** The request whose response reports a limit. */
export interface QuotaReport {
  /** Number of the request, in order of sending. */
  readonly request: number
  readonly sentAtMs: number
  /** What the request took, in the unit of the limit. */
  readonly cost: number
  /** What the requests sent after it take. */
  readonly spentSince: number
  /** Whether the server refused it. */
  readonly refused: boolean
}

/** One limit as last reported. */
export class Quota {
  #remaining: number | null = null
  /** Time of the reset. */
  #resetAtMs = 0
  #ofRequest = -1
  /** Highest values seen: restored by a reset. */
  #remainingMax = 0
  #windowMs = 0

  /**
   * Servers count when the request arrives: a report whose reset is before the response is stale.
   *
   * @param remaining quota left after the request; null if the response does not report it
   * @param resetMs time until the reset
   */
  update(
    { request, sentAtMs, cost, spentSince, refused }: QuotaReport,
    remaining: number | null,
    resetMs: number | null,
    nowMs: number,
  ): void {
    if (remaining === null || resetMs === null || request < this.#ofRequest) return
    const resetAtMs = sentAtMs + resetMs
    if (resetAtMs > nowMs) {
      this.#ofRequest = request
      this.#remaining = Math.max(0, remaining - spentSince)
      this.#resetAtMs = resetAtMs
    }
    if (!refused) this.#remainingMax = Math.max(this.#remainingMax, remaining + cost)
    this.#windowMs = Math.max(this.#windowMs, resetMs)
  }

  spend(count: number): void {
    if (this.#remaining !== null) this.#remaining = Math.max(0, this.#remaining - count)
  }

  /** Returns the requests that may be sent before the reset at `cost` each; Infinity if no limit is known. */
  left(cost: number, nowMs: number): number {
    if (this.#remaining === null) return Number.POSITIVE_INFINITY
    this.#renew(cost, nowMs)
    if (this.#remaining < cost) this.#resetAtMs = Math.min(this.#resetAtMs, nowMs + holdMaxMs)
    return this.#remaining / cost
  }

  /**
   * Returns the requests per ms that use up the quota by the reset; Infinity if no limit is known, or if it is long.
   */
  rate(cost: number, nowMs: number): number {
    const left = this.left(cost, nowMs)
    const untilMs = this.#resetAtMs - nowMs
    return left === Number.POSITIVE_INFINITY || untilMs > spreadMaxMs ? Number.POSITIVE_INFINITY : left / untilMs
  }

  reset(): void {
    this.#remaining = null
    this.#ofRequest = -1
    this.#remainingMax = this.#windowMs = 0
  }

  /** Assumes a full window after a reset that no response has confirmed: the first response corrects it. */
  #renew(cost: number, nowMs: number): void {
    if (nowMs < this.#resetAtMs) return
    if (this.#windowMs < 1 || this.#remainingMax === 0) {
      this.#remaining = null
      return
    }
    this.#remaining = Math.max(cost, this.#remainingMax)
    this.#resetAtMs = nowMs + Math.min(this.#windowMs, holdMaxMs)
  }
}
