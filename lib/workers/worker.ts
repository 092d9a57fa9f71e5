/** The worker's entry: prepares one block after the other, into the room that came with it. All else is lib/text. */
import { workerData } from 'piscina'
import type { PreparePlan } from '../text/plan.js'
import { createPreparer, type Preparer, prepareBlock } from '../text/prepare.js'
import { reportProgress, toWire, type WireReply, type WireTask } from './wire.js'

/** Waited for by every task, so that what goes wrong here reaches the caller with its class. */
let starting: Promise<Preparer> | undefined

export default async function prepare({ block, room, progress }: WireTask): Promise<WireReply> {
  reportProgress(progress, null)
  try {
    starting ??= createPreparer((workerData as { readonly plan: PreparePlan }).plan)
    return { prepared: prepareBlock(block, await starting, room, (document) => reportProgress(progress, document)) }
  } catch (error) {
    return { error: toWire(error) }
  }
}
