/**
 * Decides on blocks in input order and writes both logs: block-decider.ts decides, decider.ts runs it in a thread.
 * open-index.ts opens the parts.
 */

import { errorMessage } from '../caught-error.js'
import { ContractError } from '../errors.js'
import type { AppendLog } from '../storage/append-log.js'
import type { PreparedBlock } from '../text/block.js'
import type { ChunkColumns } from '../text/columns.js'
import type { DecidedBlock } from './block-decider.js'
import type { DecideColumns } from './block-rows.js'
import type { Decider } from './decider.js'
import type { TextSource } from './kept-texts.js'
import type { DedupOptions } from './options.js'
import type { DecidedRows, Deduplicator } from './types.js'

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

/** Texts by number of the first document; the last are those of this run. */
export type TextSources = { readonly firstDocument: number; readonly texts: TextSource | null }[]

interface Parts {
  readonly options: DedupOptions
  readonly decider: Decider
  readonly sources: TextSources
  readonly log: AppendLog
  readonly texts: AppendLog | null
  readonly lastBlock: number
  readonly lostBytes: number
}

export class DocumentDeduplicator implements OpenedDeduplicator {
  readonly lastBlock: number
  readonly lostBytes: number
  readonly #parts: Parts
  #decided: number
  /** Settles when the logs have the frames of every block so far. */
  #appended: Promise<unknown> = Promise.resolve()
  /** The first failure, after which the index has rows that the log lacks. */
  #failure: unknown = null

  constructor(parts: Parts) {
    this.#parts = parts
    this.lastBlock = parts.lastBlock
    this.lostBytes = parts.lostBytes
    this.#decided = parts.lastBlock
  }

  get logBytes(): number {
    return this.#parts.log.bytes
  }

  /**
   * After a failed block the index has rows that its log lacks, so every later call fails, with the first failure as
   * cause; `close` still works.
   *
   * @throws {ContractError} blocks out of order, columns that do not match the settings, after a failure
   */
  async decide(block: PreparedBlock, ids: readonly string[] | null): Promise<DecidedRows> {
    this.#check(block, ids)
    this.#decided = block.number
    try {
      const { decider } = this.#parts
      const { number, split, shard, chunks } = block
      const decided = decider.decide({ number, split, shard, ids, columns: columnsOf(chunks) }, this.#written)
      const appended = this.#append(this.#appended, decided)
      this.#appended = appended.catch(() => undefined) // the caller of this block handles the error
      return await appended
    } catch (error) {
      this.#failure ??= error
      throw error
    }
  }

  async #append(before: Promise<unknown>, deciding: Promise<DecidedBlock>): Promise<DecidedRows> {
    const [decided] = await Promise.all([deciding, before])
    if (this.#failure !== null) throw this.#failure
    const { log, texts } = this.#parts
    for (const frames of decided.texts) texts?.appendFrames(frames)
    for (const frames of decided.log) log.appendFrames(frames)
    const logBytes = log.bytes
    await texts?.ready()
    await log.ready()
    return { verdicts: decided.verdicts, logBytes }
  }

  async flush(): Promise<void> {
    // Texts first: the log must not refer to a text that a crash could remove.
    await this.#parts.texts?.flush()
    await this.#parts.log.flush()
  }

  stats(): { documents: number; memoryBytes: number; diskBytes: number } {
    const { decider, log, texts } = this.#parts
    return { ...decider.figures, diskBytes: log.bytes + (texts?.bytes ?? 0) }
  }

  async close(): Promise<void> {
    await this.#parts.decider.close()
    for (const { texts } of this.#parts.sources) await texts?.close()
    await this.#parts.log.close()
  }

  get #written(): { logBytes: number; textsBytes: number } {
    const { log, texts } = this.#parts
    return { logBytes: log.writtenBytes, textsBytes: texts?.writtenBytes ?? 0 }
  }

  #check({ number, chunks }: PreparedBlock, ids: readonly string[] | null): void {
    const { options } = this.#parts
    if (this.#failure !== null) {
      const words = errorMessage(this.#failure)
      throw new ContractError(`block ${number} after a failure: ${words}. Open the index again`, {
        cause: this.#failure,
      })
    }
    if (number <= this.#decided) throw new ContractError(`block ${number} after block ${this.#decided}`)
    if (ids !== null && ids.length !== chunks.rows) {
      throw new ContractError(`block ${number}: ${ids.length} ids, ${chunks.rows} rows`)
    }
    if (options.near !== false && chunks.signatureLength !== options.near.minima) {
      throw new ContractError(
        `block ${number}: signatures of ${chunks.signatureLength} bytes, ${options.near.minima} expected`,
      )
    }
  }
}

/** The columns that are sent to the thread: views of shared memory are not copied. */
function columnsOf(chunks: ChunkColumns): DecideColumns {
  const { rows, signatureLength, offset, chunk, text, letters, fingerprint, signature } = chunks
  return { rows, signatureLength, offset, chunk, text, letters, fingerprint, signature }
}
