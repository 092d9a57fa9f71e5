/**
 * Limiter for requests that are held up before they reach a server: additive increase, multiplicative decrease on the
 * requests that finish per second. There a request costs the same however many tokens it asks for, so they are counted,
 * and the limit stays where more of them bring no more. Pure, as limiter.ts.
 */
import type { FinishedRequest } from './limiter.js'

/** Below it nothing is gained: so few pile up nowhere. */
const limitMin = 32
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
/** The limit grows while 1 % more requests make 0.3 % more finish, compared with a limit at least 1.4 times lower. */
const elasticityMin = 0.3
const comparedRatio = 1.4
/** Share of the earlier rate at the same limit below which capacity has fallen: all measurements are discarded. */
const collapseShare = 0.75
/** Minimum time between two decreases because of refusals, ms. */
const decreasePauseMs = 3000
/** Weight of a new measurement in the average of a limit. */
const rateWeight = 0.4

interface Point {
  readonly limit: number
  /** Requests finished per second. */
  readonly rate: number
}

export class ThroughputLimiter {
  readonly #inFlightMax: number
  reason = 'cold'
  #limit: number
  #phase: 'down' | 'up' | 'level' = 'down'
  #isWaiting = false
  #changedAtMs = Number.NEGATIVE_INFINITY
  /** When the first request that was sent at this limit finished: from then on the rate is that of this limit. */
  #settledAtMs: number | null = null
  #finished = 0
  /** Rate by quarter octave of the limit. */
  readonly #points = new Map<number, Point>()
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
    const place = Math.round(4 * Math.log2(this.#limit))
    const known = this.#points.get(place)
    if (known !== undefined && rate < known.rate * collapseShare) {
      this.#points.clear()
      this.#refusedAtMs = atMs
      this.#set(this.#limit * refusedDecreaseShare, 'fewer finish than before at this limit')
      return
    }
    const learnt = known === undefined ? rate : known.rate + rateWeight * (rate - known.rate)
    this.#points.set(place, { limit: this.#limit, rate: learnt })
    if (this.#phase === 'down') this.#halve(learnt)
    else this.#follow(learnt)
  }

  /** From a limit that another law has left, which may be far too high: halves it until fewer finish. */
  #halve(rate: number): void {
    const higher = this.#nearest((limit) => limit >= this.#limit * comparedRatio)
    const isFewer = higher !== null && gain(higher.rate, higher.limit, rate, this.#limit) >= elasticityMin
    if (this.#limit > limitMin && !isFewer) {
      this.#set(this.#limit / coldGrowth, 'fewer may do')
      return
    }
    this.#phase = isFewer ? 'level' : 'up'
    this.#follow(rate)
  }

  #follow(rate: number): void {
    const lower = this.#nearest((limit) => limit * comparedRatio <= this.#limit)
    const pays = lower === null || gain(rate, this.#limit, lower.rate, lower.limit) >= elasticityMin
    if (pays && this.#phase === 'up') this.#set(this.#limit * coldGrowth, 'cold')
    else if (pays) this.#set(this.#limit * (1 + growthShare), 'probing for more')
    else {
      this.#set(this.#phase === 'up' ? lower.limit : this.#limit * decreaseShare, 'of more requests no more finished')
      this.#phase = 'level'
    }
  }

  /** Returns the measured limit closest to this one of those that `isFar` accepts. */
  #nearest(isFar: (limit: number) => boolean): Point | null {
    let nearest: Point | null = null
    for (const point of this.#points.values()) {
      if (!isFar(point.limit)) continue
      if (nearest === null || Math.abs(point.limit - this.#limit) < Math.abs(nearest.limit - this.#limit))
        nearest = point
    }
    return nearest
  }

  #set(limit: number, reason: string): void {
    this.#limit = Math.min(this.#inFlightMax, Math.max(limitMin, limit))
    this.reason = reason
  }
}

/** Returns by how many % more requests finish for 1 % more in flight, from the lower limit to the higher one. */
function gain(higherRate: number, higherLimit: number, lowerRate: number, lowerLimit: number): number {
  return Math.log(higherRate / lowerRate) / Math.log(higherLimit / lowerLimit)
}
