/** Entry point of a worker thread: each task prepares one block and writes its columns to the buffer of the task. */
import { workerData } from 'node:worker_threads'
import { nameThread } from '../core/own-thread.js'
import type { PreparePlan } from '../text/plan.js'
import { createPreparer, type Preparer, prepareBlock } from '../text/prepare.js'
import { reportProgress, toWire, type WireReply, type WireTask } from './wire.js'

nameThread('prepare')

/** Created by the first task and awaited by all, so that each task reports a failure to create it. */
let preparer: Promise<Preparer> | undefined

export default async function prepare({ block, columnsBuffer, progress }: WireTask): Promise<WireReply> {
  reportProgress(progress, null)
  try {
    const { plan }: { readonly plan: PreparePlan } = workerData
    preparer ??= createPreparer(plan)
    return {
      prepared: prepareBlock(block, await preparer, columnsBuffer, (document) => reportProgress(progress, document)),
    }
  } catch (error) {
    return { error: toWire(error) }
  }
}
