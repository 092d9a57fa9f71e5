/**
 * Rows of a Parquet file as JSON Lines of the mapped columns, cut into pieces inside row groups. Runs in the
 * thread of parquet-thread.ts and knows nothing of it: bytes come through `read`.
 */
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet'
import { ShardDamageError } from '../../errors.js'
import { pageCodecs } from '../../parquet/codecs.js'
import { type ColumnPages, type ColumnStorage, columnPages, rowRanges } from '../../parquet/page-headers.js'
import type { RefusedRecord } from '../../text/block.js'
import type { FieldMapping } from '../../text/mapping.js'
import { mappedColumns } from './parquet-columns.js'
import { parsers, rowLine } from './parquet-line.js'
import type { FormatCursor, FormatOptions, Piece } from './piece.js'
import { damaged, excerptBytes, recordTooLarge } from './rejected-records.js'

type RowCursor = Extract<FormatCursor, { group: number }>

export interface ParquetInput {
  readonly sizeBytes: number
  readonly mapping: FieldMapping
  readonly from: RowCursor
  readonly options: FormatOptions
}

/**
 * Holds the stored bytes of one row group of the mapped columns, and decodes it in ranges of rows within a budget. What
 * cannot be decoded is a refused record at its first row, and costs the rest of its row group.
 * @param read never rejects: bytes that cannot be had end the thread
 */
export async function* rowPieces(
  input: ParquetInput,
  read: (offset: number, lengthBytes: number) => Promise<Uint8Array>,
): AsyncGenerator<Piece> {
  const file: AsyncBuffer = {
    byteLength: input.sizeBytes,
    async slice(start, end = input.sizeBytes) {
      const from = start < 0 ? input.sizeBytes + start : start
      if (!(from >= 0 && end >= from && end <= input.sizeBytes)) {
        throw new ShardDamageError('shard-corrupt', `the footer points to bytes ${from} to ${end}`)
      }
      return ownBuffer(await read(from, end - from))
    },
  }
  let row = 0
  try {
    const metadata = mappedColumns(await readMetadata(file, input.sizeBytes), input.mapping)
    for (const [group, { num_rows }] of metadata.row_groups.entries()) {
      const rows = rowCount(num_rows)
      if (group >= input.from.group && rows > 0) yield* groupPieces(file, metadata, group, { row, rows }, input)
      row += rows
    }
  } catch (error) {
    yield lost(row, error, null)
  }
}

/** Largest number of rows of a group: 32 bits. */
const rowsMax = 2 ** 31

function rowCount(claimed: bigint | number): number {
  const rows = Number(claimed)
  if (rows >= 0 && rows <= rowsMax) return rows
  throw new ShardDamageError('shard-corrupt', `the footer gives a row group ${rows} rows`)
}

/** One reject for the rows lost from `row` on. */
function lost(row: number, error: unknown, next: RowCursor | null): Piece {
  const reason = error instanceof ShardDamageError ? error.reason : 'shard-corrupt'
  const refused = [damaged(row, { reason, detail: `parquet: ${(error as Error).message}` }, new Uint8Array(0))]
  return { bytes: new Uint8Array(0), offset: row, offsetUnit: 'row', refused, next }
}

async function* groupPieces(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: number,
  { row, rows }: { row: number; rows: number },
  { from, options }: ParquetInput,
): AsyncGenerator<Piece> {
  const first = group === from.group ? from.row : 0
  let at = 0
  try {
    const stored = await storedGroup(file, metadata, group, options.decodeBytesMax)
    const outputBytesMax = outputFreeBytes + stored.bytes * outputRatioMax
    for (const range of rowRanges(stored.columns, rows, stored.flat, options.decodeBytesMax)) {
      if (range.to <= first) continue
      at = Math.max(range.from, first)
      const records = await readRange(stored.file, metadata, row + range.from, row + range.to)
      const place = { first, from: range.from, row, group, rows, outputBytesMax }
      for (const piece of cutRows(records, place, options)) {
        yield piece
        at = piece.next !== null && 'row' in piece.next && piece.next.group === group ? piece.next.row : rows
      }
    }
  } catch (error) {
    const detail = `rows ${row + at} to ${row + rows - 1} of row group ${group}: ${(error as Error).message}`
    const reason = error instanceof ShardDamageError ? error.reason : 'shard-corrupt'
    const next = group + 1 < metadata.row_groups.length ? { group: group + 1, row: 0 } : null
    yield lost(row + at, new ShardDamageError(reason, detail), next)
  }
}

/** Lines of JSON to stored bytes of a range, past the first `outputFreeBytes`: text is 2 to 10, a bomb over 1,000. */
const outputRatioMax = 300
const outputFreeBytes = 64 * 1024 * 1024

interface StoredGroup {
  /** Serves the column chunks from memory. */
  readonly file: AsyncBuffer
  readonly columns: readonly ColumnPages[]
  readonly bytes: number
  readonly flat: boolean
}

