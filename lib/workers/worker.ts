/** Entry point of a worker thread: each message is a block to prepare; its columns are written to the buffer of the message. */
import { type MessagePort, workerData } from 'node:worker_threads'
import { nameThread } from '../core/own-thread.js'
import type { PreparePlan } from '../text/plan.js'
import { createPreparer, createPreparerNow, type Preparer, prepareBlock } from '../text/prepare.js'
import { replyOf, reportProgress, toWire, type WireReply, type WireTask } from './wire.js'

nameThread('prepare')

const { plan }: { readonly plan: PreparePlan } = workerData

/**
 * Created while the thread waits for its first block, unless files must be loaded; otherwise created by the first task and
 * awaited by all, so that each task reports a failure to create it.
 */
let preparer: Promise<Preparer> | undefined = earlyPreparer()

function earlyPreparer(): Promise<Preparer> | undefined {
  try {
    const made = createPreparerNow(plan)
    return made === null ? undefined : Promise.resolve(made)
  } catch {
    return undefined // the first task reports it
  }
}

async function prepare({ block, columnsBuffer, progress }: WireTask): Promise<WireReply> {
  reportProgress(progress, null)
  try {
    preparer ??= createPreparer(plan)
    return replyOf(prepareBlock(block, await preparer, columnsBuffer, (document) => reportProgress(progress, document)))
  } catch (error) {
    return { error: toWire(error) }
  }
}

/** Prepares the blocks that come by `port`, one after the other, until it is closed. */
export default function serve(port: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    port.on('message', (task: WireTask) => {
      void prepare(task).then((reply) => port.postMessage(reply))
    })
    port.on('close', resolve)
  })
}
