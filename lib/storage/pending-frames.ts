/**
 * Frames that wait to be written: end to end in buffers that are used again, so that a log that takes hundreds of
 * megabytes leaves no garbage behind, and what is written is one buffer, not many pieces put together.
 */
import { encodeFrameInto, frameHeadBytes, parseFrame } from './frames.js'

/** Room of a buffer; a longer frame gets one of its own. */
const chunkBytes = 512 * 1024
/** Empty buffers kept for later: one being written, one being filled, one to spare. */
const spareMax = 2

interface Chunk {
  readonly buffer: Buffer
  /** Where its first frame stands in the log. */
  readonly offset: number
  length: number
  /** Being written: nothing more is added. */
  sealed: boolean
}

/**
 * Frames that were appended and not written yet, readable by their offset. Bytes are handed out in chunks, oldest
 * first.
 */
export class PendingFrames {
  /** Oldest first. */
  readonly #chunks: Chunk[] = []
  readonly #spare: Buffer[] = []

  /** @param offset where the frame will stand in the log: right after the one before */
  append(payload: Uint8Array, offset: number): void {
    const bytes = frameHeadBytes + payload.length
    const last = this.#chunks.at(-1)
    const fits = last !== undefined && !last.sealed && last.length + bytes <= last.buffer.length
    const chunk = fits ? last : this.#open(bytes, offset)
    encodeFrameInto(chunk.buffer, chunk.length, payload, offset)
    chunk.length += bytes
  }

  /** A copy of the payload of the frame at `offset`; null where none begins there. */
  read(offset: number): Uint8Array | null {
    const chunk = this.#chunks.find((each) => offset >= each.offset && offset < each.offset + each.length)
    if (chunk === undefined) return null
    const frame = parseFrame(chunk.buffer.subarray(0, chunk.length), offset - chunk.offset, offset)
    return frame === null || typeof frame === 'number' ? null : Uint8Array.prototype.slice.call(frame)
  }

  /** The oldest frames, to be written; the same until `written`. Null when there are none. */
  oldest(): Uint8Array | null {
    const chunk = this.#chunks[0]
    if (chunk === undefined) return null
    chunk.sealed = true
    return chunk.buffer.subarray(0, chunk.length)
  }

  /** What `oldest` gave is in the file. */
  removeOldest(): void {
    const buffer = this.#chunks.shift()?.buffer
    if (buffer?.length === chunkBytes && this.#spare.length < spareMax) this.#spare.push(buffer)
  }

  #open(bytes: number, offset: number): Chunk {
    const pooled = bytes <= chunkBytes
    const buffer = (pooled ? this.#spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes))
    const chunk = { buffer, offset, length: 0, sealed: false }
    this.#chunks.push(chunk)
    return chunk
  }
}
