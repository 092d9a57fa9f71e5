/**
 * The documents of an exact index whose tables are in other threads: key, signature, id and offset of the text, numbered
 * from 0 in the order in which they are added. They verify what the tables found (band-tables.ts).
 */
import { type Findings, rowOfCode } from './band-tables.js'
import { IdMap } from './id-map.js'
import { idOf } from './kept-frames.js'
import {
  hasPages,
  instantiateKernel,
  KernelRegion,
  kernelBytesMax,
  noMemory,
  pageBytes,
  pagesSpare,
} from './kernel-memory.js'

export interface StoreOptions {
  readonly bands: number
  /** Rows of a band. */
  readonly rows: number
  /** Bytes of a signature. */
  readonly minima: number
  /** Memory of a part; 4 GiB by default. */
  readonly partBytesMax?: number
}

/** Columns of a block. */
export interface StoredColumns {
  readonly keys: Uint8Array
  readonly signature: Uint8Array
}

/** Findings that are right, in threes: row and table, document or row, equal bytes of the signatures. */
export type Verified = Uint32Array

/** Exports of kernel/assembly, documented there. */
interface Kernel {
  readonly memory: WebAssembly.Memory
  readonly rowBase: WebAssembly.Global
  readonly idBase: WebAssembly.Global
  take(bytes: number): number
  usedBytes(): number
  usedPages(): number
  configure(bands: number, rows: number, minima: number, keys: number, equalMin: number, equalSure: number): void
  keepRows(
    ...given: [
      ...[kept: number, count: number, keys: number, signatures: number, minima: number],
      ...[ids: number, texts: number, row: number],
    ]
  ): void
  verify(
    ...given: [
      ...[findings: number, count: number, first: number, bands: number, keys: number, signatures: number],
      ...[minima: number, row: number, verified: number],
    ]
  ): number
  textOf(document: number): number
  copyId(document: number): void
}

const idBytes = 16
/** Of a document beside its signature. */
const recordHeadBytes = 38
const documentsPerPage = 256
/** Pages for lists and for what is rounded up. */
const pagesMore = 32

export class DocumentStore {
  readonly #options: StoreOptions
  readonly #parts: StorePart[]
  /** Ids that are not 32 hexadecimal digits. */
  readonly #ids = new IdMap()

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(options: StoreOptions) {
    this.#options = options
    this.#parts = [new StorePart(options, 0)]
  }

  get count(): number {
    const last = this.#parts[this.#parts.length - 1] as StorePart
    return last.first + last.count
  }

  get memoryBytes(): number {
    return this.#parts.reduce((sum, part) => sum + part.memoryBytes, this.#ids.memoryBytes)
  }

  /** Returns the findings that are right, by row and table; rows that are not decided on stay. @param findings of each thread */
  verify(findings: readonly Findings[], columns: StoredColumns): Verified {
    if (findings.every(({ length }) => length === 0)) return new Uint32Array(0)
    const [first, ...others] = this.#parts.map((part) => part.verify(findings, columns))
    const own = first ?? []
    return others.length === 0 ? inOrder(own) : joined([own, ...others].flat())
  }

  /**
   * Adds rows of a block.
   *
   * @param ids 16 bytes a row · longIds those of rows whose id is another one · texts offsets of their texts, by row
   * @throws {MemoryRefusedError} the system provides no memory
   */
  keep(
    kept: Uint32Array,
    columns: StoredColumns,
    ids: Uint8Array,
    longIds: ReadonlyMap<number, string> | null,
    texts: Float64Array,
  ): void {
    if (kept.length === 0) return
    const last = this.#parts[this.#parts.length - 1] as StorePart
    const part = last.hasRoom(kept.length) ? last : new StorePart(this.#options, this.count)
    if (part !== last) {
      if (!part.hasRoom(kept.length)) throw noMemory()
      this.#parts.push(part)
    }
    // The map must have the ids of all documents of a page after the first that it has.
    if (longIds !== null || this.#ids.memoryBytes > 0) this.#keepLongIds(kept, ids, longIds)
    part.keep(kept, columns, ids, texts)
  }

  id(document: number): string {
    const part = this.#part(document)
    return this.#ids.get(document) ?? part.id(document - part.first)
  }

  /** Returns the offset of its text in the texts log; −1 for none. */
  textOffset(document: number): number {
    const part = this.#part(document)
    return part.textOffset(document - part.first)
  }

  #keepLongIds(kept: Uint32Array, ids: Uint8Array, longIds: ReadonlyMap<number, string> | null): void {
    const first = this.count
    kept.forEach((row, place) => {
      if (!longIds?.has(row) && !this.#ids.mustHold(first + place)) return
      this.#ids.add(first + place, idOf({ bytes: ids, longIds }, row))
    })
  }

  #part(document: number): StorePart {
    return this.#parts.findLast(({ first }) => first <= document) as StorePart
  }
}

class StorePart {
  readonly #kernel: Kernel
  readonly #options: StoreOptions
  readonly #bytesMax: number
  readonly #keys: KernelRegion
  readonly #signatures: KernelRegion
  readonly #ids: KernelRegion
  readonly #texts: KernelRegion
  readonly #kept: KernelRegion
  readonly #findings: KernelRegion
  readonly #verified: KernelRegion
  count = 0
  /** The columns that are in `#keys` and `#signatures`. */
  #columns: StoredColumns | null = null

