/** Entry point of a worker thread: each task prepares one block and writes its columns to the buffer of the task. */
import { workerData } from 'node:worker_threads'
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

export default async function prepare({ block, columnsBuffer, progress }: WireTask): Promise<WireReply> {
  reportProgress(progress, null)
  try {
    preparer ??= createPreparer(plan)
    return replyOf(prepareBlock(block, await preparer, columnsBuffer, (document) => reportProgress(progress, document)))
  } catch (error) {
    return { error: toWire(error) }
  }
}
