/**
 * Memory of the texts of one thread, in a WebAssembly kernel: the block, strings of its records, the current text before
 * and after cleaning. JavaScript accesses them as typed arrays; the loops over every code unit are in
 * scanner-kernel/assembly.
 *
 * A view is valid until any region grows: take it from the region at each use.
 */
import { readFileSync } from 'node:fs'
import { WorkerLostError } from '../errors.js'

interface Kernel {
  readonly memory: WebAssembly.Memory
  readonly classesBase: WebAssembly.Global
  readonly settledClassesBase: WebAssembly.Global
  readonly extrasBase: WebAssembly.Global
  readonly countsBase: WebAssembly.Global
  readonly visitedExtrasBase: WebAssembly.Global
  readonly abbreviationsBase: WebAssembly.Global
  readonly replacementsBase: WebAssembly.Global
  readonly hostBase: WebAssembly.Global
  mark(source: number, length: number, classes: number, marks: number, extras: number, saved: number): number
  setColumns(
    unitStart: number,
    unitEnd: number,
    unitRank: number,
    unitTokens: number,
    unitSavedStart: number,
    unitSavedEnd: number,
    lineStart: number,
    lineFrom: number,
  ): void
  scan(
    source: number,
    length: number,
    classes: number,
    codes: number,
    marks: number,
    extras: number,
    saved: number,
    count: number,
    indented: number,
  ): number
  readString(bytes: number, units: number): number
  readonly stringBytes: WebAssembly.Global
  encodeUtf8(units: number, length: number, bytes: number): number
  sampleSets(codes: number, length: number, step: number, table: number, sets: number): number
  markOpenings(slots: number, mask: number, openings: number): void
  phrases(
    codes: number,
    length: number,
    step: number,
    bits: number,
    slots: number,
    mask: number,
    anchors: number,
    openings: number,
    hits: number,
    numbers: number,
  ): number
  suspects(
    codes: number,
    length: number,
    lineStart: number,
    lines: number,
    hasBars: boolean,
    cueMarks: number,
    cueBits: number,
    cueSlots: number,
    cueMask: number,
    openingBits: number,
    openingSlots: number,
    openingMask: number,
    hits: number,
    lineNumbers: number,
  ): number
  readonly clauses: WebAssembly.Global
  frequentGrams(codes: number, length: number, counters: number, times: number): number
  sameEdges(codes: number, length: number, counters: number): number
  gramSum(
    codes: number,
    length: number,
    weights: number,
    seen: number,
    list: number,
    text: number,
    shift: number,
  ): number
  readonly gramTotal: WebAssembly.Global
  differentAtLeast(codes: number, count: number, seen: number, mask: number): number
  differentFours(codes: number, length: number, seen: number): number
  repeated(
    codes: number,
    length: number,
    sums: number,
    slots: number,
    mask: number,
    salt: number,
    gramUnits: number,
    multiplier: number,
    beforeGram: number,
  ): number
}

const pageBytes = 65536
/** Bytes that the kernel may access beyond a region. */
const paddingBytes = 32
/** Least capacity of a region, in values. */
const capacityMin = 1024

/** A region of the memory. It grows by moving to the end. */
class Region<View extends Uint8Array | Uint16Array | Int32Array> {
  /** Its address. */
  base = 0
  view: View
  #length = 0
  readonly #memory: TextMemory
  readonly #make: (buffer: ArrayBuffer, base: number, length: number) => View

  constructor(memory: TextMemory, make: (buffer: ArrayBuffer, base: number, length: number) => View) {
    this.#memory = memory
    this.#make = make
    this.view = make(new ArrayBuffer(0), 0, 0)
  }

