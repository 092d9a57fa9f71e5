/**
 * Decides on rows in input order: exact duplicates by key, near-duplicates by bands, estimate and, where the estimate could be
 * wrong, by comparing the texts. Of several matches the earliest kept counts. Writes both logs; open-index.ts opens them.
 */

import { ContractError } from '../errors.js'
import { type AppendLog, frameBytesMax } from '../storage/append-log.js'
import type { PreparedBlock } from '../text/block.js'
import { type ChunkColumns, textAt, textBytesAt, textLengthAt } from '../text/columns.js'
import { murmur128 } from '../text/kernel/reference-kernel.js'
import type { Signer } from '../text/signature.js'
import { settleBand } from './banding.js'
import { BloomIndex } from './bloom-index.js'
import { ExactIndex, type NearCandidate } from './exact-index.js'
import { ShingleComparer } from './jaccard.js'
import { keyBytes } from './kept-documents.js'
import { encodeKept, type KeptRow } from './kept-frames.js'
import type { TextSource } from './kept-texts.js'
import { bandingOf, type DedupOptions, documentsExpectedDefault, type IndexKind } from './options.js'
import type { Deduplicator, Duplicate } from './types.js'

export interface OpenedDeduplicator extends Deduplicator {
  /** Number of the last block in the log when it was opened; −1 for none. Blocks after it are to be decided. */
  readonly lastBlock: number
  /** Committed bytes that were lost to damage. If not 0, the blocks after `lastBlock` must be decided again. */
  readonly lostBytes: number
}

/** Lengths of the dedup log and the texts log after a block. */
export interface BlockMark {
  readonly block: number
  readonly endBytes: number
  readonly textsBytes: number
}

/** Parts of a deduplicator, for either kind of index. */
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
  const signatureLength = near === false ? 0 : near.minima
  const settle = near === false ? { low: 1, high: 1 } : settleBand(near.threshold, signatureLength)
  return new ExactIndex({ exact, signatureLength, banding, settleBand: settle })
}

/** Rows of one frame in the dedup log. */
const rowsPerFrameMax = 8192
/** Bytes of texts appended to their log before waiting for its buffer to drain. */
const textsBytesPerWait = 4 * 1024 * 1024
/** Seed of the key of a text without letters, which is a hash of the text itself. */
const bareTextSeed = 0x6b756e

interface Parts {
  readonly options: DedupOptions
  readonly index: KeptIndex
  /** Texts by number of the first document; the last are those of this run. */
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
  readonly #parts: Parts
  readonly #comparer: ShingleComparer
  #decided: number
  #busy = false
  /** A failure in the middle of a block, after which the index has rows that the log lacks. */
  #failure: unknown = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.lastBlock = parts.lastBlock
    this.lostBytes = parts.lostBytes
    this.#decided = parts.lastBlock
    this.#comparer = new ShingleComparer(parts.signer)
  }

  get logBytes(): number {
    return this.#parts.log.bytes
  }

  /**
   * After a failed block the index has rows that its log lacks, so every later call fails, with the first failure as
   * cause; `close` still works.
   *
   * @throws {ContractError} blocks out of order, concurrent calls, columns that do not match the settings, after a failure
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
    const { log, texts } = this.#parts
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
    // Texts first: the log must not refer to a text that a crash could remove.
    await this.#parts.texts?.flush()
    await this.#parts.log.flush()
  }

  stats(): { documents: number; memoryBytes: number; diskBytes: number } {
    const { index, log, texts } = this.#parts
    return { documents: index.count, memoryBytes: index.memoryBytes, diskBytes: log.bytes + (texts?.bytes ?? 0) }
  }

  async close(): Promise<void> {
    for (const { texts } of this.#parts.sources) await texts?.close()
    await this.#parts.log.close()
  }

  #check({ number, chunks }: PreparedBlock, ids: readonly string[]): void {
    const { options } = this.#parts
    if (this.#failure !== null) {
      const words = (this.#failure as Error).message
      throw new ContractError(`block ${number} after a failure: ${words}. Open the index again`, {
        cause: this.#failure,
      })
    }
    if (this.#busy) throw new ContractError(`block ${number} was given while the block before it was being decided`)
    if (number <= this.#decided) throw new ContractError(`block ${number} after block ${this.#decided}`)
    if (ids.length !== chunks.rows) throw new ContractError(`block ${number}: ${ids.length} ids, ${chunks.rows} rows`)
    if (options.near !== false && chunks.signatureLength !== options.near.minima) {
      throw new ContractError(
        `block ${number}: signatures of ${chunks.signatureLength} bytes, ${options.near.minima} expected`,
      )
    }
  }

  /** Returns views of the columns; the index and the log copy what they keep. */
  #row(chunks: ChunkColumns, i: number, id: string): KeptRow {
    const { near } = this.#parts.options
    const letters = chunks.letters[i] as number
    // A text without letters has an empty comparison form: it is a duplicate only of an identical text.
    const key =
      letters === 0
        ? murmur128(textBytesAt(chunks.text, i), bareTextSeed)
        : chunks.fingerprint.subarray(i * keyBytes, (i + 1) * keyBytes)
    const signatureLength = near === false ? 0 : near.minima
    return {
      key,
      hasShingle: near !== false && letters >= near.ngram,
      signature: chunks.signature.subarray(i * signatureLength, (i + 1) * signatureLength),
      id,
      textOffset: -1,
    }
  }

  #find(row: KeptRow, chunks: ChunkColumns, i: number): Duplicate | null | Promise<Duplicate | null> {
    const { index } = this.#parts
    if (index instanceof BloomIndex) return index.find(row)
    if (!(index instanceof ExactIndex)) throw new ContractError('the index is neither exact nor Bloom')
    const equal = index.equal(row)
    if (equal !== null) return equal
    const candidates = index.near(row)
    const [first] = candidates
    if (first === undefined) return null
    return first.sure
      ? this.#duplicate(index, first.document, first.similarity)
      : this.#settle(index, candidates, chunks, i)
  }

  /** Returns the earliest candidate that is near by its estimate or by its text. */
  async #settle(
    index: ExactIndex,
    candidates: readonly NearCandidate[],
    chunks: ChunkColumns,
    i: number,
  ): Promise<Duplicate | null> {
    const { near } = this.#parts.options
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
    const source = this.#parts.sources.findLast(({ firstDocument }) => firstDocument <= document)
    return offset < 0 || source === undefined || source.texts === null ? null : source.texts.read(offset)
  }

  #keep(row: KeptRow, chunks: ChunkColumns, i: number): KeptRow {
    const { index, texts } = this.#parts
    // A text that is too long for a frame is not stored: its estimate decides.
    const stored = texts !== null && row.hasShingle && textLengthAt(chunks.text, i) <= frameBytesMax
    const written = stored ? Object.assign(row, { textOffset: texts.append(textBytesAt(chunks.text, i)) }) : row
    index.keep(written)
    return written
  }

  #write(block: number, kept: readonly KeptRow[]): void {
    const textsBytes = this.#parts.texts?.bytes ?? 0
    for (let at = 0; at === 0 || at < kept.length; at += rowsPerFrameMax) {
      const rows = kept.slice(at, at + rowsPerFrameMax)
      this.#parts.log.append(encodeKept({ block, rows, more: at + rowsPerFrameMax < kept.length, textsBytes }))
    }
  }
}
