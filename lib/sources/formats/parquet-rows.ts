/**
 * Reads the mapped columns of a Parquet file as blocks of JSON Lines; no block spans two row groups. Runs in the thread of
 * parquet-thread.ts and gets bytes through `read`.
 */
import { errorMessage } from '../../caught-error.js'
import { ShardDamageError } from '../../errors.js'
import { ParquetFile } from '../../parquet/parquet-file.js'
import type { RejectedRecord } from '../../text/block.js'
import type { FieldMapping } from '../../text/mapping.js'
import { mappedColumns } from './parquet-columns.js'
import { parsers, rowLine } from './parquet-line.js'
import type { FormatCursor, FormatOptions, RawBlock } from './raw-block.js'
import { damagedRecord, excerptBytes, recordTooLarge } from './rejected-records.js'

type RowCursor = Extract<FormatCursor, { group: number }>

export interface ParquetInput {
  readonly sizeBytes: number
  readonly mapping: FieldMapping
  readonly from: RowCursor
  readonly options: FormatOptions
}

/**
 * Holds the stored bytes of one row group of the mapped columns, and decodes ranges of its rows within a limit. Rows that
 * cannot be decoded are one reject at the first of them, together with the rest of the row group.
 *
 * @param read never rejects: a failed read ends the thread
 */
export async function* rowBlocks(
  input: ParquetInput,
  read: (offset: number, lengthBytes: number) => Promise<Uint8Array>,
): AsyncGenerator<RawBlock> {
  const limit = { bytesMax: input.options.decodeBytesMax, name: 'read.decodeBytesMax' }
  let row = 0
  try {
    const whole = await ParquetFile.open({ sizeBytes: input.sizeBytes, read }, { limit, parsers })
    const mapped = mappedColumns(whole.metadata, input.mapping) // also checks that there is a text
    const file = input.options.allColumns ? whole : whole.withFooter(mapped)
    const groups = file.metadata.row_groups.map((_, group) => file.groupRows(group))
    const total = groups.reduce((sum, rows) => sum + rows, 0)
    for (const [group, rows] of groups.entries()) {
      if (group >= input.from.group && rows > 0) {
        for await (const rawBlock of groupBlocks(file, group, { row, rows }, input)) {
          const { next } = rawBlock
          const done = next !== null && 'row' in next && next.group === group ? next.row : rows
          yield { ...rawBlock, share: (row + done) / total }
        }
      }
      row += rows
    }
  } catch (error) {
    yield lost(row, error, null)
  }
}

/** Returns one reject for the rows lost from `row` on. */
function lost(row: number, error: unknown, next: RowCursor | null): RawBlock {
  const reason = error instanceof ShardDamageError ? error.reason : 'shard-corrupt'
  const rejected = [damagedRecord(row, { reason, detail: `parquet: ${errorMessage(error)}` }, new Uint8Array(0))]
  return { bytes: new Uint8Array(0), offset: row, offsetUnit: 'row', rejected, next }
}

async function* groupBlocks(
  file: ParquetFile,
  group: number,
  { row, rows }: { row: number; rows: number },
  { from, options }: ParquetInput,
): AsyncGenerator<RawBlock> {
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
      for (const rawBlock of cutRows(records, place, options)) {
        yield rawBlock
        at =
          rawBlock.next !== null && 'row' in rawBlock.next && rawBlock.next.group === group ? rawBlock.next.row : rows
      }
    }
  } catch (error) {
    const detail = `rows ${row + at} to ${row + rows - 1} of row group ${group}: ${errorMessage(error)}`
    const reason = error instanceof ShardDamageError ? error.reason : 'shard-corrupt'
    const next = group + 1 < file.metadata.row_groups.length ? { group: group + 1, row: 0 } : null
    yield lost(row + at, new ShardDamageError(reason, detail), next)
  }
}

/** Largest ratio of JSON to stored bytes of a row group after the first `outputFreeBytes`: 2 to 10 for text, over 1,000 for a bomb. */
const outputRatioMax = 300
const outputFreeBytes = 64 * 1024 * 1024

interface RangePlace {
  /** First row of the group to return. */
  readonly first: number
  /** Row of the group of the first record. */
  readonly from: number
  /** Row of the shard of the first row of the group. */
  readonly row: number
  readonly group: number
  /** Number of rows of the group. */
  readonly rows: number
  /** Largest output of the range. */
  readonly outputBytesMax: number
}

/**
 * A rejected row and the end of a range end a block, so that row n of a block is its n-th line.
 *
 * @throws {ShardDamageError} 'shard-too-large': the output is too large for the stored size, as for repeated values
 */
function* cutRows(
  records: readonly Record<string, unknown>[],
  { first, from, row, group, rows, outputBytesMax }: RangePlace,
  { blockBytes, recordBytesMax }: FormatOptions,
): Generator<RawBlock> {
  let lines: Buffer[] = []
  let lineBytes = 0
  let outputBytes = 0
  let start = Math.max(0, first - from)
  for (let index = 0; index < records.length; index++) {
    const line = rowLine(records[index] as Record<string, unknown>)
    outputBytes += line.byteLength
    if (outputBytes > outputBytesMax) {
      if (lines.length > 0) yield rawBlockOf(lines, row + from + start, [], { group, row: from + index })
      const detail = `row ${row + from + index} is past the ${outputBytesMax} bytes that the stored size allows`
      throw new ShardDamageError('shard-too-large', detail)
    }
    // Rows before the first are counted, so that a resumed read reaches the limit at the same row.
    if (index < start) continue
    const rejected: RejectedRecord[] = []
    if (line.byteLength - 1 > recordBytesMax) {
      rejected.push(recordTooLarge(row + from + index, line.byteLength - 1, recordBytesMax, excerptBytes(line)))
    } else {
      lines.push(line)
      lineBytes += line.byteLength
    }
    if (lineBytes < blockBytes && rejected.length === 0 && index + 1 < records.length) continue
    const next = from + index + 1 < rows ? { group, row: from + index + 1 } : { group: group + 1, row: 0 }
    yield rawBlockOf(lines, row + from + start, rejected, next)
    lines = []
    lineBytes = 0
    start = index + 1
  }
}

function rawBlockOf(
  lines: readonly Buffer[],
  offset: number,
  rejected: readonly RejectedRecord[],
  next: RowCursor,
): RawBlock {
  const bytes = Buffer.allocUnsafeSlow(lines.reduce((sum, line) => sum + line.byteLength, 0))
  let at = 0
  for (const each of lines) at += each.copy(bytes, at)
  return { bytes, offset, offsetUnit: 'row', rejected, next }
}
