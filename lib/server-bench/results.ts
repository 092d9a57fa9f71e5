/** Results of `bench server`: plain data, printed by --json, read by --compare and drawn by the page. */

/** Milliseconds. */
export interface Quantiles {
  readonly p50: number
  readonly p95: number
}

/** Kinds of requests, as the stages of a run send them. */
export type WorkloadName = 'label' | 'score' | 'polish'

/** Requests at a level of concurrency. Rates count the share of each request that lies in the measured time. */
export interface LevelResult {
  /** Requests in flight: a finished one is replaced at once. */
  readonly concurrency: number
  /** 1 for the first measurement of this level. */
  readonly repeat: number
  readonly seconds: number
  /** Requests that ended in the measured time. */
  readonly requests: number
  readonly failures: number
  readonly requestsPerSecond: number
  readonly promptTokensPerSecond: number
  readonly outputTokensPerSecond: number
  readonly latencyMs: Quantiles
  /** Null if the server does not stream. */
  readonly firstTokenMs: Quantiles | null
  /** Time from the first token to the last over the tokens between; null without streaming, or for one token. */
  readonly decodeMsPerToken: Quantiles | null
  /** Means of /metrics; null without. */
  readonly server: { readonly running: number; readonly waiting: number; readonly kvUsage: number | null } | null
  /** Share of the time in which this process's thread was busy: near 1, the measurement measures the client. */
  readonly clientBusy: number
}

export interface KneeResult {
  /** Requests in flight; null if the rate still grows at the highest level. */
  readonly concurrency: number | null
  readonly bestRate: number
  readonly fullAt: number | null
  readonly declinesAt: number | null
  readonly fitError: number
  /** Points of the fitted curve, for the plot. */
  readonly curve: readonly (readonly [concurrency: number, rate: number])[]
}

/** A run of kun-stream's own limiter from a cold start, with more calls waiting than it sends. */
export interface LimiterResult {
  readonly kind: string
  readonly seconds: number
  readonly rate: number
  /** Of the best rate of the sweep. */
  readonly shareOfBest: number
  /** Median of its limit in the measured time. */
  readonly limit: number
  /** Time from the first request until the measurement began. */
  readonly warmUpSeconds: number
}

export type StopReason = 'flat' | 'concurrency-max' | 'requests-max' | 'failures' | 'stopped'

export interface SweepResult {
  readonly workload: WorkloadName
  /** Means of the requests that were measured. */
  readonly promptTokens: number
  readonly outputTokens: number
  /** What `rate` counts: output tokens, or requests of one token. */
  readonly unit: 'tokens' | 'requests'
  readonly levels: readonly LevelResult[]
  readonly knee: KneeResult | null
  /** Standard deviation of the logarithm of a level's rate, from repeated levels; null without. */
  readonly noise: number | null
  readonly limiter: LimiterResult | null
  readonly ended: StopReason
  /** Messages of failed requests with their counts, most frequent first. */
  readonly failures: readonly (readonly [message: string, count: number])[]
}

/** One-token grading with several prompts in a request. */
export interface ListResult {
  readonly promptsPerRequest: number
  readonly requestsInFlight: number
  readonly gradesPerSecond: number
  /** Of single prompts with as many in flight. */
  readonly timesSingle: number
}

export interface ServerBenchResult {
  readonly format: 1
  readonly kind: 'bench-server'
  readonly version: string
  /** ISO 8601. */
  readonly madeAt: string
  /** Without credentials. */
  readonly url: string
  readonly model: string
  readonly server: string
  readonly contextTokensMax: number | null
  readonly settings: {
    readonly secondsPerLevel: number
    readonly concurrencyMax: number
    readonly requestsMax: number
    readonly repeats: number
    readonly seed: number
  }
  readonly sweeps: readonly SweepResult[]
  /** Null if the server does not take lists of prompts, or grading was not measured. */
  readonly lists: readonly ListResult[] | null
  /** Requests that were sent in all. */
  readonly requests: number
  readonly seconds: number
  /** False if it was stopped, or a limit or failures ended it early. */
  readonly complete: boolean
}

/** Returns the rate of a level in the unit of its sweep. */
export function rateOf({ unit }: Pick<SweepResult, 'unit'>, level: LevelResult): number {
  return unit === 'tokens' ? level.outputTokensPerSecond : level.requestsPerSecond
}
