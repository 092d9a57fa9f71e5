/** How far the units of a divided run are: read from the plan, results and failures, so without any worker or queue. */
import { mapConcurrent, openFilesMax } from '../core/concurrent.js'
import type { ObjectStore } from '../objects/object-store.js'
import { readPlan, readPlanTotals } from './unit-plan.js'
import { readFailures, readResult, type UnitResult } from './unit-result.js'

/** Progress of a divided run. */
export interface UnitProgress {
  /** Units in the plan so far; all of them if `planComplete`. */
  readonly planned: number
  readonly planComplete: boolean
  readonly done: number
  /** Units without a result of which an attempt failed. */
  readonly failed: number
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

/** Reads the progress; null if the store has no plan. */
export async function readUnitProgress(store: ObjectStore): Promise<UnitProgress | null> {
  const totals = await readPlanTotals(store)
  const units: { readonly id: string; readonly candidates: number }[] = []
  for await (const { id, candidates } of readPlan(store)) units.push({ id, candidates })
  if (units.length === 0 && totals === null) return null
  const found = await mapConcurrent(units, openFilesMax, async ({ id, candidates }) => {
    const result = await readResult(store, id)
    return { candidates, result, failures: result === null ? (await readFailures(store, id)).length : 0 }
  })
  const done = found.filter(({ result }) => result !== null)
  const failed = found.filter(({ failures }) => failures > 0)
  const work = done.map(({ result }) => (result as UnitResult).work)
  const unitsPerSecond = rateOf(work.map(({ endedAt }) => Date.parse(endedAt)))
  return {
    planned: units.length,
    planComplete: totals !== null,
    done: done.length,
    failed: failed.length,
    failedAttempts: sumOf(failed.map(({ failures }) => failures)),
    candidates: sumOf(units.map(({ candidates }) => candidates)),
    candidatesDone: sumOf(done.map(({ candidates }) => candidates)),
    rows: sumOf(work.map(({ rows }) => rows)),
    tokens: sumOf(work.map(({ tokens }) => tokens)),
    workSeconds: sumOf(work.map(({ seconds }) => seconds)),
    unitsPerSecond,
    secondsLeft: totals === null || unitsPerSecond === null ? null : (units.length - done.length) / unitsPerSecond,
  }
}

function rateOf(endsMs: readonly number[]): number | null {
  const first = endsMs.reduce((least, ms) => Math.min(least, ms), Number.POSITIVE_INFINITY)
  const last = endsMs.reduce((most, ms) => Math.max(most, ms), Number.NEGATIVE_INFINITY)
  return last > first ? ((endsMs.length - 1) * 1000) / (last - first) : null
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
