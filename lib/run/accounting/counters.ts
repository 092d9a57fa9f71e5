/**
 * The exact account of a run, split by split: what was read and what became of it.
 * Numbers only, no time and no rate: the same input and replies give the same account, to the byte of its JSON.
 */
import { dictionary, ownValue } from '../../core/dictionary.js'

/** Reason → count, keys in order of code unit. */
export type Reasons = Readonly<Record<string, number>>
/** Stage → reason → count, keys in order of code unit. */
export type RejectCounts = Readonly<Record<string, Reasons>>

/** in = out + dropped + failed, in the unit the stage drops: document, chunk, or attempt. */
export interface StageCounts {
  readonly in: number
  readonly out: number
  readonly dropped: Reasons
  readonly failed: number
}

/** What became of one split: three equations, each exact at a cut, and each stage for itself. */
export interface SplitCounters {
  /** documents = documentsChunked + documentRejects */
  readonly documents: number
  readonly documentsChunked: number
  readonly documentRejects: RejectCounts
  /** chunks = candidates + chunkRejects */
  readonly chunks: number
  readonly candidates: number
  readonly chunkRejects: RejectCounts
  /** Label attempts, one a variant: attempts = rows + attemptRejects */
  readonly attempts: number
  readonly rows: number
  readonly attemptRejects: RejectCounts
  readonly stages: Readonly<Record<string, StageCounts>>
}

/** Split → its account. JSON-safe; keys in order of code unit. */
export type Counters = Readonly<Record<string, SplitCounters>>

/** A part of the account that does not add up. */
export interface AccountingFault {
  readonly split: string
  readonly equation: string
  readonly left: number
  readonly right: number
}

/**
 * The three equations of the design, for each split, and each stage's own sum:
 * documents = chunked + rejected · chunks = candidates + rejected · attempts = rows + rejected + in flight.
 *
 * @param inFlight label attempts that are neither row nor reject yet, by split; none at a cut
 * @returns what does not add up; empty when the account is exact
 */
export function checkAccounting(
  counters: Counters,
  inFlight: Readonly<Record<string, number>> = {},
): AccountingFault[] {
  const faults: AccountingFault[] = []
  for (const [split, own] of Object.entries(counters)) {
    const check = (equation: string, left: number, right: number) => {
      if (left !== right) faults.push({ split, equation, left, right })
    }
    const { documents, documentsChunked, chunks, candidates, attempts, rows } = own
    check('documents = chunked + rejected', documents, documentsChunked + total(own.documentRejects))
    check('chunks = candidates + rejected', chunks, candidates + total(own.chunkRejects))
    const pending = ownValue(inFlight, split) ?? 0
    check('attempts = rows + rejected + in flight', attempts, rows + total(own.attemptRejects) + pending)
    if (pending > 0) continue
    for (const [stage, counts] of Object.entries(own.stages)) {
      const left = counts.out + sum(counts.dropped) + counts.failed
      check(`${stage}: in = out + dropped + failed`, counts.in, left)
    }
  }
  return faults
}

/** Returns a copy of the account as dictionaries, keys in code-unit order at every depth. */
export function sorted<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return dictionary(entries.map(([key, inner]) => [key, sorted(inner)] as const)) as Value
}

/** Dictionaries of dictionaries: a stage and a reason may have any name. */
export type MutableRejects = Record<string, Record<string, number>>

/** Counts a reject. @param rejects a `dictionary` */
export function count(rejects: MutableRejects, stage: string, reason: string): void {
  rejects[stage] ??= dictionary<number>()
  const reasons = rejects[stage]
  reasons[reason] = (reasons[reason] ?? 0) + 1
}

export function total(rejects: RejectCounts): number {
  return Object.values(rejects).reduce((all, reasons) => all + sum(reasons), 0)
}

function sum(reasons: Reasons): number {
  return Object.values(reasons).reduce((all, one) => all + one, 0)
}
