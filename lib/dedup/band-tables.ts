/**
 * Some of the tables of an exact index, in a thread of their own (index-thread.ts): for the rows of a block, which kept
 * documents have their tags, unverified, and which rows of blocks that are not decided on have their hashes. The rows that
 * are kept are inserted once it is decided on. divided-decider.ts has the documents, verifies and decides.
 */
import { hasPages, instantiateKernel, KernelRegion, kernelBytesMax, noMemory, pagesSpare } from './kernel-memory.js'

/** Tables of a thread, by their numbers in the whole index: those of the bands, then, if there is one, that of the keys. */
export interface TablesOptions {
  readonly firstTable: number
  readonly tables: number
  /** Bands of the whole index, and rows of each. */
  readonly bands: number
  readonly rows: number
  /** Bytes of a signature. */
  readonly minima: number
  /** Texts with as many letters have bands. */
  readonly ngram: number
  /** Memory of a part; 4 GiB by default. The number of parts affects time, not verdicts. */
  readonly partBytesMax?: number
}

export interface RowsToProbe {
  readonly rows: number
  readonly keys: Uint8Array
  readonly letters: Int32Array
  readonly signature: Uint8Array
}

/** What is kept of a block. */
export interface RowsToInsert {
  readonly kept: Uint32Array
  /** Bands that a row is not added to, by row and table: see `findingCode`. Sorted. */
  readonly full: Uint32Array
}

/**
 * Findings are pairs: row and table, and a document; or, from `undecided` on, a row of the blocks that are not decided on,
 * numbered from the first row of the earlier one.
 */
export type Findings = Uint32Array

const tableBits = 10
const tableMask = 0x3ff
export const undecided = 0x80000000
export const blockRowsMax = 0x400000

export function findingCode(row: number, table: number): number {
  return ((row << tableBits) | table) >>> 0
}

export function rowOfCode(code: number): number {
  return code >>> tableBits
}

export function tableOfCode(code: number): number {
  return code & tableMask
}

/** Exports of kernel/assembly/divided.ts, documented there. */
interface Kernel {
  readonly memory: WebAssembly.Memory
  take(bytes: number): number
  usedBytes(): number
  usedPages(): number
  configureDivided(firstTable: number, tables: number, bands: number, rows: number): void
  hashRows(
    ...given: [
      ...[rows: number, keys: number, letters: number, ngram: number, signatures: number, minima: number],
      ...[hashes: number, banded: number],
    ]
  ): void
  probe(
    ...given: [
      ...[rows: number, hashes: number, banded: number, rowsBefore: number, hashesBefore: number],
      ...[bandedBefore: number, recent: number, recentRoom: number, links: number],
      ...[findings: number, findingsMax: number],
    ]
  ): number
  pagesToInsert(): number
  insertRows(
    ...given: [
      ...[kept: number, from: number, count: number, full: number, fullCount: number],
      ...[rows: number, hashes: number, banded: number],
    ]
  ): number
  insertedCount(): number
}

/** The tables store numbers of documents in 24 bits. */
const documentsMax = 2 ** 24
const findingsFirst = 4096

export class BandTables {
  readonly #options: TablesOptions
  readonly #parts: TablesPart[]
  /** Number of rows of the blocks that are not decided on, oldest first, and where their hashes are. */
  readonly #blocks: { readonly rows: number; readonly slot: number }[] = []
  #nextSlot = 0

  /** @throws {MemoryRefusedError} the system provides no memory */
  constructor(options: TablesOptions) {
    this.#options = options
    this.#parts = [new TablesPart(options, 0)]
  }

  get memoryBytes(): number {
    return this.#parts.reduce((sum, part) => sum + part.memoryBytes, 0)
  }

