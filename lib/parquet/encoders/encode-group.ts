/**
 * Encodes one row group as if it were the first of a file, on any thread; `appendGroup` puts it behind the groups of a file
 * by shifting its offsets. The bytes are those of a writer that makes the whole file.
 */

import type { RowGroup, SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { Cell } from '../columns.js'

/** A row group at offset `groupStart` of a file of its own; can be sent between threads. */
export interface EncodedGroup {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly group: RowGroup
  /** Of the column chunks in `group`: the same objects. */
  readonly indexes: ParquetWriter['pendingIndexes']
}

export type Compress = (page: Uint8Array) => Uint8Array

export const pageBytes = 1024 * 1024
/** The magic 'PAR1' precedes the first group. */
const groupStart = 4

/** Options for `encodeGroup`; sent to a thread, but for the compressor. */
export interface GroupOptions {
  readonly schema: SchemaElement[]
  /** Names of the top-level columns. */
  readonly names: readonly string[]
  /** `columns[c][r]` is row r of column c. */
  readonly columns: readonly (readonly Cell[])[]
  readonly rows: number
}

export function encodeGroup({ schema, names, columns, rows }: GroupOptions, compress: Compress): EncodedGroup {
  const bytes = new ByteWriter()
  const parquet = new ParquetWriter({ writer: bytes, schema, codec: 'ZSTD', compressors: { ZSTD: compress } })
  const columnData = names.map((name, c) => ({ name, data: columns[c] as Cell[] }))
  // Synchronous, as the writer has no `flush`.
  void parquet.write({ columnData, rowGroupSize: rows, pageSize: pageBytes })
  const encoded = bytes.getBytes().slice(groupStart)
  return { bytes: encoded, group: parquet.row_groups[0] as RowGroup, indexes: parquet.pendingIndexes }
}

/** Adds a group to a file whose next byte is at `offset`; the caller writes `bytes` there. */
export function appendGroup({ group, indexes }: EncodedGroup, parquet: ParquetWriter, offset: number): void {
  const shift = BigInt(offset - groupStart)
  for (const chunk of group.columns) {
    if (chunk.file_offset > 0n) chunk.file_offset += shift
    const meta = chunk.meta_data
    if (meta === undefined) continue
    meta.data_page_offset += shift
    if (meta.dictionary_page_offset !== undefined) meta.dictionary_page_offset += shift
  }
  for (const { offsetIndex } of indexes) {
    for (const location of offsetIndex?.page_locations ?? []) location.offset += shift
  }
  parquet.row_groups.push(group)
  parquet.pendingIndexes.push(...indexes)
  parquet.num_rows += group.num_rows
}
