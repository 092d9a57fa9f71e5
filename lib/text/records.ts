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
  const places = new RecordPlaces(block)
  while (places.next()) {
    const { document, offset, start, end, rejected } = places
    yield { document, offset, start, end, rejected }
  }
}

/** The same without an object for each: a place is the fields after each `next` that returns true. */
export class RecordPlaces implements RecordPlace {
  document = -1
  offset = 0
  start = 0
  end = 0
  rejected: RejectedRecord | null = null
  readonly #ranges: LineRanges | GivenRanges
  readonly #isInRows: boolean
  /** Position of the block, and the next row. */
  readonly #from: number
  #row: number
  /** Those that the source rejected, by their position, and how many of them are behind. */
  readonly #rejects: readonly RejectedRecord[]
  readonly #rejectedOffsets: ReadonlySet<number>
  #rejectsDone = 0
  /** Position of the range that was found, and waits for the rejected ones before it; −1: none. */
  #waiting = -1

  constructor({ bytes, bounds, offset, offsetUnit, rejected }: Block) {
    this.#rejects = [...rejected].sort((a, b) => a.offset - b.offset)
    this.#rejectedOffsets = new Set(rejected.map((record) => record.offset))
    this.#ranges = bounds === undefined ? new LineRanges(bytes) : new GivenRanges(bounds)
    this.#isInRows = offsetUnit === 'row'
    this.#from = this.#row = offset
  }

  next(): boolean {
    if (this.#waiting < 0 && this.#ranges.next()) this.#waiting = this.#offsetOfRange()
    const reject = this.#rejects[this.#rejectsDone]
    if (reject !== undefined && (this.#waiting < 0 || reject.offset < this.#waiting)) {
      this.#rejectsDone++
      this.#set(reject.offset, 0, 0, reject)
      return true
    }
    if (this.#waiting < 0) return false
    this.#set(this.#waiting, this.#ranges.start, this.#ranges.end, null)
    this.#waiting = -1
    return true
  }

  #offsetOfRange(): number {
    if (!this.#isInRows) return this.#from + this.#ranges.start
    while (this.#rejectedOffsets.has(this.#row)) this.#row++
    return this.#row++
  }

  #set(offset: number, start: number, end: number, rejected: RejectedRecord | null): void {
    this.document++
    this.offset = offset
    this.start = start
    this.end = end
    this.rejected = rejected
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
