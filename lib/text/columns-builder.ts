/**
 * Builds the columns of a block row by row. Texts are kept as UTF-16 until the block is complete and converted to UTF-8 by
 * one call of the kernel; buffers grow once and are reused for every block of the thread; `take` copies the used parts into one
 * shared buffer, in which the columns lie end to end.
 */
import { Buffer } from 'node:buffer'
import { ContractError } from '../errors.js'
import {
  type ChunkColumns,
  type FixedColumn,
  type FixedColumnName,
  type FixedColumns,
  fixedColumn,
  fixedColumnNames,
  makeFixedColumns,
  makeTextColumns,
  type TextColumn,
  textColumnNames,
  valuesPerRow,
} from './columns.js'
import { growArray } from './grow-array.js'
import type { Signer } from './signature.js'
import type { TextMemory } from './text-memory.js'

/** Values of a row, except its text and the columns that are computed from it. */
interface ChunkRow {
  readonly document: number
  readonly chunk: number
  readonly offset: number
  readonly key: string
  readonly title: string
  readonly heading: string
  readonly tokens: number
}

/** Rows of the first buffers. */
const firstRows = 64

export class ColumnsBuilder {
  #rows = 0
  #capacity = firstRows
  #fixed: FixedColumns
  readonly #signatureLength: number
  readonly #key = new StringColumnBuilder()
  readonly #title = new StringColumnBuilder()
  readonly #heading = new StringColumnBuilder()
  readonly #memory: TextMemory
  #textOffsets = new Int32Array(firstRows + 1)
  #textLength = 0

  /** @param memory holds the texts until the block is complete */
  constructor(signatureLength: number, memory: TextMemory) {
    this.#signatureLength = signatureLength
    this.#memory = memory
    this.#fixed = makeFixedColumns((name) => fixedColumn(name, firstRows * valuesPerRow(name, signatureLength)))
  }

