/**
 * Frames for a log that another thread writes: encoded one after the other into pieces of shared memory, which can be read
 * until they are written.
 */
import { Buffer } from 'node:buffer'
import { sharedBuffers } from '../core/shared-buffers.js'
import { encodeFrameInto, encodeHead, frameHeadBytes, parseFrame } from '../storage/frames.js'
import type { Payload } from './kept-frames.js'

/** Bytes of frames that are written together; a longer frame gets a piece of its length. */
const pieceBytesMax = 4 * 1024 * 1024

interface Piece {
  readonly memory: SharedArrayBuffer
  readonly buffer: Buffer
  /** Offset of its first frame in the log. */
  readonly offset: number
  length: number
}

export class FramePieces {
  /** Oldest first: not written yet. */
  readonly #pieces: Piece[] = []
  /** Number of pieces that were taken. */
  #taken = 0
  #bytes = 0
  #expectedBytes = 0

  /** Length of the log with all frames. */
  get bytes(): number {
    return this.#bytes
  }

  begin(logBytes: number): void {
    this.#bytes = logBytes
  }

  /** Announces at most this many bytes of frames until the next `take`, which determine the size of pieces. */
  expect(bytes: number): void {
    this.#expectedBytes = bytes
  }

  /** Appends a copy of `payload`; returns its offset in the log. */
  append(payload: Uint8Array): number {
    const piece = this.#pieceFor(payload.length)
    const offset = this.#bytes
    encodeFrameInto(piece.buffer, piece.length, payload, offset)
    this.#add(piece, payload.length)
    return offset
  }

  /** Appends a payload, which is written to the memory of its frame. */
  appendWritten(payload: Payload): void {
    const piece = this.#pieceFor(payload.length)
    const start = piece.length + frameHeadBytes
    const target = piece.buffer.subarray(start, start + payload.length)
    payload.write(target)
    encodeHead(piece.buffer, piece.length, target, this.#bytes)
    this.#add(piece, payload.length)
  }

  #pieceFor(payloadBytes: number): Piece {
    const bytes = frameHeadBytes + payloadBytes
    const last = this.#pieces.length > this.#taken ? this.#pieces[this.#pieces.length - 1] : undefined
    return last !== undefined && last.length + bytes <= last.buffer.length ? last : this.#open(bytes)
  }

  #add(piece: Piece, payloadBytes: number): void {
    const bytes = frameHeadBytes + payloadBytes
    piece.length += bytes
    this.#bytes += bytes
    this.#expectedBytes -= bytes
  }

  /** Returns the frames since the last call. They are read-only until `written`. */
  take(): Uint8Array<SharedArrayBuffer>[] {
    const taken = this.#pieces.slice(this.#taken)
    this.#taken = this.#pieces.length
    return taken.map(({ memory, length }) => new Uint8Array(memory, 0, length))
  }

  /** Returns the memory of frames that were written: all before this length of the log. */
  written(logBytes: number): void {
    for (;;) {
      const [first] = this.#pieces
      if (first === undefined || this.#taken === 0 || first.offset + first.length > logBytes) return
      this.#pieces.shift()
      this.#taken--
      sharedBuffers.give(first.memory)
    }
  }

  /** Returns a copy of the payload of the frame at `offset`; null if no frame that is not written starts there. */
  read(offset: number): Buffer | null {
    const piece = this.#pieces.findLast((each) => each.offset <= offset)
    if (piece === undefined || offset >= piece.offset + piece.length) return null
    const frame = parseFrame(piece.buffer.subarray(0, piece.length), offset - piece.offset, offset)
    return frame === null || typeof frame === 'number' ? null : Buffer.from(frame)
  }

  #open(bytes: number): Piece {
    const memory = sharedBuffers.take(Math.max(bytes, Math.min(this.#expectedBytes, pieceBytesMax)))
    const piece = { memory, buffer: Buffer.from(memory), offset: this.#bytes, length: 0 }
    this.#pieces.push(piece)
    return piece
  }
}
