/** Converts a row of Parquet to a line of JSON. Invalid UTF-8 is copied unchanged, so that the record is rejected as in JSONL. */
import { isUtf8 } from 'node:buffer'
import type { ParquetParsers } from 'hyparquet'

/** A text column's value that is not valid UTF-8. */
class InvalidUtf8 {
  constructor(readonly bytes: Uint8Array) {}
}

/** Parsers of stored values. */
export const parsers: Partial<ParquetParsers> = {
  stringFromBytes: (bytes) => bytes && textFrom(bytes),
  // A value that is not valid JSON rejects neither the record nor its row group.
  jsonFromBytes: (bytes) => bytes && jsonFrom(bytes),
}

/** Returns a text, or its bytes if they are not valid UTF-8. */
export function textFrom(bytes: Uint8Array): string | InvalidUtf8 {
  return isUtf8(bytes) ? asBuffer(bytes).toString('utf8') : new InvalidUtf8(bytes)
}

function jsonFrom(bytes: Uint8Array): unknown {
  const text = textFrom(bytes)
  if (typeof text !== 'string') return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Returns the line with its newline. */
export function rowLine(row: Readonly<Record<string, unknown>>): Buffer {
  let isInvalid = false
  const line = JSON.stringify(row, (_key, value: unknown) => {
    if (value instanceof InvalidUtf8) isInvalid = true
    return toJson(value)
  })
  return isInvalid ? lineWithInvalidUtf8(row) : Buffer.from(`${line}\n`)
}

/** Writes each string as its bytes, one character per byte, so that invalid UTF-8 is kept. */
function lineWithInvalidUtf8(row: Readonly<Record<string, unknown>>): Buffer {
  const line = JSON.stringify(row, (_key, value: unknown) => {
    if (value instanceof InvalidUtf8) return asBuffer(value.bytes).toString('latin1')
    return typeof value === 'string' ? Buffer.from(value).toString('latin1') : toJson(value)
  })
  return Buffer.from(`${line}\n`, 'latin1')
}

/** Converts values that JSON lacks: 64-bit integers beyond 2^53 become text, typed arrays lists. */
function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Uint8Array)
  return value
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