  /**
   * Signs codes[start … end), well-formed UTF-16, and appends it as a row.
   *
   * @param bytes length of the text in UTF-8
   */
  add(row: ChunkRow, codes: Uint16Array, start: number, end: number, bytes: number, signer: Signer): void {
    if (this.#rows === this.#capacity) this.#grow()
    const index = this.#rows++
    const { document, chunk, offset, tokens, letters, fingerprint, signature } = this.#fixed
    document[index] = row.document
    chunk[index] = row.chunk
    offset[index] = row.offset
    tokens[index] = row.tokens
    this.#key.add(row.key)
    this.#title.add(row.title)
    this.#heading.add(row.heading)
    const text = start === 0 && end === codes.length ? codes : codes.subarray(start, end)
    letters[index] = signer.signUnits(text, index, fingerprint, signature)
    // Last: it may grow the memory that the code units are in.
    this.#addText(text)
    this.#textOffsets[this.#rows] = (this.#textOffsets[index] as number) + bytes
  }

  /** Discards all rows: those of a block that failed. */
  clear(): void {
    this.#rows = 0
    this.#textLength = 0
    this.#key.clear()
    this.#title.clear()
    this.#heading.clear()
  }

  /**
   * Returns the columns, as views of one shared buffer, and clears the builder.
   *
   * @param buffer is that buffer where it is large enough; else a new one is made
   */
  take(buffer: SharedArrayBuffer | null = null): ChunkColumns {
    const rows = this.#rows
    const signatureLength = this.#signatureLength
    const length = (name: FixedColumnName) => rows * valuesPerRow(name, signatureLength)
    const texts = { key: this.#key, title: this.#title, heading: this.#heading, text: this.#text() }
    let size = 0
    for (const name of fixedColumnNames) size += aligned(length(name) * this.#fixed[name].BYTES_PER_ELEMENT)
    for (const name of textColumnNames) {
      size += aligned((rows + 1) * Int32Array.BYTES_PER_ELEMENT) + aligned(texts[name].bytes.length)
    }
    const out = new SharedColumns(buffer !== null && buffer.byteLength >= size ? buffer : new SharedArrayBuffer(size))
    const columns = {
      rows,
      signatureLength,
      ...makeFixedColumns((name) => out.copy(this.#fixed[name], length(name))),
      ...makeTextColumns((name) => {
        const { offsets, bytes } = texts[name]
        return { offsets: out.copyIntegers(offsets, rows + 1), bytes: out.copyBytes(bytes) }
      }),
    }
    this.clear()
    return columns
  }

  #addText(codes: Uint16Array): void {
    const { chunks } = this.#memory
    const length = this.#textLength + codes.length
    const grows = length > chunks.view.length
    const text = grows ? codes.slice() : codes
    if (grows) chunks.reserve(length, this.#textLength)
    chunks.view.set(text, this.#textLength)
    this.#textLength = length
  }

  #text(): TextColumn {
    const offsets = this.#textOffsets
    const { kernel, chunks, chunkBytes } = this.#memory
    const expected = offsets[this.#rows] as number
    chunkBytes.reserve(expected)
    const written = kernel.encodeUtf8(chunks.base, this.#textLength, chunkBytes.base)
    if (written === expected) return { offsets, bytes: chunkBytes.view.subarray(0, written) }
    throw new ContractError(`texts of ${expected} bytes took ${written} in UTF-8`)
  }

  #grow(): void {
    const fixed = this.#fixed
    this.#capacity *= 2
    this.#fixed = makeFixedColumns((name) => growArray(fixed[name], 2 * fixed[name].length))
    this.#textOffsets = growArray(this.#textOffsets, this.#capacity + 1)
  }
}

/** Columns end to end in one buffer, each at a multiple of 8 bytes. */
class SharedColumns {
  readonly #buffer: SharedArrayBuffer
  #used = 0

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer
  }

  copy(values: FixedColumn, length: number): FixedColumn {
    if (values instanceof Int32Array) return this.copyIntegers(values, length)
    if (values instanceof Uint8Array) return this.copyBytes(values.subarray(0, length))
    const column = new Float64Array(this.#buffer, this.#allocate(length * 8), length)
    column.set(values.subarray(0, length))
    return column
  }

  copyIntegers(values: Int32Array, length: number): Int32Array {
    const column = new Int32Array(this.#buffer, this.#allocate(length * 4), length)
    column.set(values.subarray(0, length))
    return column
  }

  copyBytes(values: Uint8Array): Uint8Array {
    const column = new Uint8Array(this.#buffer, this.#allocate(values.length), values.length)
    column.set(values)
    return column
  }

  #allocate(bytes: number): number {
    const at = this.#used
    this.#used += aligned(bytes)
    return at
  }
}

function aligned(bytes: number): number {
  return (bytes + 7) & ~7
}

/** Builds a column of short strings: keys, titles and headings. */
class StringColumnBuilder implements TextColumn {
  offsets = new Int32Array(firstRows + 1)
  #buffer = Buffer.from(new ArrayBuffer(4096))
  #rows = 0
  #previous = ''

  /** A string equal to that of the row before (chunks of one document) is copied, not encoded again. */
  add(value: string): void {
    const start = this.offsets[this.#rows] as number
    if (this.#rows + 2 > this.offsets.length) this.offsets = growArray(this.offsets, 2 * this.offsets.length)
    const capacity = start + 3 * value.length
    if (capacity > this.#buffer.length) {
      this.#buffer = Buffer.from(growArray(new Uint8Array(this.#buffer.buffer), 2 * capacity).buffer)
    }
    let written = 0
    if (value !== '') {
      if (this.#rows > 0 && value === this.#previous) {
        const before = this.offsets[this.#rows - 1] as number
        this.#buffer.copyWithin(start, before, start)
        written = start - before
      } else written = this.#buffer.write(value, start, 'utf8')
    }
    this.#previous = value
    this.#rows++
    this.offsets[this.#rows] = start + written
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.offsets[this.#rows])
  }

  clear(): void {
    this.#rows = 0
    this.#previous = ''
  }
}
