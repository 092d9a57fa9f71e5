/** Options of the commands that use a queue, and the queue that they name. */
import { createHash } from 'node:crypto'
import { type Command, InvalidArgumentError } from 'commander'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { ObjectStore } from '../../objects/object-store.js'
import type { QueueAddress } from '../../queue/queue-address.js'
import type { QueueSession } from '../../queue/queue-session.js'
import { parseUnit } from '../../recipe/byte-units.js'
import { runRecordName } from '../../storage/run-layout.js'
import { sayOnStderr } from '../terminal/output.js'

export interface QueueFlags {
  readonly queue?: string
  readonly queueCa?: string
  readonly queueName?: string
  readonly queueWait?: number
}

const waitMsDefault = 600_000
/** The queue of a command that a person waits for. */
const waitMsShort = 20_000

export function addQueueOptions(command: Command, required: boolean): Command {
  const queue = '--queue <url>'
  const about = 'Redis or Valkey: redis://host:6379, rediss:// for TLS, or env:NAME'
  return (required ? command.requiredOption(queue, about) : command.option(queue, about))
    .option('--queue-ca <file>', 'certificate authorities in PEM, for rediss://')
    .option('--queue-name <name>', 'name of the queue; by default one of the run')
}

/** Parses '90s' or '10min' as milliseconds. */
export function durationOption(text: string): number {
  const ms = parseUnit(text, 'ms')
  if (ms !== null && ms > 0) return ms
  throw new InvalidArgumentError(say`must be a duration such as 30s or 5min.`)
}

/** Locks of a worker, and when it gives a unit up. */
export interface LockFlags {
  readonly lock?: number
  readonly check?: number
  readonly losses?: number
}

export interface OpenedQueue {
  readonly address: QueueAddress
  readonly name: string
  readonly session: QueueSession
}

/** Opens the queue of a run. @param takes whether this process takes units */
export async function openQueue(
  store: ObjectStore,
  flags: QueueFlags & LockFlags,
  takes: boolean,
): Promise<OpenedQueue> {
  if (flags.queue === undefined) throw new UsageError(say`this command requires --queue: the address of the queue`)
  const { readQueueAddress } = await import('../../queue/queue-address.js')
  const { QueueSession } = await import('../../queue/queue-session.js')
  const { UnitQueue } = await import('../../queue/unit-queue.js')
  const address = await readQueueAddress({
    queue: flags.queue,
    ...(flags.queueCa !== undefined && { caFile: flags.queueCa }),
  })
  const name = flags.queueName ?? (await queueNameOf(store))
  if (!/^[\w.-]+$/.test(name))
    throw new UsageError(say`--queue-name: ${name} has other characters than letters, digits, . _ -`)
  const { lock: lockMs, check: checkMs, losses: lossesMax } = flags
  const options = {
    ...{ address, name },
    ...(lockMs !== undefined && { lockMs }),
    ...(checkMs !== undefined && { checkMs }),
    ...(lossesMax !== undefined && { lossesMax }),
  }
  const session = new QueueSession({
    address,
    waitMsMax: flags.queueWait ?? (takes ? waitMsDefault : waitMsShort),
    open: () => UnitQueue.open(options, takes),
    onTrouble: (error) =>
      sayOnStderr(error === null ? say`the queue can be reached again` : say`${error.message}; trying again`),
  })
  return { address, name, session }
}

/** The same on every host, whatever the path of the run there. */
async function queueNameOf(store: ObjectStore): Promise<string> {
  const record = await store.get(runRecordName)
  if (record === null) throw new UsageError(say`${store.url} has no units: run kun-stream prepare first`)
  return `run-${createHash('sha256').update(record).digest('hex').slice(0, 12)}`
}
