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
  const ranges = block.bounds === undefined ? new LineRanges(block.bytes) : new GivenRanges(block.bounds)
  while (ranges.next()) {
    const { start, end } = ranges
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

/** Ranges of lines that are not blank: `start` and `end` after each `next` that returns true. No object is made for a line. */
class LineRanges {
  start = 0
  end = -1
  readonly #bytes: Buffer

  constructor(block: Uint8Array) {
    // Buffer.indexOf uses memchr; that of a Uint8Array compares one byte at a time.
    this.#bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength)
  }

  next(): boolean {
    const bytes = this.#bytes
    do {
      this.start = this.end + 1
      if (this.start >= bytes.length) return false
      const found = bytes.indexOf(newline, this.start)
      this.end = found < 0 ? bytes.length : found
    } while (isBlank(bytes, this.start, this.end))
    return true
  }
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false
  }
  return true
}

/** Ranges of `bounds`, in the same way. */
class GivenRanges {
  start = 0
  end = 0
  #index = 0
  readonly #bounds: Int32Array

  constructor(bounds: Int32Array) {
    this.#bounds = bounds
  }

  next(): boolean {
    if (this.#index + 1 >= this.#bounds.length) return false
    this.start = this.#bounds[this.#index] as number
    this.end = this.#bounds[this.#index + 1] as number
    this.#index += 2
    return true
  }
}
