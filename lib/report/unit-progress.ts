/** Figures of a run in units, as `status`, the pages and the metrics show them. lib/units reads them from a store. */

/** Progress of a divided run. */
export interface UnitProgress {
  /** Units in the plan so far; all of them if `planComplete`. */
  readonly planned: number
  readonly planComplete: boolean
  readonly done: number
  /** Units with an attempt and without a result: in hand, or of a worker that was lost. Null for a bucket. */
  readonly begun: number | null
  /** Units without a result of which an attempt failed. */
  readonly failed: number
  /** Of those: units that failed so often that no worker takes them. */
  readonly setAside: number
  /** Failed attempts at those units. */
  readonly failedAttempts: number
  /** Candidates of the planned units, and of those that are done. */
  readonly candidates: number
  readonly candidatesDone: number
  /** Rows and tokens of the results. */
  readonly rows: number
  readonly tokens: number
  /** Time that the attempts of the results took, added up. */
  readonly workSeconds: number
  /** Units a second between the first and the last result, by the clocks of the workers; null before the second one. */
  readonly unitsPerSecond: number | null
  /** Time left at that rate; null without a rate, or while the plan grows. */
  readonly secondsLeft: number | null
}
