/**
 * The code units of one thread's texts, in the memory of a WebAssembly kernel: a block, its strings without their escapes,
 * the text under way as it was and as it is left. JavaScript reads and writes them as typed arrays; the loops that touch
 * every unit are the kernel's (page-kernel/assembly, which says what they do).
 *
 * A view is good until its region, or any other, needs more room: users take it from the region each time.
 */
import { readFileSync } from 'node:fs'
import { WorkerLostError } from '../errors.js'

interface Kernel {
  readonly memory: WebAssembly.Memory
  readonly classesBase: WebAssembly.Global
  readonly settledClassesBase: WebAssembly.Global
  readonly hostBase: WebAssembly.Global
  readonly lineHash: WebAssembly.Global
  mark(source: number, length: number, classes: number, marks: number): number
  copyPlain(units: number, out: number): number
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
/** Bytes that the kernel may read or write beyond what it is asked for. */
const paddingBytes = 32
/** Values of the smallest region. */
const roomMin = 1024

/** A stretch of the memory that grows by moving to its end. */
export class Region<View extends Uint16Array | Int32Array> {
  /** Its address. */
  base = 0
  view: View
  private length = 0

  constructor(
    private readonly memory: TextMemory,
    private readonly make: (buffer: ArrayBuffer, base: number, length: number) => View,
  ) {
    this.view = make(new ArrayBuffer(0), 0, 0)
  }

  /** Makes room for `length` values; what is in the region may be lost. */
  reserve(length: number): void {
    if (length <= this.length) return
    const room = Math.max(roomMin, Math.ceil(length * 1.5))
    this.base = this.memory.allot(room * this.view.BYTES_PER_ELEMENT)
    this.length = room
    this.renew()
  }

  /** After the memory has grown, which takes its buffer away from all views. */
  renew(): void {
    this.view = this.make(this.memory.buffer, this.base, this.length)
  }
}

const units = (buffer: ArrayBuffer, base: number, length: number) => new Uint16Array(buffer, base, length)
const integers = (buffer: ArrayBuffer, base: number, length: number) => new Int32Array(buffer, base, length)

export class TextMemory {
  readonly kernel = instantiate()
  readonly #regions: Region<Uint16Array | Int32Array>[] = []
  #used = this.kernel.hostBase.value

  /** A block in UTF-16. */
  readonly block = this.#region(units)
  /** Strings of a record without their escapes, end to end. */
  readonly plain = this.#region(units)
  /** The text under way, and what is left of it. */
  readonly source = this.#region(units)
  readonly codes = this.#region(units)
  readonly marks = this.#region(integers)
  /** Of repetition.ts. */
  readonly sums = this.#region(integers)
  readonly slots = this.#region(integers)

  get buffer(): ArrayBuffer {
    return this.kernel.memory.buffer
  }

  setClasses(classes: Uint8Array, settledClasses: Uint8Array): void {
    const { classesBase, settledClassesBase } = this.kernel
    new Uint8Array(this.buffer, classesBase.value, classes.length).set(classes)
    new Uint8Array(this.buffer, settledClassesBase.value, settledClasses.length).set(settledClasses)
  }

  /** Room for a text of `length` units, as it was and as it is left. A view of the memory is not to be one of `plain` then. */
  reserveText(length: number): void {
    for (const region of [this.source, this.codes, this.marks]) region.reserve(length)
  }

  /** Room for a block of `length` units, for its strings, and for any text in it. */
  reserveBlock(length: number): void {
    for (const region of [this.block, this.plain]) region.reserve(length + 1)
    this.reserveText(length + 1)
  }

  /**
   * Bytes at the end of what is used. A region that moves leaves its place behind: all of them come to twice the last.
   *
   * @throws {WorkerLostError} the memory has no room for so large a text: its record is given up as one that no thread
   *   survives
   */
  allot(bytes: number): number {
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

  #region<View extends Uint16Array | Int32Array>(
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
  return new WebAssembly.Instance(compiled).exports as unknown as Kernel
}
