/**
 * The columns of chunks: what a worker returns for a block, one row per chunk, in order of (document, chunk).
 *
 * Name, type and meaning of each column are stated here only. Building (columns-builder.ts), reading, copying and the
 * Arrow schema (record-batch.ts) follow from the list.
 */

import { Buffer } from 'node:buffer'
import { keysOf } from '../core/objects.js'
import { InvalidOptionError } from '../errors.js'

/** Type of a column; 'fingerprint' has `fingerprintBytes` a row, 'signature' `ChunkColumns.signatureLength`. */
type ColumnType = 'int32' | 'float64' | 'utf8' | 'fingerprint' | 'signature'

interface ColumnDescription {
  readonly type: ColumnType
  /** One sentence; metadata of the Arrow field. */
  readonly meaning: string
}

/** Every column, in the order of the Arrow schema. */
export const chunkColumns = {
  document: { type: 'int32', meaning: 'Ordinal of the document in its block.' },
  chunk: { type: 'int32', meaning: 'Ordinal of the chunk in its document.' },
  offset: {
    type: 'float64',
    meaning: 'Position of the document in its shard: first byte of the decompressed record, or row number.',
  },
  key: { type: 'utf8', meaning: 'Id of the record in its source; empty if it has none.' },
  title: { type: 'utf8', meaning: 'Title of the document, cleaned; empty if it has none.' },
  heading: {
    type: 'utf8',
    meaning: 'Heading above the chunk in its document; empty if it begins with one or has none.',
  },
  text: { type: 'utf8', meaning: 'Text of the chunk.' },
  tokens: { type: 'int32', meaning: 'Tokens of the text, estimated unless a tokenizer is configured.' },
  letters: {
    type: 'int32',
    meaning: 'UTF-16 code units of the comparison form: NFKC, lower case, letters and digits only.',
  },
  fingerprint: { type: 'fingerprint', meaning: '128-bit hash of the comparison form.' },
  signature: { type: 'signature', meaning: 'MinHash signature of the comparison form, one byte a bin.' },
} as const satisfies Readonly<Record<string, ColumnDescription>>

/** Bytes of a fingerprint. */
export const fingerprintBytes = 16

