/**
 * Decompresses gzip, zstd and xz streams. The input is divided into slices of a fixed size, so that the output before a
 * corrupt place does not depend on how the bytes arrived. Limits protect against decompression bombs.
 */
import type { Transform } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import xxhash, { type XXHash, type XXHashAPI } from 'xxhash-wasm'
import { asError } from '../../caught-error.js'
import { ShardDamageError } from '../../errors.js'
import { type DecodedSlice, type Decoder, sliceOutputBytesMax, tooMuch } from './decoder.js'
import type { Codec } from './raw-block.js'
import { xzDecoder } from './xz-decoder.js'
import { frameWalker } from './zstd-frames.js'
import { growingWindow } from './zstd-window.js'

/** Compressed bytes per call of the decoder. */
const sliceBytes = 64 * 1024

/** The same when a corrupt slice is decoded again: the output of the slice with the damage is lost. */
const fineSliceBytes = 8

/** Largest ratio of output to input of a shard after the first `expansionFreeBytes`: 2 to 10 for text, over 1,000 for a bomb. */
const expansionRatioMax = 300
const expansionFreeBytes = 64 * 1024 * 1024

/** Largest output of one shard. */
const decompressedBytesMax = 2 ** 40

/** Size of the output buffers of zlib: larger ones need fewer calls of its thread (348 MB/s, 143 MB/s with 16 KiB). */
const outputBytes = 1024 * 1024

/**
 * @param stream the compressed bytes from the first one
 * @param reopen opens the stream again, to decode a corrupt slice up to the damage; null if it can be read only once
 * @throws {ShardDamageError} after the last byte that could be decompressed
 */
export async function* decompress(
  codec: Exclude<Codec, 'plain'>,
  stream: AsyncIterable<Uint8Array>,
  reopen: (() => AsyncIterable<Uint8Array>) | null,
  { zstdWindowBytesMax }: { readonly zstdWindowBytesMax: number },
): AsyncGenerator<Uint8Array> {
  const decoders: Record<typeof codec, () => Decoder> = {
    gzip: gzipDecoder,
    zstd: () => zstdDecoder(zstdWindowBytesMax),
    xz: xzDecoder,
  }
  const decoder = decoders[codec]
  const state = { inputBytes: 0, outputBytes: 0 }
  const damage = yield* decodeAll(decoder(), slices(stream, Number.POSITIVE_INFINITY), state, 0)
  if (damage === null) return
  if (reopen === null || damage.reason !== 'shard-corrupt') throw damage
  const again = { inputBytes: 0, outputBytes: 0 }
  yield* decodeAll(decoder(), slices(reopen(), state.inputBytes), again, state.outputBytes)
  throw damage
}

/** Yields the output after `skip` bytes; returns the damage, if any. `state.inputBytes` is the start of the corrupt slice. */
async function* decodeAll(
  decoder: Decoder,
  input: AsyncIterable<Uint8Array>,
  state: { inputBytes: number; outputBytes: number },
  skip: number,
): AsyncGenerator<Uint8Array, ShardDamageError | null> {
  try {
    for await (const slice of input) {
      const { output, damage } = await decoder.decode(slice)
      yield* behind(output, state, skip)
      if (damage !== null) return damage
      state.inputBytes += slice.byteLength
      const excess = expansion(state)
      if (excess !== null) return excess
    }
    const { output, damage } = await decoder.end()
    yield* behind(output, state, skip)
    return damage
  } finally {
    decoder.close()
  }
}

function* behind(
  output: readonly Uint8Array[],
  state: { outputBytes: number },
  skip: number,
): Generator<Uint8Array, void, undefined> {
  for (const bytes of output) {
    const passed = Math.min(bytes.byteLength, Math.max(0, skip - state.outputBytes))
    state.outputBytes += bytes.byteLength
    if (passed < bytes.byteLength) yield bytes.subarray(passed)
  }
}

function expansion({ inputBytes, outputBytes }: { inputBytes: number; outputBytes: number }): ShardDamageError | null {
  const allowed = Math.min(decompressedBytesMax, expansionFreeBytes + inputBytes * expansionRatioMax)
  if (outputBytes <= allowed) return null
  return new ShardDamageError(
    'shard-corrupt',
    `${inputBytes} bytes decompress to ${outputBytes}, ${allowed} are allowed: this is no text`,
  )
}

/** Yields slices of `sliceBytes`; of `fineSliceBytes` from the offset `fineFrom` on. */
async function* slices(stream: AsyncIterable<Uint8Array>, fineFrom: number): AsyncGenerator<Uint8Array> {
  let offset = 0
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  for await (const chunk of stream) {
    let left = chunk
    while (left.byteLength > 0) {
      const wanted = (offset < fineFrom ? sliceBytes : fineSliceBytes) - pendingBytes
      const part = left.subarray(0, wanted)
      left = left.subarray(part.byteLength)
      const whole = part.byteLength === wanted
      // An incomplete slice is copied: the next chunk may reuse its memory.
      pending.push(whole ? part : new Uint8Array(part))
      pendingBytes += part.byteLength
      if (!whole) break
      yield pending.length === 1 ? part : Buffer.concat(pending)
      offset += pendingBytes
      pending = []
      pendingBytes = 0
    }
  }
  if (pendingBytes > 0) yield Buffer.concat(pending)
}

/** zlib on the thread pool; concatenated members are one stream. */
function gzipDecoder(): Decoder {
  return zlibDecoder('gzip', zlib.createGunzip({ chunkSize: outputBytes }))
}

