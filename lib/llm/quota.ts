/**
 * What is left of one limit (requests or tokens) that a server's headers report, and until when. Pure: times are given.
 *
 * What is left is spread over the time until the reset. That serves both kinds of limit: a fixed window is used evenly,
 * and of a token bucket, whose reset is when it is full again, half stays filled and the rest is used as it refills.
 */

/** A longer window is not spread: what is left of a day's limit may be used now, ms. */
const SPREAD_MAX_MS = 120_000
/** With nothing left, a request is sent after so long all the same: limits may be raised, ms. */
const HOLD_MAX_MS = 120_000

/** Which request's answer reports a limit. */
export interface Reported {
  readonly request: number
  readonly sentAtMs: number
  readonly cost: number
  readonly spentSince: number
  readonly refused: boolean
}

/** One limit as the last answers reported it. */
export class Quota {
  #remaining: number | null = null
  /** When it is whole again. */
  #resetAtMs = 0
  #ofRequest = -1
  /** The most that was seen of both: what a reset brings back. */
  #remainingMax = 0
  #windowMs = 0

  /**
   * Servers count at the request, whenever the answer comes: a reset that came before the answer says nothing any more.
   *
   * @param request number of the request that was answered, and when it was sent
   * @param cost what it took, and `spentSince` what the requests after it take, in the limit's unit
   */
  reported(
    { request, sentAtMs, cost, spentSince, refused }: Reported,
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

  spent(count: number): void {
    if (this.#remaining !== null) this.#remaining = Math.max(0, this.#remaining - count)
  }

  /** Requests that may be sent before the reset, each of which takes `cost`; Infinity where no limit is known. */
  left(cost: number, nowMs: number): number {
    if (this.#remaining === null) return Number.POSITIVE_INFINITY
    this.#renew(cost, nowMs)
    if (this.#remaining < cost) this.#resetAtMs = Math.min(this.#resetAtMs, nowMs + HOLD_MAX_MS)
    return this.#remaining / cost
  }

  /** Requests a ms that use up what is left at the reset; Infinity where no limit is known, or for a long window. */
  rate(cost: number, nowMs: number): number {
    const left = this.left(cost, nowMs)
    const untilMs = this.#resetAtMs - nowMs
    return left === Number.POSITIVE_INFINITY || untilMs > SPREAD_MAX_MS ? Number.POSITIVE_INFINITY : left / untilMs
  }

  forget(): void {
    this.#remaining = null
    this.#ofRequest = -1
    this.#remainingMax = this.#windowMs = 0
  }

  /** After a reset without a word from the server, a whole window is taken as granted: its first answer corrects that. */
  #renew(cost: number, nowMs: number): void {
    if (nowMs < this.#resetAtMs) return
    if (this.#windowMs < 1 || this.#remainingMax === 0) {
      this.#remaining = null
      return
    }
    this.#remaining = Math.max(cost, this.#remainingMax)
    this.#resetAtMs = nowMs + Math.min(this.#windowMs, HOLD_MAX_MS)
  }
}
