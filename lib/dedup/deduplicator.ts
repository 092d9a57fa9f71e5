/**
 * The verdict a row, in input order: exact by key, then near by bands, estimate and, where that could be wrong, by the
 * texts themselves. Of several matches the earliest kept counts. Owns the writing of both logs; opening is open.ts.
 */

import { ContractError } from '../errors.js'
import { type AppendLog, frameBytesMax } from '../storage/append-log.js'
import type { PreparedBlock } from '../text/block.js'
import { type ChunkColumns, textAt, textBytesAt, textLengthAt } from '../text/columns.js'
import { murmur128 } from '../text/kernel/reference-kernel.js'
import type { Signer } from '../text/signature.js'
import { settleBand } from './banding.js'
import { BloomIndex } from './bloom-index.js'
import { type Candidate, ExactIndex } from './exact-index.js'
import { ShingleComparer } from './jaccard.js'
import { keyBytes } from './kept-documents.js'
import { encodeKept, type KeptRow } from './kept-frames.js'
import type { TextSource } from './kept-texts.js'
import { bandingOf, type DedupOptions, documentsExpectedDefault, type IndexKind } from './options.js'
import type { Deduplicator, Duplicate } from './types.js'

export interface OpenedDeduplicator extends Deduplicator {
  /** Number of the last block that the log held when it was opened; −1 for none. Later blocks are the next to decide. */
  readonly lastBlock: number
  /** Committed bytes that were damaged: not 0 means that the blocks after `lastBlock` are to be decided again. */
  readonly lostBytes: number
}

/** Where a block ends in the dedup log and in the texts log. */
export interface BlockMark {
  readonly block: number
  readonly endBytes: number
  readonly textsBytes: number
}

/** Either kind of index, as far as opening is concerned. */
export interface KeptIndex {
  readonly count: number
  readonly memoryBytes: number
  keep(row: KeptRow): void
}

export function makeIndex(options: DedupOptions, kind: IndexKind, documentsExpected?: number): ExactIndex | BloomIndex {
  const { exact, near } = options
  const banding = near === false ? { bands: 0, rows: 1 } : bandingOf(near, kind)
  if (kind === 'bloom') {
    return new BloomIndex({
      exact,
      near: near !== false,
      banding,
      documentsExpected: documentsExpected ?? documentsExpectedDefault,
    })
  }
  const minima = near === false ? 0 : near.minima
  const settle = near === false ? { low: 1, high: 1 } : settleBand(near.threshold, minima)
  return new ExactIndex({ exact, minima, banding, settleBand: settle })
}

/** Rows of one frame in the dedup log. */
const rowsPerFrameMax = 8192
/** Bytes of texts handed to their log between two looks at its buffer. */
const textsBytesPerWait = 4 * 1024 * 1024
/** Seed of the key of a text without letters, which is compared as it stands. */
const bareTextSeed = 0x6b756e

interface Parts {
  readonly options: DedupOptions
  readonly index: KeptIndex
  /** Whose text a document is, by its number; the last is this run's own. */
  readonly sources: readonly { readonly firstDocument: number; readonly texts: TextSource | null }[]
  readonly log: AppendLog
  readonly texts: AppendLog | null
  readonly signer: Signer
  readonly lastBlock: number
  readonly lostBytes: number
}

export class DocumentDeduplicator implements OpenedDeduplicator {
  readonly lastBlock: number
  readonly lostBytes: number
  readonly #comparer: ShingleComparer
  #decided: number
  #busy = false
  /** Failure in the middle of a block: the index then has rows that the log does not. */
  #failure: unknown = null

  constructor(private readonly parts: Parts) {
    this.lastBlock = parts.lastBlock
    this.lostBytes = parts.lostBytes
    this.#decided = parts.lastBlock
    this.#comparer = new ShingleComparer(parts.signer)
  }

  get logBytes(): number {
    return this.parts.log.bytes
  }

  /**
   * A block that fails leaves the index ahead of its log: every later call fails too, with the first failure as its cause,
   * and `close` still closes.
   *
   * @throws {ContractError} blocks out of order, two calls at once, columns that do not fit the settings, after a failure
   */
  async decide(block: PreparedBlock, ids: readonly string[]): Promise<readonly (Duplicate | null)[]> {
    this.#check(block, ids)
    this.#busy = true
    try {
      return await this.#decide(block, ids)
    } catch (error) {
      this.#failure = error
      throw error
    } finally {
      this.#busy = false
    }
  }

