/**
 * Decides on the rows of blocks, in input order: exact duplicates by key, near-duplicates by bands, estimate and, where
 * the estimate could be wrong, by comparing the texts. Of several matches the earliest kept counts. block-frames.ts encodes
 * what both logs get, deduplicator.ts writes it. Runs in a thread of its own (dedup-thread.ts) or in the caller's.
 */
import { frameHeadBytes } from '../storage/frames.js'
import { textAt, textLengthAt } from '../text/columns.js'
import { createSigner } from '../text/signature.js'
import type { BlockFrames, EncodedFrames, KeptOfBlock } from './block-frames.js'
import { type BlockToDecide, type DecideColumns, isStored, rowOf } from './block-rows.js'
import { BloomIndex } from './bloom-index.js'
import type { ExactIndex, NearCandidate } from './exact-index.js'
import { ShingleComparer } from './jaccard.js'
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

/** Reads the text of a kept document, stored at `offset`; null if it has none. */
export type ReadText = (document: number, offset: number) => string | null | Promise<string | null>

export class BlockDecider {
  readonly #plan: DecidePlan
  readonly #index: ExactIndex | BloomIndex
  readonly #readText: ReadText
  readonly #frames: BlockFrames
  #textsBytes = 0
  /** The block that is being decided on, whose texts are not encoded yet, and the length of the texts log before it. */
  #block:
    | (Pick<KeptOfBlock, 'rows' | 'textOffsets'> & { readonly columns: DecideColumns; readonly start: number })
    | null = null
  #comparer: Promise<ShingleComparer> | null = null
  /** Number of the first document that was not restored: its text is in `#texts` until it is written. */
  #firstDecided = 0
  /** Rows of a block whose later frames are not restored yet. */
  #restored: KeptRow[] = []

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(plan: DecidePlan, frames: BlockFrames, readText: ReadText) {
    this.#frames = frames
    this.#plan = plan
    this.#index = makeIndex(plan)
    this.#readText = readText
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
    this.#firstDecided = this.#index.count
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
    this.#block = { columns, rows, textOffsets, start: this.#textsBytes }
    for (let i = 0; i < columns.rows; i++) {
      const row = rowOf(this.#plan, columns, i, ids[i] as string, -1)
      const found = this.#find(row, columns, i)
      const verdict = found instanceof Promise ? await found : found
      verdicts.push(verdict)
      if (verdict !== null) continue
      rows.push(i)
      textOffsets.push(this.#keep(row, columns, i))
    }
    this.#block = null
    const encoded = this.#frames.encode(block, ids, { rows, textOffsets, endBytes: this.#textsBytes })
    const { figures } = this
    return { done: Promise.resolve(encoded).then((frames) => ({ ...frames, verdicts, figures })) }
  }

  #find(row: KeptRow, columns: DecideColumns, i: number): Duplicate | null | Promise<Duplicate | null> {
    const index = this.#index
    if (index instanceof BloomIndex) return index.find(row)
    const equal = index.equal(row)
    if (equal !== null) return equal
    const candidates = index.near(row)
    const [first] = candidates
    if (first === undefined) return null
    return first.sure
      ? duplicate(index, first.document, first.similarity)
      : this.#settle(index, candidates, textAt(columns.text, i))
  }

  /** Returns the earliest candidate that is near by its estimate or by its text. */
  async #settle(index: ExactIndex, candidates: readonly NearCandidate[], text: string): Promise<Duplicate | null> {
    const { near } = this.#plan
    const threshold = near === false ? 1 : near.threshold
    this.#comparer ??= comparerOf(this.#plan)
    const comparer = await this.#comparer
    for (const { document, similarity, sure } of candidates) {
      if (sure) return duplicate(index, document, similarity)
      const read = this.#textOf(index, document)
      const other = read instanceof Promise ? await read : read
      const settled = other === null ? similarity : comparer.jaccard(other, text)
      if (settled >= threshold) return duplicate(index, document, settled)
    }
    return null
  }

  #textOf(index: ExactIndex, document: number): string | null | Promise<string | null> {
    const offset = index.documents.textOffset(document)
    if (offset < 0) return null
    const unwritten = document < this.#firstDecided ? null : this.#unwrittenText(offset)
    if (!(unwritten instanceof Promise)) return unwritten ?? this.#readText(document, offset)
    return unwritten.then((text) => text ?? this.#readText(document, offset))
  }

  /** Returns null for a text that is written. */
  #unwrittenText(offset: number): string | null | Promise<string | null> {
    const block = this.#block
    if (block === null || offset < block.start) return this.#frames.read(offset)
    const row = block.rows[block.textOffsets.indexOf(offset)]
    return row === undefined ? null : textAt(block.columns.text, row)
  }

  /** Returns the offset of the text in its log. */
  #keep(row: KeptRow, columns: DecideColumns, i: number): number {
    const textOffset = isStored(this.#plan, row, columns, i) ? this.#textsBytes : -1
    if (textOffset >= 0) this.#textsBytes += frameHeadBytes + textLengthAt(columns.text, i)
    this.#index.keep(Object.assign(row, { textOffset }))
    return textOffset
  }
}

function duplicate(index: ExactIndex, document: number, similarity: number): Duplicate {
  return { reason: 'near-duplicate', of: index.documents.id(document), similarity }
}

/** Made for the first pair that is compared: it loads tables. */
async function comparerOf({ near }: DecidePlan): Promise<ShingleComparer> {
  return new ShingleComparer(await createSigner({ signatureLength: 0, ...(near !== false && { ngram: near.ngram }) }))
}
