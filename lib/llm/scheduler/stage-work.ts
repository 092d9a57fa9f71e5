/** What the model servers did for each stage, from which a report derives the work that is left. */

/** Sums of one stage. Counts are of this process. */
export interface StageWork {
  /** Number of the queue that the model of the stage uses; stages with equal numbers share their servers. */
  readonly lane: number
  /** Requests with a reply; those served from stored replies do not count. */
  readonly requests: number
  /** Calls served from stored replies, without a request. */
  readonly kept: number
  /** Time that slots were taken by finished requests, failed ones included, ms. */
  readonly slotMs: number
  /** Tokens of the replies received. */
  readonly tokens: number
  /** Requests with a reply by their latency: the n-th number counts those up to `latencyBoundMs(n)`. */
  readonly latencies: readonly number[]
}

/** Classes of latency: 10 ms to 30 min, in steps of √2. */
const latencyBounds = 36

/** Upper bound of a class of latencies, ms. */
export function latencyBoundMs(place: number): number {
  return 10 * 2 ** (place / 2)
}

/** Returns the class of a latency. */
function latencyPlace(latencyMs: number): number {
  return Math.min(latencyBounds - 1, Math.max(0, Math.ceil(2 * Math.log2(latencyMs / 10))))
}

interface Sums {
  readonly lane: number
  requests: number
  kept: number
  slotMs: number
  tokens: number
  readonly latencies: number[]
}

interface Added {
  readonly kept?: number
  readonly tokens?: number
}

/** Adds up the work by stage. */
export class StageWorkCounter {
  readonly #stages = new Map<string, Sums>()

  /** Adds finished requests that took their slots for `latencyMs` each; `replied` is false if they failed. */
  finished(stage: string, lane: number, requests: number, latencyMs: number, replied: boolean): void {
    const sums = this.#of(stage, lane)
    sums.slotMs += requests * latencyMs
    if (!replied) return
    sums.requests += requests
    const place = latencyPlace(latencyMs)
    sums.latencies[place] = (sums.latencies[place] ?? 0) + requests
  }

  /** Adds calls that stored replies served, or tokens. */
  add(stage: string, lane: number, { kept = 0, tokens = 0 }: Added): void {
    const sums = this.#of(stage, lane)
    sums.kept += kept
    sums.tokens += tokens
  }

  /** Returns a copy of the sums, by stage. */
  read(): Readonly<Record<string, StageWork>> {
    return Object.fromEntries(
      [...this.#stages].map(([stage, sums]) => [stage, { ...sums, latencies: [...sums.latencies] }]),
    )
  }

  #of(stage: string, lane: number): Sums {
    let sums = this.#stages.get(stage)
    if (sums === undefined) {
      const latencies = new Array<number>(latencyBounds).fill(0)
      sums = { lane, requests: 0, kept: 0, slotMs: 0, tokens: 0, latencies }
      this.#stages.set(stage, sums)
    }
    return sums
  }
}