  constructor(
    options: StoreOptions,
    readonly first: number,
  ) {
    const { rows, minima, partBytesMax = kernelBytesMax } = options
    this.#options = options
    this.#bytesMax = partBytesMax
    const kernel = instantiateKernel<Kernel>()
    this.#kernel = kernel
    if (!hasPages(kernel.memory, kernel.usedPages() + pagesMore, partBytesMax)) throw noMemory()
    // No tables: bands and keys are searched elsewhere.
    kernel.configure(0, rows, minima, 0, 0, 0)
    const region = () => new KernelRegion(kernel, partBytesMax)
    this.#keys = region()
    this.#signatures = region()
    this.#ids = region()
    this.#texts = region()
    this.#kept = region()
    this.#findings = region()
    this.#verified = region()
  }

  get memoryBytes(): number {
    return this.#kernel.usedBytes() >>> 0
  }

  hasRoom(documents: number): boolean {
    const recordBytes = recordHeadBytes + Math.ceil(this.#options.minima / 16) * 16
    const records = (Math.ceil(documents / documentsPerPage) + 1) * documentsPerPage * recordBytes
    const pages = this.#kernel.usedPages() + pagesMore + Math.ceil(records / pageBytes)
    return hasPages(this.#kernel.memory, pages + pagesSpare(this.#bytesMax), this.#bytesMax)
  }

  verify(findings: readonly Findings[], columns: StoredColumns): Verified[] {
    const [keys, signatures] = this.#set(columns)
    const { bands, minima } = this.#options
    const row = this.#kernel.rowBase.value
    return findings.map((each) => {
      const count = each.length / 2
      const [at, out] = [this.#findings.set(each), this.#verified.reserve(count * 12)]
      const found = this.#kernel.verify(at, count, this.first, bands, keys, signatures, minima, row, out)
      return this.#verified.words(found * 3).slice()
    })
  }

  keep(kept: Uint32Array, columns: StoredColumns, ids: Uint8Array, texts: Float64Array): void {
    const [keys, signatures] = this.#set(columns)
    const [keptAt, idsAt, textsAt] = [this.#kept.set(kept), this.#ids.set(ids), this.#texts.set(texts)]
    const { minima } = this.#options
    this.#kernel.keepRows(
      ...[keptAt, kept.length, keys, signatures, minima, idsAt, textsAt, this.#kernel.rowBase.value],
    )
    this.count += kept.length
  }

  textOffset(document: number): number {
    return this.#kernel.textOf(document)
  }

  id(document: number): string {
    this.#kernel.copyId(document)
    return Buffer.from(this.#kernel.memory.buffer, this.#kernel.idBase.value, idBytes).toString('hex')
  }

  #set(columns: StoredColumns): readonly [keys: number, signatures: number] {
    if (this.#columns === columns) return [this.#keys.at, this.#signatures.at]
    this.#columns = columns
    return [this.#keys.set(columns.keys), this.#signatures.set(columns.signature)]
  }
}

/** Merges the findings of threads, each of which has its own tables: those of a later thread come after. */
function inOrder(verified: readonly Verified[]): Verified {
  const filled = verified.filter(({ length }) => length > 0)
  if (filled.length < 2) return filled[0] ?? new Uint32Array(0)
  const merged = new Uint32Array(filled.reduce((sum, { length }) => sum + length, 0))
  const next = filled.map(() => 0)
  for (let at = 0; at < merged.length; ) {
    let row = Number.POSITIVE_INFINITY
    for (let i = 0; i < filled.length; i++) {
      const code = filled[i]?.[next[i] as number]
      if (code !== undefined) row = Math.min(row, rowOfCode(code))
    }
    for (let i = 0; i < filled.length; i++) {
      const own = filled[i] as Verified
      let from = next[i] as number
      while (from < own.length && rowOfCode(own[from] as number) === row) {
        merged[at++] = own[from++] as number
        merged[at++] = own[from++] as number
        merged[at++] = own[from++] as number
      }
      next[i] = from
    }
  }
  return merged
}

/** Puts the findings of several parts in order; rows that are not decided on count once. */
function joined(verified: readonly Verified[]): Verified {
  const all = new Map<string, readonly [code: number, what: number, equal: number]>()
  for (const own of verified) {
    for (let at = 0; at < own.length; at += 3) {
      const [code, what, equal] = [own[at] as number, own[at + 1] as number, own[at + 2] as number]
      all.set(`${code} ${what}`, [code, what, equal])
    }
  }
  const sorted = [...all.values()].sort((one, other) => one[0] - other[0] || one[1] - other[1])
  return Uint32Array.from(sorted.flat())
}
