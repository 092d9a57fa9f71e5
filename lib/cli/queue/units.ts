/** What the subcommands of `units` do. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { UsageError } from '../../errors.js'
import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import { bisectRecords } from '../../queue/bisect.js'
import { queuedRunOf } from '../../queue/queued-run.js'
import { secondJobSuffix } from '../../queue/unit-queue.js'
import { listUnitStates } from '../../queue/unit-states.js'
import { openUnits } from '../../units/open-units.js'
import type { PlannedUnit, UnitRun } from '../../units/types.js'
import { checkUnitId } from '../../units/unit-keys.js'
import { commandName, shellWord } from '../command-name.js'
import { mustBeTrusted } from '../generate-units.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'
import { UnitStop } from '../unit-stop.js'
import { type OpenedQueue, openQueue, type QueueFlags } from './queue-options.js'
import { tryRecords } from './trial.js'
import { unitTable } from './unit-table.js'
import type { BisectFlags, TrialFlags, UnitsFlags } from './units-flags.js'

export async function listUnits(where: string, flags: UnitsFlags): Promise<void> {
  await withRun(
    where,
    flags,
    async (run, queue) => {
      const units = await (queue === null
        ? listUnitStates(run, null)
        : queue.session.call((own) => listUnitStates(run, own)))
      if (!flags.json) writeOut(`${unitTable(units, flags.all ?? false)}\n`)
      else for (const unit of units) writeOut(`${JSON.stringify(unit)}\n`)
    },
    true,
  )
}

export async function retryUnits(where: string, ids: readonly string[], flags: UnitsFlags): Promise<void> {
  if ((ids.length === 0) !== (flags.all === true)) {
    throw new UsageError(say`give the ids of units, or --all for every unit that was set aside`)
  }
  await withRun(where, flags, async (run, queue) => {
    if (queue === null) return
    const states = await queue.session.call((own) => listUnitStates(run, own))
    const wanted = new Set(ids.map(checkUnitId))
    const chosen = states.filter(({ id, state }) => (flags.all ? state === 'set-aside' : wanted.has(id)))
    for (const id of wanted) if (!chosen.some((unit) => unit.id === id)) throw notPlanned(id, run)
    const again = chosen.filter(({ state }) => state !== 'done' && state !== 'in-hand')
    for (const unit of again) await putInFront(run, queue, unit)
    writeOut(`${say`${count(again.length, 'unit')} put back in the queue, before all others`}\n`)
    const left = chosen.length - again.length
    if (left > 0) sayOnStderr(say`${count(left, 'unit')} left alone: done, or in the hand of a worker`)
  })
}

export async function skipUnit(where: string, id: string, flags: UnitsFlags): Promise<void> {
  await withRun(where, flags, async (run, queue) => {
    const unit = await openUnit(run, id)
    const records = await run.candidates(id)
    await run.decideRecords(id, records, 'unit-poison')
    writeOut(`${say`${id}: ${count(records.length, 'record')} will be rejected with the reason unit-poison`}\n`)
    await tryAgain(where, run, queue, unit)
  })
}

export async function bisectUnit(where: string, id: string, flags: BisectFlags): Promise<void> {
  const stop = new UnitStop()
  try {
    await withRun(where, flags, async (run, queue) => {
      const unit = await openUnit(run, id)
      const records = await run.candidates(id)
      const options = {
        where,
        unit: id,
        set: flags.set,
        trust: flags.trust ?? false,
        msMax: flags.timeout,
        signal: stop.signal,
      }
      const fails = async (part: readonly string[]): Promise<boolean> => {
        const { failed, how } = await tryRecords(part, options)
        sayOnStderr(
          failed ? say`${count(part.length, 'record')}: fails, ${how}` : say`${count(part.length, 'record')}: passes`,
        )
        return failed
      }
      const { found, unexplained } = await bisectRecords({ records, fails, foundMax: flags.max })
      if (unexplained === 'passes') {
        writeOut(`${say`${id}: an attempt at all its records succeeded; nothing was decided`}\n`)
        return tryAgain(where, run, queue, unit)
      }
      const bad = new Set(found)
      const rest = records.filter((record) => !bad.has(record))
      if (unexplained !== null || (rest.length > 0 && (await fails(rest)))) {
        process.exitCode = 1
        sayOnStderr(
          unexplained === 'too-many'
            ? say`${id}: more than ${flags.max} records fail alone. Nothing was decided: check this machine and the servers, or give a larger --max`
            : say`${id}: its records fail only together. Nothing was decided: give workers more memory, or reject the unit with units skip`,
        )
        return
      }
      await run.decideRecords(id, found, 'unit-poison')
      for (const record of found) writeOut(`${say`record ${record} will be rejected with the reason unit-poison`}\n`)
      await tryAgain(where, run, queue, unit)
    })
  } finally {
    stop.close()
  }
}

/** An attempt at a part of a unit, in the process that it may end. */
export async function tryUnit(where: string, id: string, flags: TrialFlags): Promise<void> {
  const records = z.array(z.string()).parse(JSON.parse(await readFile(flags.records, 'utf8')))
  const run = await openUnits(where, { overrides: flags.set, onEvent: sayOnStderr })
  const stop = new UnitStop()
  try {
    await mustBeTrusted(run, flags.set, flags.trust ?? false)
    const worker = await run.openWorker({ signal: stop.signal, onEvent: sayOnStderr })
    try {
      await worker.tryRecords(checkUnitId(id), new Set(records))
    } finally {
      await worker.close()
    }
  } finally {
    stop.close()
    await run.close()
  }
}

async function withRun(
  where: string,
  flags: QueueFlags,
  work: (run: UnitRun, queue: OpenedQueue | null) => Promise<void>,
  readOnly = false,
): Promise<void> {
  const run = await openUnits(where, { readOnly, onEvent: sayOnStderr })
  let queue: OpenedQueue | null = null
  try {
    if (flags.queue !== undefined) queue = await openQueue(run.store, flags, false)
    await work(run, queue)
  } finally {
    await queue?.session.close()
    await run.close()
  }
}

/** @throws {UsageError} the unit is not planned, or has a result */
async function openUnit(run: UnitRun, id: string): Promise<PlannedUnit> {
  checkUnitId(id)
  for await (const unit of run.planned()) {
    if (unit.id !== id) continue
    if (await run.isDone(id)) throw new UsageError(say`unit ${id} has a result already`)
    return unit
  }
  throw notPlanned(id, run)
}

function notPlanned(id: string, { store }: UnitRun): UsageError {
  return new UsageError(say`unit ${id} is not in the plan of ${store.url}: list units with kun-stream units ls --all`)
}

async function tryAgain(where: string, run: UnitRun, queue: OpenedQueue | null, unit: PlannedUnit): Promise<void> {
  if (queue !== null) {
    await putInFront(run, queue, unit)
    sayOnStderr(say`${unit.id} is back in the queue, before all others`)
  } else {
    const words = ['generate', where, '--unit', unit.id].map(shellWord)
    sayOnStderr(say`Generate it with: ${[commandName(), ...words].join(' ')}`)
  }
}

/** Puts a unit at the front of the queue; its failures so far no longer count. */
async function putInFront(
  run: UnitRun,
  { session }: OpenedQueue,
  { id, cut }: Pick<PlannedUnit, 'id' | 'cut'>,
): Promise<void> {
  const forgiven = await queuedRunOf(run).failedAttempts(id)
  await session.call(async (queue) => {
    await queue.remove(id + secondJobSuffix)
    if (await queue.remove(id)) await queue.add([{ id, cut, front: true, forgiven }])
  })
}
