/**
 * Bytes of one record to the document in it, by FieldMapping. Says why where there is none; never throws for data.
 * Where records begin and end is records.ts's affair.
 */
import { Buffer, isUtf8, transcode } from 'node:buffer'
import { jsonFault } from './json-fault.js'
import type { FieldMapping } from './mapping.js'

export interface Document {
  /** The record's own id, '' when it has none. */
  readonly key: string
  readonly title: string
  readonly text: string
}

export interface DecodeFault {
  readonly reason: 'invalid-utf8' | 'invalid-json' | 'no-text'
  readonly detail: string
  readonly excerpt: string
  readonly key: string
}

/** UTF-8 known to be valid, to a string. */
export type Utf8Decoder = (bytes: Buffer, start: number, end: number) => string

/** Two ways with the same output; which is faster depends on the version of Node. */
export const utf8Decoders = {
  /** Node 24: 1.9 GB/s of Chinese; Node 20: 0.3. */
  direct: (bytes, start, end) => bytes.toString('utf8', start, end),
  /** By UTF-16: 1.2 GB/s on both. */
  transcoded: (bytes, start, end) => transcode(bytes.subarray(start, end), 'utf8', 'utf16le').toString('utf16le'),
} as const satisfies Record<string, Utf8Decoder>

/** Tries both ways on a Chinese sample for a few milliseconds and takes the faster. Speed only: the output is equal. */
export function fasterUtf8Decoder(): Utf8Decoder {
  const sample = Buffer.from('{"text":"' + '天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。'.repeat(probeRepeats) + '"}')
  const elapsedMs = (decode: Utf8Decoder) => {
    let bestMs = Number.POSITIVE_INFINITY
    for (let round = 0; round < probeRounds; round++) {
      const startMs = performance.now()
      for (let call = 0; call < probeCalls; call++) decode(sample, 0, sample.length)
      bestMs = Math.min(bestMs, performance.now() - startMs)
    }
    return bestMs
  }
  return elapsedMs(utf8Decoders.direct) <= elapsedMs(utf8Decoders.transcoded)
    ? utf8Decoders.direct
    : utf8Decoders.transcoded
}

const probeRepeats = 64
const probeRounds = 3
const probeCalls = 32

/**
 * The document of the record at bytes[start … end), or why there is none.
 *
 * A number as text is no text; a number as id is written as it stands in the record, however long it is.
 */
export function decodeRecord(
  bytes: Buffer,
  start: number,
  end: number,
  mapping: FieldMapping,
  decode: Utf8Decoder,
): Document | DecodeFault {
  const from = hasByteOrderMark(bytes, start) ? start + 3 : start
  if (!isUtf8(bytes.subarray(from, end))) {
    const excerpt = bytes.toString('utf8', from, Math.min(end, from + excerptBytesMax))
    return { reason: 'invalid-utf8', detail: 'the bytes are no UTF-8', excerpt, key: '' }
  }
  const source = decode(bytes, from, end)
  let record: unknown
  try {
    record = JSON.parse(source)
  } catch {
    return { reason: 'invalid-json', detail: faultText(source, from - start), excerpt: source.slice(0, 400), key: '' }
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
  return documentOf(record as Fields, mapping, source)
}

export function isFault(decoded: Document | DecodeFault): decoded is DecodeFault {
  return 'reason' in decoded
}

type Fields = Readonly<Record<string, unknown>>

/** Bytes of a record in a foreign encoding that its reject may show. */
const excerptBytesMax = 600

function hasByteOrderMark(bytes: Buffer, start: number): boolean {
  return bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
}

function documentOf(fields: Fields, mapping: FieldMapping, source: string): Document | DecodeFault {
  const key = mapping.id === undefined ? '' : keyOf(fields[mapping.id], mapping.id, source)
  const title = mapping.title === undefined ? '' : stringOf(fields[mapping.title])
  let text = stringOf(fields[mapping.text])
  if (text === '' && mapping.compose === 'wanjuan-exam') text = composeExam(fields)
  if (text !== '') return { key, title, text }
  const value = fields[mapping.text]
  const found = value === undefined ? 'is missing' : typeof value === 'string' ? 'is empty' : 'is no string'
  return {
    reason: 'no-text',
    detail: `field ${JSON.stringify(mapping.text)} ${found}`,
    excerpt: source.slice(0, 400),
    key,
  }
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
  const fault = jsonFault(source)
  if (fault === null) return 'not JSON'
  return `at byte ${skippedBytes + Buffer.byteLength(source.slice(0, fault.at))} of the record: ${fault.what}`
}

/** JSON.parse rounds an id past 2^53; the digits in the source do not. */
function numberAsWritten(source: string, field: string, value: number): string | null {
  const name = JSON.stringify(field)
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
