/**
 * Limiter for requests that are held up before they reach a server: additive increase, multiplicative decrease on the
 * requests that finish per second. There a request costs the same however many tokens it asks for, so they are counted,
 * and the limit stays where more of them bring no more. Pure, as limiter.ts.
 */
import { elasticity, type LimitPoint, LimitPoints } from './limit-points.js'
import type { FinishedRequest } from './limiter.js'

/** Below it nothing is gained, so few pile up nowhere; and the least after the server has refused requests. */
const limitMin = 32
const refusedLimitMin = 4
/** Requests that must finish before a limit is judged: a share of it, within bounds. */
const epochShare = 1
const epochFinishedMin = 64
const epochFinishedMax = 1024
/** Minimum duration of a measurement, ms. */
const epochMs = 500
const coldGrowth = 2
const growthShare = 0.1
const decreaseShare = 0.85
const refusedDecreaseShare = 0.7
/** The limit grows while 1 % more requests make 0.3 % more finish. */
const elasticityMin = 0.3
/** Minimum time between two decreases because of refusals, ms. */
const decreasePauseMs = 3000

export class ThroughputLimiter {
  readonly #inFlightMax: number
  reason = 'cold'
  #limit: number
  #limitMin = limitMin
  #phase: 'down' | 'up' | 'level' = 'down'
  #isWaiting = false
  #changedAtMs = Number.NEGATIVE_INFINITY
  /** When the first request that was sent at this limit finished: from then on the rate is that of this limit. */
  #settledAtMs: number | null = null
  #finished = 0
  /** Requests finished per second. */
  readonly #points = new LimitPoints()
  #refusedAtMs = Number.NEGATIVE_INFINITY

  constructor(inFlightMax: number, limitStart: number) {
    this.#inFlightMax = inFlightMax
    this.#limit = Math.min(limitStart, inFlightMax)
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** Records that a call waited for a slot: without one the limit is not what bounds the rate. */
  noteWaiting(): void {
    this.#isWaiting = true
  }

  noteFinished({ atMs, latencyMs }: FinishedRequest): void {
    if (this.#settledAtMs === null) {
      if (atMs - latencyMs >= this.#changedAtMs) this.#settledAtMs = atMs
      return
    }
    this.#finished++
    const needed = Math.min(epochFinishedMax, Math.max(epochFinishedMin, this.#limit * epochShare))
    const elapsedMs = atMs - this.#settledAtMs
    if (this.#finished < needed || elapsedMs < epochMs) return
    if (this.#isWaiting) this.#decide((1000 * this.#finished) / elapsedMs, atMs)
    this.#measureFrom(atMs)
  }

  noteOverload(atMs: number, inFlight: number): void {
    this.#phase = 'level'
    if (atMs - this.#refusedAtMs < decreasePauseMs) return
    this.#refusedAtMs = atMs
    this.#limitMin = refusedLimitMin
    this.#set(Math.min(this.#limit, inFlight) * refusedDecreaseShare, 'refused')
    this.#measureFrom(atMs)
  }

  #measureFrom(atMs: number): void {
    this.#changedAtMs = atMs
    this.#settledAtMs = null
    this.#finished = 0
    this.#isWaiting = false
  }

  #decide(rate: number, atMs: number): void {
    const average = this.#points.add(this.#limit, rate)
    if (average === null) {
      this.#refusedAtMs = atMs
      this.#set(this.#limit * refusedDecreaseShare, 'fewer finish than before at this limit')
      return
    }
    const here = { limit: this.#limit, rate: average }
    if (this.#phase === 'down') this.#halve(here)
    else this.#follow(here)
  }

  /** From a limit that another law has left, which may be far too high: halves it until fewer finish. */
  #halve(here: LimitPoint): void {
    const higher = this.#points.above(here.limit)
    const isFewer = higher !== null && elasticity(higher, here) >= elasticityMin
    if (this.#limit > this.#limitMin && !isFewer) {
      this.#set(this.#limit / coldGrowth, 'fewer may do')
      return
    }
    this.#phase = isFewer ? 'level' : 'up'
    this.#follow(here)
  }

  #follow(here: LimitPoint): void {
    const lower = this.#points.below(here.limit)
    const pays = lower === null || elasticity(here, lower) >= elasticityMin
    if (pays && this.#phase === 'up') this.#set(this.#limit * coldGrowth, 'cold')
    else if (pays) this.#set(this.#limit * (1 + growthShare), 'probing for more')
    else {
      this.#set(this.#phase === 'up' ? lower.limit : this.#limit * decreaseShare, 'of more requests no more finished')
      this.#phase = 'level'
    }
  }

  #set(limit: number, reason: string): void {
    this.#limit = Math.min(this.#inFlightMax, Math.max(this.#limitMin, limit))
    this.reason = reason
  }
}
