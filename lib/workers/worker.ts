/** The worker's entry: prepares one block after the other and moves the columns out. All else is lib/text. */
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina'
import type { Block, ChunkColumns } from '../text/batch.js'
import type { PreparePlan } from '../text/plan.js'
import { createPreparer, type Preparer, prepareBlock } from '../text/prepare.js'
import { toWire, type WireReply } from './wire.js'

/** Waited for by every task, so that what goes wrong here reaches the caller with its class. */
let starting: Promise<Preparer> | undefined

export default async function prepare(block: Block): Promise<WireReply> {
  try {
    starting ??= createPreparer((workerData as { readonly plan: PreparePlan }).plan)
    const prepared = prepareBlock(block, await starting)
    return moved({ prepared }, buffersOf(prepared.chunks)) as WireReply
  } catch (error) {
    return { error: toWire(error) }
  }
}

function buffersOf(columns: ChunkColumns): ArrayBuffer[] {
  const { key, title, text } = columns
  const arrays = [
    columns.document,
    columns.chunk,
    columns.offset,
    columns.tokens,
    columns.letters,
    columns.fingerprint,
    columns.signature,
    ...[key, title, text].flatMap((column) => [column.offsets, column.bytes]),
  ]
  return [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))]
}

/** Piscina takes the list of what to move from a value that says so itself. */
function moved(value: WireReply, buffers: ArrayBuffer[]): unknown {
  return move({ [transferableSymbol]: buffers, [valueSymbol]: value } as never)
}
