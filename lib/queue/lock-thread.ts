/** Thread that renews the lock of the unit in hand, so that a busy main thread does not lose it. */

import { parentPort, workerData } from 'node:worker_threads'
import type { Job, Queue } from 'bullmq'
import { errorMessage } from '../caught-error.js'
import { connectQueue, operationMsMax, within } from './connection.js'
import type { LockReport, LockRequest, LockThreadData } from './lock-renewal.js'
import { loadQueuePackages } from './packages.js'
import { queuePrefix } from './queue-address.js'

const { address, name, lockMs, silenceMsMax, beats }: LockThreadData = workerData
const renewals = 4
const beat = new Int32Array(beats)
let held: { readonly jobId: string; readonly token: string; job: Job | null } | null = null
/** Ends the pause between two renewals. */
let wake: () => void = () => undefined
let lastBeat = { count: 0, at: Date.now() }

const report = (message: LockReport): void => parentPort?.postMessage(message)

async function start(): Promise<void> {
  const packages = await loadQueuePackages()
  report({ jobId: '', state: 'ready' })
  // The main thread has connected before; it reports a queue that cannot be reached.
  const redis = await connectQueue(address, packages, Number.POSITIVE_INFINITY)
  const queue = new packages.bullmq.Queue<object>(name, { connection: redis, prefix: queuePrefix })
  queue.on('error', () => undefined)
  for (;;) {
    await renew(queue)
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      wake = resolve
      timer = setTimeout(resolve, lockMs / renewals)
    })
    clearTimeout(timer)
  }
}

async function renew(queue: Queue<object>): Promise<void> {
  const current = held
  if (current === null || !mainThreadLives()) return
  try {
    current.job ??= (await within(operationMsMax, queue.getJob(current.jobId))) ?? null
    const extended = await (current.job === null
      ? 0 // the job was removed
      : within(operationMsMax, current.job.extendLock(current.token, lockMs)))
    if (held !== current) return
    if (extended !== 1) held = null
    report({ jobId: current.jobId, state: extended === 1 ? 'renewed' : 'lost' })
  } catch (error) {
    report({ jobId: current.jobId, state: 'failed', message: errorMessage(error) })
  }
}

/** A main thread that has been silent for too long hangs: its unit must go to another worker. */
function mainThreadLives(): boolean {
  const count = Atomics.load(beat, 0)
  if (count !== lastBeat.count) lastBeat = { count, at: Date.now() }
  return Date.now() - lastBeat.at < silenceMsMax
}

parentPort?.on('message', (request: LockRequest) => {
  held = request === null ? null : { ...request, job: null }
  wake()
})
await start()
