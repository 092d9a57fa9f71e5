/**
 * Cuts JSON Lines into blocks by newlines alone. A block ends with the first newline at or past `blockBytes`;
 * a line over `recordBytesMax` also ends its block, is rejected, and is never held as a whole. The first blocks may be
 * smaller, so that later stages need not wait for a whole one.
 */
import type { RejectedRecord } from '../../text/block.js'
import { append, detach, pendingBytes, release, reserve } from './pending-bytes.js'
import type { Damage, FormatOptions, RawBlock, Splitter, TextCursor } from './raw-block.js'
import { damagedRecord, excerptBytes, recordTooLarge } from './rejected-records.js'

const newline = 10

/** Capacity reserved beyond the size at which a block ends: most lines across it fit. */
const slack = 1 / 16

/** @param offset of the first byte that will be pushed: the start of a line */
export function lineSplitter(offset: number, options: FormatOptions): Splitter {
  const { blockBytes, firstBlockBytes = blockBytes, recordBytesMax } = options
  const rest = pendingBytes(offset, options.shared)
  // A line that ends before the target is at most `targetBytes` long: only the line across it needs to be measured.
  let targetBytes = Math.min(firstBlockBytes, blockBytes, recordBytesMax)
  /** A line being dropped: its start, the bytes dropped so far, and the excerpt for its reject. */
  let dropping: { lineStart: number; bytes: number; start: Uint8Array } | null = null

  function push(chunk: Uint8Array): RawBlock<TextCursor>[] {
    const rawBlocks: RawBlock<TextCursor>[] = []
    let left = chunk
    while (left.byteLength > 0) {
      if (dropping === null) {
        // Up to the end of the block, which then is all of `rest`.
        const piece = left.subarray(0, bytesToNext(left))
        append(rest, piece, expectedBytes())
        left = left.subarray(piece.byteLength)
        cut(rawBlocks)
      } else {
        left = drop(left, rawBlocks)
      }
    }
    return rawBlocks
  }

  /** Returns the length of `chunk` up to the newline that ends the block; all of it if there is none. */
  function bytesToNext(chunk: Uint8Array): number {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const found = bytes.indexOf(newline, Math.max(0, targetBytes - 1 - rest.length))
    return found === -1 ? chunk.byteLength : found + 1
  }

  /** Ends the block if `rest` has a newline at or past the target, which then is its last byte. */
  function cut(rawBlocks: RawBlock<TextCursor>[]): void {
    if (rest.length < targetBytes) return
    const isEnded = rest.bytes[rest.length - 1] === newline
    const end = isEnded ? rest.length - 1 : rest.length
    const lineStart = lineStartBefore(end)
    const isTooLarge = end - lineStart > recordBytesMax
    if (!isEnded) {
      if (isTooLarge) startDropping(lineStart)
      return
    }
    const next = rest.offset + rest.length
    if (isTooLarge) {
      const start = excerptBytes(rest.bytes.subarray(lineStart, end))
      const rejected = tooLarge(rest.offset + lineStart, end - lineStart, start)
      rest.length = lineStart
      rawBlocks.push(takeBlock([rejected], next))
    } else {
      rawBlocks.push(takeBlock([], next))
    }
  }

  /** Returns the start of the line across the target, searched backwards from the target. */
  function lineStartBefore(end: number): number {
    return rest.bytes.subarray(0, Math.max(0, Math.min(targetBytes - 1, end))).lastIndexOf(newline) + 1
  }

  function startDropping(lineStart: number): void {
    const start = excerptBytes(rest.bytes.subarray(lineStart, rest.length))
    dropping = { lineStart, bytes: rest.length - lineStart, start }
    rest.length = lineStart
  }

  /** Drops up to the end of the line; returns what follows it. */
  function drop(chunk: Uint8Array, rawBlocks: RawBlock<TextCursor>[]): Uint8Array {
    if (dropping === null) return chunk
    const found = chunk.indexOf(newline)
    const dropped = found === -1 ? chunk : chunk.subarray(0, found)
    dropping.start = excerptBytes(Buffer.concat([dropping.start, excerptBytes(dropped)]))
    if (found === -1) {
      dropping.bytes += chunk.byteLength
      return chunk.subarray(chunk.byteLength)
    }
    dropping.bytes += found
    const next = rest.offset + dropping.lineStart + dropping.bytes + 1
    rawBlocks.push(takeBlock([droppedRecord()], next))
    dropping = null
    return chunk.subarray(found + 1)
  }

  function droppedRecord(): RejectedRecord {
    const { lineStart, bytes, start } = dropping as NonNullable<typeof dropping>
    return tooLarge(rest.offset + lineStart, bytes, start)
  }

  function end(damage: Damage | null): RawBlock<TextCursor>[] {
    let whole = rest.length
    const rejected: RejectedRecord[] = []
    if (damage !== null) {
      if (dropping === null) whole = rest.bytes.subarray(0, rest.length).lastIndexOf(newline) + 1
      const start = dropping === null ? excerptBytes(rest.bytes.subarray(whole, rest.length)) : dropping.start
      rejected.push(damagedRecord(rest.offset + whole, damage, start))
    } else if (dropping !== null) {
      rejected.push(droppedRecord())
    }
    rest.length = whole
    const last = whole === 0 && rejected.length === 0 ? [] : [takeBlock(rejected, null)]
    release(rest)
    return last
  }

  /** Returns all of `rest` as a block; the next one begins at `next`. */
  function takeBlock(rejected: RejectedRecord[], next: number | null): RawBlock<TextCursor> {
    const { offset } = rest
    const bytes = detach(rest)
    if (next !== null) rest.offset = next
    // Also after a record that was dropped: whether it was does not depend on the size of chunks, so sizes must not.
    targetBytes = Math.min(2 * targetBytes, blockBytes, recordBytesMax)
    return {
      bytes,
      offset,
      offsetUnit: 'byte',
      rejected,
      next: next === null ? null : { layout: 'lines', offset: next },
    }
  }

  function tooLarge(at: number, recordBytes: number, start: Uint8Array): RejectedRecord {
    return recordTooLarge(at, recordBytes, recordBytesMax, start)
  }

  function space(): Uint8Array | null {
    return rest.shared && dropping === null ? reserve(rest, expectedBytes()) : null
  }

  function expectedBytes(): number {
    return Math.ceil(targetBytes * (1 + slack))
  }

  return { push, space, end }
}
