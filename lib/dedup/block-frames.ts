/**
 * Encodes the frames that a block adds to the dedup log and the texts log, with checksums: in the thread that decides, or
 * in one of its own (frames-thread.ts), which hashes the ids of the next block at the same time.
 */
import { frameHeadBytes } from '../storage/frames.js'
import { textBytesAt } from '../text/columns.js'
import { type BlockToDecide, idOf, rowOf } from './block-rows.js'
import { FramePieces } from './frame-pieces.js'
import { encodeKept } from './kept-frames.js'
import { type DecidePlan, keepsTexts, type LogLengths } from './plan.js'

/** The rows that are kept of a block, in order. */
export interface KeptOfBlock {
  readonly rows: readonly number[]
  /** Offset of each text in the texts log; −1 for one that is not stored. */
  readonly textOffsets: readonly number[]
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
  ids(block: BlockToDecide): readonly string[] | Promise<readonly string[]>
  encode(block: BlockToDecide, ids: readonly string[], kept: KeptOfBlock): EncodedFrames | Promise<EncodedFrames>
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

  ids(block: BlockToDecide): readonly string[] {
    return block.ids ?? Array.from({ length: block.columns.rows }, (_, i) => idOf(block, i))
  }

  encode({ number, columns }: BlockToDecide, ids: readonly string[], kept: KeptOfBlock): EncodedFrames {
    this.#texts.expect((columns.text.offsets[columns.rows] as number) + columns.rows * frameHeadBytes)
    const rows = kept.rows.map((i, place) => {
      const textOffset = kept.textOffsets[place] as number
      if (textOffset >= 0) this.#texts.append(textBytesAt(columns.text, i))
      return rowOf(this.#plan, columns, i, ids[i] as string, textOffset)
    })
    const textsBytes = keepsTexts(this.#plan) ? this.#texts.bytes : 0
    for (let at = 0; at === 0 || at < rows.length; at += rowsPerFrameMax) {
      const more = at + rowsPerFrameMax < rows.length
      this.#log.append(encodeKept({ block: number, rows: rows.slice(at, at + rowsPerFrameMax), more, textsBytes }))
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
