/** Bytes that have arrived and are not yet in a piece. Grows by doubling, shrinks by moving the rest to the front. */

/** Bytes of room at first: a piece of the default size and the chunk that completes it. */
const capacityBytesMin = 64 * 1024

export interface Held {
  /** The backing store: valid up to `length`; another one after `append`. */
  bytes: Buffer
  length: number
  /** Offset of bytes[0] in the stream. */
  offset: number
}

export function held(offset: number): Held {
  return { bytes: Buffer.allocUnsafeSlow(capacityBytesMin), length: 0, offset }
}

/** The caller bounds `length`: a record over recordBytesMax is dropped as it arrives. */
export function append(target: Held, chunk: Uint8Array): void {
  const needed = target.length + chunk.byteLength
  if (needed > target.bytes.byteLength) {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, target.bytes.byteLength * 2))
    target.bytes.copy(grown, 0, 0, target.length)
    target.bytes = grown
  }
  target.bytes.set(chunk, target.length)
  target.length = needed
}

/** Forgets the first `count` bytes. */
export function discard(target: Held, count: number): void {
  target.bytes.copyWithin(0, count, target.length)
  target.length -= count
  target.offset += count
}
