/**
 * Judges an endpoint by the outcomes of its requests: whether its circuit opens, whether a failure is the
 * record's or the server's, and how fast failed requests may be retried. Pure: times are passed in.
 *
 * Only the success of a request sent after a failure shows that the failure is over: a server may still respond to
 * earlier requests while it accepts nothing new.
 */
import type { FailureKind } from '../protocol/failures.js'

/** Failures with no success between them until the circuit opens. */
const consecutiveFailuresMax = 5
/** A server that responds "full" for longer than this counts as down, ms. */
const busyMaxMs = 60_000
/** Number of records from whose last outcomes the endpoint's failure rate is computed. */
const outcomesMax = 64
/** Number of control requests from whose outcomes the failure rate for records tried alone is computed. */
const controlsMax = 16
/** Number of passed records from whose earlier failures the rate at which good records fail is computed. */
const goodRecordsMax = 64
/** Failures counted per such record, at most: an outage is not a rate. */
const goodFailuresMax = 3
/** A record is to blame when chance alone would fail it so often less than once in a million: ln 10^6. */
export const blameMax = Math.log(1e6)
/** The lowest failure rate believed: 5 failures at least; of deadlines, each of which costs minutes, 3. */
export const rateMin = 0.05
const deadlineRateMin = 0.01
/** Connections that break within this time of each other broke together: only one record is suspected, ms. */
const burstMs = 100
/** Retries at one endpoint: a tenth of its successes, but at least `retriesPerSecond`; further ones wait. */
const retriesPerSuccess = 0.1
const retriesPerSecond = 20
const retriesSavedMax = 100
/** No retry waits longer for the budget, ms. */
const budgetWaitMaxMs = 30_000

/** The evidence against one record. */
export class RecordSuspicion {
  /** −ln of the probability that all its failures are by chance. */
  blame = 0
  /** Time of its last failure, or of its first send, ms. */
  sinceMs = Number.POSITIVE_INFINITY
  failures = 0
  deadlines = 0
  get isGuilty(): boolean {
    return this.blame >= blameMax
  }
}

/** Kinds that concern the server as a whole, not the record. */
const neverBlamedKinds: ReadonlySet<FailureKind> = new Set(['account', 'loading'])

/** Successes and failures of one endpoint: whether it is down or busy, and how long to wait. */
export class Health {
  /** Time since which no request has succeeded, ms; set when the circuit opens, null while closed. */
  troubleSinceMs: number | null = null
  /** Send time of the newest request that succeeded, ms. */
  newestPassSentMs = Number.NEGATIVE_INFINITY
  #newestRecordSentMs = Number.NEGATIVE_INFINITY
  #consecutive = 0
  #busySinceMs: number | null = null
  /** By record, least recent first: whether its last request failed. */
  readonly #outcomes = new Map<string, boolean>()
  readonly #controls: boolean[] = []
  /** For the records that passed last: how often each had failed before. */
  readonly #goodFailures = new Uint8Array(goodRecordsMax)
  readonly #goodDeadlines = new Uint8Array(goodRecordsMax)
  #goodRecords = 0
  #burstAtMs = Number.NEGATIVE_INFINITY
  #retries = retriesSavedMax
  #retriesAtMs = 0

