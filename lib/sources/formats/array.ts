/**
 * Cuts a JSON array into blocks with a scanner of brackets and strings; values are not parsed. Also takes
 * {"RECORDS": […]}, arrays end to end, and values end to end. A block ends with the first record that reaches
 * `blockBytes`; a record over `recordBytesMax` also ends its block, is rejected, and is never held as a whole.
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

type ArrayCursor = Extract<TextCursor, { layout: 'array' }>

const quote = 34
const backslash = 92
const comma = 44
const openBracket = 91
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

/** Bytes of a string scanned one by one before the native search is used, which has a fixed cost. */
const nearBytes = 48

/** Maximum bytes kept of the data after the end of the array. */
const shownBytes = 1024

/** @param start cursor whose offset is that of the first byte pushed */
export function arraySplitter(start: ArrayCursor, options: FormatOptions): Splitter {
  const { blockBytes, recordBytesMax } = options
  const { closing } = start
  const rest = pendingBytes(start.offset)
  let closed = start.closed
  /** Data after the end of the array: the rest of a wrapper object, or unexpected bytes. */
  let tail: 'none' | 'wrapper' | 'garbage' = 'none'
  /** Index in `rest` of the next byte to scan; one past the end after a backslash. */
  let position = 0
  /** Start of the record being scanned; −1 between records. */
  let recordStart = -1
  /** Open brackets inside the record; none in a top-level string or number. */
  let depth = 0
  let inString = false
  let inScalar = false
  /** For a record over the limit: bytes dropped so far, and the start of the record for its reject. */
  let droppedBytes = 0
  let droppedStart: Uint8Array = new Uint8Array(0)
  let bounds: number[] = []
  /** Start of the first record of the block. */
  let blockStart = -1

  function push(chunk: Uint8Array): RawBlock<TextCursor>[] {
    const rawBlocks: RawBlock<TextCursor>[] = []
    if (tail !== 'none') {
      // end() creates one reject, which shows the start of these bytes.
      if (rest.length - position < shownBytes) append(rest, chunk.subarray(0, shownBytes))
      return rawBlocks
    }
    append(rest, chunk)
    while (position < rest.length) {
      if (recordStart === -1) {
        if (between()) break
      } else if (inside()) {
        closeRecord(rawBlocks)
      }
    }
    compact()
    return rawBlocks
  }

  /** Skips white space and separators up to the start of a record; returns true if no record can follow. */
  function between(): boolean {
    const { bytes, length } = rest
    while (position < length) {
      const byte = bytes[position] as number
      if (isSpace(byte)) position++
      else if (closed) {
        if (closing !== 'bracket' || byte !== openBracket) {
          tail = closing === 'wrapper' && (byte === closeBrace || byte === comma) ? 'wrapper' : 'garbage'
          return true
        }
        closed = false
        position++
      } else if (byte === comma) position++
      else if (byte === closeBracket && closing !== 'end') {
        closed = true
        position++
      } else {
        open(byte)
        return false
      }
    }
    return false
  }

  function open(byte: number): void {
    recordStart = position
    if (blockStart === -1) blockStart = position
    depth = byte === openBrace || byte === openBracket ? 1 : 0
    inString = byte === quote
    inScalar = depth === 0 && !inString
    position++
  }

  /** Scans inside a record; returns true if `position` is its end. */
  function inside(): boolean {
    const { bytes, length } = rest
    while (position < length) {
      if (inString) {
        skipString()
        if (inString) return false
        if (depth === 0) return true
        continue
      }
      const byte = bytes[position] as number
      if (inScalar) {
        if (byte === comma || byte === closeBracket || isSpace(byte)) return true
      } else if (byte === quote) {
        inString = true
      } else if (byte === openBrace || byte === openBracket) {
        depth++
      } else if (byte === closeBrace || byte === closeBracket) {
        depth--
        if (depth === 0) {
          position++
          return true
        }
      }
      position++
    }
    return false
  }

  /** Moves past the closing quote, or to the end of the bytes so far (one past it after a backslash). */
  function skipString(): void {
    const { bytes, length } = rest
    const near = Math.min(length, position + nearBytes)
    while (position < near) {
      const byte = bytes[position] as number
      position += byte === backslash ? 2 : 1
      if (byte === quote) {
        inString = false
        return
      }
    }
    while (position < length) {
      const found = bytes.indexOf(quote, position)
      const end = found === -1 || found >= length ? length : found
      let run = end
      while (run > position && bytes[run - 1] === backslash) run--
      const escaped = (end - run) % 2 === 1
      position = end + (end < length || escaped ? 1 : 0)
      if (end < length && !escaped) {
        inString = false
        return
      }
    }
  }

  function closeRecord(rawBlocks: RawBlock<TextCursor>[]): void {
    const recordBytes = droppedBytes + position - recordStart
    if (recordBytes > recordBytesMax) {
      const start = shown(recordStart, position)
      const rejected = recordTooLarge(rest.offset + recordStart, recordBytes, recordBytesMax, start)
      rawBlocks.push(cut([rejected], rest.offset + position + droppedBytes))
      if (droppedBytes > 0) closeGap()
    } else {
      bounds.push(recordStart - blockStart, position - blockStart)
      if (position - blockStart >= blockBytes) rawBlocks.push(cut([], rest.offset + position))
    }
    recordStart = -1
    inScalar = false
  }

  /** The bytes that a reject shows: those dropped before, then those from `from`. */
  function shown(from: number, to: number): Uint8Array {
    const bytes = rest.bytes.subarray(from, to)
    return excerptBytes(droppedBytes === 0 ? bytes : Buffer.concat([droppedStart, excerptBytes(bytes)]))
  }

  function cut(rejected: readonly RejectedRecord[], next: number | null): RawBlock<TextCursor> {
    const from = blockStart === -1 ? 0 : blockStart
    const length = bounds.at(-1) ?? 0
    const rawBlock: RawBlock<TextCursor> = {
      bytes: blockBytesOf(rest.bytes.subarray(from, from + length), options),
      bounds: Int32Array.from(bounds),
      offset: length === 0 ? (rejected[0]?.offset ?? rest.offset) : rest.offset + from,
      offsetUnit: 'byte',
      rejected,
      next: next === null ? null : { layout: 'array', offset: next, closing, closed },
    }
    bounds = []
    blockStart = -1
    return rawBlock
  }

  /** After a record was dropped while it arrived: corrects `rest.offset` by its bytes. */
  function closeGap(): void {
    discard(rest, position)
    rest.offset += droppedBytes
    position = 0
    droppedBytes = 0
    droppedStart = new Uint8Array(0)
  }

  /** Releases bytes that are in blocks, and those of a record over the limit. */
  function compact(): void {
    if (recordStart !== -1 && droppedBytes + rest.length - recordStart > recordBytesMax) {
      droppedStart = shown(recordStart, rest.length)
      const past = position - rest.length
      droppedBytes += rest.length - recordStart
      rest.length = recordStart
      position = recordStart + past
    }
    const done = blockStart === -1 ? Math.min(position, rest.length) : blockStart
    if (done === 0) return
    discard(rest, done)
    position -= done
    if (recordStart !== -1) recordStart -= done
    if (blockStart !== -1) blockStart = 0
  }

  function end(damage: Damage | null): RawBlock<TextCursor>[] {
    const rawBlocks: RawBlock<TextCursor>[] = []
    if (damage === null && closing === 'end' && inScalar) closeRecord(rawBlocks)
    const found = damage ?? unfinished()
    const rejected: RejectedRecord[] = []
    if (found !== null) {
      const at = recordStart === -1 ? Math.min(position, rest.length) : recordStart
      rejected.push(damagedRecord(rest.offset + at, found, shown(at, rest.length)))
    }
    if (bounds.length > 0 || rejected.length > 0) rawBlocks.push(cut(rejected, null))
    return rawBlocks
  }

  /** Returns the damage at the end of a complete stream, if any. */
  function unfinished(): Damage | null {
    if (recordStart !== -1) return { reason: 'shard-truncated', detail: 'the JSON text ends inside a record' }
    if (closing !== 'end' && !closed) return { reason: 'shard-truncated', detail: 'the JSON array is not closed' }
    if (tail === 'garbage') return { reason: 'shard-corrupt', detail: 'bytes follow the end of the JSON array' }
    return null
  }

  return { push, end }
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}
