/**
 * Buffer of bytes that are not yet part of a block. Grows by doubling; discarding moves the rest to the front. In shared
 * memory it becomes the block itself, so that a byte is copied once between the stream and the worker.
 */
import { sharedBuffers } from '../../core/shared-buffers.js'

/** Initial capacity. */
const capacityBytesMin = 64 * 1024

interface PendingBytes {
  /** Valid up to `length`; replaced by `append` and `detach`. */
  bytes: Buffer
  length: number
  /** Offset of bytes[0] in the stream. */
  offset: number
  /** Capacity of the next buffer: that of the one before. */
  capacityBytes: number
  /** Whether `bytes` is in shared memory, which `detach` passes on. */
  readonly shared: boolean
}

export function pendingBytes(offset: number, shared = false): PendingBytes {
  return { bytes: Buffer.alloc(0), length: 0, offset, capacityBytes: capacityBytesMin, shared }
}

/**
 * Appends bytes. The caller limits `length`: it drops a record over recordBytesMax while it is read.
 *
 * @param expectedBytes length at which it will be detached; a buffer that doubles stops there
 */
export function append(target: PendingBytes, chunk: Uint8Array, expectedBytes = Number.POSITIVE_INFINITY): void {
  const { bytes, length } = target
  const needed = length + chunk.byteLength
  const isInPlace = chunk.buffer === bytes.buffer && chunk.byteOffset === bytes.byteOffset + length
  if (!isInPlace) {
    const doubled = Math.max(target.capacityBytes, bytes.byteLength * 2)
    if (needed > bytes.byteLength) grow(target, Math.max(needed, Math.min(doubled, expectedBytes)))
    target.bytes.set(chunk, length)
  }
  target.length = needed
}

/**
 * Returns memory for bytes that are then appended in place.
 *
 * @param expectedBytes length of all bytes up to which it reaches; twice the present length if that is not less
 */
export function reserve(target: PendingBytes, expectedBytes: number): Uint8Array {
  const end = target.length < expectedBytes ? expectedBytes : target.length * 2
  if (target.bytes.byteLength < end) grow(target, end)
  return target.bytes.subarray(target.length, end)
}

/** Removes the first `count` bytes. */
export function discard(target: PendingBytes, count: number): void {
  if (count < target.length) target.bytes.copyWithin(0, count, target.length)
  target.length -= count
  target.offset += count
}

/** Removes all bytes and returns them: in shared memory without a copy, unless they are less than half of the buffer. */
export function detach(target: PendingBytes): Uint8Array {
  const { bytes, length, shared } = target
  const whole = bytes.subarray(0, length)
  discard(target, length)
  if (!shared) return new Uint8Array(whole)
  if (length * 2 < bytes.byteLength) return sharedBuffers.copyOf(whole)
  target.bytes = Buffer.alloc(0)
  target.capacityBytes = bytes.byteLength
  return new Uint8Array(bytes.buffer, 0, length)
}

/** Returns the memory of a buffer that is not used further. */
export function release(target: PendingBytes): void {
  const { buffer } = target.bytes
  if (buffer instanceof SharedArrayBuffer) sharedBuffers.give(buffer)
  target.bytes = Buffer.alloc(0)
}

function grow(target: PendingBytes, capacityBytes: number): void {
  const grown = target.shared ? Buffer.from(sharedBuffers.take(capacityBytes)) : Buffer.allocUnsafeSlow(capacityBytes)
  target.bytes.copy(grown, 0, 0, target.length)
  release(target)
  target.bytes = grown
}
