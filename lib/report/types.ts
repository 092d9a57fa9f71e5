/** The counters that a report reads: a subset of stats.json. */

interface StageFigures {
  readonly in: number
  readonly out: number
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: number
}

export type RunCounters = Readonly<
  Record<string, { readonly rows: number; readonly stages: Readonly<Record<string, StageFigures>> }>
>
