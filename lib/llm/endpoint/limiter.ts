/**
 * How many requests an endpoint gets at once. Pure control laws: samples and times come in, `limit` goes out;
 * who polls and who sends is endpoint.ts. Figures tuned against lib/simulator: see `kun-stream bench llm`.
 */

/** One look at a server's own account of itself. */
export interface ServerSample {
  readonly atMs: number
  readonly running: number
  readonly waiting: number
  /** Share of the KV cache in use, 0 … 1; null when the server does not say. */
  readonly kvUsage: number | null
  /** Counters since the server's start. */
  readonly preemptions: number
  readonly generationTokens: number
}

/** One finished request. */
export interface FinishedRequest {
  readonly atMs: number
  readonly latencyMs: number
  readonly tokens: number
}

/** How many requests an endpoint gets at once. Told what happens; decides for itself. */
export interface Limiter {
  /** Requests at once, a whole number. */
  readonly limit: number
  readonly kind: 'queue' | 'goodput' | 'fixed'
  /** What the last change was for. */
  readonly reason: string
  /** A call had to wait for room since the last decision: growing makes sense. */
  noteWaiting(): void
  noteSample(sample: ServerSample, inFlight: number): void
  noteFinished(request: FinishedRequest, inFlight: number): void
  /** The server said that it is full (429, 503) or let a deadline pass. */
  noteOverload(atMs: number, inFlight: number): void
  /** The endpoint came back: nothing is known of it any more. */
  restart(): void
}

/** What is left of the limit of an endpoint that was out: two doublings from where it was. */
const restartShare = 0.25

/** Between two looks at `/metrics`, ms: half the time of a first token under load; scraping costs a server 5–10 ms. */
export const pollMs = 500

/** Requests at a cold endpoint: enough to see decoding in batch, too few to fill any KV cache. */
const limitStart = 32
const limitMin = 4
/** Growth of a cold endpoint at each look that finds no queue. */
const coldGrowth = 2
/** Share of `running` to hold waiting: the middle of the 5–15 % that keep every freed sequence refilled. */
const waitingTarget = 0.08
/** And at least so many, or a small server would run dry between two looks. */
const waitingMin = 2
/** Share of the way to the target taken at a look: the queue answers at once, but requests in flight take time to leave. */
const queueGain = 0.6
/** Looks in a row that find no queue: capacity rose, or requests became shorter, and doubling begins again. */
const starvedSamples = 3
/** KV use up to which a cold endpoint is doubled: what runs will use about half as much again when it is older. */
const kvUsageColdMax = 0.7
/** A queue beside so much growth of `running` between two looks is a queue that is let in. */
const coldRunningGrowth = 1.03
/** KV use above which no request is added: sequences that run still grow. */
const kvUsageHold = 0.96
/** KV use above which requests are taken away: the next block may cost a preemption. */
const kvUsageCut = 0.985
/** What a cut leaves of what runs. */
const kvCutShare = 0.97
/** One cut a burst: the effect of a cut shows only as requests finish, ms. */
const cutPauseMs = 3000
/** What an answer of 429 or 503 leaves of the requests in flight. */
const refusedCutShare = 0.7

/**
 * Closed loop on the server's own queue: waiting is what was sent beyond what runs, so the distance from the wanted
 * waiting is the correction. Where the KV cache fills before the queue shows, its use is held under `kvUsageHold`.
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

  /** Doubles as long as the server takes all; a queue that moves up is prompts being read, not a full server. */
  #warmUp({ waiting, running }: ServerSample, runningBefore: number, pressed: boolean, kv: number): void {
    // Sequences that were just let in have most of their KV still to come.
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
    this.#set(next, waiting > wanted ? 'queue over its band' : 'queue under its band')
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

/** Holds the limit that the recipe says. */
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
