/**
 * Encodes one row group as if it were the first of a file, on any thread; `appendGroup` puts it behind the groups of a file
 * by shifting its offsets. The bytes are those of a writer that makes the whole file.
 */

import type { RowGroup, SchemaElement, SchemaTree } from 'hyparquet'
import { ByteWriter, type ParquetWriter } from 'hyparquet-writer'
import { writeColumn } from 'hyparquet-writer/src/column.js'
import { encodeNestedValues } from 'hyparquet-writer/src/dremel.js'
import { schemaPathResolver } from 'hyparquet-writer/src/schema.js'
import type { ColumnEncoder } from 'hyparquet-writer/src/types.js'
import type { Cell } from '../columns.js'
import { type WrittenChunk, writeTextChunk } from './text-chunk.js'

/** A row group at offset `groupStart` of a file of its own; can be sent between threads. */
export interface EncodedGroup {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly group: RowGroup
  /** Of the column chunks in `group`: the same objects. */
  readonly indexes: ParquetWriter['pendingIndexes']
}

export type Compress = (page: Uint8Array) => Uint8Array

const pageBytes = 1024 * 1024
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
  const writer = new ByteWriter()
  writer.offset = groupStart
  const writeChunks = chunkWriter(writer, schema, compress)
  const indexes = names.flatMap((name, c) => writeChunks(name, columns[c] as readonly Cell[]))
  return { bytes: writer.getBytes().slice(), group: rowGroupOf(indexes, rows), indexes }
}

/** Returns a function that writes a top-level column: one chunk for each of its leaves. */
export function chunkWriter(
  writer: ByteWriter,
  schema: SchemaElement[],
  compress: Compress,
): (name: string, values: readonly Cell[]) => WrittenChunk[] {
  const pathOf = schemaPathResolver(schema)
  return (name, values) =>
    leavesOf(pathOf([name])).map((path) => {
      const column = columnOf(path, compress)
      const pageData = encodeNestedValues(path, values as Cell[])
      return column.element.converted_type === 'UTF8'
        ? writeTextChunk(writer, column, pageData)
        : writeColumn({ writer, column, pageData })
    })
}

/** Returns the metadata of a group with these chunks. */
export function rowGroupOf(chunks: readonly WrittenChunk[], rows: number): RowGroup {
  const columns = chunks.map(({ chunk }) => chunk)
  const sum = (bytes: 'total_uncompressed_size' | 'total_compressed_size') =>
    columns.reduce((total, { meta_data }) => total + (meta_data?.[bytes] ?? 0n), 0n)
  return {
    columns,
    total_byte_size: sum('total_uncompressed_size'),
    num_rows: BigInt(rows),
    total_compressed_size: sum('total_compressed_size'),
  }
}

/** Returns the paths from the root to the leaves under the end of a path. */
function leavesOf(path: SchemaTree[]): SchemaTree[][] {
  const children = path.at(-1)?.children ?? []
  return children.length === 0 ? [path] : children.flatMap((child) => leavesOf([...path, child]))
}

function columnOf(path: readonly SchemaTree[], compress: Compress): ColumnEncoder {
  const schemaPath = path.map(({ element }) => element)
  return {
    columnName: schemaPath
      .slice(1)
      .map(({ name }) => name)
      .join('.'),
    element: schemaPath.at(-1) as SchemaElement,
    schemaPath,
    codec: 'ZSTD',
    compressors: { ZSTD: compress },
    stats: true,
    pageSize: pageBytes,
    columnIndex: false,
    offsetIndex: true,
  }
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
