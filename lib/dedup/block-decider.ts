/**
 * Decides on the rows of blocks, in input order: exact duplicates by key, near-duplicates by bands, estimate and, where
 * the estimate could be wrong, by comparing the texts. Of several matches the earliest kept counts. block-frames.ts encodes
 * what both logs get, deduplicator.ts writes it. Runs in a thread of its own (dedup-thread.ts) or in the caller's.
 */
import { frameHeadBytes } from '../storage/frames.js'
import { textLengthAt } from '../text/columns.js'
import type { BlockFrames, EncodedFrames } from './block-frames.js'
import { type BlockToDecide, type DecideColumns, isStored, rowOf } from './block-rows.js'
import { BloomIndex } from './bloom-index.js'
import { type BlockTexts, CandidateSettler, type ReadText } from './candidate-settler.js'
import type { ExactIndex } from './exact-index.js'
import { decodeKept, type KeptRow } from './kept-frames.js'
import { type DecidePlan, type LogLengths, makeIndex } from './plan.js'
import type { Duplicate } from './types.js'

/** Result for a block: a verdict per row, null for those that are kept, and what the logs get. */
export interface DecidedBlock extends EncodedFrames {
  readonly verdicts: readonly (Duplicate | null)[]
  readonly figures: IndexFigures
}

export interface IndexFigures {
  readonly documents: number
  readonly memoryBytes: number
}

export class BlockDecider {
  readonly #plan: DecidePlan
  readonly #index: ExactIndex | BloomIndex
  readonly #settler: CandidateSettler
  readonly #frames: BlockFrames
  #textsBytes = 0
  /** Rows of a block whose later frames are not restored yet. */
  #restored: KeptRow[] = []

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(plan: DecidePlan, frames: BlockFrames, readText: ReadText) {
    this.#frames = frames
    this.#plan = plan
    this.#index = makeIndex(plan)
    this.#settler = new CandidateSettler(plan, frames, readText)
  }

  get figures(): IndexFigures {
    const { count, memoryBytes } = this.#index
    return { documents: count, memoryBytes }
  }

  /**
   * Adds the documents of a frame of a dedup log, once the last frame of its block is there.
   *
   * @throws {CorruptFileError} another program wrote the frame
   */
  restore(payload: Uint8Array): void {
    const { rows, more } = decodeKept(payload)
    this.#restored.push(...rows)
    if (more) return
    for (const row of this.#restored) this.#index.keep(row)
    this.#restored = []
  }

  /** Sets the lengths of both logs, to which the frames of later blocks are appended. */
  begin(lengths: LogLengths): void {
    this.#restored = []
    this.#settler.begin(this.#index.count)
    this.#textsBytes = lengths.textsBytes
    this.#frames.begin(lengths)
  }

  /** Announces a block that `decide` is called for soon. */
  announce(block: BlockToDecide): void {
    this.#frames.announce(block)
  }

  /** Returns the memory of frames that were written, up to these lengths of the logs. */
  written(lengths: LogLengths): void {
    this.#frames.written(lengths)
  }

  /** Resolves when the next block may be decided; `done` follows once the frames are encoded. */
  async decide(block: BlockToDecide): Promise<{ readonly done: Promise<DecidedBlock> }> {
    const { columns } = block
    const announced = this.#frames.ids(block)
    const ids = announced instanceof Promise ? await announced : announced
    const verdicts: (Duplicate | null)[] = []
    const rows: number[] = []
    const textOffsets: number[] = []
    const texts: BlockTexts = {
      columns,
      start: this.#textsBytes,
      rowAt: (offset) => rows[textOffsets.indexOf(offset)],
    }
    for (let i = 0; i < columns.rows; i++) {
      const row = rowOf(this.#plan, columns, i, ids[i] as string, -1)
      const found = this.#find(row, i, texts)
      const verdict = found instanceof Promise ? await found : found
      verdicts.push(verdict)
      if (verdict !== null) continue
      rows.push(i)
      textOffsets.push(this.#keep(row, columns, i))
    }
    const encoded = this.#frames.encode(block, ids, { rows, textOffsets, endBytes: this.#textsBytes })
    const { figures } = this
    return { done: Promise.resolve(encoded).then((frames) => ({ ...frames, verdicts, figures })) }
  }

  #find(row: KeptRow, i: number, block: BlockTexts): Duplicate | null | Promise<Duplicate | null> {
    const index = this.#index
    if (index instanceof BloomIndex) return index.find(row)
    return index.equal(row) ?? this.#settler.decide(index.documents, index.near(row), i, block)
  }

  /** Returns the offset of the text in its log. */
  #keep(row: KeptRow, columns: DecideColumns, i: number): number {
    const textOffset = isStored(this.#plan, columns, i) ? this.#textsBytes : -1
    if (textOffset >= 0) this.#textsBytes += frameHeadBytes + textLengthAt(columns.text, i)
    this.#index.keep(Object.assign(row, { textOffset }))
    return textOffset
  }
}
