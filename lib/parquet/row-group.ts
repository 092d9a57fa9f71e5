/**
 * One row group of a Parquet file: its stored bytes in memory, decoded in ranges of rows within a limit. The decoded
 * size of its pages is known from their headers before any page is decoded.
 */
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  type ParquetParsers,
  parquetRead,
  parquetSchema,
  type RowGroup,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet'
import { ShardDamageError } from '../errors.js'
import { pageCodecs } from './codecs.js'
import { type ColumnPages, type ColumnStorage, columnPages } from './column-pages.js'
import { ownBuffer } from './own-buffer.js'
import { type DecodeLimit, type RowRange, rowRanges } from './row-ranges.js'

/** The file of a row group. */
export interface GroupFile {
  readonly sizeBytes: number
  readonly metadata: FileMetaData
  readonly limit: DecodeLimit
  readonly parsers: Partial<ParquetParsers>
  readBytes(start: number, end: number): Promise<Uint8Array>
}

/** Stored bytes of a column chunk. */
interface StoredChunk {
  readonly start: number
  readonly end: number
  readonly bytes: ArrayBuffer
}

export class StoredRowGroup {
  readonly rows: number
  /** Bytes of the column chunks as stored. */
  readonly storedBytes: number
  readonly #file: GroupFile
  readonly #chunks: readonly StoredChunk[]
  readonly #pages: readonly ColumnPages[]
  readonly #flat: boolean
  /** A footer with this group alone: with all of them, each range would cost a pass over the footer. */
  readonly #footer: FileMetaData

  private constructor(
    file: GroupFile,
    group: RowGroup,
    rows: number,
    chunks: readonly StoredChunk[],
    pages: readonly ColumnPages[],
    flat: boolean,
  ) {
    this.rows = rows
    this.storedBytes = chunks.reduce((sum, { start, end }) => sum + end - start, 0)
    this.#file = file
    this.#chunks = chunks
    this.#pages = pages
    this.#flat = flat
    this.#footer = { ...file.metadata, row_groups: [group] }
  }

  /** See `ParquetFile.readGroup`. */
  static async read(file: GroupFile, number: number, rows: number): Promise<StoredRowGroup> {
    const { metadata, limit } = file
    const group = metadata.row_groups[number]
    if (group === undefined) throw new ShardDamageError('shard-corrupt', `the footer has no row group ${number}`)
    const chunks: StoredChunk[] = []
    const pages: ColumnPages[] = []
    const root = parquetSchema(metadata)
    let total = 0
    let flat = metadata.schema.slice(1).every(({ repetition_type }) => repetition_type !== 'REPEATED')
    for (const { meta_data } of group.columns) {
      if (meta_data === undefined) throw new ShardDamageError('shard-corrupt', 'a column has no metadata')
      const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset)
      const end = start + Number(meta_data.total_compressed_size)
      total += end - start
      if (total > limit.bytesMax) {
        throw new ShardDamageError('shard-too-large', `${total} stored bytes, ${limit.name} is ${limit.bytesMax}`)
      }
      const bytes = ownBuffer(await file.readBytes(start, end))
      chunks.push({ start, end, bytes })
      const storage = { ...storageOf(root, meta_data), decodeBytesMax: limit.bytesMax }
      pages.push(columnPages(new Uint8Array(bytes), Number(meta_data.num_values), storage))
      if (meta_data.path_in_schema.length > 1) flat = false
    }
    return new StoredRowGroup(file, group, rows, chunks, pages, flat)
  }

  /**
   * Returns the ranges that are decoded at a time.
   *
   * @throws {ShardDamageError} a range decodes to more than the limit
   */
  ranges(): RowRange[] {
    return rowRanges(this.#pages, this.rows, this.#flat, this.#file.limit)
  }

  /**
   * Decodes rows of one range, counted from the first of the group.
   *
   * @throws {ShardDamageError} fewer rows were decoded than the footer gives; other errors are those of hyparquet
   */
  async decode({ from, to }: RowRange): Promise<Record<string, unknown>[]> {
    const { parsers } = this.#file
    let rows: Record<string, unknown>[] = []
    await parquetRead({
      file: this.#asyncBuffer(),
      metadata: this.#footer,
      rowStart: from,
      rowEnd: to,
      rowFormat: 'object',
      compressors: pageCodecs,
      parsers,
      onComplete: (all) => {
        rows = all
      },
    })
    if (rows.length === to - from) return rows
    throw new ShardDamageError('shard-corrupt', `${to - from} rows are there by the footer, ${rows.length} decoded`)
  }

  /** Yields the rows from `from` to before `to`, a range at a time. */
  async *readRows(from: number, to: number): AsyncGenerator<Record<string, unknown>[]> {
    for (const range of this.ranges()) {
      if (range.to <= from || range.from >= to) continue
      yield await this.decode({ from: Math.max(range.from, from), to: Math.min(range.to, to) })
    }
  }

  /** Serves the column chunks from memory, anything else from the file. */
  #asyncBuffer(): AsyncBuffer {
    const { sizeBytes } = this.#file
    const slice = async (start: number, end: number = sizeBytes): Promise<ArrayBuffer> => {
      const chunk = this.#chunks.find((each) => each.start <= start && end <= each.end)
      if (chunk === undefined) return ownBuffer(await this.#file.readBytes(start, end))
      return chunk.start === start && chunk.end === end
        ? chunk.bytes
        : chunk.bytes.slice(start - chunk.start, end - chunk.start)
    }
    return { byteLength: sizeBytes, slice }
  }
}

function storageOf(root: SchemaTree, { path_in_schema, codec }: ColumnMetaData): Omit<ColumnStorage, 'decodeBytesMax'> {
  const elements: SchemaElement[] = []
  let node: SchemaTree | undefined = root
  for (const name of path_in_schema) {
    node = node?.children.find((child) => child.element.name === name)
    if (node !== undefined) elements.push(node.element)
  }
  const decompress = (page: Uint8Array, decodedBytes: number): Uint8Array => {
    const decompressor = codec === 'UNCOMPRESSED' ? null : pageCodecs[codec as keyof typeof pageCodecs]
    return decompressor?.(page, decodedBytes) ?? page
  }
  return {
    decompress,
    repeated: elements.some(({ repetition_type }) => repetition_type === 'REPEATED'),
    optional: elements.some(({ repetition_type }) => repetition_type !== 'REQUIRED'),
  }
}
