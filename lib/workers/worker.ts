/** Entry of a worker thread: prepares one block at a time, into the buffer that comes with it. */
import { workerData } from 'piscina'
import type { PreparePlan } from '../text/plan.js'
import { createPreparer, type Preparer, prepareBlock } from '../text/prepare.js'
import { reportProgress, toWire, type WireReply, type WireTask } from './wire.js'

/** Awaited by every task, so that its failure reaches the caller with its class. */
let starting: Promise<Preparer> | undefined

export default async function prepare({ block, columnsBuffer, progress }: WireTask): Promise<WireReply> {
  reportProgress(progress, null)
  try {
    starting ??= createPreparer((workerData as { readonly plan: PreparePlan }).plan)
    return {
      prepared: prepareBlock(block, await starting, columnsBuffer, (document) => reportProgress(progress, document)),
    }
  } catch (error) {
    return { error: toWire(error) }
  }
}
