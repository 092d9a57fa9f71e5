/**
 * The kept documents and hash tables of one WebAssembly memory, at most 4 GiB: some 11 million documents. Owns the memory
 * and what crosses into it; the work is done by kernel/assembly. A shelf that is full stays as it is.
 */
import { readFileSync } from 'node:fs'
import { MemoryRefusedError } from '../errors.js'
import { type Banding, estimate, type SettleBand } from './banding.js'
import { type KeptRow, keyBytes } from './kept-frames.js'

export interface ShelfOptions {
  /** Whether there is a table of keys. */
  readonly exact: boolean
  /** Bytes of a signature; 0 when near-duplicates are not looked for. */
  readonly minima: number
  readonly banding: Banding
  readonly settleBand: SettleBand
  /** A multiple of 64 KiB, at most 4 GiB. */
  readonly bytesMax: number
}

/** A document of this shelf, by its number there. */
export interface Similar {
  readonly document: number
  readonly similarity: number
}

/** What kernel/assembly/index.ts exports; said there. */
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
/** The tables number documents by 24 bits. */
const documentsMax = 2 ** 24
export const shelfBytesMax = 2 ** 32
const pageBytes = 65536

let compiled: WebAssembly.Module | undefined

export class Shelf {
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

  /**
   * @param first number of its first document
   * @throws {MemoryRefusedError} the system gives no memory
   */
  constructor(
    private readonly options: ShelfOptions,
    readonly first: number,
  ) {
    const { exact, minima, banding, settleBand } = options
    this.#bands = minima === 0 ? 0 : banding.bands
    this.#kernel = instantiate()
    this.#view()
    const keys = exact ? 1 : 0
    if (!this.#hasPages(this.#kernel.pagesToConfigure(this.#bands, keys))) throw refused()
    const low = leastEqual(settleBand.low, minima)
    const sure = leastEqual(settleBand.high, minima)
    this.#kernel.configure(this.#bands, banding.rows, minima, keys, low, sure)
    if (!this.#hasPages(this.#kernel.pagesNeeded())) throw refused()
    this.#view()
  }

  get count(): number {
    return this.#count
  }

  get memoryBytes(): number {
    return this.#kernel.usedBytes() >>> 0
  }

  /** Nothing more can be kept. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Of the row that `near` was asked about: how many documents share each band with it. */
  get sharing(): Uint8Array {
    return this.#sharing
  }

  /** Takes a row to be looked for. Answers the earliest document with its key, or −1. */
  seek(row: KeptRow): number {
    this.#key.set(row.key)
    if (this.#bands > 0) this.#signature.set(row.bytes)
    return this.#kernel.seek(this.#isNear(row))
  }

  /** After `seek`: how many documents are near the row, or perhaps near it. Read them with `similar`. */
  near(): number {
    return this.#kernel.near()
  }

  /** Number `place` of those; the earliest is 0, and none comes after a sure one. */
  similar(place: number): Similar {
    const [equal, document] = [this.#found[place * 2] as number, this.#found[place * 2 + 1] as number]
    return { document, similarity: estimate(equal, this.options.minima) }
  }

  /** The id of the row to be kept. False for one that is not 32 hexadecimal digits in lower case: it is the caller's. */
  packId(id: string): boolean {
    if (id.length !== idBytes * 2) return false
    // As UTF-16: faster than UTF-8, and no other letter looks like a digit.
    this.#id.write(id, 'utf16le')
    return this.#kernel.packId() !== 0
  }

  /** Keeps the row that was sought; `near` comes before if it is near. Answers its number here. */
  keep(row: KeptRow): number {
    const pagesNeeded = this.#kernel.keep(this.#isNear(row), row.textOffset)
    this.#count++
    this.#isFull = this.#count === documentsMax || !this.#hasPages(pagesNeeded)
    return this.#count - 1
  }

  textOffset(document: number): number {
    return this.#kernel.textOf(document)
  }

  /** What `packId` took. */
  id(document: number): string {
    this.#kernel.copyId(document)
    return this.#id.toString('hex', 0, idBytes)
  }

  #isNear(row: KeptRow): number {
    return row.near && this.#bands > 0 ? 1 : 0
  }

  /**
   * Doubles the memory if it has fewer pages, or takes an eighth more where the system refuses. What was never touched
   * is an address, no more; but V8 takes each growth for an allocation of all of it and may collect garbage: the fewer
   * the better. False when there is no more.
   */
  #hasPages(needed: number): boolean {
    if (needed <= this.#pages) return true
    for (const aim of [2 ** Math.ceil(Math.log2(needed)), Math.ceil(needed * 1.125)]) {
      const pages = Math.min(aim, this.options.bytesMax / pageBytes)
      if (pages < needed || !grew(this.#kernel.memory, pages - this.#pages)) continue
      this.#view()
      return true
    }
    return false
  }

  /** Views of the memory end when it grows. */
  #view(): void {
    const { memory, rowBase, idBase, documentsPerBandMax } = this.#kernel
    const { buffer } = memory
    this.#pages = buffer.byteLength / pageBytes
    this.#key = new Uint8Array(buffer, rowBase.value, keyBytes)
    this.#signature = new Uint8Array(buffer, rowBase.value + keyBytes, this.options.minima)
    this.#id = Buffer.from(buffer, idBase.value, idBytes * 4)
    this.#sharing = new Uint8Array(buffer, this.#kernel.sharingBase(), this.#bands)
    const foundMax = this.#bands * documentsPerBandMax.value
    this.#found = new Uint32Array(buffer, this.#kernel.foundBase(), foundMax * 2)
  }
}

/** Compiled once a thread; each instance has a memory of its own. */
function instantiate(): Kernel {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernel/kernel.wasm', import.meta.url)))
  try {
    return new WebAssembly.Instance(compiled).exports as unknown as Kernel
  } catch (error) {
    throw error instanceof RangeError ? refused(error) : error
  }
}

/** False when the system gives no more. */
function grew(memory: WebAssembly.Memory, pages: number): boolean {
  try {
    memory.grow(pages)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

function refused(cause?: unknown): MemoryRefusedError {
  return new MemoryRefusedError(
    'the system gives no memory for the index of kept documents: allow the process more (an address space of 12 GiB is ' +
      'reserved, some 400 bytes a document are used), or start anew with dedup.index: bloom.',
    { cause },
  )
}

/** The fewest equal minima whose estimate reaches a similarity; one more than there are if none does. */
function leastEqual(similarity: number, minima: number): number {
  let equal = 0
  while (equal <= minima && estimate(equal, minima) < similarity) equal++
  return equal
}
