/**
 * Finds the records of a block, including those that the source rejected, and gives each its ordinal and its position in
 * the shard. Reads the bytes of records only to find line ends.
 */
import { Buffer } from 'node:buffer'
import type { Block, RejectedRecord } from './block.js'

export interface RecordPlace {
  /** Ordinal of the document in the block. */
  readonly document: number
  /** Position in the shard, in the block's unit. */
  readonly offset: number
  /** bytes[start … end); both 0 for a record that the source rejected. */
  readonly start: number
  readonly end: number
  readonly rejected: RejectedRecord | null
}

/** Yields every record of the block in order. Blank lines are not records. */
export function* recordPlaces(block: Block): Generator<RecordPlace> {
  const rejected = [...block.rejected].sort((a, b) => a.offset - b.offset)
  const rejectedOffsets = new Set(rejected.map((record) => record.offset))
  let document = 0
  let nextRejected = 0
  let row = block.offset
  for (const [start, end] of block.bounds === undefined ? lines(block.bytes) : pairs(block.bounds)) {
    if (block.offsetUnit === 'row') while (rejectedOffsets.has(row)) row++
    const offset = block.offsetUnit === 'row' ? row++ : block.offset + start
    for (
      let next = rejected[nextRejected];
      next !== undefined && next.offset < offset;
      next = rejected[++nextRejected]
    ) {
      yield { document: document++, offset: next.offset, start: 0, end: 0, rejected: next }
    }
    yield { document: document++, offset, start, end, rejected: null }
  }
  for (const record of rejected.slice(nextRejected)) {
    yield { document: document++, offset: record.offset, start: 0, end: 0, rejected: record }
  }
}

const newline = 0x0a

function* lines(block: Uint8Array): Generator<readonly [number, number]> {
  // Buffer.indexOf uses memchr; that of a Uint8Array compares one byte at a time.
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(newline, start)
    const end = found < 0 ? bytes.length : found
    if (!isBlank(bytes, start, end)) yield [start, end]
    start = end + 1
  }
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false
  }
  return true
}

function* pairs(bounds: Int32Array): Generator<readonly [number, number]> {
  for (let index = 0; index + 1 < bounds.length; index += 2) {
    yield [bounds[index] as number, bounds[index + 1] as number]
  }
}
