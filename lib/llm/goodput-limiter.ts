/**
 * The limiter for servers that show no metrics: additive increase, multiplicative decrease on goodput (tokens/s),
 * with latency divided by the tokens it bought, so that a long answer is not taken for a slow server.
 */
import type { Finished, Limiter } from './limiter.js'

const LIMIT_START = 16
const LIMIT_MIN = 2
/** An epoch lasts so long, ms, and until so many requests have finished: fewer say nothing of tokens/s. */
const EPOCH_MS = 2000
const EPOCH_FINISHED_MIN = 16
/** A server's fixed cost a request, in tokens: prefill and queueing of a one-token answer are not free. */
const TOKENS_OVERHEAD = 16
/** While cold: doubled as long as an epoch brings so much more goodput than the best before. */
const COLD_GROWTH = 2
const COLD_GAIN_MIN = 1.1
/** What is kept of the limit when doubling stops paying: the knee lies between the last two. */
const COLD_RETREAT = 0.75
/** Added at an epoch that had calls waiting for room. */
const GROWTH_SHARE = 0.05
/** Decrease when time a token is over so many times its best of late while goodput is no better. */
const SLOWDOWN_MAX = 1.5
const DECREASE = 0.85
const REFUSED_DECREASE = 0.7
/** One decrease a burst, ms. */
const DECREASE_PAUSE_MS = 3000
/** How fast the best of late is forgotten, a share an epoch: capacity and texts change. */
const FORGET = 0.02

export class GoodputLimiter implements Limiter {
  readonly kind = 'goodput'
  reason = 'cold'
  #limit: number
  #cold = true
  #pressed = false
  #startMs: number | null = null
  #finished = 0
  #tokens = 0
  #latencyMs = 0
  #goodputBest = 0
  #msATokenBest = Number.POSITIVE_INFINITY
  #decreasedAtMs = Number.NEGATIVE_INFINITY

  constructor(private readonly inFlightMax: number) {
    this.#limit = Math.min(LIMIT_START, inFlightMax)
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  pressed(): void {
    this.#pressed = true
  }

  sampled(): void {}

  finished({ atMs, latencyMs, tokens }: Finished): void {
    this.#startMs ??= atMs - latencyMs
    this.#finished++
    this.#tokens += tokens + TOKENS_OVERHEAD
    this.#latencyMs += latencyMs
    const elapsedMs = atMs - this.#startMs
    // An epoch shorter than a request would measure the requests of the limit before.
    const epochMs = Math.max(EPOCH_MS, this.#latencyMs / this.#finished)
    if (elapsedMs < epochMs || this.#finished < EPOCH_FINISHED_MIN) return
    this.#decide((1000 * this.#tokens) / elapsedMs, this.#latencyMs / this.#tokens, atMs)
    this.#startMs = atMs
    this.#finished = this.#tokens = this.#latencyMs = 0
    this.#pressed = false
  }

  overloaded(atMs: number, inFlight: number): void {
    this.#cold = false
    if (atMs - this.#decreasedAtMs < DECREASE_PAUSE_MS) return
    this.#decreasedAtMs = atMs
    this.#set(Math.min(this.#limit, inFlight) * REFUSED_DECREASE, 'refused')
  }

  restart(): void {
    this.#limit = Math.min(LIMIT_START, this.inFlightMax)
    this.#cold = true
    this.#goodputBest = 0
    this.#msATokenBest = Number.POSITIVE_INFINITY
    this.#startMs = null
    this.#finished = this.#tokens = this.#latencyMs = 0
    this.reason = 'back'
  }

  #decide(goodput: number, msAToken: number, atMs: number): void {
    const gained = goodput > this.#goodputBest * COLD_GAIN_MIN
    const better = goodput > this.#goodputBest
    this.#goodputBest = Math.max(goodput, this.#goodputBest * (1 - FORGET))
    // Time a token per request in flight: what one more request costs the others.
    this.#msATokenBest = Math.min(msAToken, this.#msATokenBest * (1 + FORGET))
    if (this.#cold) {
      if (!this.#pressed) return
      this.#cold = gained
      this.#set(this.#limit * (gained ? COLD_GROWTH : COLD_RETREAT), gained ? 'cold' : 'no more goodput')
      return
    }
    if (msAToken > this.#msATokenBest * SLOWDOWN_MAX && !better) {
      if (atMs - this.#decreasedAtMs < DECREASE_PAUSE_MS) return
      this.#decreasedAtMs = atMs
      this.#set(this.#limit * DECREASE, 'slower a token, no more goodput')
    } else if (this.#pressed) this.#set(this.#limit + Math.max(1, this.#limit * GROWTH_SHARE), 'probing for more')
  }

  #set(limit: number, reason: string): void {
    this.#limit = Math.min(this.inFlightMax, Math.max(Math.min(LIMIT_MIN, this.inFlightMax), limit))
    this.reason = reason
  }
}
