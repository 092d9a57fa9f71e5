/**
 * A Parquet file that is read by range, from disk or over HTTP: the footer, then row groups, column chunks and rows.
 * Every offset and size in the file is checked before it is used. row-group.ts reads and decodes a row group.
 */
import { type FileMetaData, type ParquetParsers, parquetMetadata, parquetSchema } from 'hyparquet'
import { ShardDamageError } from '../errors.js'
import { type GroupFile, StoredRowGroup } from './row-group.js'
import { type DecodeLimit, decodeLimitDefault } from './row-ranges.js'

/** Bytes that are read by range. */
export interface ByteRanges {
  readonly sizeBytes: number
  /** Returns exactly the bytes of the range. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>
}

/** Options for `ParquetFile.open`; all optional. */
interface ParquetFileOptions {
  /** Limit of the stored bytes of a row group, and of the decoded bytes of a range of rows; 2 GiB by default. */
  readonly limit?: DecodeLimit
  /** How stored values become JavaScript values; those of hyparquet by default. */
  readonly parsers?: Partial<ParquetParsers>
  /**
   * Bytes at the end of the file that are read first; 8 by default: the length of the footer. A larger value saves a
   * request if the footer fits into it.
   */
  readonly tailBytes?: number
}

/** The length of the footer (4 bytes) and the magic 'PAR1'. */
const trailerBytes = 8
/** Largest footer that is read. */
const footerBytesMax = 1024 * 1024 * 1024
/** Largest number of rows of a row group: 32 bits. */
const rowsMax = 2 ** 31

export class ParquetFile implements GroupFile {
  readonly metadata: FileMetaData
  readonly parsers: Partial<ParquetParsers>
  readonly limit: DecodeLimit
  readonly #bytes: ByteRanges

  private constructor(bytes: ByteRanges, metadata: FileMetaData, options: ParquetFileOptions) {
    this.#bytes = bytes
    this.metadata = metadata
    this.limit = options.limit ?? decodeLimitDefault
    this.parsers = options.parsers ?? {}
  }

  /**
   * Reads the footer.
   *
   * @throws {ShardDamageError} the footer is missing or too large; other errors are those of hyparquet
   */
  static async open(bytes: ByteRanges, options: ParquetFileOptions = {}): Promise<ParquetFile> {
    return new ParquetFile(bytes, await readFooter(bytes, options), options)
  }

  /** Returns the same file with another footer, such as one with fewer columns. */
  withFooter(metadata: FileMetaData): ParquetFile {
    return new ParquetFile(this.#bytes, metadata, this)
  }

  get sizeBytes(): number {
    return this.#bytes.sizeBytes
  }

  /** Names of the top-level columns, in the order of the file. */
  get columns(): string[] {
    return parquetSchema(this.metadata).children.map(({ element }) => element.name)
  }

  /** @throws {ShardDamageError} the footer gives an impossible number */
  groupRows(group: number): number {
    const rows = Number(this.metadata.row_groups[group]?.num_rows)
    if (rows >= 0 && rows <= rowsMax) return rows
    throw new ShardDamageError('shard-corrupt', `the footer gives a row group ${rows} rows`)
  }

  /**
   * Reads the stored bytes of a row group; nothing is decoded yet.
   *
   * @throws {ShardDamageError} it is over the limit, or its page headers are not valid
   */
  readGroup(group: number): Promise<StoredRowGroup> {
    return StoredRowGroup.read(this, group, this.groupRows(group))
  }

  /** Returns the rows from `start` to before `end`. */
  async readRows(start: number, end: number): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = []
    let first = 0
    for (let group = 0; group < this.metadata.row_groups.length && first < end; group++) {
      const after = first + this.groupRows(group)
      if (after > start && after > first) {
        const stored = await this.readGroup(group)
        for await (const part of stored.readRows(Math.max(start - first, 0), Math.min(end, after) - first)) {
          for (const row of part) rows.push(row)
        }
      }
      first = after
    }
    return rows
  }

  /**
   * Returns the bytes from `start` to before `end`; a negative `start` counts from the end of the file.
   *
   * @throws {ShardDamageError} the range is not inside the file
   */
  async readBytes(start: number, end: number): Promise<Uint8Array> {
    const from = start < 0 ? this.sizeBytes + start : start
    if (!(from >= 0 && end >= from && end <= this.sizeBytes)) {
      throw new ShardDamageError('shard-corrupt', `the footer points to bytes ${from} to ${end}`)
    }
    return await this.#bytes.read(from, end - from)
  }
}

async function readFooter(bytes: ByteRanges, options: ParquetFileOptions): Promise<FileMetaData> {
  const { sizeBytes } = bytes
  const { tailBytes = trailerBytes, parsers = {} } = options
  const tailStart = Math.max(0, sizeBytes - Math.max(tailBytes, trailerBytes))
  const tail =
    sizeBytes < trailerBytes ? Buffer.alloc(0) : Buffer.from(await bytes.read(tailStart, sizeBytes - tailStart))
  if (tail.toString('latin1', tail.byteLength - 4) !== 'PAR1') {
    throw new ShardDamageError('shard-truncated', 'the footer is missing')
  }
  const footerBytes = tail.readUInt32LE(tail.byteLength - trailerBytes)
  if (footerBytes > sizeBytes - trailerBytes) {
    throw new Error(`parquet metadata length ${footerBytes} exceeds available buffer ${sizeBytes - trailerBytes}`)
  }
  if (footerBytes > footerBytesMax) {
    throw new ShardDamageError('shard-too-large', `the footer has ${footerBytes} bytes, ${footerBytesMax} are allowed`)
  }
  const wantedBytes = footerBytes + trailerBytes
  const footer = wantedBytes <= tail.byteLength ? tail : await bytes.read(sizeBytes - wantedBytes, wantedBytes)
  return parquetMetadata(footer, { parsers, geoparquet: false })
}
