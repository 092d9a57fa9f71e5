/**
 * Maps the input to slices and epochs: reads and prepares all blocks in input order, and stores the rows and texts of
 * their chunks. Resumes after the last epoch that was completed.
 */
import type { Credit } from '../core/credit.js'
import { from } from '../core/graph.js'
import type { OrderedSink } from '../core/sink-node.js'
import type { DecidePlan } from '../dedup/plan.js'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { BlockLedger } from '../run/block-facts.js'
import { cursorOf } from '../run/committed-cut.js'
import { prepareStage } from '../run/stages/prepare.js'
import { blockCredit } from '../sources/block-credit.js'
import type { SourceBlock, SourceCursor } from '../sources/blocks.js'
import type { Block, PreparedBlock } from '../text/block.js'
import type { Epoch, EpochObjects, EpochSettings, MappedBlock } from './epoch-objects.js'
import { SliceBuilder } from './slice.js'

/** Parts that the caller opens and closes. */
interface MapParts {
  readonly objects: EpochObjects
  readonly settings: EpochSettings
  readonly plan: DecidePlan
  /** Reads the blocks after a cursor; all of them by default. */
  readonly blocks: (from?: SourceCursor) => AsyncIterable<SourceBlock>
  readonly prepare: (block: Block) => Promise<PreparedBlock>
  readonly blocksInWorkers: number
  readonly credit: Credit
  readonly signal: AbortSignal
  /** Makes durable what the blocks of a slice depend on; throws if the lock is lost. */
  readonly beforeSlice: () => Promise<void>
  /** Called with each new epoch: its number and its rows. */
  readonly onEpoch: (epoch: number, rows: number) => void
}

/** Maps the rest of the input. @returns the number of epochs */
export async function mapEpochs(parts: MapParts): Promise<number> {
  const { objects, blocks, prepare, blocksInWorkers, credit, signal } = parts
  const known = await objects.epochCount()
  if (known !== null) return known
  const last = await lastEpoch(objects)
  const start = last === null ? undefined : cursorIn(last)
  const facts = new BlockLedger()
  const sink = new EpochSink(parts, facts, last)
  await from(facts.register(blocks(start)), {
    ...{ name: 'read', unit: 'block', firstOrdinal: start?.block ?? 0, credit: blockCredit(credit) },
  })
    .via(prepareStage({ blocksInFlightMax: blocksInWorkers, prepare }))
    .to(sink)
    .run({ signal }).done
  await objects.putEpochCount(sink.epochs)
  return sink.epochs
}

async function lastEpoch(objects: EpochObjects): Promise<Epoch | null> {
  let last: Epoch | null = null
  for (let next = await objects.epoch(0); next !== null; next = await objects.epoch(next.epoch + 1)) last = next
  return last
}

function cursorIn({ cursor, epoch }: Epoch): SourceCursor {
  try {
    return cursorOf({
      cut: epoch,
      blocks: 0,
      cursor,
      inputs: { ended: [], open: [] },
      dedupLogBytes: 0,
      counters: {},
      files: [],
    })
  } catch (cause) {
    throw new CorruptFileError(say`the plan of epoch ${epoch} is damaged`, { cause })
  }
}

interface OpenEpoch {
  readonly firstSlice: number
  readonly firstBlock: number
  readonly slices: MappedBlock[][]
  rows: number
}

/** Stores slices and epochs. */
class EpochSink implements OrderedSink<PreparedBlock, Block | PreparedBlock> {
  readonly name = 'slices'
  readonly #parts: MapParts
  readonly #facts: BlockLedger
  #epochs: number
  #nextSlice: number
  #nextBlock: number
  #slice: SliceBuilder
  #open: OpenEpoch
  #cursor: unknown = null

  constructor(parts: MapParts, facts: BlockLedger, last: Epoch | null) {
    this.#parts = parts
    this.#facts = facts
    this.#epochs = last === null ? 0 : last.epoch + 1
    this.#nextSlice = last === null ? 0 : last.firstSlice + last.slices.length
    this.#nextBlock = last === null ? 0 : last.firstBlock + last.slices.reduce((sum, blocks) => sum + blocks.length, 0)
    this.#slice = new SliceBuilder(parts.plan, parts.settings)
    this.#open = this.#newEpoch()
  }

  /** Number of epochs that were stored. */
  get epochs(): number {
    return this.#epochs
  }

  readonly write = async (batch: readonly { readonly value: Block | PreparedBlock }[]): Promise<void> => {
    for (const { value } of batch) {
      this.#cursor = this.#facts.take(value.number).cursor
      if ('chunks' in value) this.#slice.add(value)
      else this.#slice.addEmpty()
      this.#nextBlock++
      if (this.#slice.isFull) await this.#endSlice()
      if (this.#open.rows >= this.#parts.settings.epochRows) await this.#endEpoch()
    }
  }

  readonly end = async (): Promise<void> => {
    if (this.#slice.blocks.length > 0) await this.#endSlice()
    if (this.#open.slices.length > 0) await this.#endEpoch()
  }

  async #endSlice(): Promise<void> {
    const slice = this.#slice
    await this.#parts.beforeSlice()
    await slice.store(this.#parts.objects.store, this.#nextSlice)
    this.#nextSlice++
    this.#open.slices.push(slice.blocks)
    this.#open.rows += slice.rows
    this.#slice = new SliceBuilder(this.#parts.plan, this.#parts.settings)
  }

  async #endEpoch(): Promise<void> {
    const { firstSlice, firstBlock, slices, rows } = this.#open
    const epoch = this.#epochs
    await this.#parts.objects.putEpoch({ epoch, firstSlice, firstBlock, cursor: this.#cursor, slices })
    this.#epochs++
    this.#open = this.#newEpoch()
    this.#parts.onEpoch(epoch, rows)
  }

  #newEpoch(): OpenEpoch {
    return { firstSlice: this.#nextSlice, firstBlock: this.#nextBlock, slices: [], rows: 0 }
  }
}
