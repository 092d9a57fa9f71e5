/** What the queue needs of a run that is divided into units. The store holds the truth; the queue assigns. */
import { randomBytes } from 'node:crypto'
import { mapConcurrent } from '../core/concurrent.js'
import { UnitLostError } from '../errors.js'
import { countFailures } from '../units/failed-attempts.js'
import type { UnitRun } from '../units/types.js'
import { countFailuresByUnit, writeFailure } from '../units/unit-result.js'

export interface QueuedUnit {
  /** Also the id of its job. */
  readonly id: string
  /** Number of its cut, from 0: the order in which units are assigned. */
  readonly cut: number
}

export interface QueuedRun {
  /** Units planned so far, in order of the cut. */
  planned(): AsyncIterable<QueuedUnit>
  /** Whether preparing is over: no unit will be added to the plan. Asked before `planned()`. */
  isComplete(): Promise<boolean>
  /** Whether the unit has a result; asked by name. */
  isDone(id: string): Promise<boolean>
  /** Ids of units with a result, from a listing: a recent one may be missing. */
  listDone(): AsyncIterable<string>
  /** Number of failed attempts of a unit; those that failed by the state of their worker do not count. */
  failedAttempts(id: string): Promise<number>
  /** Number of failed attempts of every unit that has any, from a listing. */
  listFailedAttempts(): Promise<ReadonlyMap<string, number>>
  /** Records that a unit lost so many workers that it is set aside; counts as `attemptsMax` failed attempts. */
  recordLosses(id: string, losses: number): Promise<void>
}

/** Generates units; at most one at a time. */
export interface UnitGenerator {
  /** Throws if the unit failed; its failure is then in the store. An abort stores the replies received and throws. */
  generate(id: string, signal?: AbortSignal): Promise<'committed' | 'already'>
}

const readsConcurrent = 16

/** Returns the view of the queue on a divided run. */
export function queuedRunOf(run: UnitRun): QueuedRun {
  const failedAttempts = async (id: string): Promise<number> => countFailures(await run.failures(id))
  return {
    planned: () => run.planned(),
    isComplete: () => run.isComplete(),
    isDone: (id) => run.isDone(id),
    async *listDone() {
      for await (const key of run.store.list('results/')) {
        const id = /([^/]+)\.json$/.exec(key)?.[1]
        if (id !== undefined) yield id
      }
    },
    failedAttempts,
    async listFailedAttempts() {
      const counts = await countFailuresByUnit(run.store)
      await mapConcurrent([...counts.keys()], readsConcurrent, async (id) => counts.set(id, await failedAttempts(id)))
      return counts
    },
    async recordLosses(id, losses) {
      const error = new UnitLostError(`${losses} workers were lost with it`)
      await writeFailure(run.store, id, randomBytes(8).toString('hex'), error)
    },
  }
}
