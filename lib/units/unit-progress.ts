/** Progress of the units of a divided run, read from the plan, the results and the failures; needs no worker or queue. */
import { join } from 'node:path'
import { mapConcurrent } from '../core/concurrent.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { UnitProgress } from '../report/unit-progress.js'
import { nodeFiles } from '../storage/files.js'
import { attemptsMax, countFailures } from './failed-attempts.js'
import { unitsPerPlanFile } from './unit-keys.js'
import { checkPlanned, type PlanLine, readPlanFile, readPlanTotals } from './unit-plan.js'
import { countFailuresByUnit, readFailures, readResult, type UnitResult } from './unit-result.js'

/** Results that are read concurrently: on a bucket each waits for a response, so more than files of a disk. */
const readsConcurrentMax = 64

type PlannedFacts = Pick<PlanLine, 'id' | 'candidates'>

/**
 * Reads the progress of a run, repeatedly: results are listed each time and read once, so that a call costs the pages of two
 * lists and the results that are new. A listing of S3 may lag behind; the next call then has the rest.
 *
 * Memory: about 200 B a unit.
 */
export class UnitProgressReader {
  readonly #store: ObjectStore
  readonly #units: PlannedFacts[] = []
  #planComplete = false
  /** Of the results read so far; a result is never replaced. */
  readonly #work = new Map<string, UnitResult['work']>()

  /** Of the units without a result whose failures were read. */
  readonly #failures = new Map<string, { readonly attempts: number; readonly isSetAside: boolean }>()

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** Returns null if the store has no plan. */
  async read(): Promise<UnitProgress | null> {
    await this.#readPlan()
    if (this.#units.length === 0 && !this.#planComplete) return null
    await this.#readResults()
    const failures = await countFailuresByUnit(this.#store)
    const setAside = await this.#countSetAside(failures)
    const done = this.#units.filter(({ id }) => this.#work.has(id))
    const failed = this.#units.flatMap(({ id }) => (this.#work.has(id) ? [] : (failures.get(id) ?? [])))
    const work = done.map(({ id }) => this.#work.get(id) as UnitResult['work'])
    const unitsPerSecond = rateOf(work.map(({ endedAt }) => Date.parse(endedAt)))
    return {
      planned: this.#units.length,
      planComplete: this.#planComplete,
      done: done.length,
      begun: await this.#countBegun(),
      failed: failed.length,
      setAside,
      failedAttempts: sumOf(failed),
      candidates: sumOf(this.#units.map(({ candidates }) => candidates)),
      candidatesDone: sumOf(done.map(({ candidates }) => candidates)),
      rows: sumOf(work.map(({ rows }) => rows)),
      tokens: sumOf(work.map(({ tokens }) => tokens)),
      workSeconds: sumOf(work.map(({ seconds }) => seconds)),
      unitsPerSecond,
      secondsLeft:
        unitsPerSecond === null || !this.#planComplete ? null : (this.#units.length - done.length) / unitsPerSecond,
    }
  }

  /** Reads the files of the plan that may have changed: none once it is complete, otherwise the last one and new ones. */
  async #readPlan(): Promise<void> {
    if (this.#planComplete) return
    const totals = await readPlanTotals(this.#store)
    for (;;) {
      const first = this.#units.length - (this.#units.length % unitsPerPlanFile)
      const lines = await readPlanFile(this.#store, first)
      this.#units.splice(first, Number.POSITIVE_INFINITY, ...lines.map(({ id, candidates }) => ({ id, candidates })))
      if (lines.length < unitsPerPlanFile) break
    }
    if (totals !== null) await checkPlanned(this.#store, totals, this.#units.length)
    this.#planComplete = totals !== null
  }

  async #readResults(): Promise<void> {
    const planned = new Set(this.#units.map(({ id }) => id))
    const added: string[] = []
    for await (const key of this.#store.list('results/')) {
      const id = key.slice(key.lastIndexOf('/') + 1).replace(/\.json$/, '')
      if (planned.has(id) && !this.#work.has(id)) added.push(id)
    }
    await mapConcurrent(added, readsConcurrentMax, async (id) => {
      const result = await readResult(this.#store, id)
      if (result !== null) this.#work.set(id, result.work)
    })
  }

  /** Counts the folders of attempts. In a bucket that would list every segment of replies. */
  async #countBegun(): Promise<number | null> {
    const { directory } = this.#store
    if (directory === null) return null
    const entries = await nodeFiles.listEntries(join(directory, 'attempts'))
    const planned = new Set(this.#units.map(({ id }) => id))
    return entries.filter(({ name }) => planned.has(name) && !this.#work.has(name)).length
  }

  /** Reads the failures of a unit again when it has more of them. */
  async #countSetAside(failures: ReadonlyMap<string, number>): Promise<number> {
    const open = [...failures].filter(([id]) => !this.#work.has(id))
    await mapConcurrent(open, readsConcurrentMax, async ([id, attempts]) => {
      if (this.#failures.get(id)?.attempts === attempts) return
      const isSetAside = countFailures(await readFailures(this.#store, id)) >= attemptsMax
      this.#failures.set(id, { attempts, isSetAside })
    })
    return open.filter(([id]) => this.#failures.get(id)?.isSetAside).length
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
