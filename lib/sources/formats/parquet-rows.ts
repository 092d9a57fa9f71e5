/**
 * Rows of a Parquet file as JSON Lines of the mapped columns, cut into pieces inside row groups. Runs in the
 * thread of parquet-thread.ts and knows nothing of it: bytes come through `read`.
 */
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ShardDamageError } from '../../errors.js'
import type { RefusedRecord } from '../../text/batch.js'
import type { FieldMapping } from '../../text/mapping.js'
import { mappedColumns } from './parquet-columns.js'
import { parsers, rowLine } from './parquet-line.js'
import type { FormatCursor, FormatOptions, Piece } from './piece.js'
import { damaged, excerptBytes, recordTooLarge } from './refused.js'

type RowCursor = Extract<FormatCursor, { group: number }>

export interface ParquetInput {
  readonly sizeBytes: number
  readonly mapping: FieldMapping
  readonly from: RowCursor
  readonly options: FormatOptions
}

/** zlib's own where it has the codec: several times as fast. */
const codecs = {
  ...compressors,
  GZIP: (input: Uint8Array, outputBytes: number) => gunzipSync(input, { maxOutputLength: Math.max(1, outputBytes) }),
  BROTLI: (input: Uint8Array, outputBytes: number) =>
    brotliDecompressSync(input, { maxOutputLength: Math.max(1, outputBytes) }),
}

/**
 * Holds one row group of the mapped columns. A corrupt file ends in a refused record at the first row of the group
 * that cannot be decoded.
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
      const rows = Number(num_rows)
      if (group >= input.from.group && rows > 0) {
        const from = group === input.from.group ? input.from.row : 0
        const records = await readGroup(file, metadata, row, rows)
        yield* cutRows(records, from, row, group, input.options)
      }
      row += rows
    }
  } catch (error) {
    const reason = error instanceof ShardDamageError ? error.reason : 'shard-corrupt'
    const detail = `parquet: ${(error as Error).message}`
    const refused = [damaged(row, { reason, detail }, new Uint8Array(0))]
    yield { bytes: new Uint8Array(0), offset: row, offsetUnit: 'row', refused, next: null }
  }
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

async function readGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowStart: number,
  rows: number,
): Promise<Record<string, unknown>[]> {
  let records: Record<string, unknown>[] = []
  await parquetRead({
    file,
    metadata,
    rowStart,
    rowEnd: rowStart + rows,
    rowFormat: 'object',
    compressors: codecs,
    parsers,
    onComplete: (all) => {
      records = all
    },
  })
  if (records.length !== rows) {
    throw new ShardDamageError('shard-corrupt', `a row group of ${rows} rows holds ${records.length}`)
  }
  return records
}

/** A refused row ends its piece, so that row n of a piece is its n-th line. */
function* cutRows(
  records: readonly Record<string, unknown>[],
  from: number,
  groupRow: number,
  group: number,
  { blockBytes, recordBytesMax }: FormatOptions,
): Generator<Piece> {
  let lines: Buffer[] = []
  let lineBytes = 0
  let first = from
  for (let index = from; index < records.length; index++) {
    const line = rowLine(records[index] as Record<string, unknown>)
    const refused: RefusedRecord[] = []
    if (line.byteLength - 1 > recordBytesMax) {
      refused.push(recordTooLarge(groupRow + index, line.byteLength - 1, recordBytesMax, excerptBytes(line)))
    } else {
      lines.push(line)
      lineBytes += line.byteLength
    }
    if (lineBytes < blockBytes && refused.length === 0 && index + 1 < records.length) continue
    const next = index + 1 < records.length ? { group, row: index + 1 } : { group: group + 1, row: 0 }
    const bytes = Buffer.allocUnsafeSlow(lineBytes)
    let at = 0
    for (const each of lines) at += each.copy(bytes, at)
    yield { bytes, offset: groupRow + first, offsetUnit: 'row', refused, next }
    lines = []
    lineBytes = 0
    first = index + 1
  }
}

function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  if (bytes.byteLength === bytes.buffer.byteLength) return bytes.buffer as ArrayBuffer
  return bytes.slice().buffer as ArrayBuffer
}