  /** Searches for the rows of the next block. At most one before it may be undecided. */
  probe(block: RowsToProbe): Findings {
    const slot = this.#nextSlot
    this.#nextSlot = 1 - slot
    const [first, ...others] = this.#parts as [TablesPart, ...TablesPart[]]
    first.hash(slot, block)
    for (const part of others) part.copyHashes(first, slot, block.rows)
    const [before] = this.#blocks
    this.#blocks.push({ rows: block.rows, slot })
    const found = this.#parts.map((part) => part.probe(slot, block.rows, before?.rows ?? 0, before?.slot ?? 0))
    return found.length === 1 ? (found[0] as Findings) : joined(found, this.#parts)
  }

  /**
   * Adds rows of the oldest block that is not decided on.
   *
   * @throws {MemoryRefusedError} the system provides no memory
   */
  insert({ kept, full }: RowsToInsert): void {
    const block = this.#blocks.shift()
    if (block === undefined) return
    for (let done = 0; ; ) {
      const last = this.#parts[this.#parts.length - 1] as TablesPart
      done += last.insert(block.slot, block.rows, kept.subarray(done), full)
      if (done === kept.length) return
      if (last.count === 0) throw noMemory()
      const part = new TablesPart(this.#options, last.first + last.count)
      for (const { slot, rows } of [block, ...this.#blocks]) part.copyHashes(this.#parts[0] as TablesPart, slot, rows)
      this.#parts.push(part)
    }
  }
}

class TablesPart {
  readonly #kernel: Kernel
  readonly #options: TablesOptions
  readonly #bytesMax: number
  /** Hashes of two blocks, and which of their rows have bands. */
  readonly #hashes: readonly [KernelRegion, KernelRegion]
  readonly #banded: readonly [KernelRegion, KernelRegion]
  readonly #keys: KernelRegion
  readonly #letters: KernelRegion
  readonly #signatures: KernelRegion
  readonly #recent: KernelRegion
  readonly #links: KernelRegion
  #room = 0
  readonly #findings: KernelRegion
  readonly #kept: KernelRegion
  readonly #full: KernelRegion

  /** @param first number of its first document */
  constructor(
    options: TablesOptions,
    readonly first: number,
  ) {
    const { firstTable, tables, bands, rows, partBytesMax = kernelBytesMax } = options
    this.#options = options
    this.#bytesMax = partBytesMax
    const kernel = instantiateKernel<Kernel>()
    this.#kernel = kernel
    if (!hasPages(kernel.memory, kernel.usedPages() + 16 + tables, partBytesMax)) throw noMemory()
    kernel.configureDivided(firstTable, tables, bands, rows)
    const region = () => new KernelRegion(kernel, partBytesMax)
    this.#hashes = [region(), region()]
    this.#banded = [region(), region()]
    this.#keys = region()
    this.#letters = region()
    this.#signatures = region()
    this.#recent = region()
    this.#links = region()
    this.#findings = region()
    this.#kept = region()
    this.#full = region()
  }

  get count(): number {
    return this.#kernel.insertedCount()
  }

  get memoryBytes(): number {
    return this.#kernel.usedBytes() >>> 0
  }

  hash(slot: number, { rows, keys, letters, signature }: RowsToProbe): void {
    const { ngram, minima } = this.#options
    const [hashes, banded] = this.#reserve(slot, rows)
    const [keysAt, lettersAt] = [this.#keys.set(keys), this.#letters.set(letters.subarray(0, rows))]
    // Bands are read eight bytes at a time, so the last one is read beyond its end.
    this.#signatures.reserve(signature.length + 8)
    const signaturesAt = this.#signatures.set(signature)
    this.#kernel.hashRows(rows, keysAt, lettersAt, ngram, signaturesAt, minima, hashes, banded)
  }

  /** Takes the hashes of a block from another part. */
  copyHashes(other: TablesPart, slot: number, rows: number): void {
    const [hashes, banded] = this.#reserve(slot, rows)
    const from = other.#reserve(slot, rows)
    const [own, others] = [this.#kernel.memory.buffer, other.#kernel.memory.buffer]
    const bytes = rows * this.#options.tables * 8
    new Uint8Array(own, hashes, bytes).set(new Uint8Array(others, from[0], bytes))
    new Uint8Array(own, banded, rows).set(new Uint8Array(others, from[1], rows))
  }

  probe(slot: number, rows: number, rowsBefore: number, slotBefore: number): Findings {
    const [hashes, banded] = this.#reserve(slot, rows)
    const [hashesBefore, bandedBefore] = rowsBefore === 0 ? [0, 0] : this.#reserve(slotBefore, rowsBefore)
    // A slot is free unless it was written for this table and block, so one hash table is used for all.
    const room = Math.max(this.#room, 2 ** Math.ceil(Math.log2(Math.max(1024, 4 * (rows + rowsBefore)))))
    this.#room = room
    const links = this.#links.reserve(rows * this.#options.tables * 4)
    for (let findingsMax = Math.max(findingsFirst, this.#findings.bytes / 8); ; ) {
      const recent = this.#recent.reserve(room * 8)
      const findings = this.#findings.reserve(findingsMax * 8)
      const found = this.#kernel.probe(
        ...[rows, hashes, banded, rowsBefore, hashesBefore, bandedBefore, recent, room, links, findings, findingsMax],
      )
      if (found <= findingsMax) return this.#findings.words(found * 2).slice()
      findingsMax = found
    }
  }

  /** Returns how many rows fitted. */
  insert(slot: number, rows: number, kept: Uint32Array, full: Uint32Array): number {
    const [hashes, banded] = [this.#hashes[slot]?.at ?? 0, this.#banded[slot]?.at ?? 0]
    const [keptAt, fullAt] = [this.#kept.set(kept), this.#full.set(full)]
    let done = 0
    while (done < kept.length && this.#hasRoom()) {
      done = this.#kernel.insertRows(keptAt, done, kept.length, fullAt, full.length, rows, hashes, banded)
    }
    return done
  }

  #hasRoom(): boolean {
    const pages = this.#kernel.pagesToInsert() + pagesSpare(this.#bytesMax)
    return this.count + rowsPerInsertion <= documentsMax && hasPages(this.#kernel.memory, pages, this.#bytesMax)
  }

  /** Returns the addresses of the hashes of a block. */
  #reserve(slot: number, rows: number): readonly [hashes: number, banded: number] {
    const [hashes, banded] = [this.#hashes[slot] as KernelRegion, this.#banded[slot] as KernelRegion]
    return [hashes.reserve(rows * this.#options.tables * 8), banded.reserve(rows)]
  }
}

const rowsPerInsertion = 64

/** By row and table; rows that are not decided on count once. */
function joined(found: readonly Findings[], parts: readonly TablesPart[]): Findings {
  const all: { readonly code: number; readonly what: number }[] = []
  found.forEach((findings, place) => {
    for (let at = 0; at < findings.length; at += 2) {
      const [code, what] = [findings[at] as number, findings[at + 1] as number]
      if (what < undecided) all.push({ code, what: what + (parts[place] as TablesPart).first })
      else if (place === 0) all.push({ code, what })
    }
  })
  all.sort((one, other) => one.code - other.code || one.what - other.what)
  return Uint32Array.from(all.flatMap(({ code, what }) => [code, what]))
}
