/**
 * What is known of an endpoint from how its requests ended: whether its circuit opens, whether a failure is the
 * record's or the server's, and how fast failed requests may be asked again. Pure: times are given.
 */
import type { FailureKind } from './failures.js'

/** Failures with no success between them until the circuit opens. */
const CONSECUTIVE_MAX = 5
/** A server that only says "full" for so long counts as out, ms. */
const BUSY_MAX_MS = 60_000
/** Outcomes by which the endpoint's failure rate is judged. */
const OUTCOMES_MAX = 64
/** A record is to blame when chance alone would fail it so often less than once in a million: ln 10^6. */
const BLAME_MAX = Math.log(1e6)
/** The lowest failure rate believed: 5 failures at least; of deadlines, each of which costs minutes, 3. */
const RATE_MIN = 0.05
const DEADLINE_RATE_MIN = 0.01
/** Retries at one endpoint: a tenth of its successes, and so many a second at least; more of them wait their turn. */
const RETRIES_PER_SUCCESS = 0.1
const RETRIES_PER_SECOND = 20
const RETRIES_SAVED_MAX = 100
/** No retry waits longer for the budget, ms. */
const BUDGET_WAIT_MAX_MS = 30_000

/** What one record has against it so far. */
export class RecordSuspicion {
  /** −ln of the probability that chance did it. */
  blame = 0
  /** Successes that each endpoint had when it was last asked about the record. */
  readonly passesSeen = new Map<Health, number>()
  get guilty(): boolean {
    return this.blame >= BLAME_MAX
  }
}

/** Successes and failures of one endpoint, and what follows: is it out, is it busy, how long to wait. */
export class Health {
  /** Successes, of requests and of the probe's own. */
  passes = 0
  /** Since when nothing but failures came, ms; null when all is well. */
  troubleSinceMs: number | null = null
  #consecutive = 0
  #busySinceMs: number | null = null
  #outcomes: { readonly record: string; readonly failed: boolean }[] = []
  #next = 0
  /** Records that failed since the last success. */
  readonly #streak = new Set<string>()
  #probesPassedInStreak = 0
  #retries = RETRIES_SAVED_MAX
  #retriesAtMs = 0

  succeeded(record: string): void {
    this.passes++
    this.#consecutive = 0
    this.#busySinceMs = null
    this.troubleSinceMs = null
    this.#streak.clear()
    this.#probesPassedInStreak = 0
    this.#retries = Math.min(RETRIES_SAVED_MAX, this.#retries + RETRIES_PER_SUCCESS)
    this.#note(record, false)
  }

  /** A record is asked about here: what passes from now on passes beside it. */
  asked(suspicion: RecordSuspicion): void {
    if (!suspicion.passesSeen.has(this)) suspicion.passesSeen.set(this, this.passes)
  }

  /** Returns whether the circuit opens. */
  failed(record: string, kind: FailureKind, nowMs: number): boolean {
    if (kind === 'busy') {
      this.#busySinceMs ??= nowMs
      if (nowMs - this.#busySinceMs < BUSY_MAX_MS) return false
    } else {
      this.#consecutive++
      if (this.#streak.size < CONSECUTIVE_MAX) this.#streak.add(record)
      this.#note(record, true)
      if (this.#consecutive < CONSECUTIVE_MAX) return false
    }
    return true
  }

  /** The endpoint's probe was answered: the circuit closes, but only a real reply ends the trouble. */
  probePassed(): void {
    this.#consecutive = 0
    this.#busySinceMs = null
    if (this.#streak.size === 1) this.#probesPassedInStreak++
  }

  /**
   * Adds a failure to what a record has against it, when others pass at the same endpoint.
   * Each failure weighs −ln(rate at which other records fail): 5 failures beside an endpoint that fails 1 in 20,
   * 20 beside one that fails every second, none beside one that fails all.
   */
  suspect(record: string, kind: FailureKind, suspicion: RecordSuspicion): void {
    const othersPassed = this.passes > (suspicion.passesSeen.get(this) ?? this.passes)
    const aloneWithProbe = this.#streak.size === 1 && this.#streak.has(record) && this.#probesPassedInStreak > 0
    suspicion.passesSeen.set(this, this.passes)
    if (kind === 'busy' || (!othersPassed && !aloneWithProbe)) return
    const others = this.#outcomes.filter((outcome) => outcome.record !== record)
    const failures = others.filter((outcome) => outcome.failed).length
    const rate = others.length === 0 ? 0 : failures / others.length
    suspicion.blame -= Math.log(Math.max(rate, kind === 'deadline' ? DEADLINE_RATE_MIN : RATE_MIN))
  }

  /** How long the next retry waits for its place in the budget, ms. */
  retryWaitMs(nowMs: number): number {
    const earned = (RETRIES_PER_SECOND * (nowMs - this.#retriesAtMs)) / 1000
    this.#retries = Math.min(RETRIES_SAVED_MAX, this.#retries + Math.max(0, earned)) - 1
    this.#retriesAtMs = nowMs
    return this.#retries >= 0 ? 0 : Math.min(BUDGET_WAIT_MAX_MS, (-this.#retries * 1000) / RETRIES_PER_SECOND)
  }

  #note(record: string, failed: boolean): void {
    this.#outcomes[this.#next] = { record, failed }
    this.#next = (this.#next + 1) % OUTCOMES_MAX
  }
}