/** Texts end to end in UTF-8; text i is bytes[offsets[i] … offsets[i + 1]). */
export interface TextColumn {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

interface ColumnValues {
  readonly int32: Int32Array
  readonly float64: Float64Array
  readonly utf8: TextColumn
  readonly fingerprint: Uint8Array
  readonly signature: Uint8Array
}

type ColumnTypes = { readonly [Name in ChunkColumnName]: (typeof chunkColumns)[Name]['type'] }
type NamesOf<Type extends ColumnType> = {
  [Name in ChunkColumnName]: ColumnTypes[Name] extends Type ? Name : never
}[ChunkColumnName]

export type ChunkColumnName = keyof typeof chunkColumns
type TextColumnName = NamesOf<'utf8'>
/** Columns with the same number of bytes in every row. */
export type FixedColumnName = Exclude<ChunkColumnName, TextColumnName>
export type FixedColumn = Int32Array | Float64Array | Uint8Array

type TextColumns = { readonly [Name in TextColumnName]: TextColumn }
export type FixedColumns = { readonly [Name in FixedColumnName]: ColumnValues[ColumnTypes[Name]] }

/** Columns made by a worker are views of one shared buffer. */
export interface ChunkColumns extends TextColumns, FixedColumns {
  readonly rows: number
  /** Bytes of a signature; 0 when near-duplicates are not looked for. */
  readonly signatureLength: number
}

export const chunkColumnNames = keysOf(chunkColumns)
export const textColumnNames = chunkColumnNames.filter((name) => isTextColumn(name))
export const fixedColumnNames = chunkColumnNames.filter((name): name is FixedColumnName => !isTextColumn(name))

function isTextColumn(name: ChunkColumnName): name is TextColumnName {
  return chunkColumns[name].type === 'utf8'
}

/** Values of a row: bytes of a fingerprint or signature, 1 for a number. */
export function valuesPerRow(name: FixedColumnName, signatureLength: number): number {
  const { type } = chunkColumns[name]
  if (type === 'signature') return signatureLength
  return type === 'fingerprint' ? fingerprintBytes : 1
}

/** Fixed columns, each made by `make`, which returns an array of the type that the list states. */
export function makeFixedColumns(make: (name: FixedColumnName) => FixedColumn): FixedColumns {
  return Object.fromEntries(fixedColumnNames.map((name) => [name, make(name)])) as FixedColumns
}

export function makeTextColumns(make: (name: TextColumnName) => TextColumn): TextColumns {
  return Object.fromEntries(textColumnNames.map((name) => [name, make(name)])) as TextColumns
}

/** A zero-filled array of a fixed column, over its own memory. */
export function fixedColumn(name: FixedColumnName, length: number): FixedColumn {
  const { type } = chunkColumns[name]
  if (type === 'int32') return new Int32Array(length)
  return type === 'float64' ? new Float64Array(length) : new Uint8Array(length)
}

/** Columns of zero-filled rows, without texts; in `replaced` the columns that have content. */
export function chunkColumnsOf(
  rows: number,
  signatureLength: number,
  replaced: Partial<TextColumns & FixedColumns> = {},
): ChunkColumns {
  return {
    rows,
    signatureLength,
    ...makeFixedColumns((name) => fixedColumn(name, rows * valuesPerRow(name, signatureLength))),
    ...makeTextColumns(() => ({ offsets: new Int32Array(rows + 1), bytes: new Uint8Array(0) })),
    ...replaced,
  }
}

/** Decodes the text of a row. @throws {InvalidOptionError} the column has no such row */
export function textAt(column: TextColumn, row: number): string {
  const { bytes, offsets } = column
  const start = offsets[row]
  const end = offsets[row + 1]
  if (start === undefined || end === undefined) {
    throw new InvalidOptionError(`row ${row} is not in a column of ${offsets.length - 1} rows`)
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', start, end)
}

/** The text of a row in UTF-8: a view of the column. */
export function textBytesAt({ bytes, offsets }: TextColumn, row: number): Uint8Array {
  return bytes.subarray(offsets[row], offsets[row + 1])
}

/** Length of a text in UTF-8. */
export function textLengthAt({ offsets }: TextColumn, row: number): number {
  return (offsets[row + 1] as number) - (offsets[row] as number)
}

/** Copies the given rows, in the given order. */
export function takeRows(columns: ChunkColumns, rows: readonly number[]): ChunkColumns {
  const { signatureLength } = columns
  const fixed = makeFixedColumns((name) => {
    const width = valuesPerRow(name, signatureLength)
    const from = columns[name]
    const taken = fixedColumn(name, rows.length * width)
    if (width === 1) {
      for (const [at, row] of rows.entries()) taken[at] = from[row] as number
    } else {
      for (const [at, row] of rows.entries()) taken.set(from.subarray(row * width, (row + 1) * width), at * width)
    }
    return taken
  })
  const texts = makeTextColumns((name) => endToEnd(rows.map((row) => textBytesAt(columns[name], row))))
  return { rows: rows.length, signatureLength, ...fixed, ...texts }
}

/** Copies the rows of all parts, one part after the other. Empty parts may have any signature length. */
export function joinColumns(parts: readonly ChunkColumns[]): ChunkColumns {
  const filled = parts.filter(({ rows }) => rows > 0)
  const rows = filled.reduce((sum, part) => sum + part.rows, 0)
  const signatureLength = (filled[0] ?? parts[0])?.signatureLength ?? 0
  const fixed = makeFixedColumns((name) => {
    const joined = fixedColumn(name, rows * valuesPerRow(name, signatureLength))
    let at = 0
    for (const part of filled) {
      joined.set(part[name], at)
      at += part[name].length
    }
    return joined
  })
  const texts = makeTextColumns((name) =>
    endToEnd(filled.flatMap((part) => Array.from({ length: part.rows }, (_, row) => textBytesAt(part[name], row)))),
  )
  return { rows, signatureLength, ...fixed, ...texts }
}

/** Encodes texts as a column. */
export function textColumn(texts: readonly string[]): TextColumn {
  return endToEnd(texts.map((text) => Buffer.from(text)))
}

function endToEnd(texts: readonly Uint8Array[]): TextColumn {
  const offsets = new Int32Array(texts.length + 1)
  texts.forEach((text, row) => {
    offsets[row + 1] = (offsets[row] as number) + text.length
  })
  // Not Buffer.concat: its result may be a part of a shared pool.
  const bytes = new Uint8Array(offsets[texts.length] as number)
  texts.forEach((text, row) => {
    bytes.set(text, offsets[row])
  })
  return { offsets, bytes }
}