  /** Ensures capacity for `length` values. @param kept values whose content is not lost */
  reserve(length: number, kept = 0): void {
    if (length <= this.#length) return
    const before = this.base
    const capacity = Math.max(capacityMin, Math.ceil(length * 1.5))
    this.base = this.#memory.allocate(capacity * this.view.BYTES_PER_ELEMENT)
    this.#length = capacity
    this.renew()
    const bytes = kept * this.view.BYTES_PER_ELEMENT
    if (bytes > 0) new Uint8Array(this.#memory.buffer).copyWithin(this.base, before, before + bytes)
  }

  /** Recreates the view, which growing the memory has detached. */
  renew(): void {
    this.view = this.#make(this.#memory.buffer, this.base, this.#length)
  }
}

const octets = (buffer: ArrayBuffer, base: number, length: number) => new Uint8Array(buffer, base, length)
const units = (buffer: ArrayBuffer, base: number, length: number) => new Uint16Array(buffer, base, length)
const integers = (buffer: ArrayBuffer, base: number, length: number) => new Int32Array(buffer, base, length)

export class TextMemory {
  readonly kernel = instantiate()
  readonly #regions: Region<Uint8Array | Uint16Array | Int32Array>[] = []
  #used = this.kernel.hostBase.value
  /** Units and lines for which there is memory. */
  #columns = 0

  /** A block as it was read. */
  readonly blockBytes = this.#region(octets)
  /** Texts of chunks, end to end in UTF-16, and in UTF-8; used by columns-builder.ts. */
  readonly chunks = this.#region(units)
  readonly chunkBytes = this.#region(octets)
  /** Strings of a record in UTF-16, without escapes, end to end. */
  readonly plain = this.#region(units)
  /** The current text before and after cleaning. */
  readonly source = this.#region(units)
  readonly codes = this.#region(units)
  /** Used by text-scanner.ts, and when the text is scanned, by phrase-index.ts. */
  readonly marks = this.#region(integers)
  /** Used by text-scanner.ts for what the kernel counted before each mark, and when the text is scanned, by phrase-index.ts. */
  readonly hits = this.#region(integers)
  /** The same, and when the text is scanned, by repetition.ts. */
  readonly sums = this.#region(integers)
  readonly slots = this.#region(integers)
  /** Columns of the units of the current text (units.ts), and of its lines. */
  readonly unitStart = this.#region(integers)
  readonly unitEnd = this.#region(integers)
  readonly unitRank = this.#region(octets)
  readonly unitTokens = this.#region(integers)
  readonly unitSavedStart = this.#region(integers)
  readonly unitSavedEnd = this.#region(integers)
  readonly lineStart = this.#region(integers)
  readonly lineFrom = this.#region(integers)
  /** Numbers of the lines that may be furniture. */
  readonly suspects = this.#region(integers)
  /** 1 for each line of it whose indentation is kept. */
  readonly indented = this.#region(octets)
  /** Texts that are not in this memory, for a kernel function that reads them. */
  readonly others = this.#region(units)

  get buffer(): ArrayBuffer {
    return this.kernel.memory.buffer
  }

  /** Copies a table to an address that the kernel gives. */
  setTable(base: WebAssembly.Global, table: Uint8Array | Uint16Array | Int32Array | Uint32Array): void {
    const bytes = new Uint8Array(table.buffer, table.byteOffset, table.byteLength)
    new Uint8Array(this.buffer, base.value, bytes.length).set(bytes)
  }

  /** Reserves memory for a text of `length` code units, before and after cleaning. */
  reserveText(length: number): void {
    for (const region of [this.source, this.codes, this.marks, this.hits, this.sums]) region.reserve(length)
  }

  /** Reserves memory for `count` units and lines of the current text; tells the kernel where their columns are. */
  reserveColumns(count: number): void {
    if (count <= this.#columns) return
    for (const region of [
      this.unitStart,
      this.unitEnd,
      this.unitRank,
      this.unitTokens,
      this.unitSavedStart,
      this.unitSavedEnd,
      this.lineStart,
      this.lineFrom,
    ])
      region.reserve(count)
    this.#columns = count
    this.kernel.setColumns(
      this.unitStart.base,
      this.unitEnd.base,
      this.unitRank.base,
      this.unitTokens.base,
      this.unitSavedStart.base,
      this.unitSavedEnd.base,
      this.lineStart.base,
      this.lineFrom.base,
    )
  }

  /** Reserves memory for a block of `length` bytes, for its strings, and for any text in it: a byte is one code unit at most. */
  reserveBlock(length: number): void {
    this.blockBytes.reserve(length + 1)
    this.plain.reserve(length + 1)
    this.reserveText(length + 1)
  }

  /**
   * Allocates bytes at the end. A region that moves leaves its old bytes unused; together these are at most the size of the
   * last.
   *
   * @throws {WorkerLostError} the memory cannot grow: the record is rejected like one that crashes its thread
   */
  allocate(bytes: number): number {
    const base = this.#used
    const used = Math.ceil((base + bytes + paddingBytes) / 16) * 16
    const missing = Math.ceil((used - this.buffer.byteLength) / pageBytes)
    if (missing > 0) {
      this.#grow(missing)
      for (const region of this.#regions) region.renew()
    }
    this.#used = used
    return base
  }

  #grow(pages: number): void {
    try {
      this.kernel.memory.grow(pages)
    } catch (cause) {
      throw new WorkerLostError(
        `The texts of a thread have ${this.buffer.byteLength} bytes of memory and get no ${pages * pageBytes} more, of at ` +
          'most 4 GiB: lower read.recordBytesMax, or let the machine have more memory.',
        { cause },
      )
    }
  }

  #region<View extends Uint8Array | Uint16Array | Int32Array>(
    make: (buffer: ArrayBuffer, base: number, length: number) => View,
  ): Region<View> {
    const region = new Region(this, make)
    this.#regions.push(region)
    return region
  }
}

let compiled: WebAssembly.Module | undefined

function instantiate(): Kernel {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./scanner-kernel/kernel.wasm', import.meta.url)))
  return new WebAssembly.Instance<Kernel>(compiled).exports
}
