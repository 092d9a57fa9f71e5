/**
 * Kept documents and hash tables in one WebAssembly memory of at most 4 GiB, which holds some 11 million documents. This
 * file owns the memory and copies data in and out; kernel/assembly does the work.
 */
import { type Banding, estimate, type SettleBand } from './banding.js'
import { type KeptRow, keyBytes } from './kept-frames.js'
import { hasPages, instantiateKernel, KernelRegion, noMemory, pageBytes } from './kernel-memory.js'

export interface KeptRowsOptions {
  /** Whether there is a table of keys, for exact duplicates. */
  readonly exact: boolean
  /** Bytes of a signature; 0 when near-duplicates are not looked for. */
  readonly signatureLength: number
  readonly banding: Banding
  readonly settleBand: SettleBand
  /** A multiple of 64 KiB, at most 4 GiB. */
  readonly bytesMax: number
}

/** A row that is a duplicate for certain, and of which document. */
interface DuplicateRow {
  readonly row: number
  readonly document: number
  readonly isEqual: boolean
  readonly similarity: number
}

/** A document that is or may be near the row, by its number in this part. */
interface SimilarRow {
  readonly document: number
  readonly similarity: number
}

/** Rows of a block, for `decideRows`. */
export interface RowsToDecide {
  readonly rows: number
  readonly keys: Uint8Array
  readonly signature: Uint8Array
  /** One byte a row: whether it has bands. */
  readonly banded: Uint8Array
  /** 16 bytes a row. */
  readonly ids: Uint8Array
  /** What the text of each row takes in the texts log; 0 if it is not stored. */
  readonly textBytes: Uint32Array
  /** Length of the texts log before the block. */
  readonly textsBytes: number
}

/** Rows of a block that were kept, in order, with the offsets of their texts; −1 for none. */
export interface RowsKept {
  readonly rows: Uint32Array
  readonly textOffsets: Float64Array
  /** Length of the texts log after them. */
  readonly textsBytes: number
}

/** Exports of kernel/assembly/index.ts and block.ts, documented there. */
interface Kernel {
  readonly memory: WebAssembly.Memory
  take(bytes: number): number
  usedPages(): number
  beginBlock(
    ...given: [
      ...[rows: number, keys: number, signatures: number, minima: number, banded: number, ids: number],
      ...[textBytes: number, decided: number, keptRows: number, keptOffsets: number, textsBytes: number],
    ]
  ): void
  decideRows(from: number): number
  keepRow(row: number): void
  keptCount(): number
  textsLogBytes(): number
  readonly rowBase: WebAssembly.Global
  readonly idBase: WebAssembly.Global
  readonly documentsPerBandMax: WebAssembly.Global
  pagesToConfigure(bands: number, keys: number): number
  configure(bands: number, rows: number, minima: number, keys: number, equalMin: number, equalSure: number): void
  sharingBase(): number
  foundBase(): number
  seek(near: number): number
  near(): number
  packId(): number
  keep(near: number, text: number): number
  pagesNeeded(): number
  usedBytes(): number
  textOf(document: number): number
  copyId(document: number): void
}

const idBytes = 16
/** Marks a row that is not a duplicate, and one that is by its key. */
const unset = 0xffffffff
/** Memory that a part must have left for a block, and for each of its rows: an upper bound of what they take. */
const blockBytesMax = 64 * 2 ** 20
const rowBytesMax = 2048
/** The tables store numbers of documents in 24 bits. */
const documentsMax = 2 ** 24
const columnAlign = 64

export class KeptRows {
  readonly #kernel: Kernel
  readonly #bands: number
  #pages = 0
  #count = 0
  #isFull = false
  #key = new Uint8Array(0)
  #signature = new Uint8Array(0)
  #id = Buffer.alloc(0)
  #sharing = new Uint8Array(0)
  #found = new Uint32Array(0)
  readonly #options: KeptRowsOptions
  /** The columns of a block, what is decided on its rows, and what is kept. */
  readonly #columns: KernelRegion
  #block = { rows: 0, outcomes: 0, kept: 0, texts: 0, count: 0 }

