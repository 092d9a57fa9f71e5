/** Submits the units that have no result and are in no live element, as arrays that do not depend on each other. */
import { resolve } from 'node:path'
import { mapConcurrent } from '../core/concurrent.js'
import type { ObjectStore } from '../objects/object-store.js'
import { countFailures } from '../units/failed-attempts.js'
import { checkUnitId, resultKey } from '../units/unit-keys.js'
import { readPlan, readPlanTotals } from '../units/unit-plan.js'
import { countFailuresByUnit, readFailures, readResult } from '../units/unit-result.js'
import { arrayScript } from './array-script.js'
import { liveElements, liveJobs, maxArraySize, startNow, submitScript } from './commands.js'
import { divideUnits, unitsInTime } from './elements.js'
import { createSubmission, submittedArrays, writeArray, writeJobs } from './submission.js'

/** Results asked for concurrently. */
const asksConcurrent = 16
/** Results from which the time of a unit is taken, at most. */
const resultsMax = 50

/** Options for `submitUnits`. */
export interface SubmitOptions {
  readonly store: ObjectStore
  /** Folder for submissions, on a file system that all nodes see. */
  readonly folder: string
  /** Name of the jobs. */
  readonly name: string
  /** Elements that run concurrently; null without a limit. */
  readonly parallel: number | null
  /** Time that an element should take, seconds. */
  readonly elementSeconds: number
  /** Time of a unit, seconds; null: the mean of the results, and one unit an element without any. */
  readonly unitSeconds: number | null
  /** Failed attempts after which a unit is set aside. */
  readonly attemptsMax: number
  readonly retriesMax: number
  /** Options of sbatch. */
  readonly options: readonly string[]
  /** Words of the command that runs an element; submission, array and index are appended. */
  readonly command: readonly string[]
  /** Writes the scripts and submits nothing. */
  readonly dryRun: boolean
}

/** What was submitted. */
export interface Submitted {
  /** Folder of the submission; null if nothing was left to submit. */
  readonly submission: string | null
  /** Whether every unit of the run is planned. */
  readonly planComplete: boolean
  readonly planned: number
  readonly done: number
  /** Units in elements of earlier submissions that wait or run. */
  readonly inHand: number
  /** Units that failed too often. */
  readonly setAside: readonly string[]
  readonly submitted: number
  readonly unitsPerElement: number
  readonly arrays: readonly { readonly job: number | null; readonly script: string; readonly elements: number }[]
}

export async function submitUnits(options: SubmitOptions): Promise<Submitted> {
  const { store, parallel, dryRun } = options
  const folder = resolve(options.folder)
  const ids: string[] = []
  for await (const { id } of readPlan(store)) ids.push(checkUnitId(id))
  // Before the results: an element that ends in between has its results by then.
  const inHand = await unitsInHand(folder, !dryRun)
  const isDone = await mapConcurrent(ids, asksConcurrent, async (id) => (await store.head(resultKey(id))) !== null)
  const done = ids.filter((_, index) => isDone[index])
  const missing = ids.filter((id, index) => !isDone[index] && !inHand.has(id))
  const poison = await unitsThatFail(store, missing, options.attemptsMax)
  const isPoison = (id: string) => poison.has(id)
  const open = missing.filter((id) => !isPoison(id))
  const unitSeconds = options.unitSeconds ?? (await meanSeconds(store, done))
  const unitsPerElement = unitsInTime(options.elementSeconds, unitSeconds)
  const facts = {
    planComplete: (await readPlanTotals(store)) !== null,
    planned: ids.length,
    done: done.length,
    inHand: ids.filter((id, index) => !isDone[index] && inHand.has(id)).length,
    setAside: missing.filter(isPoison),
    submitted: open.length,
    unitsPerElement,
  }
  if (open.length === 0) return { ...facts, submission: null, arrays: [] }
  const plans = divideUnits(open, { unitsPerElement, arrayMax: await maxArraySize(), parallel })
  const submission = await createSubmission(folder)
  const scripts: { script: string; elements: number }[] = []
  for (const [array, plan] of plans.entries()) {
    const text = arrayScript({
      ...{ name: options.name, elements: plan.elements.length, parallel: plan.parallel },
      ...{ logs: `${submission}/logs`, options: options.options, retriesMax: options.retriesMax },
      command: [...options.command, submission, String(array)],
    })
    scripts.push({
      script: await writeArray(submission, array, plan.elements, text),
      elements: plan.elements.length,
    })
  }
  const jobs: number[] = []
  for (const { script } of dryRun ? [] : scripts) {
    jobs.push(await submitScript(script))
    await writeJobs(submission, jobs)
  }
  return { ...facts, submission, arrays: scripts.map((each, array) => ({ ...each, job: jobs[array] ?? null })) }
}

/**
 * Returns the units in elements of earlier submissions that wait or run, and starts those that Slurm delays: after the loss of
 * a node nothing else of this program runs that could.
 */
async function unitsInHand(folder: string, mayStart: boolean): Promise<ReadonlySet<string>> {
  const units = new Set<string>()
  const arrays = await submittedArrays(folder)
  // A submission that was killed may have left a job without noting its number.
  const jobs = arrays.some(({ job }) => job === null) ? await liveJobs() : new Map<string, number>()
  for (const { job: noted, script, elements } of arrays) {
    const job = noted ?? jobs.get(script)
    if (job === undefined) continue
    for (const { index, isDelayed } of await liveElements(job)) {
      for (const id of elements[index] ?? []) units.add(id)
      if (isDelayed && mayStart) await startNow(job, index)
    }
  }
  return units
}

/** Returns the units with so many failures of their own; an outage or a full disk is none of the unit. */
async function unitsThatFail(
  store: ObjectStore,
  ids: readonly string[],
  attemptsMax: number,
): Promise<ReadonlySet<string>> {
  const recorded = await countFailuresByUnit(store)
  const failing = new Set<string>()
  await mapConcurrent(
    ids.filter((id) => recorded.has(id)),
    asksConcurrent,
    async (id) => {
      if (countFailures(await readFailures(store, id)) >= attemptsMax) failing.add(id)
    },
  )
  return failing
}

/** Returns the mean time of the latest results; 0 without any. */
async function meanSeconds(store: ObjectStore, done: readonly string[]): Promise<number> {
  const results = await mapConcurrent(
    done.slice(-resultsMax),
    asksConcurrent,
    (id) => readResult(store, id).catch(() => null), // assembly reports the damage
  )
  const seconds = results.flatMap((result) => (result === null ? [] : [result.work.seconds]))
  return seconds.length === 0 ? 0 : seconds.reduce((sum, each) => sum + each, 0) / seconds.length
}
