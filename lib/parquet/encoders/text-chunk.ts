/**
 * Writes a column chunk of texts, with the bytes of `writeColumn` of hyparquet-writer, whose rules it follows or calls. A page is
 * encoded into one buffer; hyparquet-writer makes an array of bytes of every text and copies it into a buffer that starts at 1 kB.
 */
import type { ColumnChunk, OffsetIndex } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { getPageBoundaries } from 'hyparquet-writer/src/column.js'
import { writeDataPageV2, writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { useDictionary, writeDictionaryPage } from 'hyparquet-writer/src/dictionary.js'
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js'
import { getMaxRepetitionLevel } from 'hyparquet-writer/src/schema.js'
import type { ColumnEncoder, PageData } from 'hyparquet-writer/src/types.js'
import { ContractError } from '../../errors.js'

export interface WrittenChunk {
  readonly chunk: ColumnChunk
  readonly offsetIndex?: OffsetIndex
}

/** A page: the range of its values, and the bytes written for it with and without compression. */
interface WrittenPage {
  readonly start: number
  readonly offset: number
  readonly bytes: number
  readonly uncompressedBytes: number
}

export function writeTextChunk(writer: ByteWriter, column: ColumnEncoder, data: PageData): WrittenChunk {
  const offset = writer.offset
  const values = data.values as readonly unknown[]
  const isRequired = data.maxDefinitionLevel === 0
  const { dictionary, indexes } = mostDiffer(values)
    ? {}
    : useDictionary(data.values, 'BYTE_ARRAY', undefined, undefined, undefined, isRequired)
  const dictionaryBytes = dictionary === undefined ? 0 : writeDictionaryPage(writer, column, dictionary)
  const pagesOffset = writer.offset
  const bounds = new TextBounds()
  for (const value of dictionary ?? []) bounds.add(value)
  const pages =
    indexes === undefined
      ? writePlainPages(writer, column, data, bounds)
      : writeIndexPages(writer, column, data, indexes)
  const encoding = dictionary === undefined ? 'PLAIN' : 'RLE_DICTIONARY'
  const dataPages = { page_type: 'DATA_PAGE_V2', encoding, count: pages.length } as const
  const dictionaryPage = { page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 } as const
  const chunk: ColumnChunk = {
    meta_data: {
      type: 'BYTE_ARRAY',
      encodings: dictionary === undefined ? ['PLAIN'] : ['PLAIN', 'RLE_DICTIONARY'],
      path_in_schema: column.schemaPath.slice(1).map(({ name }) => name),
      codec: column.codec,
      num_values: BigInt(values.length),
      total_compressed_size: BigInt(writer.offset - offset),
      total_uncompressed_size: BigInt(pages.reduce((sum, page) => sum + page.uncompressedBytes, dictionaryBytes)),
      data_page_offset: BigInt(pagesOffset),
      ...(dictionary === undefined ? {} : { dictionary_page_offset: BigInt(offset) }),
      statistics: { ...bounds.statistics(), null_count: BigInt(nullsOf(data, 0, values.length)) },
      encoding_stats: dictionary === undefined ? [dataPages] : [dictionaryPage, dataPages],
    },
    file_offset: BigInt(offset),
  }
  return pages.length > 1 ? { chunk, offsetIndex: offsetIndexOf(pages, data.repetitionLevels) } : { chunk }
}

/**
 * Returns whether so many of the sampled texts differ in a few of their characters that `useDictionary` returns no dictionary.
 * It looks up whole texts, for which they must be hashed.
 */
function mostDiffer(values: readonly unknown[]): boolean {
  const seen = new Set<number>()
  const samples = Math.min(values.length, samplesMax)
  let [bytes, differentBytes] = [0, 0]
  for (let i = 0; i < samples; i++) {
    const value = values[samples === 1 ? 0 : Math.floor((i * (values.length - 1)) / (samples - 1))]
    if (typeof value !== 'string') continue
    const textBytes = value.length + lengthBytes
    bytes += textBytes
    const before = seen.size
    if (seen.add(shortHash(value)).size > before) differentBytes += textBytes
  }
  return differentBytes / bytes > differentMin
}

/** Both as in `useDictionary`. */
const [samplesMax, differentMin] = [1000, 0.9]

/** Returns a hash of the length and of eight characters: most of the time is waiting for their memory. */
function shortHash(text: string): number {
  const { length } = text
  let hash = length
  for (let at = length >> 1; at < Math.min(length, (length >> 1) + 4); at++)
    hash = Math.imul(hash, 31) + text.charCodeAt(at)
  for (let at = Math.max(0, length - 4); at < length; at++) hash = Math.imul(hash, 31) + text.charCodeAt(at)
  return hash | 0
}

/** Writes pages of indexes into the dictionary: a few bits a value. */
function writeIndexPages(
  writer: ByteWriter,
  column: ColumnEncoder,
  data: PageData,
  indexes: number[],
): readonly WrittenPage[] {
  const ranges = getPageBoundaries(indexes, 'INT32', undefined, column.pageSize, data.repetitionLevels)
  return ranges.map(({ start, end }) => {
    const offset = writer.offset
    const pageData = {
      values: indexes.slice(start, end),
      definitionLevels: data.definitionLevels.slice(start, end),
      repetitionLevels: data.repetitionLevels.slice(start, end),
      maxDefinitionLevel: data.maxDefinitionLevel,
    }
    const uncompressedBytes = writeDataPageV2({ writer, column, encoding: 'RLE_DICTIONARY', pageData })
    return { start, offset, bytes: writer.offset - offset, uncompressedBytes }
  })
}

/** Writes pages of texts, each with its length. A page ends before the text that fills it, between rows. */
function writePlainPages(
  writer: ByteWriter,
  column: ColumnEncoder,
  data: PageData,
  bounds: TextBounds,
): readonly WrittenPage[] {
  const values = data.values as readonly unknown[]
  const { repetitionLevels } = data
  const pages: WrittenPage[] = []
  let [start, at, textBytes] = [0, 0, 0]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    const from = at
    if (typeof value === 'string') {
      at = appendText(value, at)
      bounds.add(value) // here, where the text is in the processor's cache
    } else if (value !== null && value !== undefined) throw new ContractError(`a text is ${typeof value}`)
    const bytes = Math.max(0, at - from - lengthBytes)
    textBytes += bytes
    if (textBytes < column.pageSize || i === start || (repetitionLevels.length > 0 && repetitionLevels[i] !== 0))
      continue
    pages.push(writePlainPage(writer, column, data, { start, end: i }, from))
    page.copyWithin(0, from, at)
    ;[start, at, textBytes] = [i, at - from, bytes]
  }
  if (start < values.length) pages.push(writePlainPage(writer, column, data, { start, end: values.length }, at))
  if (page.byteLength > keptBytes) page = Buffer.allocUnsafeSlow(keptBytes)
  return pages
}

