/** What a report needs to know of a run's counters: stats.json has this shape. */

export interface StageFigures {
  readonly in: number
  readonly out: number
  readonly dropped: Readonly<Record<string, number>>
  readonly failed: number
}

export type RunCounters = Readonly<
  Record<string, { readonly rows: number; readonly stages: Readonly<Record<string, StageFigures>> }>
>
