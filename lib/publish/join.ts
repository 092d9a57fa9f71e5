/**
 * Joins the Parquet files of consecutive cuts into one. Large row groups of files of one writer are copied as bytes, small
 * ones are decoded and merged, too large ones are split. plan.ts decides which files are joined.
 *
 * Memory: 1 MiB of a copied row group, or the rows of one merged group (`mergedBytes` uncompressed); never a whole file.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import {
  type ColumnChunk,
  type FileMetaData,
  type OffsetIndex,
  type RowGroup,
  readOffsetIndex,
  type Statistics,
} from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { ContractError, CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { zstdCompressor } from '../parquet/encoders/zstd.js'
import { LocalPart } from '../parquet/part-reader.js'

/** Options for `joinParquet`. */
interface JoinOptions {
  readonly from: readonly string[]
  readonly to: string
  readonly signal?: AbortSignal | undefined
  /**
   * Uncompressed size from which a row group is copied; 4 MiB by default: half of `output.rowGroupBytesMax`, so that the full row
   * groups of a run are copied and the last ones of its files are merged.
   */
  readonly copyFromBytes?: number
  /** Uncompressed size of a merged row group; 16 MiB by default. */
  readonly mergedBytes?: number
  /** A larger row group is split; 90 MB by default, as the viewer of the Hub scans row groups below 100 MB. */
  readonly groupBytesMax?: number
}

/** A joined file. */
export interface JoinResult {
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
  /** Sum over all row groups: `num_bytes` in a dataset card. */
  readonly uncompressedBytes: number
  readonly rowGroups: number
}

const mebibyte = 1024 * 1024
const copyBytes = mebibyte
const zstdLevel = 3

/** @throws {CorruptFileError} a file is not Parquet · {ContractError} the files have different columns */
export async function joinParquet(options: JoinOptions): Promise<JoinResult> {
  const { from, to, signal, copyFromBytes = 4 * mebibyte, groupBytesMax = 90_000_000 } = options
  const compress = await zstdCompressor(zstdLevel)
  const first = await LocalPart.open(from[0] as string)
  const file = await open(to, 'w')
  const joined = new JoinedFile(file, first.metadata, options.mergedBytes ?? 16 * mebibyte, compress)
  try {
    for (const [at, path] of from.entries()) {
      const source = at === 0 ? first : await LocalPart.open(path)
      try {
        joined.checkColumns(source)
        let row = 0
        for (const group of source.metadata.row_groups) {
          signal?.throwIfAborted()
          const rows = Number(group.num_rows)
          const bytes = Number(group.total_byte_size)
          const isCopied = bytes >= copyFromBytes && bytes <= groupBytesMax && joined.isOfSameWriter(source)
          if (rows > 0 && isCopied) await joined.copy(source, group)
          else if (rows > 0) await joined.merge(source, row, rows, bytes)
          row += rows
        }
      } finally {
        await source.close()
      }
    }
    return await joined.finish()
  } finally {
    await file.close()
  }
}

/** The file being written. */
class JoinedFile {
  readonly #bytes = new ByteWriter()
  readonly #parquet: ParquetWriter
  readonly #hash = createHash('sha256')
  readonly #schema: string
  #merging: Record<string, unknown>[] = []
  #mergingBytes = 0
  #written = 0
  readonly #file: FileHandle
  readonly #like: FileMetaData
  readonly #mergedBytes: number

