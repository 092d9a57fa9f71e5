/**
 * Kept documents and hash tables in one WebAssembly memory of at most 4 GiB, which holds some 11 million documents. This
 * file owns the memory and copies data in and out; kernel/assembly does the work.
 */
import { type Banding, estimate, type SettleBand } from './banding.js'
import { type KeptRow, keyBytes } from './kept-frames.js'
import { hasPages, instantiateKernel, noMemory, pageBytes } from './kernel-memory.js'

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

/** A document that is or may be near the row, by its number in this part. */
interface SimilarRow {
  readonly document: number
  readonly similarity: number
}

/** Exports of kernel/assembly/index.ts, documented there. */
interface Kernel {
  readonly memory: WebAssembly.Memory
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
/** The tables store numbers of documents in 24 bits. */
const documentsMax = 2 ** 24

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