  /** @param sentAtMs send time of the request: success of one sent before the first failure does not end the outage */
  noteSuccess(record: string, sentAtMs: number, { failures, deadlines }: RecordSuspicion): void {
    this.#notePass(sentAtMs)
    const place = this.#goodRecords++ % goodRecordsMax
    this.#goodFailures[place] = Math.min(goodFailuresMax, failures)
    this.#goodDeadlines[place] = Math.min(goodFailuresMax, deadlines)
    if (sentAtMs > this.#newestRecordSentMs) this.#newestRecordSentMs = sentAtMs
    this.#retries = Math.min(retriesSavedMax, this.#retries + retriesPerSuccess)
    this.#noteOutcome(record, false)
  }

  /** Records the outcome of a control request: a repeat of one that succeeded before. */
  noteControl(passed: boolean, sentAtMs: number): void {
    this.#controls.push(passed)
    if (this.#controls.length > controlsMax) this.#controls.shift()
    if (passed) this.#notePass(sentAtMs)
  }

  /** Records the first send of a record: only requests sent after it count as having passed beside it. */
  noteSent(suspicion: RecordSuspicion, nowMs: number): void {
    if (suspicion.sinceMs === Number.POSITIVE_INFINITY) suspicion.sinceMs = nowMs
  }

  /** Returns whether the circuit opens. */
  noteFailure(record: string, kind: FailureKind, nowMs: number): boolean {
    if (kind === 'account' || kind === 'loading') return true
    if (kind === 'busy') {
      this.#busySinceMs ??= nowMs
      return nowMs - this.#busySinceMs >= busyMaxMs
    }
    this.#noteOutcome(record, true)
    return ++this.#consecutive >= consecutiveFailuresMax
  }

  /** Closes the circuit after the probe got a response; only the reply to a request ends the outage. */
  noteProbePassed(): void {
    this.#consecutive = 0
    this.#busySinceMs = null
  }

  /**
   * Adds a failure to the evidence against a record, when others that were sent since its last failure pass here.
   * Each failure weighs −ln(rate at which other records fail): 5 failures beside an endpoint that fails 1 in 20,
   * 20 beside one that fails every second, none beside one that fails all.
   *
   * @returns whether it counts as evidence
   */
  addEvidence(record: string, kind: FailureKind, suspicion: RecordSuspicion, nowMs: number): boolean {
    const { sinceMs } = suspicion
    this.noteAttempt(suspicion, kind, nowMs)
    if (kind === 'busy' || neverBlamedKinds.has(kind) || this.newestPassSentMs < sinceMs) return false
    if (this.#isOfBurst(kind, nowMs)) return false
    // If only suspects are left, a control request that passes is the evidence.
    blame(
      suspicion,
      kind,
      this.#newestRecordSentMs >= sinceMs ? this.#failureRate(record) : this.#rateBesideControls(kind),
    )
    return true
  }

  /** Records a failure of a record, whether or not it counts as evidence. */
  noteAttempt(suspicion: RecordSuspicion, kind: FailureKind, nowMs: number): void {
    suspicion.sinceMs = nowMs
    suspicion.failures++
    if (kind === 'deadline') suspicion.deadlines++
  }

  /** Adds the failure of a record that was tried alone after a control request passed. */
  addEvidenceAlone(kind: FailureKind, suspicion: RecordSuspicion): void {
    if (neverBlamedKinds.has(kind)) return
    blame(suspicion, kind, this.#rateBesideControls(kind))
  }

  /** How long the next retry waits for its place in the budget, ms. */
  retryWaitMs(nowMs: number): number {
    const earned = (retriesPerSecond * (nowMs - this.#retriesAtMs)) / 1000
    this.#retries = Math.min(retriesSavedMax, this.#retries + Math.max(0, earned)) - 1
    this.#retriesAtMs = nowMs
    return this.#retries >= 0 ? 0 : Math.min(budgetWaitMaxMs, (-this.#retries * 1000) / retriesPerSecond)
  }

  /** Returns the share of other records whose last request failed. */
  #failureRate(record: string): number {
    let others = 0
    let failures = 0
    for (const [other, failed] of this.#outcomes) {
      if (other === record) continue
      others++
      if (failed) failures++
    }
    return others === 0 ? 0 : failures / others
  }

  /** Estimates how often a good record fails: by control requests, and by records that failed and then passed. */
  #rateBesideControls(kind: FailureKind): number {
    const controls = this.#controls.filter((passed) => !passed).length / Math.max(1, this.#controls.length)
    const counts = kind === 'deadline' ? this.#goodDeadlines : this.#goodFailures
    const failures = counts.reduce((sum, count) => sum + count, 0)
    const passes = Math.min(goodRecordsMax, this.#goodRecords)
    return Math.max(controls, failures / Math.max(1, failures + passes))
  }

  #notePass(sentAtMs: number): void {
    this.#consecutive = 0
    this.#busySinceMs = null
    if (sentAtMs > this.newestPassSentMs) this.newestPassSentMs = sentAtMs
    if (this.troubleSinceMs !== null && sentAtMs >= this.troubleSinceMs) this.troubleSinceMs = null
  }

  /** A crashing server breaks every connection: only one of the records may be the cause. */
  #isOfBurst(kind: FailureKind, nowMs: number): boolean {
    if (kind !== 'connection' && kind !== 'stream') return false
    const together = nowMs - this.#burstAtMs < burstMs
    this.#burstAtMs = nowMs
    return together
  }

  #noteOutcome(record: string, failed: boolean): void {
    this.#outcomes.delete(record)
    this.#outcomes.set(record, failed)
    if (this.#outcomes.size <= outcomesMax) return
    for (const oldest of this.#outcomes.keys()) {
      this.#outcomes.delete(oldest)
      return
    }
  }
}

function blame(suspicion: RecordSuspicion, kind: FailureKind, rate: number): void {
  suspicion.blame -= Math.log(Math.max(rate, kind === 'deadline' ? deadlineRateMin : rateMin))
}
