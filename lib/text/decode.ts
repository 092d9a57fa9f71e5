/**
 * Bytes of one record to the document in it, by FieldMapping. Says why where there is none; never throws for data.
 * Where records begin and end is records.ts's affair.
 *
 * A block is decoded whole: one call for some hundred records (Node's `transcode`, which checks nothing twice), and the
 * records that are flat objects, nearly all, need no string of their own (flat-record.ts).
 */
import { Buffer, isUtf8, transcode } from 'node:buffer'
import type { Block } from './block.js'
import { codesToString } from './clean.js'
import { fieldNames, fieldOf, namesText, textOf } from './field-path.js'
import { behindBlanks, FlatReader } from './flat-record.js'
import { withoutConstants } from './json-constants.js'
import { jsonFault } from './json-fault.js'
import type { FieldMapping } from './mapping.js'
import type { TextMemory } from './text-memory.js'

export interface Document {
  /** The record's own id, '' when it has none. */
  readonly key: string
  readonly title: string
  /** A string, or its code units in memory that the next record is read into. */
  readonly text: string | Uint16Array
}

export interface DecodeFault {
  readonly reason: 'invalid-utf8' | 'invalid-json' | 'no-text'
  readonly detail: string
  readonly excerpt: string
  readonly key: string
}

/** Reads the records of one block after the other, in order. */
export class RecordReader {
  private readonly flat: FlatReader
  private bytes: Buffer = Buffer.alloc(0)
  private mapping: FieldMapping = { text: '' }
  private bounded = false
  /** Of the block in UTF-16; null where it is very large, or no UTF-8 as a whole, and each record is decoded by itself. */
  private unitsTotal: number | null = null
  /** The same place in both. */
  private byteAt = 0
  private unitAt = 0

  /** @param lenient accepts an empty text, and replaces bytes that are not valid UTF-8 with U+FFFD */
  constructor(
    private readonly memory: TextMemory,
    private readonly lenient = false,
  ) {
    this.flat = new FlatReader(memory)
  }

  open({ bytes, bounds, mapping }: Block): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.mapping = mapping
    this.bounded = bounds !== undefined
    this.unitsTotal = bytes.length <= wholeBytesMax && isUtf8(bytes) ? fill(this.memory, this.bytes) : null
    this.byteAt = this.unitAt = 0
    this.flat.open(mapping, this.bounded)
  }

  /**
   * The document of the record at bytes[start … end), behind those read before, or why there is none.
   *
   * A number as text is no text; a number as id is written as it stands in the record, however long it is.
   */
  read(start: number, end: number): Document | DecodeFault {
    if (this.unitsTotal === null) return this.readApart(start, end)
    const units = this.memory.block.view
    this.unitAt += unitsIn(this.bytes, this.byteAt, start)
    this.byteAt = end
    const unitStart = this.unitAt
    const flatEnd = this.flat.read(unitStart) ? behindBlanks(units, this.flat.end) : null
    if (flatEnd !== null && !this.bounded && (flatEnd === this.unitsTotal || units[flatEnd] === newline)) {
      this.unitAt = flatEnd
      return this.flat
    }
    this.unitAt += unitsIn(this.bytes, start, end)
    if (flatEnd === this.unitAt) return this.flat
    const marked = units[unitStart] === byteOrderMark
    const from = marked ? unitStart + 1 : unitStart
    const source = codesToString(units, from, this.unitAt)
    return documentIn(source, this.mapping, marked ? byteOrderMarkBytes : 0, this.lenient)
  }

  private readApart(start: number, end: number): Document | DecodeFault {
    const bytes = this.bytes.subarray(start, end)
    if (!this.lenient && !isUtf8(bytes)) {
      const excerpt = withoutMark(bytes.toString('utf8', 0, excerptBytesMax))
      return { reason: 'invalid-utf8', detail: 'the bytes are no UTF-8', excerpt, key: '' }
    }
    const source = bytes.toString('utf8')
    const plain = withoutMark(source)
    return documentIn(plain, this.mapping, plain === source ? 0 : byteOrderMarkBytes, this.lenient)
  }
}

/** Bytes of a block that is decoded whole: its memory is up to 12 times that. */
const wholeBytesMax = 32 * 1024 * 1024
const newline = 0x0a
const byteOrderMark = 0xfeff
const byteOrderMarkBytes = 3
/** Bytes of a record in a foreign encoding that its reject may show. */
const excerptBytesMax = 600

/** Puts UTF-8 known to be valid into the memory as its block, a 0 behind it; answers its UTF-16 units. */
function fill(memory: TextMemory, bytes: Buffer): number {
  const utf16 = bytes.length === 0 ? bytes : transcode(bytes, 'utf8', 'utf16le')
  const length = utf16.length / 2
  memory.reserveBlock(length)
  Buffer.from(memory.buffer).set(utf16, memory.block.base)
  memory.block.view[length] = 0
  return length
}

