/**
 * Gathers the chunks of a block into the columns of batch.ts. Texts are kept as UTF-16 until the block is whole and
 * turned into UTF-8 in one go; buffers grow once and serve every block of the thread; `take` copies what is used into
 * one shared buffer, in which the columns lie end to end.
 */
import { Buffer, transcode } from 'node:buffer'
import { ContractError } from '../errors.js'
import type { ChunkColumns, TextColumn } from './batch.js'
import { enlarged } from './grow-array.js'
import type { Signer } from './signature.js'

export interface ChunkRow {
  readonly document: number
  readonly chunk: number
  readonly offset: number
  readonly key: string
  readonly title: string
  readonly tokens: number
  readonly letters: number
}

export class ColumnsBuilder {
  rows = 0
  private document = new Int32Array(64)
  private chunk = new Int32Array(64)
  private offset = new Float64Array(64)
  private tokens = new Int32Array(64)
  private letters = new Int32Array(64)
  private fingerprint = new Uint8Array(64 * fingerprintBytes)
  private signature: Uint8Array<ArrayBuffer>
  private readonly key = new StringColumnBuilder()
  private readonly title = new StringColumnBuilder()
  private textOffsets = new Int32Array(65)
  private textCodes = new Uint16Array(1 << 16)
  private textLength = 0

  constructor(private readonly minima: number) {
    this.signature = new Uint8Array(64 * minima)
  }

  /**
   * Signs codes[start … end), well-formed UTF-16, and appends it as a row.
   *
   * @param bytes what the text takes in UTF-8
   */
  add(
    row: Omit<ChunkRow, 'letters'>,
    codes: Uint16Array,
    start: number,
    end: number,
    bytes: number,
    signer: Signer,
  ): void {
    if (this.rows === this.document.length) this.grow()
    const index = this.rows++
    this.document[index] = row.document
    this.chunk[index] = row.chunk
    this.offset[index] = row.offset
    this.tokens[index] = row.tokens
    this.key.add(row.key)
    this.title.add(row.title)
    this.addText(codes, start, end)
    this.textOffsets[this.rows] = (this.textOffsets[index] as number) + bytes
    this.letters[index] = signer.signUnits(codes, start, end, index, this.fingerprint, this.signature)
  }

  /** Forgets rows of a block that came to nothing. */
  clear(): void {
    this.rows = 0
    this.textLength = 0
    this.key.clear()
    this.title.clear()
  }

  /**
   * The columns, as views of one shared buffer; the builder is empty again.
   *
   * @param room is that buffer where it is large enough; else one is made
   */
  take(room: SharedArrayBuffer | null = null): ChunkColumns {
    const { rows, key, title } = this
    const text = { offsets: this.textOffsets, bytes: this.encodedText() }
    const textsBytes = key.bytes.length + title.bytes.length + text.bytes.length
    const bytes = rows * (rowBytes + this.minima) + 3 * offsetsBytes(rows) + textsBytes
    const out = new ColumnsRoom(room !== null && room.byteLength >= bytes ? room : new SharedArrayBuffer(bytes))
    // Wide columns first: each then begins where it may.
    const columns = {
      rows,
      offset: out.floats(this.offset, rows),
      document: out.integers(this.document, rows),
      chunk: out.integers(this.chunk, rows),
      tokens: out.integers(this.tokens, rows),
      letters: out.integers(this.letters, rows),
    }
    const offsets = [key, title, text].map((column) => out.integers(column.offsets, rows + 1))
    const [keys, titles, texts] = [key, title, text].map((column, index) => ({
      offsets: offsets[index] as Int32Array,
      bytes: out.bytes(column.bytes, column.bytes.length),
    })) as [TextColumn, TextColumn, TextColumn]
    const fingerprint = out.bytes(this.fingerprint, rows * fingerprintBytes)
    const signature = out.bytes(this.signature, rows * this.minima)
    this.clear()
    return { ...columns, key: keys, title: titles, text: texts, fingerprint, signature }
  }

  private addText(codes: Uint16Array, start: number, end: number): void {
    const length = this.textLength + end - start
    if (length > this.textCodes.length) this.textCodes = enlarged(this.textCodes, 2 * length)
    this.textCodes.set(codes.subarray(start, end), this.textLength)
    this.textLength = length
  }

  private encodedText(): Uint8Array {
    const source = Buffer.from(this.textCodes.buffer, 0, 2 * this.textLength)
    const encoded = this.textLength === 0 ? new Uint8Array(0) : transcode(source, 'utf16le', 'utf8')
    const expected = this.textOffsets[this.rows]
    if (encoded.length === expected) return encoded
    throw new ContractError(`texts of ${expected} bytes took ${encoded.length} in UTF-8`)
  }

  private grow(): void {
    const rows = 2 * this.document.length
    this.document = enlarged(this.document, rows)
    this.chunk = enlarged(this.chunk, rows)
    this.offset = enlarged(this.offset, rows)
    this.tokens = enlarged(this.tokens, rows)
    this.letters = enlarged(this.letters, rows)
    this.fingerprint = enlarged(this.fingerprint, rows * fingerprintBytes)
    this.signature = enlarged(this.signature, rows * this.minima)
    this.textOffsets = enlarged(this.textOffsets, rows + 1)
  }
}

const fingerprintBytes = 16
/** Of a row: its offset, four integers, its fingerprint; signature and texts come on top. */
const rowBytes = 8 + 4 * 4 + fingerprintBytes

/** Of a text column: one more than there are rows. */
function offsetsBytes(rows: number): number {
  return 4 * (rows + 1)
}

/** Columns end to end in one buffer. */
class ColumnsRoom {
  private used = 0

  constructor(private readonly buffer: SharedArrayBuffer) {}

  floats(values: Float64Array, count: number): Float64Array {
    const column = new Float64Array(this.buffer, this.used, count)
    column.set(values.subarray(0, count))
    this.used += column.byteLength
    return column
  }

  integers(values: Int32Array, count: number): Int32Array {
    const column = new Int32Array(this.buffer, this.used, count)
    column.set(values.subarray(0, count))
    this.used += column.byteLength
    return column
  }

  bytes(values: Uint8Array, count: number): Uint8Array {
    const column = new Uint8Array(this.buffer, this.used, count)
    column.set(values.subarray(0, count))
    this.used += count
    return column
  }
}

/** Short strings: keys and titles. */
class StringColumnBuilder implements TextColumn {
  offsets = new Int32Array(65)
  private room = Buffer.from(new ArrayBuffer(4096))
  private rows = 0
  private previous = ''

  /** The same string as the row before (chunks of one document) is copied, not encoded again. */
  add(value: string): void {
    const start = this.offsets[this.rows] as number
    if (this.rows + 2 > this.offsets.length) this.offsets = enlarged(this.offsets, 2 * this.offsets.length)
    const room = start + 3 * value.length
    if (room > this.room.length) this.room = Buffer.from(enlarged(new Uint8Array(this.room.buffer), 2 * room).buffer)
    let written = 0
    if (value !== '') {
      if (this.rows > 0 && value === this.previous) {
        const before = this.offsets[this.rows - 1] as number
        this.room.copyWithin(start, before, start)
        written = start - before
      } else written = this.room.write(value, start, 'utf8')
    }
    this.previous = value
    this.rows++
    this.offsets[this.rows] = start + written
  }

  get bytes(): Uint8Array {
    return this.room.subarray(0, this.offsets[this.rows])
  }

  clear(): void {
    this.rows = 0
    this.previous = ''
  }
}
