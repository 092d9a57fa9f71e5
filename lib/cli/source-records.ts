/** Records of a block as stored in their file: the number of each, and its bytes as lines. */
import { Buffer } from 'node:buffer'
import type { Block } from '../text/block.js'
import { type RecordPlace, recordPlaces } from '../text/records.js'

export interface NumberedRecord extends RecordPlace {
  /** From 1: the line of JSON Lines, the row of Parquet, the element of an array. */
  readonly number: number
}

const newline = 0x0a
const carriageReturn = 0x0d
const space = 0x20

/** Numbers the records of shards that are read one after the other, block by block. */
export class RecordNumbers {
  #shard = ''
  #offset = -1
  /** Lines or records of the shard before the current position. */
  #before = 0

  /** Returns every record of the block in order, rejected ones included. */
  of(block: Block): NumberedRecord[] {
    // Offsets grow within a shard: another start is another shard, maybe of the same name.
    if (block.shard !== this.#shard || block.offset <= this.#offset) this.#before = 0
    this.#shard = block.shard
    this.#offset = block.offset
    const byRow = block.offsetUnit === 'row'
    const countsLines = !byRow && block.bounds === undefined
    const records: NumberedRecord[] = []
    let at = 0
    for (const place of recordPlaces(block)) {
      if (countsLines && place.rejected === null) {
        this.#before += newlinesIn(block.bytes, at, place.start)
        at = place.end + 1
      }
      this.#before++
      const { document, offset, start, end, rejected } = place
      records.push({ document, offset, start, end, rejected, number: byRow ? offset + 1 : this.#before })
    }
    if (countsLines) this.#before += newlinesIn(block.bytes, at, block.bytes.length)
    return records
  }
}

function newlinesIn(bytes: Uint8Array, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; at++) if (bytes[at] === newline) count++
  return count
}

/**
 * The bytes of a record as one line: those of JSON Lines and their line end unchanged; the lines of an array element, in
 * which a line end is only white space, joined.
 */
export function lineOf({ bytes, bounds }: Block, { start, end }: RecordPlace): Uint8Array {
  if (bounds === undefined) return bytes.subarray(start, end + 1)
  const line = Buffer.allocUnsafe(end - start + 1)
  line.set(bytes.subarray(start, end))
  for (let at = 0; at < line.length; at++) if (line[at] === newline || line[at] === carriageReturn) line[at] = space
  line[end - start] = newline
  return line
}

/** Lines of records of a block in order, as ranges of its bytes that are as long as possible. */
export class KeptLines {
  readonly #block: Block
  readonly #parts: Uint8Array[] = []
  #start = 0
  #end = 0

  constructor(block: Block) {
    this.#block = block
  }

  add(record: RecordPlace): void {
    if (this.#block.bounds !== undefined) {
      this.#parts.push(lineOf(this.#block, record))
      return
    }
    const { start, end } = record
    if (start !== this.#end) {
      this.#flush()
      this.#start = start
    }
    this.#end = end + 1
  }

  /** The last line lacks its line end where the block ends with it: the last line of a file may. */
  parts(): readonly Uint8Array[] {
    this.#flush()
    return this.#parts
  }

  #flush(): void {
    if (this.#end > this.#start) this.#parts.push(this.#block.bytes.subarray(this.#start, this.#end))
    this.#start = this.#end
  }
}
