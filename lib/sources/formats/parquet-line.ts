/** A row of Parquet as a line of JSON. Bytes that are not valid UTF-8 stay as they are, so that the record is refused as in JSONL. */
import { isUtf8 } from 'node:buffer'
import type { ParquetParsers } from 'hyparquet'

/** A text column's value that is not valid UTF-8. */
class ForeignBytes {
  constructor(readonly bytes: Uint8Array) {}
}

/** How values that are stored as bytes or numbers become values of JSON. */
export const parsers: Partial<ParquetParsers> = {
  stringFromBytes: (bytes) => bytes && textFrom(bytes),
  // A text of the record that is not valid JSON costs neither the record nor its row group.
  jsonFromBytes: (bytes) => bytes && jsonFrom(bytes),
}

/** Returns a text, or its bytes if they are not valid UTF-8. */
export function textFrom(bytes: Uint8Array): string | ForeignBytes {
  return isUtf8(bytes) ? asBuffer(bytes).toString('utf8') : new ForeignBytes(bytes)
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

/** The line with its line end. */
export function rowLine(row: Readonly<Record<string, unknown>>): Buffer {
  let foreign = false
  const line = JSON.stringify(row, (_key, value: unknown) => {
    if (value instanceof ForeignBytes) foreign = true
    return toJson(value)
  })
  return foreign ? foreignLine(row) : Buffer.from(`${line}\n`)
}

/** Each string by its bytes, one character a byte, so that foreign ones can stand among them. */
function foreignLine(row: Readonly<Record<string, unknown>>): Buffer {
  const line = JSON.stringify(row, (_key, value: unknown) => {
    if (value instanceof ForeignBytes) return asBuffer(value.bytes).toString('latin1')
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
