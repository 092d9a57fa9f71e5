/** Columns of chunks as an Arrow RecordBatch over the same memory: nothing is copied. */
import {
  type Data,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Uint8,
  Utf8,
} from 'apache-arrow'
import {
  type ChunkColumnName,
  type ChunkColumns,
  chunkColumnNames,
  chunkColumns,
  fingerprintBytes,
  type TextColumn,
  textColumn,
} from './columns.js'

/** A column of texts in a record batch that is not in `ChunkColumns`. */
export interface AddedColumn {
  readonly name: string
  readonly meaning: string
  readonly values: readonly string[]
}

/**
 * Returns the columns as a record batch, with the added ones before them. Types and meanings are those of
 * `chunkColumns`; `signature` is absent if there are no signatures.
 */
export function toRecordBatch(
  columns: ChunkColumns,
  added: readonly AddedColumn[] = [],
  metadata: Map<string, string> = new Map(),
): RecordBatch {
  const { rows, signatureLength } = columns
  const names = chunkColumnNames.filter((name) => name !== 'signature' || signatureLength > 0)
  const all = [
    ...added.map(({ name, meaning, values }) => ({ name, meaning, data: textData(textColumn(values), rows) })),
    ...names.map((name) => ({ name, meaning: chunkColumns[name].meaning, data: dataOf(columns, name) })),
  ]
  const fields = all.map(({ name, meaning, data }) => {
    return new Field(name, data.type, false, new Map([['description', meaning]]))
  })
  const children = all.map(({ data }) => data)
  const data = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children })
  return new RecordBatch(new Schema(fields, metadata), data)
}

function dataOf(columns: ChunkColumns, name: ChunkColumnName): Data {
  const { rows, signatureLength } = columns
  switch (name) {
    case 'offset':
      return makeData({ type: new Float64(), length: rows, nullCount: 0, data: columns.offset })
    case 'key':
    case 'title':
    case 'heading':
    case 'text':
      return textData(columns[name], rows)
    case 'fingerprint': {
      const type = new FixedSizeBinary(fingerprintBytes)
      return makeData({ type, length: rows, nullCount: 0, data: columns.fingerprint })
    }
    case 'signature': {
      const { signature } = columns
      const child = makeData({ type: new Uint8(), length: signature.length, nullCount: 0, data: signature })
      const type = new FixedSizeList(signatureLength, new Field('minimum', new Uint8(), false))
      return makeData({ type, length: rows, nullCount: 0, child })
    }
    default:
      return makeData({ type: new Int32(), length: rows, nullCount: 0, data: columns[name] })
  }
}

function textData({ offsets, bytes }: TextColumn, rows: number): Data {
  return makeData({ type: new Utf8(), length: rows, nullCount: 0, valueOffsets: offsets, data: bytes })
}
