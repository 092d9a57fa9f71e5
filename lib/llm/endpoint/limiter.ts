/**
 * Limits of the requests in flight at an endpoint. Pure control laws: samples and times in, `limit` out; endpoint.ts
 * polls and sends. The constants were tuned against lib/simulator (`kun-stream bench llm`).
 */

/** One sample of a server's metrics. */
export interface ServerSample {
  readonly atMs: number
  readonly running: number
  readonly waiting: number
  /** Share of the KV cache in use, 0 … 1; null if the server does not report it. */
  readonly kvUsage: number | null
  /** Counters since the server's start. */
  readonly preemptions: number
  readonly generationTokens: number
}

/** A finished request. */
export interface FinishedRequest {
  readonly atMs: number
  readonly latencyMs: number
  readonly tokens: number
}

/** Limit of the requests in flight at an endpoint, adjusted by what is reported to it. */
export interface Limiter {
  /** Requests in flight at most, an integer. */
  readonly limit: number
  readonly kind: 'queue' | 'goodput' | 'fixed'
  /** Reason of the last change. */
  readonly reason: string
  /** Records that a call waited for a slot since the last decision: a higher limit would be used. */
  noteWaiting(): void
  noteSample(sample: ServerSample, inFlight: number): void
  noteFinished(request: FinishedRequest, inFlight: number): void
  /** Records that the server reported overload (429, 503) or missed a deadline. */
  noteOverload(atMs: number, inFlight: number): void
  /** Starts over after the endpoint was down: its capacity may have changed. */
  restart(): void
}

/** Share of the limit that an endpoint keeps after it was down: two doublings restore it. */
const restartShare = 0.25

/** Time between two polls of `/metrics`, ms: half the time to first token under load; a poll costs a server 5–10 ms. */
export const pollMs = 500

/** Limit of a cold endpoint: enough to observe batched decoding, too few to fill any KV cache. */
const limitStart = 32
const limitMin = 4
/** Growth of the limit of a cold endpoint at each sample without a queue. */
const coldGrowth = 2
/** Target of waiting requests as a share of `running`: 5–15 % keep every freed sequence refilled. */
const waitingTarget = 0.08
/** Minimum of that target, so that a small server is not idle between two samples. */
const waitingMin = 2
/** Share of the difference to the target corrected per sample: requests in flight take time to finish. */
const queueGain = 0.6
/** Samples in a row without a queue after which doubling starts again: capacity rose, or requests became shorter. */
const starvedSamples = 3
/** KV use up to which the limit of a cold endpoint is doubled: running sequences will still grow by about half. */
const kvUsageColdMax = 0.7
/** Growth of `running` between two samples at which a queue counts as being admitted. */
const coldRunningGrowth = 1.03
/** KV use above which the limit does not grow: running sequences still grow. */
const kvUsageHold = 0.96
/** KV use above which the limit is cut: the next block may cause a preemption. */
const kvUsageCut = 0.985
/** Share of the running requests that a cut leaves. */
const kvCutShare = 0.97
/** Minimum time between two cuts, ms: the effect of a cut shows only as requests finish. */
const cutPauseMs = 3000
/** Share of the requests in flight that a response of 429 or 503 leaves. */
const refusedCutShare = 0.7

/**
 * Closed loop on the server's queue: the difference between the target and the actual number of waiting requests is
 * the correction. If the KV cache fills before a queue appears, its use is kept under `kvUsageHold`.
 */
export class QueueLimiter implements Limiter {
  readonly #inFlightMax: number
  readonly kind = 'queue'
  reason = 'cold'
  #limit: number
  #cold = true
  #isWaiting = false
  #emptyLooks = 0
  #running = 0
  #preemptions: number | null = null
  #cutAtMs = Number.NEGATIVE_INFINITY

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

  noteSample(sample: ServerSample, inFlight: number): void {
    const preempted = Math.max(0, sample.preemptions - (this.#preemptions ?? sample.preemptions))
    this.#preemptions = sample.preemptions
    const kv = sample.kvUsage ?? 0
    const pressed = this.#isWaiting
    this.#isWaiting = false
    const runningBefore = this.#running
    this.#running = sample.running
    this.#emptyLooks = sample.waiting === 0 ? this.#emptyLooks + 1 : 0

    if (preempted > 0 || kv > kvUsageCut) {
      this.#cold = false
      const running = Math.max(0, inFlight - sample.waiting)
      const why = preempted > 0 ? `${preempted} preempted` : `KV ${(kv * 100).toFixed(0)} %`
      this.#cut(sample.atMs, Math.min(running, this.#limit) * kvCutShare, why)
      return
    }
    if (this.#emptyLooks >= starvedSamples && pressed && kv < kvUsageColdMax) this.#cold = true
    const growth = kv > 0 ? Math.max(1, kvUsageHold / kv) : Number.POSITIVE_INFINITY
    if (this.#cold) this.#warmUp(sample, runningBefore, pressed, kv)
    else this.#follow(sample, inFlight, pressed, growth)
  }

  /** Doubles while the server admits everything; a queue while `running` grows is prefill, not a full server. */
  #warmUp({ waiting, running }: ServerSample, runningBefore: number, pressed: boolean, kv: number): void {
    // Sequences that were just admitted have allocated only a part of their KV.
    if (kv > kvUsageColdMax) this.#cold = false
    else if (waiting < wantedWaiting(running)) {
      if (pressed) this.#set(this.#limit * Math.min(coldGrowth, kvUsageColdMax / Math.max(kv, 0.01)), 'cold')
    } else if (running <= runningBefore * coldRunningGrowth) this.#cold = false
  }

  #follow({ waiting, running }: ServerSample, inFlight: number, pressed: boolean, growth: number): void {
    const wanted = wantedWaiting(running)
    let next = this.#limit + queueGain * (Math.max(0, inFlight - waiting) + wanted - this.#limit)
    if (next > this.#limit) {
      if (!pressed) return
      next = Math.min(next, this.#limit * growth)
    }
    this.#set(next, waiting > wanted ? 'queue over its target' : 'queue under its target')
  }

  noteFinished(): void {}

  noteOverload(atMs: number, inFlight: number): void {
    this.#cold = false
    this.#cut(atMs, Math.min(inFlight, this.#limit) * refusedCutShare, 'refused')
  }

  restart(): void {
    this.#limit = Math.min(this.#inFlightMax, Math.max(limitStart, this.#limit * restartShare))
    this.#cold = true
    this.#emptyLooks = 0
    this.#running = 0
    this.#preemptions = null
    this.reason = 'back'
  }

  /** Goes on from a limit that another law has found. */
  continueAt(limit: number): void {
    this.#emptyLooks = 0
    this.#set(limit, 'its queue decides again')
  }

  #cut(atMs: number, limit: number, reason: string): void {
    if (atMs - this.#cutAtMs < cutPauseMs) return
    this.#cutAtMs = atMs
    this.#set(Math.min(this.#limit, limit), reason)
  }

  #set(limit: number, reason: string): void {
    this.#limit = Math.min(this.#inFlightMax, Math.max(Math.min(limitMin, this.#inFlightMax), limit))
    this.reason = reason
  }
}

function wantedWaiting(running: number): number {
  return Math.max(waitingMin, waitingTarget * running)
}

/** The fixed limit of a recipe. */
export class FixedLimiter implements Limiter {
  readonly kind = 'fixed'
  readonly reason = 'fixed by the recipe'
  constructor(readonly limit: number) {}
  noteWaiting(): void {}
  noteSample(): void {}
  noteFinished(): void {}
  noteOverload(): void {}
  restart(): void {}
}
