/**
 * Gathers the chunks of a block into the columns of batch.ts. Texts are kept as UTF-16 until the block is whole and
 * turned into UTF-8 in one go; buffers grow once and serve every block of the thread; `take` copies out what is used.
 */
import { Buffer, transcode } from 'node:buffer'
import { ContractError } from '../errors.js'
import type { ChunkColumns, TextColumn } from './batch.js'
import { enlarged } from './enlarged.js'
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
  private signature: Uint32Array<ArrayBuffer>
  private readonly key = new StringColumnBuilder()
  private readonly title = new StringColumnBuilder()
  private textOffsets = new Int32Array(65)
  private textCodes = new Uint16Array(1 << 16)
  private textLength = 0

  constructor(private readonly permutations: number) {
    this.signature = new Uint32Array(64 * permutations)
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
    this.letters[index] = signer.sign(
      Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength).toString('utf16le', 2 * start, 2 * end),
      this.fingerprint.subarray(index * fingerprintBytes, (index + 1) * fingerprintBytes),
      this.signature.subarray(index * this.permutations, (index + 1) * this.permutations),
    )
  }

  /** Forgets rows of a block that came to nothing. */
  clear(): void {
    this.rows = 0
    this.textLength = 0
    this.key.clear()
    this.title.clear()
  }

  /** The columns, each in a buffer of its own that can be moved; the builder is empty again. */
  take(): ChunkColumns {
    const { rows } = this
    const columns: ChunkColumns = {
      rows,
      document: this.document.slice(0, rows),
      chunk: this.chunk.slice(0, rows),
      offset: this.offset.slice(0, rows),
      key: this.key.take(),
      title: this.title.take(),
      text: this.takeText(),
      tokens: this.tokens.slice(0, rows),
      letters: this.letters.slice(0, rows),
      fingerprint: this.fingerprint.slice(0, rows * fingerprintBytes),
      signature: this.signature.slice(0, rows * this.permutations),
    }
    this.clear()
    return columns
  }

  private addText(codes: Uint16Array, start: number, end: number): void {
    const length = this.textLength + end - start
    if (length > this.textCodes.length) this.textCodes = enlarged(this.textCodes, 2 * length)
    this.textCodes.set(codes.subarray(start, end), this.textLength)
    this.textLength = length
  }

  private takeText(): TextColumn {
    const offsets = this.textOffsets.slice(0, this.rows + 1)
    const source = Buffer.from(this.textCodes.buffer, 0, 2 * this.textLength)
    const encoded = this.textLength === 0 ? new Uint8Array(0) : transcode(source, 'utf16le', 'utf8')
    if (encoded.length !== offsets[this.rows]) {
      throw new ContractError(`texts of ${offsets[this.rows]} bytes took ${encoded.length} in UTF-8`)
    }
    const bytes = ownsBuffer(encoded) ? new Uint8Array(encoded.buffer) : encoded.slice()
    return { offsets, bytes }
  }

  private grow(): void {
    const rows = 2 * this.document.length
    this.document = enlarged(this.document, rows)
    this.chunk = enlarged(this.chunk, rows)
    this.offset = enlarged(this.offset, rows)
    this.tokens = enlarged(this.tokens, rows)
    this.letters = enlarged(this.letters, rows)
    this.fingerprint = enlarged(this.fingerprint, rows * fingerprintBytes)
    this.signature = enlarged(this.signature, rows * this.permutations)
    this.textOffsets = enlarged(this.textOffsets, rows + 1)
  }
}

const fingerprintBytes = 16

/** Short strings: keys and titles. */
class StringColumnBuilder {
  private offsets = new Int32Array(65)
  private bytes = Buffer.from(new ArrayBuffer(4096))
  private rows = 0
  private previous = ''

  /** The same string as the row before (chunks of one document) is copied, not encoded again. */
  add(value: string): void {
    const start = this.offsets[this.rows] as number
    if (this.rows + 2 > this.offsets.length) this.offsets = enlarged(this.offsets, 2 * this.offsets.length)
    const room = start + 3 * value.length
    if (room > this.bytes.length) this.bytes = Buffer.from(enlarged(new Uint8Array(this.bytes.buffer), 2 * room).buffer)
    let written = 0
    if (value !== '') {
      if (this.rows > 0 && value === this.previous) {
        const before = this.offsets[this.rows - 1] as number
        this.bytes.copyWithin(start, before, start)
        written = start - before
      } else written = this.bytes.write(value, start, 'utf8')
    }
    this.previous = value
    this.rows++
    this.offsets[this.rows] = start + written
  }

  take(): TextColumn {
    const offsets = this.offsets.slice(0, this.rows + 1)
    const bytes = Uint8Array.prototype.slice.call(this.bytes, 0, offsets[this.rows]) as Uint8Array
    this.clear()
    return { offsets, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
  }

  clear(): void {
    this.rows = 0
    this.previous = ''
  }
}

function ownsBuffer(bytes: Uint8Array): boolean {
  return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
}
