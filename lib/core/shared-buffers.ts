/**
 * Memory that threads share, used again and again: what one thread writes another reads, so nothing is moved or copied,
 * and a thread that dies takes nothing along.
 *
 * V8 frees the memory behind an ArrayBuffer when it collects, and collects because of it, every 64 MB: a run that made a
 * few buffers a block spent a third of its processor time on that and kept 64 MB of garbage a thread. Shared buffers are
 * not counted by V8, so they must not become garbage either: whoever takes one gives it back.
 */

/** Bytes of buffers that nobody uses, kept for later; beyond that they are V8's to free. */
const spareBytesMax = 64 * 2 ** 20
/** The least room, and the step of small ones. */
const stepBytesMin = 4096

export class SharedBuffers {
  readonly #spare = new Map<number, SharedArrayBuffer[]>()
  #spareBytes = 0

  /** A buffer with room for `bytes` and up to a quarter more, with whatever its last user left in it. */
  take(bytes: number): SharedArrayBuffer {
    const room = roomFor(bytes)
    const buffer = this.#spare.get(room)?.pop()
    if (buffer === undefined) return new SharedArrayBuffer(room)
    this.#spareBytes -= room
    return buffer
  }

  /** Gives back a buffer that no one reads or writes any longer. Once. */
  give(buffer: SharedArrayBuffer): void {
    const room = buffer.byteLength
    if (room !== roomFor(room) || this.#spareBytes + room > spareBytesMax) return
    const spare = this.#spare.get(room)
    if (spare === undefined) this.#spare.set(room, [buffer])
    else spare.push(buffer)
    this.#spareBytes += room
  }

  /** `bytes` in a shared buffer of its own; a view of exactly that length. */
  copyOf(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
    const copy = new Uint8Array(this.take(bytes.byteLength), 0, bytes.byteLength)
    copy.set(bytes)
    return copy
  }
}

/** Those of this thread. */
export const sharedBuffers = new SharedBuffers()

/** The next of four sizes between two powers of two: buffers of about one size serve each other. */
function roomFor(bytes: number): number {
  const step = Math.max(stepBytesMin, 2 ** Math.floor(Math.log2(Math.max(1, bytes - 1))) / 4)
  return Math.max(step, Math.ceil(bytes / step) * step)
}
