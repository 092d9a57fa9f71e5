/** Instances of the kernel (kernel/assembly), each with a WebAssembly memory of its own of at most 4 GiB. */
import { readFileSync } from 'node:fs'
import { MemoryRefusedError } from '../errors.js'
import { say } from '../language/say.js'

export const kernelBytesMax = 2 ** 32
export const pageBytes = 65536

let compiled: WebAssembly.Module | undefined

/**
 * Compiles the module once per thread; each instance has its own memory.
 *
 * @throws {MemoryRefusedError} the system provides no memory
 */
export function instantiateKernel<Exports>(): Exports {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernel/kernel.wasm', import.meta.url)))
  try {
    return new WebAssembly.Instance<Exports>(compiled).exports
  } catch (error) {
    throw error instanceof RangeError ? noMemory(error) : error
  }
}

let scratch: unknown

/**
 * Returns the instance of this thread that has no index: each instance reserves address space.
 *
 * @throws {MemoryRefusedError} the system provides no memory
 */
export function scratchKernel<Exports>(): Exports {
  scratch ??= instantiateKernel()
  return scratch as Exports
}

/**
 * Ensures that the memory has `needed` pages: doubles it, or grows it by an eighth if the system refuses. Untouched pages
 * cost only address space, but V8 counts each growth as an allocation of the whole memory and may collect garbage, so
 * growing rarely is better. Returns false if the system has no more memory. Growing detaches all views.
 */
export function hasPages(memory: WebAssembly.Memory, needed: number, bytesMax: number): boolean {
  const had = memory.buffer.byteLength / pageBytes
  if (needed <= had) return true
  for (const aim of [2 ** Math.ceil(Math.log2(needed)), Math.ceil(needed * 1.125)]) {
    const pages = Math.min(aim, bytesMax / pageBytes)
    if (pages >= needed && grew(memory, pages - had)) return true
  }
  return false
}

/** Returns false if the system provides no more memory. */
function grew(memory: WebAssembly.Memory, pages: number): boolean {
  try {
    memory.grow(pages)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

export function noMemory(cause?: unknown): MemoryRefusedError {
  return new MemoryRefusedError(
    say`the system provides no memory for the index of kept documents: allow the process more (12 GiB of
      address space are reserved, about 400 bytes per document are used), or start over with dedup.index:
      bloom.`,
    { cause },
  )
}

/** Pages that a part leaves unused, for the columns of later blocks. */
export function pagesSpare(bytesMax: number): number {
  return Math.min(1024, Math.floor(bytesMax / pageBytes / 4))
}

interface Allocating {
  readonly memory: WebAssembly.Memory
  take(bytes: number): number
  usedPages(): number
}

/** A piece of a kernel's memory that the host writes or reads. One that is too small is left for one of twice the size. */
export class KernelRegion {
  readonly #kernel: Allocating
  readonly #bytesMax: number
  #bytes = 0
  /** Its address. */
  at = 0

  constructor(kernel: Allocating, bytesMax: number) {
    this.#kernel = kernel
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Ensures that it has so many bytes, and returns its address. If it had fewer, its content is lost.
   *
   * @throws {MemoryRefusedError} the system provides no memory
   */
  reserve(bytes: number): number {
    if (bytes <= this.#bytes) return this.at
    const larger = Math.max(bytes, this.#bytes * 2)
    const pages = this.#kernel.usedPages() + Math.ceil(larger / pageBytes) + 1
    if (!hasPages(this.#kernel.memory, pages, this.#bytesMax)) throw noMemory()
    this.at = this.#kernel.take(larger) >>> 0
    this.#bytes = larger
    return this.at
  }

  /** Copies `values` to it, whatever their type. */
  set(values: Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array): number {
    const at = this.reserve(values.byteLength)
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    new Uint8Array(this.#kernel.memory.buffer, at, bytes.length).set(bytes)
    return at
  }

  words(count: number): Uint32Array {
    return new Uint32Array(this.#kernel.memory.buffer, this.at, count)
  }
}
