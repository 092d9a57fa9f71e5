/**
 * Decoded size of a Parquet column chunk, from its page headers alone, before any page is decompressed; and rows in
 * ranges that are decoded one after the other within a budget. Format: parquet-format, parquet.thrift, PageHeader.
 */
import { ShardDamageError } from '../errors.js'
import { repeatedBytes } from './delta-pages.js'
import { readThrift, type ThriftFields } from './thrift.js'

/** Overhead of a value besides its bytes: levels, an entry of a list, a field of a row. */
const valueBytes = 64
/** Target for the rows that are decoded at once. */
const rangeBytes = 64 * 1024 * 1024

const dataPage = 0
const dictionaryPage = 2
const dataPageV2 = 3
/** Encoding DELTA_BYTE_ARRAY. */
const deltaByteArray = 7

export interface ColumnPages {
  /** Decoded again for every range. */
  readonly dictionaryBytes: number
  /** In order; the values before each, and the bytes before each. A last entry holds the sums. */
  readonly valuesBefore: readonly number[]
  readonly bytesBefore: readonly number[]
}

export interface RowRange {
  readonly from: number
  readonly to: number
}

/** How the values of a column are stored. */
export interface ColumnStorage {
  readonly decompress: (page: Uint8Array, decodedBytes: number) => Uint8Array
  readonly repeated: boolean
  readonly optional: boolean
  /** A page that decodes to more than that is not looked into. */
  readonly decodeBytesMax: number
}

/**
 * @param values of the chunk by the footer, where its pages end
 * @throws {ShardDamageError} a page header is not valid, or leads out of the chunk
 */
export function columnPages(chunk: Uint8Array, values: number, storage: ColumnStorage): ColumnPages {
  const valuesBefore = [0]
  const bytesBefore = [0]
  let dictionaryBytes = 0
  let found = 0
  for (let at = 0; found < values && at < chunk.byteLength - 1; ) {
    const { fields, end } = readThrift(chunk, at)
    const [type, decodedBytes, storedBytes] = [fields.number(1), fields.number(2), fields.number(3)]
    if (!(storedBytes >= 0 && decodedBytes >= 0 && end + storedBytes <= chunk.byteLength)) {
      throw new ShardDamageError('shard-corrupt', `a page header gives ${storedBytes} bytes, ${decodedBytes} decoded`)
    }
    at = end + storedBytes
    const header = fields.struct(type === dictionaryPage ? 7 : type === dataPage ? 5 : 8)
    const pageValues = header?.number(1)
    if (type !== dataPage && type !== dictionaryPage && type !== dataPageV2) continue
    if (!(pageValues !== undefined && pageValues >= 0)) {
      throw new ShardDamageError('shard-corrupt', 'a page header gives no number of values')
    }
    let bytes = decodedBytes + pageValues * valueBytes
    if (header?.number(type === dataPageV2 ? 4 : 2) === deltaByteArray && bytes <= storage.decodeBytesMax) {
      const stored = chunk.subarray(end, at)
      const page =
        type === dataPage ? valuesOf(stored, decodedBytes, storage) : valuesOfV2(stored, decodedBytes, header, storage)
      if (page.byteLength > 0) bytes += repeatedBytes(page)
    }
    if (type === dictionaryPage) dictionaryBytes += bytes
    else {
      found += pageValues
      valuesBefore.push(found)
      bytesBefore.push((bytesBefore.at(-1) as number) + bytes)
    }
  }
  return { dictionaryBytes, valuesBefore, bytesBefore }
}

/** The values of a data page, behind its levels, each with its length before it. */
function valuesOf(
  stored: Uint8Array,
  decodedBytes: number,
  { decompress, repeated, optional }: ColumnStorage,
): Uint8Array {
  const page = decompress(stored, decodedBytes)
  let at = 0
  for (const levels of [repeated, optional]) {
    if (!levels || at + 4 > page.byteLength) continue
    at += 4 + new DataView(page.buffer, page.byteOffset).getUint32(at, true)
  }
  return page.subarray(at)
}

/** The same of a page of version 2, whose levels are not compressed and have their lengths in the header. */
function valuesOfV2(
  stored: Uint8Array,
  decodedBytes: number,
  header: ThriftFields,
  { decompress }: ColumnStorage,
): Uint8Array {
  const levelBytes = header.number(5) + header.number(6)
  const values = stored.subarray(levelBytes)
  return header.number(7) === 0 ? values : decompress(values, decodedBytes - levelBytes)
}

/**
 * The rows of a group in ranges to be decoded one by one. Depends on the file alone, so that a resumed read finds the same.
 *
 * @param flat a value is a row in every column; else the group is one range
 * @throws {ShardDamageError} 'shard-too-large': a range takes more than `decodeBytesMax`
 */
export function rowRanges(
  columns: readonly ColumnPages[],
  rows: number,
  flat: boolean,
  decodeBytesMax: number,
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
    if (bytes > decodeBytesMax) {
      throw new ShardDamageError(
        'shard-too-large',
        `${to - from} rows decode to ${bytes} bytes at once, read.decodeBytesMax is ${decodeBytesMax}`,
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

/** The page of a row: the last that begins at or before it. */
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
