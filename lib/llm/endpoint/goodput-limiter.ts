/**
 * Limiter for servers without metrics: additive increase, multiplicative decrease on goodput (tokens/s). Goodput is
 * computed by Little's law, requests in flight divided by time per token: latency and tokens of a request vary
 * together, so their ratio is stable, unlike the tokens per second, and long replies do not look like a slow server.
 * Pure, as limiter.ts.
 */
import { elasticity, LimitPoints } from './limit-points.js'
import type { FinishedRequest, Limiter } from './limiter.js'

const limitStart = 16
const limitMin = 2
/** Requests started in an epoch that must finish before it ends: a share of the limit, within bounds. */
const epochShare = 0.25
const epochFinishedMin = 16
const epochFinishedMax = 256
/** Minimum duration of an epoch, ms. */
const epochMs = 500
/** Fixed cost of a request in tokens: its prefill. */
const tokensOverhead = 16
const coldGrowth = 2
/** Growth after an epoch in which calls waited for a slot. */
const growthShare = 0.1
/** The limit grows while 1 % more requests give 0.04 % more tokens. The noise of an epoch is 2 to 3 %. */
const elasticityMin = 0.04
/** Doubling continues while it gives 9 % more; then smaller steps are safer. */
const coldElasticityMin = 0.12
const coldRetreat = 1.4
const decreaseShare = 0.85
const refusedDecreaseShare = 0.7
/** Minimum time between two decreases, ms. */
const decreasePauseMs = 3000

/** Finds the limit by trial: grows while more requests give more tokens per second. */
export class GoodputLimiter implements Limiter {
  readonly #inFlightMax: number
  readonly kind = 'goodput'
  reason = 'cold'
  #limit: number
  #cold = true
  #isWaiting = false
  /** Requests sent before this time belong to the previous limit. */
  #epochFromMs = Number.NEGATIVE_INFINITY
  #finished = 0
  #tokens = 0
  #latencyMs = 0
  readonly #points = new LimitPoints()
  #decreasedAtMs = Number.NEGATIVE_INFINITY

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax
    this.#limit = Math.min(limitStart, inFlightMax)
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  noteWaiting(): void {
    this.#isWaiting = true
  }

  noteSample(): void {}

  noteFinished({ atMs, latencyMs, tokens }: FinishedRequest): void {
    if (atMs - latencyMs < this.#epochFromMs) return
    this.#finished++
    this.#tokens += tokens + tokensOverhead
    this.#latencyMs += latencyMs
    const needed = Math.min(epochFinishedMax, Math.max(epochFinishedMin, this.#limit * epochShare))
    if (this.#finished < needed || atMs - this.#epochFromMs < epochMs) return
    // Without waiting calls, fewer requests than the limit were in flight: the epoch is not a measurement.
    if (this.#isWaiting) this.#decide((1000 * this.#limit * this.#tokens) / this.#latencyMs, atMs)
    this.#startEpoch(atMs)
  }

  noteOverload(atMs: number, inFlight: number): void {
    this.#cold = false
    if (atMs - this.#decreasedAtMs < decreasePauseMs) return
    this.#decrease(atMs, Math.min(this.#limit, inFlight) * refusedDecreaseShare, 'refused')
    this.#startEpoch(atMs)
  }

  restart(): void {
    this.#limit = Math.min(limitStart, this.#inFlightMax)
    this.#cold = true
    this.#points.clear()
    this.#startEpoch(Number.NEGATIVE_INFINITY)
    this.reason = 'back'
  }

  #startEpoch(atMs: number): void {
    this.#epochFromMs = atMs
    this.#finished = this.#tokens = this.#latencyMs = 0
    this.#isWaiting = false
  }

  #decide(goodput: number, atMs: number): void {
    const rate = this.#points.add(this.#limit, goodput)
    if (rate === null) {
      this.#decrease(atMs, this.#limit * refusedDecreaseShare, 'less goodput than before at this limit')
      return
    }
    const lower = this.#points.below(this.#limit)
    const least = this.#cold ? coldElasticityMin : elasticityMin
    const pays = lower === null || elasticity({ limit: this.#limit, rate }, lower) >= least
    if (this.#cold && pays) this.#set(this.#limit * coldGrowth, 'cold')
    else if (pays) this.#set(this.#limit + Math.max(1, this.#limit * growthShare), 'probing for more')
    else if (this.#cold) {
      // The last doubling only built a queue, which small steps would take several epochs to drain.
      this.#cold = false
      this.#decrease(atMs, lower.limit * coldRetreat, 'the last doubling gave little')
    } else {
      this.#decrease(atMs, this.#limit * decreaseShare, 'more requests gave no more tokens')
    }
  }

  #decrease(atMs: number, limit: number, reason: string): void {
    this.#decreasedAtMs = atMs
    this.#set(limit, reason)
  }

  #set(limit: number, reason: string): void {
    this.#limit = Math.min(this.#inFlightMax, Math.max(Math.min(limitMin, this.#inFlightMax), limit))
    this.reason = reason
  }
}
