/** A worker on a queue in the process of the test: the parts of the command `worker`, with its events at hand. */
import { type EventLog, noLog } from '../../lib/core/event-log.js'
import { LockRenewal } from '../../lib/queue/lock-renewal.js'
import { readQueueAddress } from '../../lib/queue/queue-address.js'
import { QueueSession } from '../../lib/queue/queue-session.js'
import { queuedRunOf } from '../../lib/queue/queued-run.js'
import { UnitQueue } from '../../lib/queue/unit-queue.js'
import { type WorkEnd, workOnQueue } from '../../lib/queue/work.js'
import { openUnits } from '../../lib/units/open-units.js'

export interface WorkerHere {
  readonly directory: string
  /** Address of the queue. */
  readonly url: string
  readonly name: string
  readonly lockMs: number
  readonly checkMs: number
  readonly lossesMax?: number
  readonly signal?: AbortSignal
  /** Called when it takes a unit, before its first request. */
  readonly onTaken?: (unit: string) => void
}

/** Opens the worker; `work` begins to take units. The worker is closed when it ends. */
export async function openWorkerHere(options: WorkerHere): Promise<{ work(): Promise<WorkEnd> }> {
  const { directory, url, name, lockMs, checkMs, lossesMax = 3, onTaken = () => undefined } = options
  const signal = options.signal ?? new AbortController().signal
  const run = await openUnits(directory)
  const address = await readQueueAddress({ queue: url })
  const session = new QueueSession({
    address,
    waitMsMax: 60_000,
    open: () => UnitQueue.open({ address, name, lockMs, checkMs, lossesMax }, true),
  })
  const renewal = await LockRenewal.start({ address, name, lockMs }, () => undefined)
  const generator = await run.openWorker({ signal })
  await session.call((queue) => queue.counts())
  const log: EventLog = {
    ...noLog,
    info: (event, { unit } = {}) => {
      if (event === 'unit-taken') onTaken(String(unit))
    },
  }
  return {
    work: async () => {
      try {
        const hold = renewal.hold.bind(renewal)
        return await workOnQueue({ run: queuedRunOf(run), generator, session, hold, signal, log, stragglerMs: 2_000 })
      } finally {
        await generator.close()
        await renewal.close()
        await session.close()
        await run.close()
      }
    },
  }
}
