/** The state of each unit, from the store, and from the queue if there is one. */
import { mapConcurrent } from '../core/concurrent.js'
import { attemptsMax, countFailures } from '../units/failed-attempts.js'
import type { UnitFailure, UnitRun } from '../units/types.js'
import { queuedRunOf } from './queued-run.js'
import type { UnitQueue } from './unit-queue.js'

/**
 * 'open': it has no result and is not in the queue, or no queue is given. 'failed': as 'open', after attempts that failed.
 * 'set-aside': it failed as often as it may, or lost its workers.
 */
export const unitStates = ['done', 'in-hand', 'waiting', 'open', 'failed', 'set-aside'] as const
export type UnitState = (typeof unitStates)[number]

export interface UnitStatus {
  readonly id: string
  readonly cut: number
  readonly candidates: number
  readonly state: UnitState
  /** Failed attempts by error code. */
  readonly failures: Readonly<Record<string, number>>
  /** In hand: since when, in milliseconds since 1970. */
  readonly since: number | null
}

const readsConcurrent = 16

/** Lists the units of the plan, in order of the cut. */
export async function listUnitStates(run: UnitRun, queue: UnitQueue | null): Promise<UnitStatus[]> {
  const view = queuedRunOf(run)
  const done = new Set<string>()
  for await (const id of view.listDone()) done.add(id)
  const failed = await view.listFailedAttempts()
  const jobs = new Map((await queue?.jobs(['failed', 'delayed', 'waiting', 'active']))?.map((job) => [job.unit, job]))
  const units = []
  for await (const unit of run.planned()) units.push(unit)
  return mapConcurrent(units, readsConcurrent, async ({ id, cut, candidates }) => {
    const base = { id, cut, candidates, since: null, failures: {} }
    // Results are asked for by name where a listing does not have them.
    if (done.has(id) || (await run.isDone(id))) return { ...base, state: 'done' as const }
    const failures = failed.has(id) ? await run.failures(id) : []
    const job = jobs.get(id)
    return {
      ...base,
      state: stateOf(failures, job?.state),
      failures: byCode(failures),
      since: job?.state === 'active' ? job.startedAt : null,
    }
  })
}

function stateOf(failures: readonly UnitFailure[], job: string | undefined): UnitState {
  if (job === 'active') return 'in-hand'
  if (job === 'waiting' || job === 'delayed') return 'waiting'
  if (job === 'failed' || countFailures(failures) >= attemptsMax) return 'set-aside'
  return failures.length > 0 ? 'failed' : 'open'
}

function byCode(failures: readonly UnitFailure[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { code } of failures) counts[code] = (counts[code] ?? 0) + 1
  return counts
}