function zlibDecoder(name: string, stream: Transform): Decoder {
  let output: Uint8Array[] = []
  let outputSoFar = 0
  /** zlib ends at zero bytes after a member (tape padding), and then accepts no more writes. */
  let ended = false
  let settle: (damage: ShardDamageError | null) => void = () => {}
  stream.on('data', (bytes: Buffer) => {
    output.push(bytes)
    outputSoFar += bytes.byteLength
    if (outputSoFar > sliceOutputBytesMax) stream.destroy(new Error(tooMuch))
  })
  stream.on('end', () => {
    ended = true
    settle(null)
  })
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const reason = error.code === 'Z_BUF_ERROR' ? 'shard-truncated' : 'shard-corrupt'
    // The messages of zlib are the same everywhere; those of zstd depend on the decoder.
    const words = name === 'zstd' ? zstdMessage(error) : error.message
    settle(new ShardDamageError(reason, `${name}: ${words}`, { cause: error }))
  })

  async function step(act: (done: () => void) => void): Promise<DecodedSlice> {
    if (ended) return { output: [], damage: null }
    outputSoFar = 0
    const damage = await new Promise<ShardDamageError | null>((resolve) => {
      settle = resolve
      act(() => resolve(null))
    })
    const decoded = { output, damage }
    output = []
    return decoded
  }

  return {
    decode: (slice) =>
      step((done) => {
        stream.write(slice, (error) => {
          if (!error) done()
        })
      }),
    end: (checksum) => step(() => stream.end(checksum)),
    close: () => void stream.destroy(),
  }
}

function zstdMessage({ message, code }: NodeJS.ErrnoException): string {
  if (code === 'ZSTD_error_checksum_wrong') return checksumWrong
  return message === tooMuch ? message : 'the frame is corrupt'
}

const checksumWrong = 'the content of the frame is not that of its checksum'

/**
 * Decodes frame after frame: with Node's decoder if it has one (22.15 and later, off the main thread), else with fzstd.
 * Both get the checksum separately, after the rest of the frame: Node's decoder loses the output of the bytes that it
 * refuses. So the whole content of a frame with a wrong checksum precedes the damage with either decoder.
 */
function zstdDecoder(windowBytesMax: number): Decoder {
  const walker = frameWalker(windowBytesMax)
  let frame: Decoder | null = null
  let started = false

  async function decode(slice: Uint8Array): Promise<DecodedSlice> {
    const output: Uint8Array[] = []
    const { segments, damage } = walker.walk(slice)
    started = true
    for (const { bytes, last, skippable, checksum } of segments) {
      if (skippable) continue
      const decoder = frame ?? (await frameDecoder(windowBytesMax))
      frame = decoder
      const steps = last ? [() => decoder.decode(bytes), () => decoder.end(checksum)] : [() => decoder.decode(bytes)]
      for (const step of steps) {
        const decoded = await step()
        output.push(...decoded.output)
        if (decoded.damage !== null) return { output, damage: decoded.damage }
      }
      if (last) close()
    }
    return { output, damage }
  }

  async function end(): Promise<DecodedSlice> {
    if (started && walker.between()) return { output: [], damage: null }
    return { output: [], damage: new ShardDamageError('shard-truncated', 'zstd: the stream ends inside a frame') }
  }

  function close(): void {
    frame?.close()
    frame = null
  }

  return { decode, end, close }
}

/** Missing from the types of Node 20. */
const createZstdDecompress = (
  zlib as { createZstdDecompress?: (options: { chunkSize: number; params: Record<number, number> }) => Transform }
).createZstdDecompress
/** ZSTD_d_windowLogMax of zstd.h. */
const zstdWindowLogMaxParameter = 100
/** Smallest value of the parameter. */
const zstdWindowLogMin = 10

async function frameDecoder(windowBytesMax: number): Promise<Decoder> {
  if (createZstdDecompress) {
    const params = { [zstdWindowLogMaxParameter]: Math.max(zstdWindowLogMin, Math.ceil(Math.log2(windowBytesMax))) }
    return zlibDecoder('zstd', createZstdDecompress({ chunkSize: outputBytes, params }))
  }
  hashes ??= xxhash()
  return fzstdDecoder((await hashes).create64())
}

/** Loaded once in a process. */
let hashes: Promise<XXHashAPI> | null = null

/** @param hash of the content (the checksum is the low 32 bits of XXH64 with seed 0): fzstd does not check it */
function fzstdDecoder(hash: XXHash<bigint>): Decoder {
  let output: Uint8Array[] = []
  let outputSoFar = 0
  const decoder = new Decompress((bytes) => {
    outputSoFar += bytes.byteLength
    if (outputSoFar > sliceOutputBytesMax) throw new Error(tooMuch)
    hash.update(bytes)
    output.push(bytes)
    window.grow(bytes.byteLength)
  })
  const window = growingWindow(decoder)

  async function push(slice: Uint8Array, last: boolean): Promise<DecodedSlice> {
    // Yields to other work between slices: this is the main thread.
    await setImmediate()
    output = []
    outputSoFar = 0
    let damage: ShardDamageError | null = null
    try {
      // A copy: fzstd keeps the bytes that it cannot decode yet.
      decoder.push(window.header(new Uint8Array(slice)), last)
    } catch (error) {
      damage = new ShardDamageError('shard-corrupt', `zstd: ${zstdMessage(asError(error))}`, { cause: error })
    }
    return { output, damage }
  }

  async function end(checksum: Uint8Array | null = null): Promise<DecodedSlice> {
    const decoded = await push(checksum ?? new Uint8Array(0), true)
    if (checksum === null || decoded.damage !== null) return decoded
    const found = Number(hash.digest() & 0xffffffffn)
    if (Buffer.from(checksum).readUInt32LE(0) === found) return decoded
    return { output: decoded.output, damage: new ShardDamageError('shard-corrupt', `zstd: ${checksumWrong}`) }
  }

  return { decode: (slice) => push(slice, false), end, close: () => {} }
}
