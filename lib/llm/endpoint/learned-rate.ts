/**
 * Learns the rate of a server that responds "too many requests" without naming a limit. Pure: times are passed in.
 *
 * After a refusal nothing is sent for as long as the server asks, or for a doubled wait; then one request is sent
 * alone. When that is accepted, a cycle has ended: the requests accepted since the last such request, divided by the
 * time between them, are the rate. For a fixed window a cycle is the window; for a token bucket the second cycle finds
 * the refill rate. The rate grows from there, slowly and then faster, until a refusal ends the next cycle.
 */

/** Waits after refusals in a row, ms. */
const holdStartMs = 250
const holdMaxMs = 8000
/** The lone request counts as accepted if not refused within this time, or this multiple of a refusal's latency. */
const acceptedAfterMs = 400
const acceptedAfterRefusals = 4
/** Share of the measured rate that is used at first. */
const rateShare = 0.95
/**
 * The rate grows by (time / g)²; g is this multiple of the cycle that measured it, because a short cycle is less exact.
 * For a long cycle that is 11 % in a minute, twofold in three.
 */
const growthCycles = 20
const growthMinMs = 20_000
const growthMaxMs = 180_000
/** Time without a refusal after which pacing ends, ms. */
const forgetAfterMs = 600_000
/** A cycle lowers the rate to this share at most: few requests are a weak measurement. */
const fallMax = 0.5
/** Lowest rate: one request per minute. */
const rateMinPerMs = 1 / 60_000
/** Without a refusal, a cycle counts over the last one or two spans of this length, ms. */
const spanMs = 60_000
/** While no rate is known, a pause in sending of this length restarts the count, ms. */
const idleMs = 10_000

/** A count and its start. */
interface Span {
  fromMs: number
  fromRequest: number
  refused: number
}

/** Pause after a refusal. */
interface Hold {
  /** Nothing is sent before this time. */
  untilMs: number
  /** Back-off of this refusal, doubled by the next one. */
  readonly waitMs: number
  /** Number of the request sent alone after it. */
  alone: { readonly request: number; readonly sentAtMs: number } | null
}

/** Learned rate of a server that does not report its limit, in requests per ms. */
export class LearnedRate {
  #rate: number | null = null
  #rateFromMs = 0
  #growthMs = growthMaxMs
  /** The cycle, or the older one of its last two spans. */
  #span: Span | null = null
  #next: Span | null = null
  #lastSentMs = 0
  #hold: Hold | null = null
  #refusalMs = 0

  /** Time before which nothing is sent, ms; 0 if nothing is held back. */
  heldUntilMs(nowMs: number): number {
    this.#settle(nowMs)
    if (this.#hold === null) return 0
    const { untilMs, alone } = this.#hold
    return alone === null ? untilMs : alone.sentAtMs + this.#acceptedAfterMs
  }

  /** Whether only one request may be sent now. */
  get isHeld(): boolean {
    return this.#hold !== null
  }

  /** The measured rate, to three digits; null while unknown. */
  get perSecond(): number | null {
    return this.#rate === null ? null : Number((this.#rate * 1000).toPrecision(3))
  }

  /** Infinity if no limit is known. */
  rate(nowMs: number): number {
    this.#settle(nowMs)
    if (this.#rate === null) return Number.POSITIVE_INFINITY
    const sinceMs = nowMs - this.#rateFromMs
    if (sinceMs > forgetAfterMs) this.#rate = null
    return this.#rate === null ? Number.POSITIVE_INFINITY : this.#rate * (1 + (sinceMs / this.#growthMs) ** 2)
  }

  noteSent(request: number, nowMs: number): void {
    const isFresh = this.#span === null || (this.#rate === null && nowMs - this.#lastSentMs > idleMs)
    this.#lastSentMs = nowMs
    if (this.#hold !== null) {
      this.#hold.alone ??= { request, sentAtMs: nowMs }
      return
    }
    if (isFresh) this.#startCycle(nowMs, request)
    else if (this.#next === null || nowMs - this.#next.fromMs > spanMs) {
      if (this.#next !== null) this.#span = this.#next
      this.#next = { fromMs: nowMs, fromRequest: request, refused: 0 }
    }
  }

  noteAccepted(request: number, nowMs: number): void {
    this.#settle(nowMs)
    const alone = this.#hold?.alone
    if (alone && request >= alone.request) this.#endCycle(alone.request, alone.sentAtMs)
  }

  /** @param waitMs wait requested by the server; null if it names none */
  noteRefused(request: number, sentAtMs: number, waitMs: number | null, nowMs: number): void {
    for (const span of [this.#span, this.#next]) if (span !== null && request >= span.fromRequest) span.refused++
    this.#refusalMs = nowMs - sentAtMs
    const hold = this.#hold
    // Sent before the refusal whose wait is in progress.
    if (hold !== null && (hold.alone === null || request < hold.alone.request)) {
      if (waitMs !== null) hold.untilMs = Math.max(hold.untilMs, nowMs + waitMs)
      return
    }
    const ownMs = hold === null ? holdStartMs : Math.min(holdMaxMs, hold.waitMs * 2)
    this.#hold = { untilMs: nowMs + (waitMs ?? ownMs), waitMs: ownMs, alone: null }
  }

  reset(): void {
    this.#rate = this.#span = this.#next = this.#hold = null
  }

  get #acceptedAfterMs(): number {
    return Math.max(acceptedAfterMs, acceptedAfterRefusals * this.#refusalMs)
  }

  #settle(nowMs: number): void {
    const alone = this.#hold?.alone
    if (alone && nowMs - alone.sentAtMs >= this.#acceptedAfterMs) this.#endCycle(alone.request, alone.sentAtMs)
  }

  #endCycle(request: number, atMs: number): void {
    const span = this.#span
    if (span !== null && atMs > span.fromMs) {
      const taken = Math.max(1, request - span.fromRequest - span.refused)
      const cycleMs = atMs - span.fromMs
      const found = (rateShare * taken) / cycleMs
      this.#growthMs = Math.min(growthMaxMs, Math.max(growthMinMs, growthCycles * cycleMs))
      this.#rate = Math.max(rateMinPerMs, found, fallMax * (this.#rate ?? 0))
      this.#rateFromMs = atMs
    }
    this.#hold = null
    this.#startCycle(atMs, request)
  }

  #startCycle(fromMs: number, fromRequest: number): void {
    this.#span = { fromMs, fromRequest, refused: 0 }
    this.#next = null
  }
}
