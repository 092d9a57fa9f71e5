/**
 * Decodes records to documents by the field mapping. Data never makes it throw: a record without a document gives a fault.
 * records.ts finds where records start and end.
 *
 * Records that are flat objects, nearly all, are read from the bytes of the block without a string of their own
 * (flat-record.ts).
 */

import { Buffer, isUtf8, transcode } from 'node:buffer'
import { isRecord } from '../core/objects.js'
import type { Block } from './block.js'
import { fieldNames, fieldOf, namesText, textOf } from './field-path.js'
import { FlatReader, skipBlanks } from './flat-record.js'
import { withoutConstants } from './json-constants.js'
import { jsonFault } from './json-fault.js'
import type { FieldMapping } from './mapping.js'
import type { TextMemory } from './text-memory.js'

export interface Document {
  /** The record's own id, '' when it has none. */
  readonly key: string
  readonly title: string
  /** A string, or code units in memory that the next record overwrites. */
  readonly text: string | Uint16Array
}

export interface DecodeFault {
  readonly reason: 'invalid-utf8' | 'invalid-json' | 'no-text'
  readonly detail: string
  readonly excerpt: string
  readonly key: string
}

/** Reads the records of one block at a time, in order. */
export class RecordReader {
  readonly #memory: TextMemory
  readonly #lenient: boolean
  readonly #flat: FlatReader
  #bytes: Buffer = Buffer.alloc(0)
  #mapping: FieldMapping = { text: '' }
  #bounded = false
  /** Whether the block is in the memory: it is not very large, and valid UTF-8. */
  #isWhole = false

  /** @param lenient accepts an empty text, and replaces bytes that are not valid UTF-8 with U+FFFD */
  constructor(memory: TextMemory, lenient = false) {
    this.#memory = memory
    this.#lenient = lenient
    this.#flat = new FlatReader(memory)
  }

  open({ bytes, bounds, mapping }: Block): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#mapping = mapping
    this.#bounded = bounds !== undefined
    this.#isWhole = bytes.length <= wholeBytesMax && isUtf8(bytes)
    if (this.#isWhole) fill(this.#memory, this.#bytes)
    this.#flat.open(mapping, this.#bounded)
  }

  /** Reads the record at bytes[start … end). A number is not a text; a number as id keeps all its digits. */
  read(start: number, end: number): Document | DecodeFault {
    if (this.#isWhole && this.#flat.read(start) && skipBlanks(this.#memory.blockBytes.view, this.#flat.end) === end) {
      return this.#flat
    }
    const bytes = this.#bytes.subarray(start, end)
    if (!this.#isWhole && !this.#lenient && !isUtf8(bytes)) {
      const excerpt = withoutByteOrderMark(bytes.toString('utf8', 0, excerptBytesMax))
      return { reason: 'invalid-utf8', detail: 'the bytes are no UTF-8', excerpt, key: '' }
    }
    const source = this.#isWhole ? stringOfUtf8(bytes) : bytes.toString('utf8')
    const plain = withoutByteOrderMark(source)
    const skipped = plain === source ? 0 : byteOrderMarkBytes
    return this.#isWhole && this.#flat.isInvalid
      ? invalidJson(plain, skipped)
      : documentIn(plain, this.#mapping, skipped, this.#lenient)
  }
}

/** Largest block that is copied to the memory as a whole, where up to 32 times its bytes are reserved for its texts. */
const wholeBytesMax = 32 * 1024 * 1024
const byteOrderMark = 0xfeff
const byteOrderMarkBytes = 3
/** Bytes of a record in another encoding that its reject may show. */
const excerptBytesMax = 600

/** Writes a block to the memory, followed by a 0. */
function fill(memory: TextMemory, bytes: Buffer): void {
  memory.reserveBlock(bytes.length)
  const { view } = memory.blockBytes
  view.set(bytes)
  view[bytes.length] = 0
}

/** Returns valid UTF-8 as a string. By way of UTF-16 it takes a third of the time. */
function stringOfUtf8(bytes: Buffer): string {
  return transcode(bytes, 'utf8', 'utf16le').toString('utf16le')
}

function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text
}

/** @param skippedBytes length of a byte order mark before `source` */
function documentIn(
  source: string,
  mapping: FieldMapping,
  skippedBytes: number,
  lenient: boolean,
): Document | DecodeFault {
  const record = parsed(source)
  if (record === undefined) return invalidJson(source, skippedBytes)
  if (!isRecord(record)) {
    const found = record === null ? 'null' : Array.isArray(record) ? 'an array' : `a ${typeof record}`
    return {
      reason: 'invalid-json',
      detail: `the record is ${found}, not an object`,
      excerpt: source.slice(0, 400),
      key: '',
    }
  }
  return documentOf(record, mapping, source, lenient)
}

function invalidJson(source: string, skippedBytes: number): DecodeFault {
  return { reason: 'invalid-json', detail: faultText(source, skippedBytes), excerpt: source.slice(0, 400), key: '' }
}

/** Returns undefined if the text is not valid JSON; NaN and infinities, which Python's json.dumps writes, are accepted. */
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

/** Finds the digits of an id beyond 2^53, which JSON.parse rounds. */
function numberAsWritten(source: string, field: string, value: number): string | null {
  const name = JSON.stringify(source.includes(JSON.stringify(field)) ? field : field.split('.').at(-1))
  for (let at = source.indexOf(name); at >= 0; at = source.indexOf(name, at + 1)) {
    const match = /^\s*:\s*(-?[0-9][0-9.eE+-]{0,199})/.exec(source.slice(at + name.length, at + name.length + 220))
    if (match?.[1] !== undefined && Number(match[1]) === value) return match[1]
  }
  return null
}

/** Composes an exam question of WanJuan: the question, its options, the answer, the explanation. */
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
