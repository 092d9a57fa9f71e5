/**
 * Decoded size of the pages of a Parquet column chunk, from their headers, before any page is decoded.
 * Format: parquet-format, parquet.thrift, PageHeader.
 */
import { ShardDamageError } from '../errors.js'
import { repeatedBytes } from './delta-pages.js'
import { readThrift, type ThriftFields } from './thrift.js'

/** Memory of a decoded value in addition to its bytes: levels, an entry of a list, a field of a row. */
export const valueBytes = 64

const dataPage = 0
const dictionaryPage = 2
const dataPageV2 = 3
/** Encoding DELTA_BYTE_ARRAY. */
const deltaByteArray = 7

export interface ColumnPages {
  /** Decoded size of the dictionary, which is decoded again for every range of rows. */
  readonly dictionaryBytes: number
  /** Number of values before each page; the last entry is the total. */
  readonly valuesBefore: readonly number[]
  /** Decoded bytes before each page; the last entry is the total. */
  readonly bytesBefore: readonly number[]
}

/** How the values of a column are stored. */
export interface ColumnStorage {
  readonly decompress: (page: Uint8Array, decodedBytes: number) => Uint8Array
  readonly repeated: boolean
  readonly optional: boolean
  /** A page whose header gives more decoded bytes is not decompressed. */
  readonly decodeBytesMax: number
}

/**
 * Returns the decoded sizes of the pages of a column chunk.
 *
 * @param values number of values of the chunk according to the footer; pages after them are ignored
 * @throws {ShardDamageError} a page header is not valid or points outside the chunk
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

/** Returns the encoded values of a data page, without its levels. */
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

/** The same for a page of version 2, whose levels are not compressed and whose header gives their length. */
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