  constructor(file: FileHandle, like: FileMetaData, mergedBytes: number, compress: (bytes: Uint8Array) => Uint8Array) {
    this.#file = file
    this.#like = like
    this.#mergedBytes = mergedBytes
    this.#schema = JSON.stringify(like.schema)
    this.#parquet = new ParquetWriter({
      writer: this.#bytes,
      schema: like.schema,
      codec: 'ZSTD',
      compressors: { ZSTD: compress },
      // Copied bounds must not be truncated: their flags state whether they are exact.
      statisticsTruncateLength: Number.POSITIVE_INFINITY,
      ...(like.key_value_metadata === undefined ? {} : { kvMetadata: like.key_value_metadata }),
    })
  }

  checkColumns(source: LocalPart): void {
    if (JSON.stringify(source.metadata.schema) === this.#schema) return
    throw new ContractError(`${source.path} has other columns than the files before it: publish the runs separately`)
  }

  /** Whether the footer may vouch for copied groups: readers decide by the writer's name which statistics to trust. */
  isOfSameWriter(source: LocalPart): boolean {
    return source.metadata.created_by === this.#like.created_by
  }

  async copy(source: LocalPart, group: RowGroup): Promise<void> {
    await this.#flushMerged()
    const columns: ColumnChunk[] = []
    for (const column of group.columns) columns.push(await this.#copyColumn(source, column))
    this.#parquet.row_groups.push({ ...group, columns })
    this.#parquet.num_rows += group.num_rows
  }

  /** Copies the pages unchanged; only offsets are recomputed. */
  async #copyColumn(source: LocalPart, column: ColumnChunk): Promise<ColumnChunk> {
    const meta = column.meta_data
    if (meta === undefined)
      throw new CorruptFileError(say`${source.path} keeps a column in another file: it was not written by kun-stream`)
    const start = Number(meta.dictionary_page_offset ?? meta.data_page_offset)
    const shift = BigInt(this.#bytes.offset - start)
    const offsetIndex = await offsetIndexOf(source, column)
    const { offset_index_offset, offset_index_length, column_index_offset, column_index_length, ...kept } = column
    const { bloom_filter_offset, bloom_filter_length, statistics, ...described } = meta
    const copied: ColumnChunk = {
      ...kept,
      file_offset: column.file_offset > 0n ? column.file_offset + shift : column.file_offset,
      meta_data: {
        ...described,
        data_page_offset: meta.data_page_offset + shift,
        ...(meta.dictionary_page_offset === undefined
          ? {}
          : { dictionary_page_offset: meta.dictionary_page_offset + shift }),
        ...(statistics === undefined || isTruncated(statistics) ? {} : { statistics }),
      },
    }
    const locations = offsetIndex?.page_locations.map((page) => ({ ...page, offset: page.offset + shift }))
    this.#parquet.pendingIndexes.push(
      locations === undefined ? { chunk: copied } : { chunk: copied, offsetIndex: { page_locations: locations } },
    )
    await this.#writeBuffered()
    const length = Number(meta.total_compressed_size)
    for (let at = 0; at < length; at += copyBytes) {
      await this.#write(await source.readBytes(start + at, start + Math.min(at + copyBytes, length)))
    }
    this.#bytes.offset += length
    return copied
  }

  async merge(source: LocalPart, row: number, rows: number, bytes: number): Promise<void> {
    const parts = Math.max(1, Math.ceil(bytes / this.#mergedBytes))
    const rowsAPart = Math.ceil(rows / parts)
    for (let start = row; start < row + rows; start += rowsAPart) {
      const end = Math.min(start + rowsAPart, row + rows)
      for (const value of await source.read(start, end)) this.#merging.push(value)
      this.#mergingBytes += Math.ceil((bytes * (end - start)) / rows)
      if (this.#mergingBytes >= this.#mergedBytes) await this.#flushMerged()
    }
  }

  async #flushMerged(): Promise<void> {
    const rows = this.#merging
    if (rows.length === 0) return
    this.#merging = []
    this.#mergingBytes = 0
    const columnData = topNames(this.#like).map((name) => ({ name, data: rows.map((row) => row[name]) }))
    await this.#parquet.write({ columnData, rowGroupSize: rows.length })
    await this.#writeBuffered()
  }

  async finish(): Promise<JoinResult> {
    await this.#flushMerged()
    await this.#parquet.finish()
    await this.#writeBuffered()
    await this.#file.sync()
    const groups = this.#parquet.row_groups
    return {
      rows: Number(this.#parquet.num_rows),
      bytes: this.#written,
      sha256: this.#hash.digest('hex'),
      uncompressedBytes: groups.reduce((sum, { total_byte_size }) => sum + Number(total_byte_size), 0),
      rowGroups: groups.length,
    }
  }

  /** Writes the buffer of the Parquet writer and empties it. Its `offset` is that of the file and is kept. */
  async #writeBuffered(): Promise<void> {
    await this.#write(this.#bytes.getBytes())
    this.#bytes.index = 0
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes)
    for (let done = 0; done < bytes.length; ) {
      done += (await this.#file.write(bytes, done, bytes.length - done, this.#written + done)).bytesWritten
    }
    this.#written += bytes.length
  }
}

async function offsetIndexOf(
  source: LocalPart,
  { offset_index_offset: offset, offset_index_length: length }: ColumnChunk,
): Promise<OffsetIndex | undefined> {
  if (offset === undefined || length === undefined) return undefined
  const bytes = await source.readBytes(Number(offset), Number(offset) + length)
  return readOffsetIndex({ view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 })
}

/** Whether a bound was truncated inside a character: it cannot be written back as the bytes it was, and is omitted. */
function isTruncated({ min_value, max_value, min, max }: Statistics): boolean {
  return [min_value, max_value, min, max].some((bound) => typeof bound === 'string' && bound.includes('\ufffd'))
}

function topNames({ schema }: FileMetaData): string[] {
  const names: string[] = []
  for (let at = 1; at < schema.length; at = after(schema, at)) names.push((schema[at] as { name: string }).name)
  return names
}

function after(schema: FileMetaData['schema'], at: number): number {
  let next = at + 1
  for (let child = 0; child < (schema[at]?.num_children ?? 0); child++) next = after(schema, next)
  return next
}