  /**
   * @param first number of its first document
   * @throws {MemoryRefusedError} the system provides no memory
   */
  constructor(
    options: KeptRowsOptions,
    readonly first: number,
  ) {
    this.#options = options
    const { exact, signatureLength, banding, settleBand } = options
    this.#bands = signatureLength === 0 ? 0 : banding.bands
    this.#kernel = instantiateKernel<Kernel>()
    this.#view()
    this.#columns = new KernelRegion(this.#kernel, options.bytesMax)
    const keys = exact ? 1 : 0
    if (!this.#hasPages(this.#kernel.pagesToConfigure(this.#bands, keys))) throw noMemory()
    const low = leastEqual(settleBand.low, signatureLength)
    const sure = leastEqual(settleBand.high, signatureLength)
    this.#kernel.configure(this.#bands, banding.rows, signatureLength, keys, low, sure)
    if (!this.#hasPages(this.#kernel.pagesNeeded())) throw noMemory()
    this.#view()
  }

  get count(): number {
    return this.#count
  }

  get memoryBytes(): number {
    return this.#kernel.usedBytes() >>> 0
  }

  /** Whether no further document fits. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Documents that a band takes; the earliest stay. */
  get documentsPerBandMax(): number {
    return this.#kernel.documentsPerBandMax.value
  }

  /** Number of documents that share each band with the row of the last call of `near`. */
  get sharing(): Uint8Array {
    return this.#sharing
  }

  /** Sets the row to search for. Returns the earliest document with its key, or −1. */
  seek(row: KeptRow): number {
    this.#key.set(row.key)
    if (this.#bands > 0) this.#signature.set(row.signature)
    return this.#kernel.seek(this.#isNear(row))
  }

  /** After `seek`: returns the number of documents that are or may be near the row, to be read with `similar`. */
  near(): number {
    return this.#kernel.near()
  }

  /** Returns the document at `place` among those, in input order; a sure one is the last. */
  similar(place: number): SimilarRow {
    const [equal, document] = [this.#found[place * 2] as number, this.#found[place * 2 + 1] as number]
    return { document, similarity: estimate(equal, this.#options.signatureLength) }
  }

  /** Sets the id of the row to keep. Returns false for an id other than 32 lower-case hexadecimal digits, which the caller stores. */
  packId(id: string): boolean {
    if (id.length !== idBytes * 2) return false
    // As UTF-16: faster than UTF-8, and no other character has the code of a digit.
    this.#id.write(id, 'utf16le')
    return this.#kernel.packId() !== 0
  }

  /** Adds the row of the last `seek`; if it has a shingle, `near` must be called before. Returns its number in this part. */
  keep(row: KeptRow): number {
    const pagesNeeded = this.#kernel.keep(this.#isNear(row), row.textOffset)
    this.#count++
    this.#isFull = this.#count === documentsMax || !this.#hasPages(pagesNeeded)
    return this.#count - 1
  }

  /** Begins a block of rows for `decideRows`. Returns false if this part may be too small for it. */
  begin(block: RowsToDecide): boolean {
    const { rows, keys, signature, banded, ids, textBytes, textsBytes } = block
    const bytesMax = this.memoryBytes + blockBytesMax + rows * rowBytesMax
    if (this.#count + rows > documentsMax || bytesMax > this.#options.bytesMax) return false
    // Bands are read eight bytes at a time, so the last one is read beyond its end.
    const columns = [keys, signature, new Uint8Array(8), ids, banded, textBytes]
    const lengths = [...columns.map(({ byteLength }) => byteLength), rows * 8, rows * 4, rows * 8]
    const offsets: number[] = []
    let end = 0
    for (const length of lengths) {
      offsets.push(end)
      end += Math.ceil(length / columnAlign) * columnAlign
    }
    const at = this.#columns.reserve(end)
    this.#refresh()
    const memory = new Uint8Array(this.#kernel.memory.buffer)
    columns.forEach((column, i) => {
      memory.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at + (offsets[i] as number))
    })
    const of = (column: number) => at + (offsets[column] as number)
    const [outcomes, kept, texts] = [of(6), of(7), of(8)]
    this.#block = { rows, outcomes, kept, texts, count: this.#count }
    const { signatureLength } = this.#options
    this.#kernel.beginBlock(
      ...[rows, of(0), of(1), signatureLength, of(4), of(3), of(5), outcomes, kept, texts, textsBytes],
    )
    return true
  }

  /**
   * Decides on the rows of the block from `from` on: keeps them, or finds a document of which they are duplicates for
   * certain. Returns the next row that has candidates, none of which before the last is; the number of rows at the end.
   *
   * @throws {MemoryRefusedError} the system provides no memory
   */
  decideRows(from: number): number {
    for (let row = from; ; ) {
      row = this.#kernel.decideRows(row)
      this.#count = this.#block.count + this.#kernel.keptCount()
      if (row === this.#block.rows) return row
      const needed = this.#kernel.pagesNeeded()
      if (needed <= this.#pages) return row
      if (!this.#hasPages(needed)) throw noMemory()
    }
  }

  /** Keeps the row that `decideRows` returned. */
  keepRow(row: number): void {
    this.#kernel.keepRow(row)
    this.#count++
  }

  /** Returns the rows of the block that `decideRows` found to be duplicates. */
  duplicates(): DuplicateRow[] {
    const { rows, outcomes } = this.#block
    const decided = new Uint32Array(this.#kernel.memory.buffer, outcomes, rows * 2)
    const duplicates: DuplicateRow[] = []
    for (let row = 0; row < rows; row++) {
      const [document, equal] = [decided[row * 2] as number, decided[row * 2 + 1] as number]
      if (document === unset) continue
      const isEqual = equal === unset
      const similarity = isEqual ? 1 : estimate(equal, this.#options.signatureLength)
      duplicates.push({ row, document, isEqual, similarity })
    }
    return duplicates
  }

  /** Returns what was kept of the block so far: copies, or views that are valid until the next call. */
  kept(copied: boolean): RowsKept {
    const { buffer } = this.#kernel.memory
    const { kept, texts } = this.#block
    const count = this.#kernel.keptCount()
    const [rows, textOffsets] = [new Uint32Array(buffer, kept, count), new Float64Array(buffer, texts, count)]
    const textsBytes = this.#kernel.textsLogBytes()
    return copied
      ? { rows: rows.slice(), textOffsets: textOffsets.slice(), textsBytes }
      : { rows, textOffsets, textsBytes }
  }

  textOffset(document: number): number {
    return this.#kernel.textOf(document)
  }

  /** Returns the id that `packId` accepted. */
  id(document: number): string {
    this.#kernel.copyId(document)
    return this.#id.toString('hex', 0, idBytes)
  }

  #isNear(row: KeptRow): number {
    return row.hasShingle && this.#bands > 0 ? 1 : 0
  }

  /** Returns false if the system has no more memory. */
  #hasPages(needed: number): boolean {
    if (needed <= this.#pages) return true
    if (!hasPages(this.#kernel.memory, needed, this.#options.bytesMax)) return false
    this.#view()
    return true
  }

  /** After memory that may have grown elsewhere. */
  #refresh(): void {
    if (this.#key.buffer !== this.#kernel.memory.buffer) this.#view()
  }

  /** Recreates the views, which growing the memory detaches. */
  #view(): void {
    const { memory, rowBase, idBase, documentsPerBandMax } = this.#kernel
    const { buffer } = memory
    this.#pages = buffer.byteLength / pageBytes
    this.#key = new Uint8Array(buffer, rowBase.value, keyBytes)
    this.#signature = new Uint8Array(buffer, rowBase.value + keyBytes, this.#options.signatureLength)
    this.#id = Buffer.from(buffer, idBase.value, idBytes * 4)
    this.#sharing = new Uint8Array(buffer, this.#kernel.sharingBase(), this.#bands)
    const foundMax = this.#bands * documentsPerBandMax.value
    this.#found = new Uint32Array(buffer, this.#kernel.foundBase(), foundMax * 2)
  }
}

/** Returns the least number of equal bytes whose estimate reaches a similarity; signatureLength + 1 if none does. */
function leastEqual(similarity: number, signatureLength: number): number {
  let equal = 0
  while (equal <= signatureLength && estimate(equal, signatureLength) < similarity) equal++
  return equal
}
