/**
 * Paces an endpoint: by the limits in its headers, the waits that it requests, and the rate learned from its refusals.
 * The limiter decides how many requests are in flight. Pure: times are passed in.
 *
 * A server without limits is not paced: `capacity` is Infinity until it reports a limit or refuses a request.
 */

import { Quota, type QuotaReport } from '../protocol/quota.js'
import type { RateLimits } from '../protocol/rate-limits.js'
import { LearnedRate } from './learned-rate.js'

/** Credit accumulates for at most this time: the dispatcher polls at least this often, ms. */
const creditMs = 200
/** Weight of the last reply in the tokens that a request takes. */
const costWeight = 0.1

/** A refusal because of too many requests. */
interface Refusal {
  readonly retryAfterMs: number | null
  readonly limits: RateLimits | null
  /** Whether it is a rate limit (429): any other is about load, which the limiter handles. */
  readonly isOfRate: boolean
}

/** Spaces out the requests of one endpoint. */
export class Pacer {
  readonly #requests = new Quota()
  readonly #tokens = new Quota()
  readonly #learned = new LearnedRate()
  /** Tokens of a request with its reply. */
  #cost = 0
  #sent = 0
  #heldUntilMs = 0
  /** Sends that are due; counted while a rate is known. */
  #due = 1
  #dueAtMs = 0

  /** Requests that may be sent now. */
  capacity(nowMs: number): number {
    if (nowMs < this.heldUntilMs(nowMs)) return 0
    const cost = Math.max(1, this.#cost)
    const left = Math.min(this.#requests.left(1, nowMs), this.#tokens.left(cost, nowMs))
    if (left < 1) return 0
    if (this.#learned.isHeld) return 1
    const rate = Math.min(this.#requests.rate(1, nowMs), this.#tokens.rate(cost, nowMs), this.#learned.rate(nowMs))
    if (rate === Number.POSITIVE_INFINITY) {
      this.#due = 1
      this.#dueAtMs = nowMs
      return Math.floor(left)
    }
    this.#due = Math.min(1 + rate * creditMs, this.#due + rate * (nowMs - this.#dueAtMs))
    this.#dueAtMs = nowMs
    return Math.floor(Math.min(left, this.#due))
  }

  /** Time before which nothing is sent; in the past if nothing is held back, ms. */
  heldUntilMs(nowMs: number): number {
    return Math.max(this.#heldUntilMs, this.#learned.heldUntilMs(nowMs))
  }

  /** Whether a refusal holds back all but one request. */
  get isHeld(): boolean {
    return this.#learned.isHeld
  }

  /** Requests per second that refusals have shown the server to accept; null while unknown. */
  get learnedPerSecond(): number | null {
    return this.#learned.perSecond
  }

  /** @returns the number of the request, which `taken` or `refused` gets later */
  noteSent(nowMs: number): number {
    const request = this.#sent++
    this.#due = Math.max(0, this.#due - 1)
    this.#requests.spend(1)
    this.#tokens.spend(this.#cost)
    this.#learned.noteSent(request, nowMs)
    return request
  }

  /** Records that the server accepted a request, whatever its outcome. */
  noteAccepted(request: number, sentAtMs: number, limits: RateLimits | null, nowMs: number): void {
    this.#learned.noteAccepted(request, nowMs)
    if (limits !== null) this.#updateQuotas({ request, sentAtMs, refused: false }, limits, nowMs)
  }

  /** Records the tokens of a reply, prompt included. */
  noteTokens(tokens: number): void {
    this.#cost = this.#cost === 0 ? tokens : this.#cost + costWeight * (tokens - this.#cost)
  }

  noteRefused(request: number, sentAtMs: number, { retryAfterMs, limits, isOfRate }: Refusal, nowMs: number): void {
    if (limits !== null) this.#updateQuotas({ request, sentAtMs, refused: true }, limits, nowMs)
    if (!isOfRate) {
      if (retryAfterMs !== null) this.hold(nowMs + retryAfterMs)
      return
    }
    this.#learned.noteRefused(request, sentAtMs, retryAfterMs ?? usedUpMs(limits), nowMs)
  }

  hold(untilMs: number): void {
    this.#heldUntilMs = Math.max(this.#heldUntilMs, untilMs)
  }

  /** Resets limits after the endpoint came back, since they may have changed. A requested wait still applies. */
  reset(): void {
    this.#requests.reset()
    this.#tokens.reset()
    this.#learned.reset()
  }

  #updateQuotas(
    answer: Pick<QuotaReport, 'request' | 'sentAtMs' | 'refused'>,
    limits: RateLimits,
    nowMs: number,
  ): void {
    const since = this.#sent - 1 - answer.request
    const cost = this.#cost
    const { requestsRemaining, requestsResetMs, tokensRemaining, tokensResetMs } = limits
    const inRequests = { ...answer, cost: 1, spentSince: since }
    this.#requests.update(inRequests, requestsRemaining, requestsResetMs, nowMs)
    this.#tokens.update({ ...answer, cost, spentSince: since * cost }, tokensRemaining, tokensResetMs, nowMs)
  }
}

/** Returns the wait after a refusal that names none: until the used-up quota resets. */
function usedUpMs(limits: RateLimits | null): number | null {
  if (limits === null) return null
  const waits: number[] = []
  if (limits.requestsRemaining === 0 && limits.requestsResetMs !== null) waits.push(limits.requestsResetMs)
  if (limits.tokensRemaining === 0 && limits.tokensResetMs !== null) waits.push(limits.tokensResetMs)
  return waits.length === 0 ? null : Math.min(usedUpMaxMs, Math.max(...waits))
}

/** Longest wait for a reset, ms. */
const usedUpMaxMs = 120_000
