/**
 * Encodes the frames that a block adds to the dedup log and the texts log, with checksums: in the thread that decides, or
 * in one of its own (frames-thread.ts), which hashes the ids of the next block at the same time.
 */
import { frameHeadBytes } from '../storage/frames.js'
import { textBytesAt } from '../text/columns.js'
import { IdHasher, idsOfBlock } from './block-ids.js'
import { type BlockToDecide, keptColumns } from './block-rows.js'
import { FramePieces } from './frame-pieces.js'
import { type IdBytes, keptPayload } from './kept-frames.js'
import { type DecidePlan, keepsTexts, type LogLengths } from './plan.js'

/** The rows that are kept of a block, in order. */
export interface KeptOfBlock {
  readonly rows: ArrayLike<number>
  /** Offset of the text of each of them in the texts log; −1 for one that is not stored. */
  readonly textOffsets: ArrayLike<number>
  /** Length of the texts log after the block. */
  readonly endBytes: number
}

/** Frames for both logs, in pieces of shared memory, valid until they are written. */
export interface EncodedFrames {
  readonly texts: readonly Uint8Array<SharedArrayBuffer>[]
  readonly log: readonly Uint8Array<SharedArrayBuffer>[]
}

/** Encodes blocks in the order of the calls. */
export interface BlockFrames {
  /** Sets the lengths of both logs, to which the frames of later blocks are appended. */
  begin(lengths: LogLengths): void
  /** Announces a block whose ids are needed soon. */
  announce(block: BlockToDecide): void
  ids(block: BlockToDecide): IdBytes | Promise<IdBytes>
  encode(block: BlockToDecide, ids: IdBytes, kept: KeptOfBlock): EncodedFrames | Promise<EncodedFrames>
  /** Returns a text that is not written yet; null for one that is. */
  read(offset: number): string | null | Promise<string | null>
  /** Returns the memory of frames that were written, up to these lengths of the logs. */
  written(lengths: LogLengths): void
}

/** Rows of one frame in the dedup log. */
const rowsPerFrameMax = 8192

export class LocalFrames implements BlockFrames {
  readonly #plan: DecidePlan
  readonly #texts = new FramePieces()
  readonly #log = new FramePieces()
  /** Created when it is needed: it has a memory of its own. */
  #hasher: IdHasher | null = null

  constructor(plan: DecidePlan) {
    this.#plan = plan
  }

  begin({ logBytes, textsBytes }: LogLengths): void {
    this.#log.begin(logBytes)
    this.#texts.begin(textsBytes)
  }

  announce(): void {
    // Ids are hashed when they are needed.
  }

  ids(block: BlockToDecide): IdBytes {
    return idsOfBlock(block, () => {
      this.#hasher ??= new IdHasher()
      return this.#hasher
    })
  }

  encode({ number, columns }: BlockToDecide, ids: IdBytes, { rows, textOffsets }: KeptOfBlock): EncodedFrames {
    this.#texts.expect((columns.text.offsets[columns.rows] as number) + columns.rows * frameHeadBytes)
    for (let place = 0; place < rows.length; place++) {
      if ((textOffsets[place] as number) >= 0) this.#texts.append(textBytesAt(columns.text, rows[place] as number))
    }
    const textsBytes = keepsTexts(this.#plan) ? this.#texts.bytes : 0
    const kept = keptColumns(this.#plan, columns, { block: number, textsBytes, ids, rows, textOffsets })
    for (let from = 0; from === 0 || from < rows.length; from += rowsPerFrameMax) {
      this.#log.appendWritten(keptPayload(kept, from, Math.min(from + rowsPerFrameMax, rows.length)))
    }
    return { texts: this.#texts.take(), log: this.#log.take() }
  }

  read(offset: number): string | null {
    return this.#texts.read(offset)?.toString('utf8') ?? null
  }

  written({ logBytes, textsBytes }: LogLengths): void {
    this.#log.written(logBytes)
    this.#texts.written(textsBytes)
  }
}
