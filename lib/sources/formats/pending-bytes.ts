/** Buffer of bytes that are not yet part of a block. Grows by doubling; discarding moves the rest to the front. */

/** Initial capacity. */
const capacityBytesMin = 64 * 1024

interface PendingBytes {
  /** Valid up to `length`; replaced by `append`. */
  bytes: Buffer
  length: number
  /** Offset of bytes[0] in the stream. */
  offset: number
}

export function pendingBytes(offset: number): PendingBytes {
  return { bytes: Buffer.allocUnsafeSlow(capacityBytesMin), length: 0, offset }
}

/** Appends bytes. The caller limits `length`: it drops a record over recordBytesMax while it is read. */
export function append(target: PendingBytes, chunk: Uint8Array): void {
  const needed = target.length + chunk.byteLength
  if (needed > target.bytes.byteLength) {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, target.bytes.byteLength * 2))
    target.bytes.copy(grown, 0, 0, target.length)
    target.bytes = grown
  }
  target.bytes.set(chunk, target.length)
  target.length = needed
}

/** Removes the first `count` bytes. */
export function discard(target: PendingBytes, count: number): void {
  target.bytes.copyWithin(0, count, target.length)
  target.length -= count
  target.offset += count
}