/** The page in work of this thread. */
let page = Buffer.allocUnsafeSlow(64 * 1024)
/** A larger page, of a text that is one by itself, is not kept. */
const keptBytes = 4 * 1024 * 1024
const lengthBytes = 4

/** Writes a text with its length at `at` of the page; returns where it ends. */
function appendText(text: string, at: number): number {
  // At most three bytes a code unit: the exact size is computed only where that does not fit.
  if (at + lengthBytes + 3 * text.length > page.byteLength) {
    const needed = at + lengthBytes + Buffer.byteLength(text)
    if (needed > page.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * page.byteLength))
      page.copy(larger, 0, 0, at)
      page = larger
    }
  }
  const bytes = text.length === 0 ? 0 : page.write(text, at + lengthBytes)
  page.writeUInt32LE(bytes, at)
  return at + lengthBytes + bytes
}

function writePlainPage(
  writer: ByteWriter,
  { schemaPath, codec, compressors }: ColumnEncoder,
  data: PageData,
  { start, end }: { readonly start: number; readonly end: number },
  pageBytes: number,
): WrittenPage {
  const offset = writer.offset
  const levels = new ByteWriter()
  const repetitionBytes = writeLevels(levels, data.repetitionLevels, start, end, getMaxRepetitionLevel(schemaPath))
  const definitionBytes = writeLevels(levels, data.definitionLevels, start, end, data.maxDefinitionLevel)
  const bytes = page.subarray(0, pageBytes)
  const compressed = compressors[codec]?.(bytes) ?? bytes
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: levels.offset + pageBytes,
    compressed_page_size: levels.offset + compressed.byteLength,
    data_page_header_v2: {
      num_values: end - start,
      num_nulls: nullsOf(data, start, end),
      num_rows: rowsOf(data, start, end),
      encoding: 'PLAIN',
      definition_levels_byte_length: definitionBytes,
      repetition_levels_byte_length: repetitionBytes,
      is_compressed: true,
    },
  })
  const headerBytes = writer.offset - offset
  writer.appendBytes(levels.getBytes())
  writer.appendBytes(compressed)
  const uncompressedBytes = headerBytes + levels.offset + pageBytes
  return { start, offset, bytes: writer.offset - offset, uncompressedBytes }
}

function writeLevels(writer: ByteWriter, levels: number[], start: number, end: number, max: number): number {
  return max === 0 ? 0 : writeRleBitPackedHybrid(writer, levels.slice(start, end), Math.ceil(Math.log2(max + 1)))
}

function nullsOf({ definitionLevels, maxDefinitionLevel }: PageData, start: number, end: number): number {
  let nulls = 0
  for (let i = start; i < Math.min(end, definitionLevels.length); i++) {
    if ((definitionLevels[i] as number) < maxDefinitionLevel) nulls++
  }
  return nulls
}

function rowsOf({ repetitionLevels }: PageData, start: number, end: number): number {
  if (repetitionLevels.length === 0) return end - start
  let rows = 0
  for (let i = start; i < end; i++) if (repetitionLevels[i] === 0) rows++
  return rows
}

function offsetIndexOf(pages: readonly WrittenPage[], repetitionLevels: readonly number[]): OffsetIndex {
  let [row, counted] = [0, 0]
  const page_locations = pages.map(({ start, offset, bytes }) => {
    if (repetitionLevels.length === 0) row = start
    else for (; counted < start; counted++) if (repetitionLevels[counted + 1] === 0) row++
    return { offset: BigInt(offset), compressed_page_size: bytes, first_row_index: BigInt(row) }
  })
  return { page_locations }
}

/** The least and the greatest text in the order of their UTF-8 bytes. */
class TextBounds {
  #min: string | undefined
  #max: string | undefined

  add(text: string): void {
    if (this.#min === undefined || this.#max === undefined) this.#min = this.#max = text
    else if (compareTexts(text, this.#max) > 0) this.#max = text
    else if (compareTexts(text, this.#min) < 0) this.#min = text
  }

  statistics(): { readonly min_value?: string; readonly max_value?: string } {
    const [min_value, max_value] = [this.#min, this.#max]
    return min_value === undefined || max_value === undefined ? {} : { min_value, max_value }
  }
}

function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i)
    const b = right.charCodeAt(i)
    if (a !== b) return codePointRank(a) - codePointRank(b)
  }
  return left.length - right.length
}

/** Returns a number that orders the units at the first difference of two well-formed texts like their code points. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
