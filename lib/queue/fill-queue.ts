/** Fills the queue of a run from its plan and its results; can be repeated at any time. */
import { attemptsMax } from '../units/failed-attempts.js'
import { OpenUnits } from './open-units.js'
import { pause } from './pause.js'
import type { QueueSession } from './queue-session.js'
import type { QueuedRun, QueuedUnit } from './queued-run.js'

const unitsPerAdd = 1_000
/** Pause between two reads of a plan that grows. */
const followMs = 5_000

export interface Filled {
  /** Units of the plan. */
  readonly planned: number
  readonly done: number
  /** Without a result: in the queue now, by this call or before. */
  readonly added: number
  /** Failed as often as a unit may: not added. */
  readonly setAside: number
  /** Whether preparing is over. */
  readonly complete: boolean
}

interface FillOptions {
  /** Continues until the plan is complete. */
  readonly follow?: boolean
  readonly signal?: AbortSignal | undefined
  readonly onFilled?: (filled: Filled) => void
  readonly followMs?: number
  /** What the caller knows already. */
  readonly units?: OpenUnits
}

export async function fillQueue(run: QueuedRun, session: QueueSession, options: FillOptions = {}): Promise<Filled> {
  const { units = new OpenUnits(run) } = options
  const added = new Set<string>()
  for (;;) {
    await units.read()
    const filled = await fillOnce(run, units, session, added, options.signal)
    options.onFilled?.(filled)
    if (!options.follow || filled.complete || options.signal?.aborted) return filled
    await pause(options.followMs ?? followMs, options.signal)
  }
}

/** @param added ids that this process added; not added again */
async function fillOnce(
  run: QueuedRun,
  units: OpenUnits,
  session: QueueSession,
  added: Set<string>,
  signal: AbortSignal | undefined,
): Promise<Filled> {
  const open = await units.all()
  const failed = await run.listFailedAttempts()
  const missing: QueuedUnit[] = []
  let setAside = 0
  for (const unit of open) {
    if ((failed.get(unit.id) ?? 0) >= attemptsMax) setAside++
    else if (!added.has(unit.id)) missing.push(unit)
  }
  for (let at = 0; at < missing.length; at += unitsPerAdd) {
    const batch = missing.slice(at, at + unitsPerAdd)
    // In front, before units that were never tried.
    await session.call((queue) => queue.add(batch.map((unit) => ({ ...unit, front: failed.has(unit.id) }))), { signal })
    for (const { id } of batch) added.add(id)
  }
  return {
    planned: units.planned,
    done: units.planned - open.length,
    added: open.length - setAside,
    setAside,
    complete: units.complete,
  }
}
