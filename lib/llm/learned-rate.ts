/**
 * The rate of a server that says "too many requests" without saying how many it takes. Pure: times are given.
 *
 * After a refusal nothing is sent for as long as the server asks, or for a doubled wait, and then one request alone.
 * When that is taken, a cycle has ended: what the server took from the last such request to this one, by the time
 * between them, is its rate. Of a fixed window a cycle is the window; of a token bucket the second cycle finds the rate
 * at which it refills. The rate grows from there, slowly and then faster, until a refusal ends the next cycle.
 */

/** Waits after refusals in a row, ms. */
const HOLD_START_MS = 250
const HOLD_MAX_MS = 8000
/** The request that is sent alone is taken when it was not refused for so long, or so many times a refusal's time. */
const TAKEN_AFTER_MS = 400
const TAKEN_AFTER_REFUSALS = 4
/** Share of the rate found that is used at first. */
const RATE_SHARE = 0.95
/**
 * The rate grows by (time / g)², with g so many times as long as the cycle that found it: a short one says less. Of a
 * long one that is 11 % in a minute, twofold in three.
 */
const GROWTH_CYCLES = 20
const GROWTH_MIN_MS = 20_000
const GROWTH_MAX_MS = 180_000
/** Without a refusal for so long there is no limit any more, ms. */
const FORGOTTEN_MS = 600_000
/** A cycle lowers the rate to this share at least: few requests say little. */
const FALL_MAX = 0.5
/** A request a minute at least. */
const RATE_MIN_PER_MS = 1 / 60_000
/** A cycle without refusal is counted over the last one or two of these, ms. */
const SPAN_MS = 60_000
/** While no rate is known, a pause in sending of so long begins the count again, ms. */
const IDLE_MS = 10_000

/** What is counted since a moment. */
interface Span {
  fromMs: number
  fromRequest: number
  refused: number
}

/** After a refusal. */
interface Hold {
  /** Until when nothing is sent. */
  untilMs: number
  /** Its own wait, doubled by the next refusal. */
  readonly waitMs: number
  /** The request that was sent alone after it. */
  alone: { readonly request: number; readonly sentAtMs: number } | null
}

/** What a server without words about its limit takes, in requests a ms. */
export class LearnedRate {
  #rate: number | null = null
  #rateFromMs = 0
  #growthMs = GROWTH_MAX_MS
  /** The cycle, or the older one of its last two spans. */
  #span: Span | null = null
  #next: Span | null = null
  #lastSentMs = 0
  #hold: Hold | null = null
  #refusalMs = 0

  /** Until when nothing is sent, ms; 0 where nothing is held back. */
  heldUntilMs(nowMs: number): number {
    this.#settle(nowMs)
    if (this.#hold === null) return 0
    const { untilMs, alone } = this.#hold
    return alone === null ? untilMs : alone.sentAtMs + this.#takenAfterMs
  }

  /** Whether only one request may be sent now. */
  get isHeld(): boolean {
    return this.#hold !== null
  }

  /** Infinity where no limit is known. */
  rate(nowMs: number): number {
    this.#settle(nowMs)
    if (this.#rate === null) return Number.POSITIVE_INFINITY
    const sinceMs = nowMs - this.#rateFromMs
    if (sinceMs > FORGOTTEN_MS) this.#rate = null
    return this.#rate === null ? Number.POSITIVE_INFINITY : this.#rate * (1 + (sinceMs / this.#growthMs) ** 2)
  }

  sent(request: number, nowMs: number): void {
    const isFresh = this.#span === null || (this.#rate === null && nowMs - this.#lastSentMs > IDLE_MS)
    this.#lastSentMs = nowMs
    if (this.#hold !== null) {
      this.#hold.alone ??= { request, sentAtMs: nowMs }
      return
    }
    if (isFresh) this.#begin(nowMs, request)
    else if (this.#next === null || nowMs - this.#next.fromMs > SPAN_MS) {
      if (this.#next !== null) this.#span = this.#next
      this.#next = { fromMs: nowMs, fromRequest: request, refused: 0 }
    }
  }

  taken(request: number, nowMs: number): void {
    this.#settle(nowMs)
    const alone = this.#hold?.alone
    if (alone && request >= alone.request) this.#ended(alone.request, alone.sentAtMs)
  }

  /** @param waitMs what the server asks for; null where it does not say */
  refused(request: number, sentAtMs: number, waitMs: number | null, nowMs: number): void {
    for (const span of [this.#span, this.#next]) if (span !== null && request >= span.fromRequest) span.refused++
    this.#refusalMs = nowMs - sentAtMs
    const hold = this.#hold
    // Sent before the refusal that is waited for.
    if (hold !== null && (hold.alone === null || request < hold.alone.request)) {
      if (waitMs !== null) hold.untilMs = Math.max(hold.untilMs, nowMs + waitMs)
      return
    }
    const ownMs = hold === null ? HOLD_START_MS : Math.min(HOLD_MAX_MS, hold.waitMs * 2)
    this.#hold = { untilMs: nowMs + (waitMs ?? ownMs), waitMs: ownMs, alone: null }
  }

  forget(): void {
    this.#rate = this.#span = this.#next = this.#hold = null
  }

  get #takenAfterMs(): number {
    return Math.max(TAKEN_AFTER_MS, TAKEN_AFTER_REFUSALS * this.#refusalMs)
  }

  #settle(nowMs: number): void {
    const alone = this.#hold?.alone
    if (alone && nowMs - alone.sentAtMs >= this.#takenAfterMs) this.#ended(alone.request, alone.sentAtMs)
  }

  #ended(request: number, atMs: number): void {
    const span = this.#span
    if (span !== null && atMs > span.fromMs) {
      const taken = Math.max(1, request - span.fromRequest - span.refused)
      const cycleMs = atMs - span.fromMs
      const found = (RATE_SHARE * taken) / cycleMs
      this.#growthMs = Math.min(GROWTH_MAX_MS, Math.max(GROWTH_MIN_MS, GROWTH_CYCLES * cycleMs))
      this.#rate = Math.max(RATE_MIN_PER_MS, found, FALL_MAX * (this.#rate ?? 0))
      this.#rateFromMs = atMs
    }
    this.#hold = null
    this.#begin(atMs, request)
  }

  #begin(fromMs: number, fromRequest: number): void {
    this.#span = { fromMs, fromRequest, refused: 0 }
    this.#next = null
  }
}
