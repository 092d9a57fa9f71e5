/**
 * Decoder for xz: XZ Embedded in WebAssembly, from the package xz-decompress. Its ReadableStream is not used: it decodes
 * one stream per process at a time (shards read in turn would deadlock) and does not report a truncated stream. The
 * module is used directly, with one instance for each shard, whose memory is freed with it. The version of the package
 * is pinned, because the exports of the module are not part of its documented interface.
 */
import { setImmediate } from 'node:timers/promises'
import xzDecompress from 'xz-decompress'
import { ShardDamageError } from '../../errors.js'
import { type DecodedSlice, type Decoder, sliceOutputBytesMax, tooMuch } from './decoder.js'

interface XzExports {
  readonly memory: WebAssembly.Memory
  create_context(): number
  supply_input(context: number, lengthBytes: number): void
  /** Decodes into the output buffer; input of length 0 is the end of the stream. Returns an `xz_ret` of xz.h. */
  get_next_output(context: number): number
}

interface XzModule {
  _getModuleInstance(): Promise<void>
  _moduleInstance: { readonly exports: XzExports }
}

/** Words of the context: capacity of both buffers, then xz_buf (in, inPos, inSize, out, outPos). */
const word = { capacity: 0, input: 1, inputPosition: 2, inputSize: 3, output: 4, outputSize: 5 } as const

const ok = 0
const streamEnd = 1

const truncated = () => new ShardDamageError('shard-truncated', 'xz: the stream ends before its last block or index')

/** Errors by `xz_ret`, except XZ_DATA_ERROR. */
const refusals: Readonly<Record<number, () => ShardDamageError>> = {
  2: () => unsupported('the stream has an integrity check of unknown type'),
  3: () => unsupported('no memory for the dictionary of the stream'),
  4: () => unsupported('the dictionary is over 64 MiB'),
  5: () => new ShardDamageError('shard-corrupt', 'xz: bytes that begin no stream'),
  6: () => unsupported('filters besides LZMA2 and the integrity check SHA-256 are not read'),
  8: truncated,
}

function unsupported(what: string): ShardDamageError {
  return new ShardDamageError('shard-unsupported', `xz: ${what}; unpack it first: xz -d FILE`)
}

/** Concatenated streams, with padding between them, are one. Checks CRC32 and CRC64 of each block and the index. */
export function xzDecoder(): Decoder {
  let context: XzContext | null = null

  async function run(slice: Uint8Array): Promise<DecodedSlice> {
    // Yields to other work between slices: this is the main thread.
    await setImmediate()
    context ??= new XzContext(await nextInstance())
    return context.decode(slice)
  }

  async function end(): Promise<DecodedSlice> {
    const decoded = await run(new Uint8Array(0))
    if (decoded.damage !== null || context?.ended === true) return decoded
    return { output: decoded.output, damage: truncated() }
  }

  return {
    decode: run,
    end,
    close: () => {
      context = null
    },
  }
}

/** The package keeps the last instance in a static field: instances are created one after the other. */
let instances: Promise<unknown> = Promise.resolve()

function nextInstance(): Promise<XzExports> {
  const xz = xzDecompress.XzReadableStream as unknown as XzModule
  const next = instances.then(async () => {
    await xz._getModuleInstance()
    return xz._moduleInstance.exports
  })
  // A failure is reported to its caller; the next call does not depend on it.
  instances = next.catch(() => undefined)
  return next
}

class XzContext {
  /** The input has ended between two streams. */
  ended = false
  readonly #exports: XzExports
  readonly #pointer: number

  constructor(exports: XzExports) {
    this.#exports = exports
    this.#pointer = exports.create_context()
  }

  /** @param slice empty at the end of the input */
  decode(slice: Uint8Array): DecodedSlice {
    const output: Uint8Array[] = []
    let outputBytes = 0
    let at = 0
    try {
      do {
        at += this.#supply(slice.subarray(at))
        for (let more = true; more; ) {
          const code = this.#exports.get_next_output(this.#pointer)
          const { bytes, full, inputLeft } = this.#takeOutput()
          if (bytes.byteLength > 0) output.push(bytes)
          outputBytes += bytes.byteLength
          if (code === streamEnd) this.ended = true
          else if (code !== ok) return { output, damage: refusals[code]?.() ?? corrupt() }
          if (outputBytes > sliceOutputBytesMax) return { output, damage: corrupt(tooMuch) }
          more = code === ok && (full || inputLeft)
        }
      } while (at < slice.byteLength)
    } catch (error) {
      // A trap of the WebAssembly module. Checked by name: the types lack WebAssembly.RuntimeError.
      if (!(error instanceof Error) || error.name !== 'RuntimeError') throw error
      return { output, damage: corrupt(undefined, error) }
    }
    return { output, damage: null }
  }

  /** Copies what fits; returns its length. */
  #supply(bytes: Uint8Array): number {
    const words = this.#words()
    const part = bytes.subarray(0, words[word.capacity])
    new Uint8Array(this.#exports.memory.buffer).set(part, words[word.input])
    this.#exports.supply_input(this.#pointer, part.byteLength)
    return part.byteLength
  }

  #takeOutput(): { bytes: Uint8Array; full: boolean; inputLeft: boolean } {
    const words = this.#words()
    const start = words[word.output] as number
    const sizeBytes = words[word.outputSize] as number
    const bytes = new Uint8Array(this.#exports.memory.buffer).slice(start, start + sizeBytes)
    words[word.outputSize] = 0
    const inputLeft = (words[word.inputPosition] as number) < (words[word.inputSize] as number)
    return { bytes, full: sizeBytes === words[word.capacity], inputLeft }
  }

  /** Creates a view for each use: growing the memory detaches views. */
  #words(): Uint32Array {
    return new Uint32Array(this.#exports.memory.buffer, this.#pointer, 6)
  }
}

function corrupt(what = 'the stream is corrupt', cause?: Error): ShardDamageError {
  return new ShardDamageError('shard-corrupt', `xz: ${what}`, cause && { cause })
}