/** UTF-16 units that bytes[from … to) come to: one for each byte that begins a character, two for the longest. */
function unitsIn(bytes: Buffer, from: number, to: number): number {
  let units = 0
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1
  }
  return units
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text
}

/** @param skippedBytes of a byte order mark before `source` */
function documentIn(
  source: string,
  mapping: FieldMapping,
  skippedBytes: number,
  lenient: boolean,
): Document | DecodeFault {
  const record = parsed(source)
  if (record === undefined) {
    return { reason: 'invalid-json', detail: faultText(source, skippedBytes), excerpt: source.slice(0, 400), key: '' }
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    const found = record === null ? 'null' : Array.isArray(record) ? 'an array' : `a ${typeof record}`
    return {
      reason: 'invalid-json',
      detail: `the record is ${found}, not an object`,
      excerpt: source.slice(0, 400),
      key: '',
    }
  }
  return documentOf(record as Fields, mapping, source, lenient)
}

/** Undefined where the text is not valid JSON, but for NaN and infinities, which Python's json.dumps writes. */
function parsed(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch {
    return parsedWithoutConstants(source)
  }
}

function parsedWithoutConstants(source: string): unknown {
  const plain = withoutConstants(source)
  if (plain === source) return undefined
  try {
    return JSON.parse(plain)
  } catch {
    return undefined
  }
}

export function isFault(decoded: Document | DecodeFault): decoded is DecodeFault {
  return 'reason' in decoded
}

type Fields = Readonly<Record<string, unknown>>

function documentOf(fields: Fields, mapping: FieldMapping, source: string, lenient: boolean): Document | DecodeFault {
  const key = mapping.id === undefined ? '' : keyOf(fieldOf(fields, mapping.id), mapping.id, source)
  const title = mapping.title === undefined ? '' : textOf(fieldOf(fields, mapping.title))
  const value = fieldOf(fields, mapping.text)
  let text = textOf(value)
  if (text === '' && mapping.compose === 'wanjuan-exam') text = composeExam(fields)
  if (text !== '' || (lenient && value === '')) return { key, title, text }
  return {
    reason: 'no-text',
    detail: `field ${namesText([mapping.text])} ${faultOf(value)}; fields: ${namesText(fieldNames(fields))}`,
    excerpt: source.slice(0, 400),
    key,
  }
}

/** Example: "is missing" */
function faultOf(value: unknown): string {
  if (value === undefined) return 'is missing'
  if (value === '') return 'is empty'
  return Array.isArray(value) ? 'is a list without texts' : 'is not a string'
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function keyOf(value: unknown, field: string, source: string): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'number') return ''
  if (Number.isSafeInteger(value)) return String(value)
  return numberAsWritten(source, field, value) ?? String(value)
}

/** Example: "at byte 12 of the record: expected a value, found '}'" */
function faultText(source: string, skippedBytes: number): string {
  const fault = jsonFault(withoutConstants(source))
  if (fault === null) return 'not JSON'
  return `at byte ${skippedBytes + Buffer.byteLength(source.slice(0, fault.at))} of the record: ${fault.what}`
}

/** JSON.parse rounds an id past 2^53; the digits in the source do not. */
function numberAsWritten(source: string, field: string, value: number): string | null {
  const name = JSON.stringify(source.includes(JSON.stringify(field)) ? field : field.split('.').at(-1))
  for (let at = source.indexOf(name); at >= 0; at = source.indexOf(name, at + 1)) {
    const match = /^\s*:\s*(-?[0-9][0-9.eE+-]{0,199})/.exec(source.slice(at + name.length, at + name.length + 220))
    if (match?.[1] !== undefined && Number(match[1]) === value) return match[1]
  }
  return null
}

/** An exam question of WanJuan as one text: the question, its options, the answer, the explanation. */
function composeExam(fields: Fields): string {
  const question = stringOf(fields.q_main).trim()
  if (question === '') return ''
  const options = ['a', 'b', 'c', 'd', 'e'].flatMap((letter) => {
    const option = stringOf(fields[`option_${letter}`]).trim()
    return option === '' ? [] : [`${letter.toUpperCase()}. ${option}`]
  })
  const answer = stringOf(fields.std_ans).trim() || stringOf(fields.answer).trim()
  const detail = stringOf(fields.answer_detail).trim()
  return [
    question,
    ...options,
    ...(answer === '' ? [] : [`答案：${answer}`]),
    ...(detail === '' ? [] : [`解析：${detail}`]),
  ].join('\n')
}
