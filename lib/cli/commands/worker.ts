/** `kun-stream worker DIR --queue URL`: takes units from the queue and generates them until every unit has a result. */
import type { Command } from 'commander'
import type { EventLog } from '../../core/event-log.js'
import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import type { UnitGenerator } from '../../queue/queued-run.js'
import { addCommand } from '../command-summaries.js'
import { addLogOptions, type LogFlags, withLog } from '../log-file.js'
import { metricsOption } from '../metrics-option.js'
import { wholeNumber } from '../option-numbers.js'
import { addQueueOptions, durationOption, type LockFlags, openQueue, type QueueFlags } from '../queue/queue-options.js'
import { setOption } from '../recipe-options.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'
import { UnitStop } from '../unit-stop.js'

interface WorkerFlags extends QueueFlags, LockFlags, LogFlags {
  readonly set: string[]
  readonly straggler?: number
  readonly trust?: boolean
  readonly metrics?: number
  readonly json?: boolean
}

export function registerWorker(program: Command): void {
  const command = addQueueOptions(addCommand(program, 'worker'), true)
    .argument('<dir>', 'run that was prepared: a directory, or s3://bucket/prefix')
    .addOption(setOption())
    .option('--trust', 'accept the servers named in a run.json that another account wrote')
    .option('--lock <duration>', 'a unit whose worker is silent for longer is lost; 60s by default', durationOption)
    .option('--check <duration>', 'interval of the search for lost units; 30s by default', durationOption)
    .option('--losses <count>', 'set a unit aside that lost so many workers; 3 by default', wholeNumber(1))
    .option('--straggler <duration>', 'near the end, try units twice that take longer; 60s', durationOption)
    .option('--queue-wait <duration>', 'longest time without a queue; 10min by default', durationOption)
    .addOption(metricsOption())
    .option('--json', 'print one JSON object at the end')
  addLogOptions(command).action((where: string, flags: WorkerFlags) =>
    withLog('worker', flags, (log) => runWorker(where, flags, log)),
  )
}

async function runWorker(where: string, flags: WorkerFlags, log: EventLog): Promise<void> {
  const { mustBeTrusted, recipeName } = await import('../generate-units.js')
  const { serveUnitMetrics } = await import('../unit-metrics.js')
  const { openUnits } = await import('../../units/open-units.js')
  const { queuedRunOf } = await import('../../queue/queued-run.js')
  const { LockRenewal } = await import('../../queue/lock-renewal.js')
  const { workOnQueue } = await import('../../queue/work.js')
  const { lockMsDefault } = await import('../../queue/unit-queue.js')
  const closings: (() => Promise<void>)[] = []
  try {
    const run = await openUnits(where, { overrides: flags.set, onEvent: sayOnStderr })
    closings.unshift(() => run.close())
    await mustBeTrusted(run, flags.set, flags.trust ?? false)
    const { address, name, session } = await openQueue(run.store, flags, true)
    closings.unshift(() => session.close())
    const stop = new UnitStop()
    closings.unshift(async () => stop.close())
    // Before the servers: a queue that refuses the user ends the command.
    await session.call((queue) => queue.counts(), { signal: stop.signal, waitMsMax: flags.queueWait ?? startWaitMsMax })
    const renewal = await LockRenewal.start({ address, name, lockMs: flags.lock ?? lockMsDefault }, (report) =>
      log[report.state === 'renewed' ? 'debug' : 'warn']('lock', { ...report }),
    )
    closings.unshift(() => renewal.close())
    const worker = await run.openWorker({ signal: stop.signal, onEvent: sayOnStderr })
    closings.unshift(() => worker.close())
    const tally = { committed: 0, already: 0, failed: 0 }
    const closeMetrics = await serveUnitMetrics({
      ...{ port: flags.metrics, name: await recipeName(run), store: run.store },
      worker: () => tally,
    })
    closings.unshift(closeMetrics)
    sayOnStderr(say`worker of ${name}: takes units from ${address.label}`)
    const end = await workOnQueue({
      run: queuedRunOf(run),
      generator: reporting(worker, tally),
      session,
      hold: (request) => renewal.hold(request),
      signal: stop.signal,
      log,
      ...(flags.straggler !== undefined && { stragglerMs: flags.straggler }),
    })
    if (flags.json) writeOut(`${JSON.stringify({ command: 'worker', name, ...end })}\n`)
    else writeOut(say`every unit is done; ${count(end.committed, 'unit')} by this worker\n`)
  } finally {
    for (const close of closings) await close()
  }
}

/** Time limit of the first connection. */
const startWaitMsMax = 60_000

function reporting(
  worker: UnitGenerator,
  tally: { committed: number; already: number; failed: number },
): UnitGenerator {
  return {
    generate: async (id, signal) => {
      const start = performance.now()
      const outcome = await worker.generate(id, signal).catch((error: unknown) => {
        tally.failed++
        throw error
      })
      tally[outcome]++
      const seconds = ((performance.now() - start) / 1000).toFixed(1)
      sayOnStderr(
        outcome === 'committed'
          ? say`unit ${id}: done in ${seconds} s`
          : say`unit ${id}: another worker's result counts, ${seconds} s`,
      )
      return outcome
    },
  }
}