  async #decide(block: PreparedBlock, ids: readonly string[]): Promise<readonly (Duplicate | null)[]> {
    const { log, texts } = this.parts
    const verdicts: (Duplicate | null)[] = []
    const kept: KeptRow[] = []
    let unwaitedBytes = 0
    for (let i = 0; i < block.chunks.rows; i++) {
      const row = this.#row(block.chunks, i, ids[i] as string)
      const found = this.#find(row, block.chunks, i)
      const verdict = found instanceof Promise ? await found : found
      verdicts.push(verdict)
      if (verdict !== null) continue
      const written = this.#keep(row, block.chunks, i)
      kept.push(written)
      if (written.textOffset < 0 || texts === null) continue
      unwaitedBytes += textLengthAt(block.chunks.text, i)
      if (unwaitedBytes < textsBytesPerWait) continue
      unwaitedBytes = 0
      await texts.ready()
    }
    this.#write(block.number, kept)
    this.#decided = block.number
    await texts?.ready()
    await log.ready()
    return verdicts
  }

  async flush(): Promise<void> {
    // Texts first: the log never names one that a crash could take away.
    await this.parts.texts?.flush()
    await this.parts.log.flush()
  }

  stats(): { documents: number; memoryBytes: number; diskBytes: number } {
    const { index, log, texts } = this.parts
    return { documents: index.count, memoryBytes: index.memoryBytes, diskBytes: log.bytes + (texts?.bytes ?? 0) }
  }

  async close(): Promise<void> {
    for (const { texts } of this.parts.sources) await texts?.close()
    await this.parts.log.close()
  }

  #check({ number, chunks }: PreparedBlock, ids: readonly string[]): void {
    const { options } = this.parts
    if (this.#failure !== null) {
      const words = (this.#failure as Error).message
      throw new ContractError(`block ${number} after a failure: ${words}. Open the index again`, {
        cause: this.#failure,
      })
    }
    if (this.#busy) throw new ContractError(`block ${number} was given before the verdict on the one before`)
    if (number <= this.#decided) throw new ContractError(`block ${number} after block ${this.#decided}`)
    if (ids.length !== chunks.rows) throw new ContractError(`block ${number}: ${ids.length} ids, ${chunks.rows} rows`)
    if (options.near !== false && chunks.signatureLength !== options.near.minima) {
      throw new ContractError(
        `block ${number}: signatures of ${chunks.signatureLength} bytes, ${options.near.minima} expected`,
      )
    }
  }

  /** Points into the columns: what is kept for longer than the block is copied by the index and the log. */
  #row(chunks: ChunkColumns, i: number, id: string): KeptRow {
    const { near } = this.parts.options
    const letters = chunks.letters[i] as number
    // Without a letter the comparison form says nothing: such a text is a duplicate only of the same text.
    const key =
      letters === 0
        ? murmur128(textBytesAt(chunks.text, i), bareTextSeed)
        : chunks.fingerprint.subarray(i * keyBytes, (i + 1) * keyBytes)
    const minima = near === false ? 0 : near.minima
    return {
      key,
      near: near !== false && letters >= near.ngram,
      bytes: chunks.signature.subarray(i * minima, (i + 1) * minima),
      id,
      textOffset: -1,
    }
  }

  #find(row: KeptRow, chunks: ChunkColumns, i: number): Duplicate | null | Promise<Duplicate | null> {
    const { index } = this.parts
    if (index instanceof BloomIndex) return index.find(row)
    if (!(index instanceof ExactIndex)) throw new ContractError('an index of no known kind')
    const equal = index.equal(row)
    if (equal !== null) return equal
    const candidates = index.near(row)
    const [first] = candidates
    if (first === undefined) return null
    return first.sure
      ? this.#duplicate(index, first.document, first.similarity)
      : this.#settle(index, candidates, chunks, i)
  }

  /** Goes through the candidates, earliest first, until one is near by its estimate or by its text. */
  async #settle(
    index: ExactIndex,
    candidates: readonly Candidate[],
    chunks: ChunkColumns,
    i: number,
  ): Promise<Duplicate | null> {
    const { near } = this.parts.options
    const threshold = near === false ? 1 : near.threshold
    const text = textAt(chunks.text, i)
    for (const { document, similarity, sure } of candidates) {
      if (sure) return this.#duplicate(index, document, similarity)
      const other = await this.#text(index, document)
      const settled = other === null ? similarity : this.#comparer.jaccard(other, text)
      if (settled >= threshold) return this.#duplicate(index, document, settled)
    }
    return null
  }

  #duplicate(index: ExactIndex, document: number, similarity: number): Duplicate {
    return { reason: 'near-duplicate', of: index.documents.id(document), similarity }
  }

  async #text(index: ExactIndex, document: number): Promise<string | null> {
    const offset = index.documents.textOffset(document)
    const source = this.parts.sources.findLast(({ firstDocument }) => firstDocument <= document)
    return offset < 0 || source === undefined || source.texts === null ? null : source.texts.read(offset)
  }

  #keep(row: KeptRow, chunks: ChunkColumns, i: number): KeptRow {
    const { index, texts } = this.parts
    // A text too long for a frame is settled by its estimate.
    const stored = texts !== null && row.near && textLengthAt(chunks.text, i) <= frameBytesMax
    const written = stored ? Object.assign(row, { textOffset: texts.append(textBytesAt(chunks.text, i)) }) : row
    index.keep(written)
    return written
  }

  #write(block: number, kept: readonly KeptRow[]): void {
    const textsBytes = this.parts.texts?.bytes ?? 0
    for (let at = 0; at === 0 || at < kept.length; at += rowsPerFrameMax) {
      const rows = kept.slice(at, at + rowsPerFrameMax)
      this.parts.log.append(encodeKept({ block, rows, more: at + rowsPerFrameMax < kept.length, textsBytes }))
    }
  }
}
