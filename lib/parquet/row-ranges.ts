/** Divides the rows of a row group into ranges that are decoded one after the other within a memory limit. */
import { ShardDamageError } from '../errors.js'
import { type ColumnPages, valueBytes } from './column-pages.js'

/** Target for the decoded bytes of a range. */
const rangeBytes = 64 * 1024 * 1024

/** Rows of a row group: `from` inclusive, `to` exclusive. */
export interface RowRange {
  readonly from: number
  readonly to: number
}

/** The largest number of bytes that may be decoded at a time, and the name of this limit in messages. */
export interface DecodeLimit {
  readonly bytesMax: number
  readonly name: string
}

/** For files of kun-stream and footers, where no option gives a limit. */
export const decodeLimitDefault: DecodeLimit = { bytesMax: 2 ** 31, name: 'the limit' }

/**
 * Returns the ranges of rows of a row group. They depend on the file alone, so that a resumed read gets the same ranges.
 *
 * @param flat every value of every column is a row; otherwise the group is one range
 * @throws {ShardDamageError} 'shard-too-large': a range decodes to more than the limit
 */
export function rowRanges(
  columns: readonly ColumnPages[],
  rows: number,
  flat: boolean,
  limit: DecodeLimit,
): RowRange[] {
  if (flat) {
    const short = columns.map(({ valuesBefore }) => valuesBefore.at(-1) as number).find((values) => values !== rows)
    if (short !== undefined) {
      throw new ShardDamageError('shard-corrupt', `a row group of ${rows} rows has ${short} values in a column`)
    }
  }
  const ends = flat
    ? [...new Set(columns.flatMap(({ valuesBefore }) => valuesBefore.slice(1)))].sort((a, b) => a - b)
    : [rows]
  const ranges: RowRange[] = []
  let from = 0
  for (let index = 0; index < ends.length; index++) {
    const to = ends[index] as number
    const next = ends[index + 1]
    if (to === from || (next !== undefined && costOf(columns, from, next, flat) <= rangeBytes)) continue
    const bytes = costOf(columns, from, to, flat)
    if (bytes > limit.bytesMax) {
      throw new ShardDamageError(
        'shard-too-large',
        `${to - from} rows decode to ${bytes} bytes at once, ${limit.name} is ${limit.bytesMax}`,
      )
    }
    ranges.push({ from, to })
    from = to
  }
  return ranges
}

function costOf(columns: readonly ColumnPages[], from: number, to: number, flat: boolean): number {
  let bytes = (to - from) * valueBytes
  for (const { dictionaryBytes, valuesBefore, bytesBefore } of columns) {
    const first = flat ? pageAt(valuesBefore, from) : 0
    const last = flat ? pageAt(valuesBefore, to - 1) : bytesBefore.length - 2
    bytes += dictionaryBytes + (bytesBefore[last + 1] as number) - (bytesBefore[first] as number)
  }
  return bytes
}

/** Returns the index of the page of a row: the last page that begins at or before it. */
function pageAt(valuesBefore: readonly number[], row: number): number {
  let low = 0
  let high = valuesBefore.length - 2
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((valuesBefore[middle] as number) <= row) low = middle
    else high = middle - 1
  }
  return Math.max(0, low)
}
