/**
 * zstd in WebAssembly: the module of @bokuweb/zstd-wasm after scripts/build-zstd.mjs. The package's own functions make a
 * context for every page and call what is inlined here; the bytes are the same.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ContractError } from '../../errors.js'

/** Exports of the module, in the letters of its build; scripts/build-zstd.mjs checks them. */
interface ZstdModule {
  readonly f: WebAssembly.Memory
  /** Initialises the module. */
  readonly g: () => void
  /** ZSTD_isError */
  readonly h: (size: number) => number
  /** ZSTD_compressBound */
  readonly i: (bytes: number) => number
  /** ZSTD_createCCtx */
  readonly j: () => number
  /** ZSTD_compress_usingDict(context, to, toBytes, from, fromBytes, dictionary, dictionaryBytes, level) */
  readonly l: (...parameters: number[]) => number
  /** malloc */
  readonly s: (bytes: number) => number
  /** free */
  readonly t: (address: number) => void
}

/** Memory kept for the next page; larger pages get their own. */
const keptBytes = 2 * 1024 * 1024

/** Returns a function that compresses one page; the bytes do not depend on the version of Node. */
export async function zstdCompressor(level: number): Promise<(bytes: Uint8Array) => Uint8Array<ArrayBuffer>> {
  loading ??= ZstdEncoder.load()
  const encoder = await loading
  return (bytes) => encoder.compress(bytes, level)
}

/** That of this thread. */
let loading: Promise<ZstdEncoder> | null = null

class ZstdEncoder {
  readonly #zstd: ZstdModule
  readonly #context: number
  readonly #kept: { readonly from: number; readonly to: number }

  private constructor(zstd: ZstdModule) {
    this.#zstd = zstd
    this.#context = zstd.j()
    this.#kept = { from: zstd.s(keptBytes), to: zstd.s(zstd.i(keptBytes)) }
    if (this.#context === 0 || this.#kept.from === 0 || this.#kept.to === 0) throw outOfMemory(keptBytes)
  }

  static async load(): Promise<ZstdEncoder> {
    const module = await WebAssembly.compile(readFileSync(modulePath()))
    let memory: WebAssembly.Memory | null = null
    const { exports } = await WebAssembly.instantiate<ZstdModule>(module, {
      a: { ...{ a: stop, b: stop, c: stop, d: stop }, e: (bytes) => growTo(memory, bytes >>> 0) },
    })
    memory = exports.f
    exports.g()
    return new ZstdEncoder(exports)
  }

  compress(bytes: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
    if (bytes.byteLength <= keptBytes) return this.#compress(bytes, level, this.#kept.from, this.#kept.to)
    const { s: allocate, t: free, i: bound } = this.#zstd
    const [from, to] = [allocate(bytes.byteLength), allocate(bound(bytes.byteLength))]
    try {
      if (from === 0 || to === 0) throw outOfMemory(bytes.byteLength)
      return this.#compress(bytes, level, from, to)
    } finally {
      free(from)
      free(to)
    }
  }

  #compress(bytes: Uint8Array, level: number, from: number, to: number): Uint8Array<ArrayBuffer> {
    const { byteLength } = bytes
    const { f: memory, h: isError, i: bound, l: compress } = this.#zstd
    new Uint8Array(memory.buffer).set(bytes, from >>> 0)
    const size = compress(this.#context, to, bound(byteLength), from, byteLength, 0, 0, level)
    if (isError(size) !== 0)
      throw new ContractError(`zstd did not compress a page of ${byteLength} bytes: error ${size}`)
    return new Uint8Array(memory.buffer).slice(to >>> 0, (to >>> 0) + size)
  }
}

/** The module of the package is slower; it is used where the sources were compiled without `npm run build`. */
function modulePath(): URL | string {
  const built = new URL('./zstd.wasm', import.meta.url)
  if (existsSync(built)) return built
  return join(dirname(createRequire(import.meta.url).resolve('@bokuweb/zstd-wasm')), 'zstd.wasm')
}

/** Grows the memory to a size, or by a fifth if that is more, so that a growing heap is not moved with every page. Returns 1 on success. */
function growTo(memory: WebAssembly.Memory | null, bytes: number): number {
  if (memory === null) return 0
  const now = memory.buffer.byteLength
  for (const size of [Math.max(bytes, now * 1.2), bytes]) {
    try {
      memory.grow(Math.ceil((size - now) / wasmPageBytes))
      return 1
    } catch (error) {
      // Too much: try the size that is needed, else malloc returns 0.
      if (!(error instanceof RangeError)) throw error
    }
  }
  return 0
}

const wasmPageBytes = 65536

/** exit, abort and timers of the C library: zstd calls abort only. */
function stop(): never {
  throw new ContractError('zstd stopped itself: its memory may be damaged')
}

function outOfMemory(bytes: number): ContractError {
  return new ContractError(
    `zstd has no memory for a page of ${bytes} bytes: give output.rowGroupBytesMax a smaller value`,
  )
}
