/**
 * Frames that were appended but not yet written, stored contiguously in buffers that are reused: each write takes one
 * buffer, and appending allocates no memory per frame.
 */
import { encodeFrameInto, frameHeadBytes, parseFrame } from './frames.js'

/** Size of a buffer; a longer frame gets a buffer of its length. */
const chunkBytes = 512 * 1024
/** Empty buffers kept for reuse. */
const spareMax = 2

interface Chunk {
  readonly buffer: Buffer
  /** Offset of its first frame in the log. */
  readonly offset: number
  length: number
  /** Being written: no frame may be added. */
  sealed: boolean
  /** Whether its buffer may be reused for other frames. */
  readonly isOwn: boolean
}

/** Queue of chunks of appended frames. Frames can be read by their offset until their chunk is removed. */
export class PendingFrames {
  /** Oldest first. */
  readonly #chunks: Chunk[] = []
  readonly #spare: Buffer[] = []

  /** @param offset of the frame in the log, in bytes: the end of the previous frame */
  append(payload: Uint8Array, offset: number): void {
    const bytes = frameHeadBytes + payload.length
    const last = this.#chunks.at(-1)
    const fits = last !== undefined && !last.sealed && last.length + bytes <= last.buffer.length
    const chunk = fits ? last : this.#open(bytes, offset)
    encodeFrameInto(chunk.buffer, chunk.length, payload, offset)
    chunk.length += bytes
  }

  /** Adds frames in memory of the caller, which may reuse it once they are removed. */
  appendFrames(frames: Uint8Array, offset: number): void {
    const buffer = Buffer.from(frames.buffer, frames.byteOffset, frames.length)
    this.#chunks.push({ buffer, offset, length: frames.length, sealed: true, isOwn: false })
  }

  /** Returns a copy of the payload of the frame at `offset`; null if no frame starts there. */
  read(offset: number): Uint8Array | null {
    const chunk = this.#chunks.find((each) => offset >= each.offset && offset < each.offset + each.length)
    if (chunk === undefined) return null
    const frame = parseFrame(chunk.buffer.subarray(0, chunk.length), offset - chunk.offset, offset)
    return frame === null || typeof frame === 'number' ? null : Uint8Array.prototype.slice.call(frame)
  }

  /** Returns the oldest chunk and seals it; the same one until `removeOldest`. Null if there is none. */
  oldest(): Uint8Array | null {
    const chunk = this.#chunks[0]
    if (chunk === undefined) return null
    chunk.sealed = true
    return chunk.buffer.subarray(0, chunk.length)
  }

  /** Removes the oldest chunk after it was written. */
  removeOldest(): void {
    const first = this.#chunks.shift()
    const buffer = first?.isOwn ? first.buffer : undefined
    if (buffer?.length === chunkBytes && this.#spare.length < spareMax) this.#spare.push(buffer)
  }

  #open(bytes: number, offset: number): Chunk {
    const isReusable = bytes <= chunkBytes
    const buffer = (isReusable ? this.#spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes))
    const chunk = { buffer, offset, length: 0, sealed: false, isOwn: true }
    this.#chunks.push(chunk)
    return chunk
  }
}
