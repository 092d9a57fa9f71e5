/** What the pages show of a run: plain data that a page embeds or requests. The pages import these types. */
import type { CallSeries, SeriesPoint } from '../report/series-point.js'
import type { UnitProgress } from '../report/unit-progress.js'
import type { Comparison } from '../server-bench/noise.js'
import type { ServerBenchResult } from '../server-bench/results.js'

export type { CallSeries, EndpointPoint, NodePoint, SeriesPoint } from '../report/series-point.js'
export type { Comparison } from '../server-bench/noise.js'
export type {
  KneeResult,
  LevelResult,
  ListResult,
  ServerBenchResult,
  SweepResult,
  WorkloadName,
} from '../server-bench/results.js'

/** The figures of timings.json that the pages show. */
export interface CallView {
  readonly startedAt: string
  readonly seconds: number
  readonly end: string
  readonly host: string
  readonly bottleneck: string
  readonly peakMemoryBytes: number
  readonly tokens: number
  readonly tokensPerSecond: number
  readonly retries: number
  readonly repliesServedFromDisk: number
}

/** 'ended' is a run whose latest call ended by itself; 'unknown' a process that is not visible from here. */
export interface RunState {
  readonly kind: 'running' | 'paused' | 'draining' | 'unknown' | 'ended' | 'limit' | 'stopped' | 'killed' | 'new'
  /** Code of the error that stopped the run; else ''. */
  readonly code: string
  /** The process that holds the lock; null if there is none. */
  readonly holder: { readonly pid: number; readonly host: string; readonly lastSignMs: number | null } | null
}

/** Records in and out of a stage, all splits together. */
export interface StageFlow {
  readonly name: string
  readonly in: number
  readonly out: number
  /** Reason → records, most frequent first. */
  readonly reasons: readonly (readonly [reason: string, count: number])[]
}

/** A split, or a source of it. Null where it would have to be counted in the input. */
export interface SourceYield {
  readonly split: string
  readonly name: string
  readonly shards: number
  readonly bytes: number
  readonly documents: number | null
  readonly rows: number
  /** Rejects of documents, chunks and attempts. */
  readonly rejects: number
}

/** A rejected record. Long texts are truncated. */
export interface RejectExample {
  readonly id: string
  readonly split: string
  readonly shard: string
  readonly stage: string
  readonly reason: string
  readonly detail: string
  readonly excerpt: string
  readonly raw: string | null
  readonly instruction: string | null
  readonly score: number | null
}

/** The rejects of a stage with the same reason. */
export interface ReasonCount {
  readonly stage: string
  readonly reason: string
  readonly count: number
  readonly examples: readonly RejectExample[]
}

/** A row. Long texts are truncated. */
export interface PairView {
  readonly id: string
  readonly split: string
  readonly source: string
  readonly shard: string
  readonly instruction: string
  readonly output: string
  readonly raw: string
  /** Other columns with a short value, in order. */
  readonly cells: readonly (readonly [name: string, value: string])[]
  /** False for a pair that is finished, but not committed yet. */
  readonly committed: boolean
}

/** Counts of rows in equal parts of 0 to 1. `rejected` counts the rejects that were read. */
export interface GradeCounts {
  readonly column: string
  readonly rows: readonly number[]
  readonly rejected: readonly number[] | null
}

export interface RunTotals {
  readonly documents: number
  readonly chunks: number
  readonly candidates: number
  readonly attempts: number
  readonly rows: number
  readonly rejects: number
  readonly cuts: number
  /** Bytes of the committed Parquet files. */
  readonly bytes: number
}

/** A run as it is committed. */
export interface RunView {
  /** Version of kun-stream that made the page. */
  readonly version: string
  /** ISO 8601. */
  readonly madeAt: string
  readonly name: string
  readonly directory: string
  readonly state: RunState
  readonly totals: RunTotals
  readonly stages: readonly StageFlow[]
  readonly sources: readonly SourceYield[]
  /** True if only a part of the files was read for `sources` of a split with several. */
  readonly sourcesAreEstimated: boolean
  readonly grades: readonly GradeCounts[]
  /** Column → rows by length: bin i holds 2^i to 2^(i+1) − 1 characters. */
  readonly lengths: Readonly<Record<string, readonly number[]>>
  readonly types: readonly (readonly [name: string, rows: number])[]
  readonly words: readonly { readonly column: string; readonly counts: readonly (readonly [string, number])[] }[]
  readonly rejects: readonly ReasonCount[]
  /** Meanings of reasons in English; the pages translate them. */
  readonly meanings: Readonly<Record<string, { readonly en: string; readonly zh: string }>>
  readonly pairs: readonly PairView[]
  readonly calls: readonly CallView[]
  readonly series: readonly CallSeries[]
  /** The recipe as YAML, without secrets; '' if it is not stored. */
  readonly recipe: string
  readonly versions: readonly (readonly [name: string, value: string])[]
  /** True if the built-in extractive writer was used in place of a model. */
  readonly extractive: boolean
  /** What could not be read, for the reader of the page. */
  readonly faults: readonly string[]
}

