/**
 * Decides on the rows of blocks, in input order: exact duplicates by key, near-duplicates by bands, estimate and, where
 * the estimate could be wrong, by comparing the texts. Of several matches the earliest kept counts. block-frames.ts encodes
 * what both logs get, deduplicator.ts writes it. Runs in a thread of its own (dedup-thread.ts) or in the caller's.
 */
import { frameHeadBytes } from '../storage/frames.js'
import { textLengthAt } from '../text/columns.js'
import type { BlockFrames, EncodedFrames, KeptOfBlock } from './block-frames.js'
import { type BlockToDecide, type DecideColumns, hasShingleAt, isStored, keysOf, rowOf } from './block-rows.js'
import { BloomIndex } from './bloom-index.js'
import { type BlockTexts, CandidateSettler, type ReadText } from './candidate-settler.js'
import { ExactIndex } from './exact-index.js'
import { decodeKept, type IdBytes, idOf, type KeptRow } from './kept-frames.js'
import type { RowsToDecide } from './kept-rows.js'
import { type DecidePlan, type LogLengths, makeIndex, signatureBytesOf } from './plan.js'
import type { Duplicate } from './types.js'

/** Result for a block: a verdict per row, null for those that are kept, and what the logs get. */
export interface DecidedBlock extends EncodedFrames {
  readonly verdicts: readonly (Duplicate | null)[]
  readonly figures: IndexFigures
}

/** Verdicts on the rows of a block, and what is kept. */
interface DecidedRows extends KeptOfBlock {
  readonly verdicts: readonly (Duplicate | null)[]
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
    const announced = this.#frames.ids(block)
    const ids = announced instanceof Promise ? await announced : announced
    const { verdicts, ...kept } =
      this.#index instanceof ExactIndex && this.#index.begin(this.#rowsOf(block.columns), ids)
        ? await this.#decideTogether(this.#index, block.columns)
        : await this.#decideEach(block.columns, ids)
    this.#textsBytes = kept.endBytes
    const encoded = this.#frames.encode(block, ids, kept)
    const { figures } = this
    return { done: Promise.resolve(encoded).then((frames) => ({ ...frames, verdicts, figures })) }
  }

  /** Returns what the index needs of a block to decide on its rows together. */
  #rowsOf(columns: DecideColumns): Omit<RowsToDecide, 'ids'> {
    const { rows, signature } = columns
    const banded = new Uint8Array(rows)
    const textBytes = new Uint32Array(rows)
    for (let i = 0; i < rows; i++) {
      if (hasShingleAt(this.#plan, columns, i)) banded[i] = 1
      if (isStored(this.#plan, columns, i)) textBytes[i] = frameHeadBytes + textLengthAt(columns.text, i)
    }
    const bytes = rows * signatureBytesOf(this.#plan)
    const columnsOfIndex = { rows, keys: keysOf(columns), signature: signature.subarray(0, bytes), banded, textBytes }
    return { ...columnsOfIndex, textsBytes: this.#textsBytes }
  }

  /** Decides in the index, which returns only rows whose texts must be compared. */
  async #decideTogether(index: ExactIndex, columns: DecideColumns): Promise<DecidedRows> {
    const { rows } = columns
    const verdicts = new Array<Duplicate | null>(rows).fill(null)
    const { documents } = index
    const texts: BlockTexts = {
      columns,
      start: this.#textsBytes,
      rowAt: (offset) => {
        const kept = documents.last.kept(false)
        return kept.rows[kept.textOffsets.indexOf(offset)]
      },
    }
    for (let row = index.decideRows(0); row < rows; row = index.decideRows(row + 1)) {
      const found = this.#settler.decide(documents, index.candidates(), row, texts)
      const verdict = found instanceof Promise ? await found : found
      if (verdict === null) index.keepRow(row)
      else verdicts[row] = verdict
    }
    const kept = documents.last.kept(true)
    if (kept.rows.length < rows) index.setDuplicates(verdicts)
    return { verdicts, rows: kept.rows, textOffsets: kept.textOffsets, endBytes: kept.textsBytes }
  }

  /** Looks up row by row: a Bloom index, or one of several parts. */
  async #decideEach(columns: DecideColumns, ids: IdBytes): Promise<DecidedRows> {
    const verdicts: (Duplicate | null)[] = []
    const rows: number[] = []
    const textOffsets: number[] = []
    const texts: BlockTexts = {
      columns,
      start: this.#textsBytes,
      rowAt: (offset) => rows[textOffsets.indexOf(offset)],
    }
    for (let i = 0; i < columns.rows; i++) {
      const row = rowOf(this.#plan, columns, i, idOf(ids, i), -1)
      const found = this.#find(row, i, texts)
      const verdict = found instanceof Promise ? await found : found
      verdicts.push(verdict)
      if (verdict !== null) continue
      rows.push(i)
      textOffsets.push(this.#keep(row, columns, i))
    }
    return { verdicts, rows, textOffsets, endBytes: this.#textsBytes }
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