/** The stored bytes of the mapped columns of a group, and what their page headers say. */
async function storedGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: number,
  bytesMax: number,
): Promise<StoredGroup> {
  const chunks: { start: number; end: number; bytes: ArrayBuffer }[] = []
  const columns: ColumnPages[] = []
  const root = parquetSchema(metadata)
  let total = 0
  let flat = metadata.schema.slice(1).every(({ repetition_type }) => repetition_type !== 'REPEATED')
  for (const { meta_data } of metadata.row_groups[group]?.columns ?? []) {
    if (meta_data === undefined) throw new ShardDamageError('shard-corrupt', 'a column has no metadata')
    const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset)
    const end = start + Number(meta_data.total_compressed_size)
    total += end - start
    if (total > bytesMax) {
      throw new ShardDamageError('shard-too-large', `${total} stored bytes, read.decodeBytesMax is ${bytesMax}`)
    }
    const bytes = await file.slice(start, end)
    chunks.push({ start, end, bytes })
    const storage = { ...storageOf(root, meta_data), decodeBytesMax: bytesMax }
    columns.push(columnPages(new Uint8Array(bytes), Number(meta_data.num_values), storage))
    if (meta_data.path_in_schema.length > 1) flat = false
  }
  const slice = async (start: number, end: number = file.byteLength): Promise<ArrayBuffer> => {
    const chunk = chunks.find((each) => each.start <= start && end <= each.end)
    if (chunk === undefined) return await file.slice(start, end)
    return chunk.start === start && chunk.end === end
      ? chunk.bytes
      : chunk.bytes.slice(start - chunk.start, end - chunk.start)
  }
  return { file: { byteLength: file.byteLength, slice }, columns, bytes: total, flat }
}

/** Length of the footer and 'PAR1'. */
const tailBytes = 8

async function readMetadata(file: AsyncBuffer, sizeBytes: number): Promise<FileMetaData> {
  const tail = sizeBytes < tailBytes ? Buffer.alloc(0) : Buffer.from(await file.slice(sizeBytes - tailBytes))
  if (tail.toString('latin1', 4) !== 'PAR1') throw new ShardDamageError('shard-truncated', 'the footer is missing')
  // By its length, not by a guess: what is read of the Hub is downloaded.
  return await parquetMetadataAsync(file, {
    initialFetchSize: tail.readUInt32LE(0) + tailBytes,
    parsers,
    geoparquet: false,
  })
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

async function readRange(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowStart: number,
  rowEnd: number,
): Promise<Record<string, unknown>[]> {
  let records: Record<string, unknown>[] = []
  await parquetRead({
    file,
    metadata,
    rowStart,
    rowEnd,
    rowFormat: 'object',
    compressors: pageCodecs,
    parsers,
    onComplete: (all) => {
      records = all
    },
  })
  if (records.length !== rowEnd - rowStart) {
    throw new ShardDamageError(
      'shard-corrupt',
      `${rowEnd - rowStart} rows are there by the footer, ${records.length} decoded`,
    )
  }
  return records
}

interface RangePlace {
  /** Row of the group from which on rows are wanted. */
  readonly first: number
  /** Row of the group that is the first record. */
  readonly from: number
  /** Row of the shard that is the group's first. */
  readonly row: number
  readonly group: number
  /** Of the group. */
  readonly rows: number
  /** Bytes of lines that the range may give. */
  readonly outputBytesMax: number
}

/**
 * A refused row ends its piece, so that row n of a piece is its n-th line. So does the end of a range.
 *
 * @throws {ShardDamageError} 'shard-too-large': the rows repeat a few stored values over and over
 */
function* cutRows(
  records: readonly Record<string, unknown>[],
  { first, from, row, group, rows, outputBytesMax }: RangePlace,
  { blockBytes, recordBytesMax }: FormatOptions,
): Generator<Piece> {
  let lines: Buffer[] = []
  let lineBytes = 0
  let outputBytes = 0
  let start = Math.max(0, first - from)
  for (let index = 0; index < records.length; index++) {
    const line = rowLine(records[index] as Record<string, unknown>)
    outputBytes += line.byteLength
    if (outputBytes > outputBytesMax) {
      if (lines.length > 0) yield pieceOf(lines, row + from + start, [], { group, row: from + index })
      const detail = `row ${row + from + index} is past the ${outputBytesMax} bytes that the stored size allows`
      throw new ShardDamageError('shard-too-large', detail)
    }
    // Rows before the first are counted, so that a resumed read ends where the first did.
    if (index < start) continue
    const refused: RefusedRecord[] = []
    if (line.byteLength - 1 > recordBytesMax) {
      refused.push(recordTooLarge(row + from + index, line.byteLength - 1, recordBytesMax, excerptBytes(line)))
    } else {
      lines.push(line)
      lineBytes += line.byteLength
    }
    if (lineBytes < blockBytes && refused.length === 0 && index + 1 < records.length) continue
    const next = from + index + 1 < rows ? { group, row: from + index + 1 } : { group: group + 1, row: 0 }
    yield pieceOf(lines, row + from + start, refused, next)
    lines = []
    lineBytes = 0
    start = index + 1
  }
}

function pieceOf(lines: readonly Buffer[], offset: number, refused: readonly RefusedRecord[], next: RowCursor): Piece {
  const bytes = Buffer.allocUnsafeSlow(lines.reduce((sum, line) => sum + line.byteLength, 0))
  let at = 0
  for (const each of lines) at += each.copy(bytes, at)
  return { bytes, offset, offsetUnit: 'row', refused, next }
}

function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  if (bytes.byteLength === bytes.buffer.byteLength) return bytes.buffer as ArrayBuffer
  return bytes.slice().buffer as ArrayBuffer
}
