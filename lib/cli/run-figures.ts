/** Figures of a run for the result of `--json`. Stable names; a field is added, never renamed. */
import type { RunProgress } from '../report/progress.js'
import { type Counters, total } from '../run/accounting.js'

export interface RunFigures {
  /** Cumulative, with those of earlier calls. */
  readonly cuts: number
  readonly rows: number
  readonly rejects: number
  readonly documents: number
  readonly chunks: number
  readonly rowsBySplit: Readonly<Record<string, number>>
  /** Stage → reason → count. */
  readonly rejectsByReason: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Of this call. */
  readonly seconds: number
  readonly requests: number
  readonly tokens: number
  readonly storedRepliesUsed: number
  readonly retries: number
}

/** @param progress read after the run has ended */
export function runFigures(
  run: { progress(): { cuts: number; counters: Counters } },
  progress: Pick<RunProgress, 'elapsedSeconds' | 'requests' | 'tokens' | 'storedRepliesUsed' | 'retries'>,
): RunFigures {
  const { cuts, counters } = run.progress()
  const splits = Object.values(counters)
  const sum = (of: (own: Counters[string]) => number): number => splits.reduce((all, own) => all + of(own), 0)
  const rejectsByReason: Record<string, Record<string, number>> = {}
  for (const { documentRejects, chunkRejects, attemptRejects } of splits) {
    for (const rejects of [documentRejects, chunkRejects, attemptRejects]) {
      for (const [stage, reasons] of Object.entries(rejects)) {
        rejectsByReason[stage] ??= {}
        const own = rejectsByReason[stage]
        for (const [reason, count] of Object.entries(reasons)) own[reason] = (own[reason] ?? 0) + count
      }
    }
  }
  return {
    cuts,
    rows: sum(({ rows }) => rows),
    rejects: sum((own) => total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects)),
    documents: sum(({ documents }) => documents),
    chunks: sum(({ chunks }) => chunks),
    rowsBySplit: Object.fromEntries(Object.entries(counters).map(([split, { rows }]) => [split, rows])),
    rejectsByReason,
    seconds: Number(progress.elapsedSeconds.toFixed(3)),
    requests: progress.requests,
    tokens: progress.tokens,
    storedRepliesUsed: progress.storedRepliesUsed,
    retries: progress.retries,
  }
}
