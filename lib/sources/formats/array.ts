/**
 * Cuts a JSON array into pieces with a scanner of brackets and strings; values are not parsed. Also takes
 * {"RECORDS": […]}, arrays end to end, and values end to end. A piece ends with the first record that reaches
 * `blockBytes`; a record over `recordBytesMax` ends its piece too, refused, and is never held whole.
 */
import type { RefusedRecord } from '../../text/block.js'
import { append, discard, held } from './pending-bytes.js'
import { type Damage, type FormatOptions, type Piece, pieceBytes, type Splitter, type TextCursor } from './raw-block.js'
import { damaged, excerptBytes, recordTooLarge } from './rejected-records.js'

type ArrayCursor = Extract<TextCursor, { layout: 'array' }>

const quote = 34
const backslash = 92
const comma = 44
const openBracket = 91
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

/** Bytes of a string looked at one by one before the native search, which has a fixed cost, takes over. */
const nearBytes = 48

/** Bytes kept of what follows the end of the list. */
const shownBytes = 1024

/** @param start cursor whose offset is that of the first byte pushed */
export function arraySplitter(start: ArrayCursor, options: FormatOptions): Splitter {
  const { blockBytes, recordBytesMax } = options
  const { closing } = start
  const rest = held(start.offset)
  let closed = start.closed
  /** Nothing of sense can follow: the rest of a wrapper, or bytes that do not belong here. */
  let tail: 'none' | 'wrapper' | 'garbage' = 'none'
  /** Index in `rest` of the next byte to scan; past the end by one behind a backslash. */
  let position = 0
  /** Start of the record being scanned, −1 between records. */
  let recordStart = -1
  /** Brackets open inside the record; a string or a number at the top has none. */
  let depth = 0
  let inString = false
  let inScalar = false
  /** Bytes of the record already dropped, when it is over the limit, and what its reject shows. */
  let droppedBytes = 0
  let droppedStart: Uint8Array = new Uint8Array(0)
  let bounds: number[] = []
  /** Start of the first record of the piece. */
  let pieceStart = -1

  function push(chunk: Uint8Array): Piece<TextCursor>[] {
    const pieces: Piece<TextCursor>[] = []
    if (tail !== 'none') {
      // One reject says so, in end(): it shows their start.
      if (rest.length - position < shownBytes) append(rest, chunk.subarray(0, shownBytes))
      return pieces
    }
    append(rest, chunk)
    while (position < rest.length) {
      if (recordStart === -1) {
        if (between()) break
      } else if (inside()) {
        closeRecord(pieces)
      }
    }
    compact()
    return pieces
  }

  /** Passes over what stands between records, up to the start of one; true when nothing of sense can follow. */
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
    if (pieceStart === -1) pieceStart = position
    depth = byte === openBrace || byte === openBracket ? 1 : 0
    inString = byte === quote
    inScalar = depth === 0 && !inString
    position++
  }

  /** Scans on inside a record; true when `position` is its end. */
  function inside(): boolean {
    const { bytes, length } = rest
    while (position < length) {
      if (inString) {
        passString()
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

  /** Moves behind the closing quote, or to the end of what has arrived (one past it behind a backslash). */
  function passString(): void {
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

  function closeRecord(pieces: Piece<TextCursor>[]): void {
    const recordBytes = droppedBytes + position - recordStart
    if (recordBytes > recordBytesMax) {
      const start = shown(recordStart, position)
      const refused = recordTooLarge(rest.offset + recordStart, recordBytes, recordBytesMax, start)
      pieces.push(cut([refused], rest.offset + position + droppedBytes))
      if (droppedBytes > 0) closeGap()
    } else {
      bounds.push(recordStart - pieceStart, position - pieceStart)
      if (position - pieceStart >= blockBytes) pieces.push(cut([], rest.offset + position))
    }
    recordStart = -1
    inScalar = false
  }

  /** What a reject shows: the bytes from `from`, behind those dropped before them. */
  function shown(from: number, to: number): Uint8Array {
    const bytes = rest.bytes.subarray(from, to)
    return excerptBytes(droppedBytes === 0 ? bytes : Buffer.concat([droppedStart, excerptBytes(bytes)]))
  }

  function cut(refused: readonly RefusedRecord[], next: number | null): Piece<TextCursor> {
    const from = pieceStart === -1 ? 0 : pieceStart
    const length = bounds.at(-1) ?? 0
    const piece: Piece<TextCursor> = {
      bytes: pieceBytes(rest.bytes.subarray(from, from + length), options),
      bounds: Int32Array.from(bounds),
      offset: length === 0 ? (refused[0]?.offset ?? rest.offset) : rest.offset + from,
      offsetUnit: 'byte',
      refused,
      next: next === null ? null : { layout: 'array', offset: next, closing, closed },
    }
    bounds = []
    pieceStart = -1
    return piece
  }

  /** After a record that was dropped as it arrived: `rest.offset` counts its bytes again. */
  function closeGap(): void {
    discard(rest, position)
    rest.offset += droppedBytes
    position = 0
    droppedBytes = 0
    droppedStart = new Uint8Array(0)
  }

  /** Lets go of what is in pieces, and of a record that is already over the limit. */
  function compact(): void {
    if (recordStart !== -1 && droppedBytes + rest.length - recordStart > recordBytesMax) {
      droppedStart = shown(recordStart, rest.length)
      const past = position - rest.length
      droppedBytes += rest.length - recordStart
      rest.length = recordStart
      position = recordStart + past
    }
    const done = pieceStart === -1 ? Math.min(position, rest.length) : pieceStart
    if (done === 0) return
    discard(rest, done)
    position -= done
    if (recordStart !== -1) recordStart -= done
    if (pieceStart !== -1) pieceStart = 0
  }

  function end(damage: Damage | null): Piece<TextCursor>[] {
    const pieces: Piece<TextCursor>[] = []
    if (damage === null && closing === 'end' && inScalar) closeRecord(pieces)
    const found = damage ?? unfinished()
    const refused: RefusedRecord[] = []
    if (found !== null) {
      const at = recordStart === -1 ? Math.min(position, rest.length) : recordStart
      refused.push(damaged(rest.offset + at, found, shown(at, rest.length)))
    }
    if (bounds.length > 0 || refused.length > 0) pieces.push(cut(refused, null))
    return pieces
  }

  /** What is wrong with the end of a stream that did not break off. */
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
