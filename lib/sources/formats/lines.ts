/**
 * Cuts JSON Lines into blocks by newlines alone. A block ends with the first newline at or past `blockBytes`;
 * a line over `recordBytesMax` also ends its block, is rejected, and is never held as a whole. The first blocks may be
 * smaller, so that later stages need not wait for a whole one.
 */
import type { RejectedRecord } from '../../text/block.js'
import { append, discard, pendingBytes } from './pending-bytes.js'
import {
  blockBytesOf,
  type Damage,
  type FormatOptions,
  type RawBlock,
  type Splitter,
  type TextCursor,
} from './raw-block.js'
import { damagedRecord, excerptBytes, recordTooLarge } from './rejected-records.js'

const newline = 10

/** @param offset of the first byte that will be pushed: the start of a line */
export function lineSplitter(offset: number, options: FormatOptions): Splitter {
  const { blockBytes, firstBlockBytes = blockBytes, recordBytesMax } = options
  const rest = pendingBytes(offset)
  // A line that ends before the target is at most `targetBytes` long: only the line across it needs to be measured.
  let targetBytes = Math.min(firstBlockBytes, blockBytes, recordBytesMax)
  /** No newline in [targetBytes − 1, scanned). */
  let scanned = 0
  /** A line being dropped: its start, the bytes dropped so far, and the excerpt for its reject. */
  let dropping: { lineStart: number; bytes: number; start: Uint8Array } | null = null

  function push(chunk: Uint8Array): RawBlock<TextCursor>[] {
    const rawBlocks: RawBlock<TextCursor>[] = []
    let left = chunk
    while (left.byteLength > 0) {
      if (dropping === null) {
        append(rest, left)
        left = left.subarray(left.byteLength)
        cut(rawBlocks)
      } else {
        left = drop(left, rawBlocks)
      }
    }
    return rawBlocks
  }

  function cut(rawBlocks: RawBlock<TextCursor>[]): void {
    let from = 0
    while (rest.length - from >= targetBytes) {
      const found = rest.bytes.subarray(0, rest.length).indexOf(newline, from + Math.max(targetBytes - 1, scanned))
      const end = found === -1 ? rest.length : found
      const lineStart = lineStartBefore(from, end)
      if (end - lineStart > recordBytesMax) {
        if (found === -1) {
          if (from > 0) discard(rest, from)
          startDropping(lineStart - from)
          return
        }
        const rejected = tooLarge(rest.offset + lineStart, end - lineStart, rest.bytes.subarray(lineStart, end))
        rawBlocks.push(rawBlock(from, lineStart, [rejected], rest.offset + found + 1))
      } else if (found === -1) {
        scanned = rest.length - from
        break
      } else {
        rawBlocks.push(rawBlock(from, found + 1, [], rest.offset + found + 1))
      }
      from = found + 1
      scanned = 0
      targetBytes = Math.min(2 * targetBytes, blockBytes, recordBytesMax)
    }
    if (from > 0) discard(rest, from)
  }

  /** Returns the start of the line across the target, searched backwards from the target. */
  function lineStartBefore(from: number, end: number): number {
    const before = Math.min(from + targetBytes - 2, end - 1)
    if (before < from) return from
    const found = rest.bytes.subarray(from, before + 1).lastIndexOf(newline)
    return from + found + 1
  }

  function startDropping(lineStart: number): void {
    const start = excerptBytes(rest.bytes.subarray(lineStart, rest.length))
    dropping = { lineStart, bytes: rest.length - lineStart, start }
    rest.length = lineStart
    scanned = 0
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
    rawBlocks.push(rawBlock(0, rest.length, [droppedRecord()], next))
    rest.length = 0
    rest.offset = next
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
      const start = dropping === null ? rest.bytes.subarray(whole, rest.length) : dropping.start
      rejected.push(damagedRecord(rest.offset + whole, damage, start))
    } else if (dropping !== null) {
      rejected.push(droppedRecord())
    }
    return whole === 0 && rejected.length === 0 ? [] : [rawBlock(0, whole, rejected, null)]
  }

  function rawBlock(from: number, to: number, rejected: RejectedRecord[], next: number | null): RawBlock<TextCursor> {
    return {
      bytes: blockBytesOf(rest.bytes.subarray(from, to), options),
      offset: rest.offset + from,
      offsetUnit: 'byte',
      rejected,
      next: next === null ? null : { layout: 'lines', offset: next },
    }
  }

  function tooLarge(at: number, recordBytes: number, start: Uint8Array): RejectedRecord {
    return recordTooLarge(at, recordBytes, recordBytesMax, start)
  }

  return { push, end }
}
