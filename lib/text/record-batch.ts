/** Columns of a block as an Arrow RecordBatch over the same memory: for whoever speaks Arrow. Nothing is copied. */
import {
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
import type { ChunkColumns, TextColumn } from './columns.js'

/**
 * Fields as in ChunkColumns; `fingerprint` is 16 bytes a row, `signature` a fixed-size list of uint8, one a minimum, absent when
 * there are no signatures.
 */
export function toRecordBatch(columns: ChunkColumns): RecordBatch {
  const { rows } = columns
  const minima = rows === 0 ? 0 : columns.signature.length / rows
  const int32 = (data: Int32Array) => makeData({ type: new Int32(), length: rows, nullCount: 0, data })
  const fields = {
    document: int32(columns.document),
    chunk: int32(columns.chunk),
    offset: makeData({ type: new Float64(), length: rows, nullCount: 0, data: columns.offset }),
    key: textData(columns.key, rows),
    title: textData(columns.title, rows),
    text: textData(columns.text, rows),
    tokens: int32(columns.tokens),
    letters: int32(columns.letters),
    fingerprint: makeData({ type: new FixedSizeBinary(16), length: rows, nullCount: 0, data: columns.fingerprint }),
    ...(minima === 0 ? {} : { signature: signatureData(columns.signature, minima, rows) }),
  }
  const schema = new Schema(Object.entries(fields).map(([name, data]) => new Field(name, data.type, false)))
  const data = makeData({
    type: new Struct(schema.fields),
    length: rows,
    nullCount: 0,
    children: Object.values(fields),
  })
  return new RecordBatch(schema, data)
}

function textData(column: TextColumn, rows: number) {
  return makeData({
    type: new Utf8(),
    length: rows,
    nullCount: 0,
    valueOffsets: column.offsets,
    data: column.bytes,
  })
}

function signatureData(signature: Uint8Array, minima: number, rows: number) {
  const child = makeData({ type: new Uint8(), length: signature.length, nullCount: 0, data: signature })
  return makeData({
    type: new FixedSizeList(minima, new Field('minimum', new Uint8(), false)),
    length: rows,
    nullCount: 0,
    child,
  })
}
