/**
 * Rows of a Parquet file as JSON Lines of the mapped columns, cut into pieces inside row groups. Runs in the
 * thread of parquet-thread.ts and knows nothing of it: bytes come through `read`.
 */
import { ShardDamageError } from '../../errors.js'
import { ParquetFile } from '../../parquet/parquet-file.js'
import type { RefusedRecord } from '../../text/block.js'
import type { FieldMapping } from '../../text/mapping.js'
import { mappedColumns } from './parquet-columns.js'
import { parsers, rowLine } from './parquet-line.js'
import type { FormatCursor, FormatOptions, Piece } from './raw-block.js'
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
  const limit = { bytesMax: input.options.decodeBytesMax, name: 'read.decodeBytesMax' }
  let row = 0
  try {
    const whole = await ParquetFile.open({ sizeBytes: input.sizeBytes, read }, { limit, parsers })
    const mapped = mappedColumns(whole.metadata, input.mapping) // also checks that there is a text
    const file = input.options.allColumns ? whole : whole.withFooter(mapped)
    for (let group = 0; group < file.metadata.row_groups.length; group++) {
      const rows = file.groupRows(group)
      if (group >= input.from.group && rows > 0) yield* groupPieces(file, group, { row, rows }, input)
      row += rows
    }
  } catch (error) {
    yield lost(row, error, null)
  }
}

/** One reject for the rows lost from `row` on. */
function lost(row: number, error: unknown, next: RowCursor | null): Piece {
  const reason = error instanceof ShardDamageError ? error.reason : 'shard-corrupt'
  const refused = [damaged(row, { reason, detail: `parquet: ${(error as Error).message}` }, new Uint8Array(0))]
  return { bytes: new Uint8Array(0), offset: row, offsetUnit: 'row', refused, next }
}

async function* groupPieces(
  file: ParquetFile,
  group: number,
  { row, rows }: { row: number; rows: number },
  { from, options }: ParquetInput,
): AsyncGenerator<Piece> {
  const first = group === from.group ? from.row : 0
  let at = 0
  try {
    const stored = await file.readGroup(group)
    const outputBytesMax = outputFreeBytes + stored.storedBytes * outputRatioMax
    for (const range of stored.ranges()) {
      if (range.to <= first) continue
      at = Math.max(range.from, first)
      const records = await stored.decode(range)
      const place = { first, from: range.from, row, group, rows, outputBytesMax }
      for (const piece of cutRows(records, place, options)) {
        yield piece
        at = piece.next !== null && 'row' in piece.next && piece.next.group === group ? piece.next.row : rows
      }
    }
  } catch (error) {
    const detail = `rows ${row + at} to ${row + rows - 1} of row group ${group}: ${(error as Error).message}`
    const reason = error instanceof ShardDamageError ? error.reason : 'shard-corrupt'
    const next = group + 1 < file.metadata.row_groups.length ? { group: group + 1, row: 0 } : null
    yield lost(row + at, new ShardDamageError(reason, detail), next)
  }
}

/** Lines of JSON to stored bytes of a range, past the first `outputFreeBytes`: text is 2 to 10, a bomb over 1,000. */
const outputRatioMax = 300
const outputFreeBytes = 64 * 1024 * 1024

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
