/**
 * gzip, zstd and xz as byte streams. The compressed bytes are fed in slices on a fixed grid, so that what comes out
 * before a corrupt place does not depend on how the bytes arrived. Limits keep a bomb from filling memory.
 */
import type { Transform } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import xxhash, { type XXHash, type XXHashAPI } from 'xxhash-wasm'
import { ShardDamageError } from '../../errors.js'
import { type Decoded, type Decoder, sliceOutputBytesMax, tooMuch } from './decoder.js'
import type { Codec } from './raw-block.js'
import { xzDecoder } from './xz-decoder.js'
import { frameWalker } from './zstd-frames.js'
import { growingWindow } from './zstd-window.js'

/** Compressed bytes fed at once. */
const sliceBytes = 64 * 1024

/** The same where a corrupt slice is gone through again: what comes out of the last one before the damage is lost. */
const fineSliceBytes = 8

/** Output to input of a whole shard, past the first `expansionFreeBytes`: text is 2 to 10, a bomb over 1,000. */
const expansionRatioMax = 300
const expansionFreeBytes = 64 * 1024 * 1024

/** Output of one shard. */
const decompressedBytesMax = 2 ** 40

/** Output buffers of zlib: larger ones mean fewer crossings to its thread (348 MB/s against 143 at 16 KiB). */
const outputBytes = 1024 * 1024

/**
 * @param stream the compressed bytes from the first on
 * @param reopen the same again, to get at what is whole in a corrupt slice; null where bytes come only once
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

/** Yields the output past `skip` bytes; returns what broke it off. `state.inputBytes`: start of the slice that did. */
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

/** Slices of `sliceBytes`, on a grid from the first byte; of `fineSliceBytes` from `fineFrom` on. */
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
      // What is not whole waits for the next chunk, which may be filled into the memory of this one.
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

/** zlib on the thread pool; members end to end are one stream. */
function gzipDecoder(): Decoder {
  return zlibDecoder('gzip', zlib.createGunzip({ chunkSize: outputBytes }))
}

function zlibDecoder(name: string, stream: Transform): Decoder {
  let output: Uint8Array[] = []
  let heldBytes = 0
  /** zlib ends at zero bytes behind a member, the padding of tapes, and then takes no more writes. */
  let ended = false
  let settle: (damage: ShardDamageError | null) => void = () => {}
  stream.on('data', (bytes: Buffer) => {
    output.push(bytes)
    heldBytes += bytes.byteLength
    if (heldBytes > sliceOutputBytesMax) stream.destroy(new Error(tooMuch))
  })
  stream.on('end', () => {
    ended = true
    settle(null)
  })
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const reason = error.code === 'Z_BUF_ERROR' ? 'shard-truncated' : 'shard-corrupt'
    // zlib's words are the same everywhere; zstd's depend on who decodes.
    const words = name === 'zstd' ? zstdWords(error) : error.message
    settle(new ShardDamageError(reason, `${name}: ${words}`, { cause: error }))
  })

  async function step(act: (done: () => void) => void): Promise<Decoded> {
    if (ended) return { output: [], damage: null }
    heldBytes = 0
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

function zstdWords({ message, code }: NodeJS.ErrnoException): string {
  if (code === 'ZSTD_error_checksum_wrong') return checksumWrong
  return message === tooMuch ? message : 'the frame is corrupt'
}

const checksumWrong = 'the content of the frame is not that of its checksum'

/**
 * Frame after frame: Node's own decoder where it has one (22.15 and later, off this thread), else fzstd. Both get the
 * checksum by itself, once the rest of the frame is decoded: with Node's, what comes out of bytes that it refuses is lost.
 * So the whole content of a frame with a wrong checksum comes before the damage, whoever decodes.
 */
function zstdDecoder(windowBytesMax: number): Decoder {
  const walker = frameWalker(windowBytesMax)
  let frame: Decoder | null = null
  let started = false

  async function decode(slice: Uint8Array): Promise<Decoded> {
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

  async function end(): Promise<Decoded> {
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
/** The least that the parameter may be. */
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

/** @param hash of the content, which fzstd does not compare with the checksum: the low 32 bits of XXH64 with seed 0 */
function fzstdDecoder(hash: XXHash<bigint>): Decoder {
  let output: Uint8Array[] = []
  let heldBytes = 0
  const decoder = new Decompress((bytes) => {
    heldBytes += bytes.byteLength
    if (heldBytes > sliceOutputBytesMax) throw new Error(tooMuch)
    hash.update(bytes)
    output.push(bytes)
    window.grow(bytes.byteLength)
  })
  const window = growingWindow(decoder)

  async function push(slice: Uint8Array, last: boolean): Promise<Decoded> {
    // Lets other work in between slices: this is the thread that everything waits on.
    await setImmediate()
    output = []
    heldBytes = 0
    let damage: ShardDamageError | null = null
    try {
      // A copy: fzstd holds on to what it cannot decode yet.
      decoder.push(window.header(new Uint8Array(slice)), last)
    } catch (error) {
      damage = new ShardDamageError('shard-corrupt', `zstd: ${zstdWords(error as Error)}`, { cause: error })
    }
    return { output, damage }
  }

  async function end(checksum: Uint8Array | null = null): Promise<Decoded> {
    const decoded = await push(checksum ?? new Uint8Array(0), true)
    if (checksum === null || decoded.damage !== null) return decoded
    const found = Number(hash.digest() & 0xffffffffn)
    if (Buffer.from(checksum).readUInt32LE(0) === found) return decoded
    return { output: decoded.output, damage: new ShardDamageError('shard-corrupt', `zstd: ${checksumWrong}`) }
  }

  return { decode: (slice) => push(slice, false), end, close: () => {} }
}
