/**
 * Decides on the rows of blocks, in input order: exact duplicates by key, near-duplicates by bands, estimate and, where
 * the estimate could be wrong, by comparing the texts. Of several matches the earliest kept counts. Encodes the frames of
 * both logs, which deduplicator.ts writes. Runs in a thread of its own (dedup-thread.ts) or in the caller's.
 */
import { frameBytesMax, frameHeadBytes } from '../storage/frames.js'
import { type ChunkColumns, textAt, textBytesAt, textLengthAt } from '../text/columns.js'
import { recordId } from '../text/identity.js'
import { murmur128 } from '../text/kernel/reference-kernel.js'
import { createSigner } from '../text/signature.js'
import { BloomIndex } from './bloom-index.js'
import type { ExactIndex, NearCandidate } from './exact-index.js'
import { FramePieces } from './frame-pieces.js'
import { ShingleComparer } from './jaccard.js'
import { decodeKept, encodeKept, type KeptRow, keyBytes } from './kept-frames.js'
import { type DecidePlan, keepsTexts, makeIndex } from './plan.js'
import type { Duplicate } from './types.js'

/** Columns that verdicts and logs are made from. */
export const decidedColumns = ['offset', 'chunk', 'text', 'letters', 'fingerprint', 'signature'] as const

export type DecideColumns = Pick<ChunkColumns, 'rows' | 'signatureLength' | (typeof decidedColumns)[number]>

/** A block to decide on. */
export interface BlockToDecide {
  readonly number: number
  readonly split: string
  readonly shard: string
  readonly columns: DecideColumns
  /** Public id of each row; null for the ids of their positions. */
  readonly ids: readonly string[] | null
}

/** Result for a block: a verdict per row, null for those that are kept, and what the logs get. */
export interface DecidedBlock {
  readonly verdicts: readonly (Duplicate | null)[]
  /** Frames for the texts log, in pieces of shared memory, valid until `written`. */
  readonly texts: readonly Uint8Array<SharedArrayBuffer>[]
  /** Frames for the dedup log. */
  readonly log: readonly Uint8Array<SharedArrayBuffer>[]
  readonly figures: IndexFigures
}

export interface IndexFigures {
  readonly documents: number
  readonly memoryBytes: number
}

/** Reads the text of a kept document, stored at `offset`; null if it has none. */
export type ReadText = (document: number, offset: number) => string | null | Promise<string | null>

/** Rows of one frame in the dedup log. */
const rowsPerFrameMax = 8192
/** Seed of the key of a text without letters, which is a hash of the text itself. */
const bareTextSeed = 0x6b756e

export class BlockDecider {
  readonly #plan: DecidePlan
  readonly #index: ExactIndex | BloomIndex
  readonly #readText: ReadText
  readonly #texts = new FramePieces()
  readonly #log = new FramePieces()
  #comparer: Promise<ShingleComparer> | null = null
  /** Number of the first document that was not restored: its text is in `#texts` until it is written. */
  #firstDecided = 0
  /** Rows of a block whose later frames are not restored yet. */
  #restored: KeptRow[] = []

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(plan: DecidePlan, readText: ReadText) {
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
  begin(logBytes: number, textsBytes: number): void {
    this.#restored = []
    this.#firstDecided = this.#index.count
    this.#log.begin(logBytes)
    this.#texts.begin(textsBytes)
  }

  /** Returns the memory of frames that were written, up to these lengths of the logs. */
  written(logBytes: number, textsBytes: number): void {
    this.#log.written(logBytes)
    this.#texts.written(textsBytes)
  }

  async decide(block: BlockToDecide): Promise<DecidedBlock> {
    const { columns } = block
    const verdicts: (Duplicate | null)[] = []
    const kept: KeptRow[] = []
    this.#texts.expect((columns.text.offsets[columns.rows] as number) + columns.rows * frameHeadBytes)
    for (let i = 0; i < columns.rows; i++) {
      const row = this.#row(block, i)
      const found = this.#find(row, columns, i)
      const verdict = found instanceof Promise ? await found : found
      verdicts.push(verdict)
      if (verdict === null) kept.push(this.#keep(row, columns, i))
    }
    this.#write(block.number, kept)
    return { verdicts, texts: this.#texts.take(), log: this.#log.take(), figures: this.figures }
  }

  /** Returns views of the columns; the index and the log copy what they keep. */
  #row({ columns, ids, split, shard }: BlockToDecide, i: number): KeptRow {
    const { near } = this.#plan
    const letters = columns.letters[i] as number
    // A text without letters has an empty comparison form: it is a duplicate only of an identical text.
    const key =
      letters === 0
        ? murmur128(textBytesAt(columns.text, i), bareTextSeed)
        : columns.fingerprint.subarray(i * keyBytes, (i + 1) * keyBytes)
    const signatureLength = near === false ? 0 : near.minima
    return {
      key,
      hasShingle: near !== false && letters >= near.ngram,
      signature: columns.signature.subarray(i * signatureLength, (i + 1) * signatureLength),
      id:
        ids === null
          ? recordId(split, shard, columns.offset[i] as number, columns.chunk[i] as number)
          : (ids[i] as string),
      textOffset: -1,
    }
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
    const unwritten = document < this.#firstDecided ? null : this.#texts.read(offset)
    return unwritten?.toString('utf8') ?? this.#readText(document, offset)
  }

  #keep(row: KeptRow, columns: DecideColumns, i: number): KeptRow {
    // A text that is too long for a frame is not stored: its estimate decides.
    const isStored = keepsTexts(this.#plan) && row.hasShingle && textLengthAt(columns.text, i) <= frameBytesMax
    if (isStored) Object.assign(row, { textOffset: this.#texts.append(textBytesAt(columns.text, i)) })
    this.#index.keep(row)
    return row
  }

  #write(block: number, kept: readonly KeptRow[]): void {
    const textsBytes = keepsTexts(this.#plan) ? this.#texts.bytes : 0
    for (let at = 0; at === 0 || at < kept.length; at += rowsPerFrameMax) {
      const rows = kept.slice(at, at + rowsPerFrameMax)
      this.#log.append(encodeKept({ block, rows, more: at + rowsPerFrameMax < kept.length, textsBytes }))
    }
  }
}

function duplicate(index: ExactIndex, document: number, similarity: number): Duplicate {
  return { reason: 'near-duplicate', of: index.documents.id(document), similarity }
}

/** Made for the first pair that is compared: it loads tables. */
async function comparerOf({ near }: DecidePlan): Promise<ShingleComparer> {
  return new ShingleComparer(await createSigner({ signatureLength: 0, ...(near !== false && { ngram: near.ngram }) }))
}
