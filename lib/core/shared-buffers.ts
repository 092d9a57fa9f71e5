/**
 * A pool of SharedArrayBuffers: threads share them without moving or copying, and a thread that
 * crashes loses no data.
 *
 * V8 counts the memory of ArrayBuffers, and starts a garbage collection for every 64 MB of it: a run that allocated a few
 * buffers per block spent a third of its processor time on that, and kept 64 MB of garbage per thread. Shared buffers
 * are not counted, so they must not become garbage either: the caller returns each buffer that it takes.
 */

/** Bytes of unused buffers that are kept; further ones are left to the garbage collector. */
const spareBytesMax = 64 * 2 ** 20
/** Smallest size of a buffer, and the step between small sizes. */
const stepBytesMin = 4096

/** Unused buffers by size. */
class SharedBuffers {
  readonly #spare = new Map<number, SharedArrayBuffer[]>()
  #spareBytes = 0

  /** Returns a buffer of at least `bytes`, at most a quarter larger. Its content is undefined. */
  take(bytes: number): SharedArrayBuffer {
    const size = sizeFor(bytes)
    return this.takeSpare(size) ?? new SharedArrayBuffer(size)
  }

  /** Returns an unused buffer of exactly `size` bytes for the pool of the thread that allocated it; null if there is none. */
  takeSpare(size: number): SharedArrayBuffer | null {
    const buffer = this.#spare.get(size)?.pop()
    if (buffer === undefined) return null
    this.#spareBytes -= size
    return buffer
  }

  /** Returns a buffer that is no longer read or written. Call it once per buffer. */
  give(buffer: SharedArrayBuffer): void {
    const size = buffer.byteLength
    if (size !== sizeFor(size) || this.#spareBytes + size > spareBytesMax) return
    const spare = this.#spare.get(size)
    if (spare === undefined) this.#spare.set(size, [buffer])
    else spare.push(buffer)
    this.#spareBytes += size
  }

  /** Copies `bytes` to a shared buffer; returns a view of exactly that length. */
  copyOf(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
    const copy = new Uint8Array(this.take(bytes.byteLength), 0, bytes.byteLength)
    copy.set(bytes)
    return copy
  }
}

/** The pool of this thread. */
export const sharedBuffers = new SharedBuffers()

/** Rounds up to one of four sizes between two powers of two, so that buffers of similar size are interchangeable. */
function sizeFor(bytes: number): number {
  const step = Math.max(stepBytesMin, 2 ** Math.floor(Math.log2(Math.max(1, bytes - 1))) / 4)
  return Math.max(step, Math.ceil(bytes / step) * step)
}
