/**
 * Estimates the tokens in the KV cache of a server between two samples of its metrics, so that a request is sent only
 * while the cache has space for it and for what the running ones will still generate. Pure, as limiter.ts: the limiter
 * bounds the number of requests, this bounds their tokens.
 *
 * A request holds its prompt and the tokens generated so far, which are its age × the learned tokens per ms. The sum over
 * the requests in flight, divided by the server's KV use, is the size of the cache as these estimates measure it: a
 * systematic error of the estimates, shared prefixes and other clients of the server are part of that quotient.
 *
 * The margin: between two admissions the held tokens are a random walk. A request that ends frees what it holds, M tokens;
 * in the time in which one ends, the running ones generate the replies of one, so the walk falls by the prompt, p. The
 * probability that it exceeds a margin m is about exp(−2 m p / E[M²]) (Lundberg's bound), so a fixed probability takes a
 * margin in proportion to E[M²] / 2p, whatever the size of the cache.
 */
import type { ServerSample } from './limiter.js'

/** Margin as a multiple of E[M²] / 2p: 0.4 % preempted at the rate of a full cache (`bench llm`). */
const marginFactor = 1.5
/** Largest margin as a share of the cache: short prompts with long replies would take all of it. */
const marginShareMax = 0.15
/** Share of the cache in use below which it does not limit anything. */
const usageMin = 0.2
/** Requests in flight that are always allowed. */
const requestsMin = 4
/** Weight of a sample in the estimated size of the cache; the first samples count equally. */
const sampleWeight = 0.1
/** Share of the earlier replies that remains at each reply: an average over about 100. */
const decay = 0.99
/** Tokens per UTF-16 unit of a prompt before the first reply. */
const tokensPerUnitStart = 0.7

/** A finished request, as its reply reports it. */
interface FinishedPrompt {
  /** UTF-16 units of the prompt. */
  readonly promptUnits: number
  readonly promptTokens: number
  readonly replyTokens: number
  readonly latencyMs: number
}

export class KvBudget {
  /** Prompts in flight, their estimated tokens, and the sum of the times since `#originMs` at which they were sent. */
  #prompts = 0
  #promptTokens = 0
  #sentMs = 0
  #originMs = 0
  /** Tokens of the cache by these estimates; null while it is unknown or not a limit. */
  #cacheTokens: number | null = null
  #samples = 0
  /** Decayed sums over replies. */
  readonly #sums = { replies: 0, units: 0, promptTokens: 0, replyTokens: 0, latencyMs: 0, squares: 0 }

  /** @returns the estimated tokens of the prompts, which `noteEnded` gets later */
  noteSent(prompts: number, units: number, nowMs: number): number {
    if (this.#prompts === 0) this.#reset(nowMs)
    const { units: known, promptTokens } = this.#sums
    const tokens = Math.ceil(units * (known === 0 ? tokensPerUnitStart : promptTokens / known))
    this.#prompts += prompts
    this.#promptTokens += tokens
    this.#sentMs += prompts * Math.round(nowMs - this.#originMs)
    return tokens
  }

  /** Records that a request ended, whatever its outcome. */
  noteEnded(prompts: number, tokens: number, sentAtMs: number): void {
    this.#prompts -= prompts
    this.#promptTokens -= tokens
    this.#sentMs -= prompts * Math.round(sentAtMs - this.#originMs)
  }

  noteReply({ promptUnits, promptTokens, replyTokens, latencyMs }: FinishedPrompt): void {
    if (promptTokens <= 0) return // the server reports no usage
    const sums = this.#sums
    sums.replies = sums.replies * decay + 1
    sums.units = sums.units * decay + promptUnits
    sums.promptTokens = sums.promptTokens * decay + promptTokens
    sums.replyTokens = sums.replyTokens * decay + replyTokens
    sums.latencyMs = sums.latencyMs * decay + latencyMs
    sums.squares = sums.squares * decay + (promptTokens + replyTokens) ** 2
  }

  noteSample({ atMs, running, waiting, kvUsage }: ServerSample): void {
    if (kvUsage === null || kvUsage < usageMin || this.#sums.replies === 0 || this.#prompts === 0) {
      this.#cacheTokens = null
      this.#samples = 0
      return
    }
    // Requests in the server's queue hold nothing.
    const held = (this.#heldTokens(atMs) * running) / Math.max(1, running + waiting)
    const size = held / kvUsage
    const weight = Math.max(sampleWeight, 1 / ++this.#samples)
    this.#cacheTokens = this.#cacheTokens === null ? size : this.#cacheTokens + weight * (size - this.#cacheTokens)
  }

  /** Whether the cache has no space for another prompt of average length. */
  isFull(nowMs: number): boolean {
    if (this.#cacheTokens === null || this.#prompts < requestsMin) return false
    const { squares, promptTokens } = this.#sums
    const margin = Math.min((marginFactor * squares) / (2 * promptTokens), marginShareMax * this.#cacheTokens)
    return this.#heldTokens(nowMs) + this.#promptTokens / this.#prompts + margin > this.#cacheTokens
  }

  /** Starts over after the endpoint was down: its cache may be another one. */
  restart(): void {
    this.#cacheTokens = null
    this.#samples = 0
  }

  /** Estimated tokens that the requests in flight hold. */
  #heldTokens(nowMs: number): number {
    const { replyTokens, latencyMs } = this.#sums
    const tokensPerMs = latencyMs === 0 ? 0 : replyTokens / latencyMs
    return this.#promptTokens + tokensPerMs * (this.#prompts * (nowMs - this.#originMs) - this.#sentMs)
  }

  /** Resets the sums at an idle endpoint, so that they stay exact integers. */
  #reset(nowMs: number): void {
    this.#promptTokens = 0
    this.#sentMs = 0
    this.#originMs = nowMs
  }
}