export type ControlAction = 'pause' | 'resume' | 'drain'

/** A run in units; `unitsPerSecond` and `secondsLeft` are null while they are unknown. */
export type UnitsView = UnitProgress

/** A run at this moment; the pages receive one every second. */
export interface LiveView {
  readonly state: RunState
  /** Start of the call whose points follow; '' without a call. */
  readonly startedAt: string
  /** Null if no call has left figures. */
  readonly point: SeriesPoint | null
  /** Of released records if the run is in this process, else of the last commit. */
  readonly totals: RunTotals
  readonly stages: readonly StageFlow[]
  /** Pairs that are finished and not committed, the latest first; `latestAll` counts all of them. */
  readonly latest: readonly PairView[]
  readonly latestAll: number
  /** Null if it is unknown, or the run is not in this process. */
  readonly estimate: { readonly doneShare: number | null; readonly secondsLeft: number | null } | null
  /** Of a run in units; null for others. */
  readonly units: UnitsView | null
  /** What the buttons of the page may do. */
  readonly controls: readonly ControlAction[]
  /** Changes when the page should request the view anew. */
  readonly revision: string
}

export interface SearchQuery {
  readonly kind: 'rows' | 'rejects'
  /** Text that a row or a reject contains; '' matches all. */
  readonly text: string
  /** Split or reason; '' matches all. */
  readonly split: string
  readonly reason: string
  /** Number of records to skip, from an earlier result; 0 at first. */
  readonly from: number
}

export interface SearchResult {
  readonly pairs: readonly PairView[]
  readonly rejects: readonly RejectExample[]
  /** Records read so far, and how many there are. */
  readonly read: number
  readonly all: number
  /** Where the search continues; null at the end. */
  readonly next: number | null
}

/** A benchmark of a model server, and an earlier one that it is compared with. */
export interface BenchView {
  readonly result: ServerBenchResult
  readonly earlier: ServerBenchResult | null
  readonly comparisons: readonly Comparison[] | null
}

/** What a page shows and how it starts. */
export interface PageData {
  readonly page: 'report' | 'run' | 'review' | 'bench'
  /** Language at the first visit; null: that of the browser. */
  readonly language: 'en' | 'zh' | null
  /** Null if the page requests it. */
  readonly view: RunView | null
  /** Of the page 'bench'. */
  readonly bench?: BenchView
}

export type Verdict = 'good' | 'bad' | 'edit'

/** A pair to review. Texts are whole. */
export interface ReviewPair extends PairView {
  /** Null in a run without scores. */
  readonly score: number | null
}

/** What a reviewer decided about a row: a line of reviews/{reviewer}.jsonl. The last line of an id counts. */
export interface Review {
  readonly id: string
  /** Null withdraws the earlier decision. */
  readonly verdict: Verdict | null
  /** Score of the row. */
  readonly score: number | null
  /** New texts of an edited pair; else absent. */
  readonly instruction?: string
  readonly output?: string
  /** ISO 8601. */
  readonly at: string
}

/** The pairs of a reviewer and what was decided about them. */
export interface ReviewWork {
  readonly name: string
  readonly reviewer: string
  readonly seed: number
  /** Committed rows of the run. */
  readonly rows: number
  /** In the order in which they are shown. */
  readonly pairs: readonly ReviewPair[]
  readonly reviews: readonly Review[]
  readonly summary: ReviewSummary
}

/** Reviews with a score in an equal part of 0 to 1; `from` is its lower end. */
export interface ScoreBin {
  readonly from: number
  readonly good: number
  readonly bad: number
  readonly edit: number
}

/** How the decisions of one reviewer agree with the score. Edited pairs are in `edit` only. */
export interface ScoreAgreement {
  readonly good: number
  readonly bad: number
  readonly edit: number
  readonly bins: readonly ScoreBin[]
  /** Good and bad reviews that have a score. */
  readonly scored: number
  /** Share of (good, bad) pairs of rows where the good one has the higher score, ties half; null without both. */
  readonly auc: number | null
  /** Null without good and bad rows that have a score. */
  readonly threshold: {
    readonly keepAtLeast: number
    /** Mean of the share of good rows that are kept and of bad rows that are dropped. */
    readonly balancedAccuracy: number
    readonly goodKept: number
    readonly badDropped: number
  } | null
}

/** How two reviewers agree about the rows that both reviewed. */
export interface ReviewerAgreement {
  readonly first: string
  readonly second: string
  readonly rows: number
  readonly same: number
  /** Cohen's kappa; null if it is undefined: no rows, or both used a single decision. */
  readonly kappa: number | null
}

export interface ReviewSummary {
  readonly reviewer: string
  readonly score: ScoreAgreement
  /** Every two reviewers. */
  readonly agreements: readonly ReviewerAgreement[]
  /** Lines that could not be read. */
  readonly faults: readonly string[]
}
