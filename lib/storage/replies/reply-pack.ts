/**
 * On-disk format of replies. Entry: 16 bytes of key, u32 block of the record, JSON of the result. A log has one entry per
 * frame. A pack is a closed log, compressed in blocks that can be read separately; its frames are
 * [u32 count][count × (16 bytes of key, u32 block)][compressed entries, each after its u32 length].
 */

import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { decompress as unzstd } from 'fzstd'
import { CorruptFileError } from '../../errors.js'
import { say } from '../../language/say.js'
import { type LogDamage, openAppendLog, readAppendLog } from '../append-log.js'
import { type FileLayer, temporarySuffix } from '../files.js'
import type { CallResult } from './types.js'

/** Header of a log of replies. */
export const logHeader = { kind: 'replies' }
export const keyBytes = 16
const headBytes = keyBytes + 4
/** Bytes of entries compressed together: large enough for a good ratio, small enough to read one entry. */
const packBlockBytes = 256 * 1024
/** Limit of a decompressed block: more is damage. A block may exceed `packBlockBytes` by one entry. */
const blockBytesMax = 32 * 1024 * 1024

/** A stored reply or verdict. */
interface Entry {
  readonly key: Uint8Array
  /** Input block of its record. */
  readonly block: number
  readonly result: CallResult
}

/** Builds the payload of a frame in a log. */
export function encodeEntry({ key, block, result }: Entry): Buffer {
  const json = JSON.stringify(result)
  const bytes = Buffer.allocUnsafe(headBytes + Buffer.byteLength(json))
  bytes.set(key, 0)
  bytes.writeUInt32LE(block, keyBytes)
  bytes.write(json, headBytes)
  return bytes
}

/** Returns the key in such a payload, not copied. */
export function entryKey(payload: Uint8Array): Uint8Array {
  return payload.subarray(0, keyBytes)
}

/** Returns the block in such a payload. */
export function entryBlock(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(keyBytes, true)
}

/** Returns the outcome in such a payload. */
export function entryResult(payload: Uint8Array): CallResult {
  const json = Buffer.from(payload.buffer, payload.byteOffset + headBytes, payload.length - headBytes)
  return JSON.parse(json.toString('utf8')) as CallResult
}

/** Reads the keys and blocks of each valid frame of a pack without decompressing. The codec is null if there is none. */
export async function readPackKeys(
  files: FileLayer,
  path: string,
  onKey: (key: Uint8Array, block: number, offset: number) => void,
): Promise<{ codec: Codec | null; damage: LogDamage | null }> {
  let found: Codec | null = null
  const { header, damage, tornBytes, bytes } = await readAppendLog({ files, path }, (payload, offset) => {
    const count = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true)
    const compressedAt = 4 + count * headBytes
    for (let at = 4; at < compressedAt; at += headBytes) {
      const head = payload.subarray(at, at + headBytes)
      onKey(entryKey(head), entryBlock(head), offset)
    }
    found ??= codecOf(payload.subarray(compressedAt))
  })
  const codec = header === null ? found : codecNamed(header.codec, path)
  // A pack is durable before it gets its name, so an invalid tail is damage.
  const torn = tornBytes === 0 ? null : { count: 1, bytes: tornBytes, offset: bytes, header: false }
  return { codec, damage: addDamage(damage, torn) }
}

function addDamage(first: LogDamage | null, next: LogDamage | null): LogDamage | null {
  if (first === null || next === null) return first ?? next
  return { ...first, count: first.count + next.count, bytes: first.bytes + next.bytes }
}

/** Detects the codec by the first bytes, for packs with a damaged header. */
function codecOf(compressed: Uint8Array): Codec {
  return compressed[0] === 0x1f && compressed[1] === 0x8b ? gzip : zstd
}

/** Builds the header of a pack. */
export function packHeader({ name }: Codec): Readonly<Record<string, unknown>> {
  return { kind: 'replies-pack', codec: name }
}

/** Decompresses a frame of a pack into its entries. */
export async function unpackFrame(payload: Uint8Array, codec: Codec, path: string): Promise<Uint8Array[]> {
  const count = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true)
  const bytes = await codec.decompress(payload.subarray(4 + count * headBytes)).catch((cause: unknown) => {
    throw new CorruptFileError(say`${path}: a block of ${count} replies cannot be decompressed`, { cause })
  })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (at + 4 + length > bytes.length)
      throw new CorruptFileError(say`${path}: a block of replies ends inside an entry`)
    entries.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return entries
}

/** Offsets of the entries of a log and of its pack; entry i has the 16 bytes of `keys` at 16 · i. */
interface PackedEntries {
  readonly keys: Uint8Array
  readonly from: readonly number[]
  readonly to: readonly number[]
  /** Entries that could not be read and are missing in the pack. */
  readonly damage: LogDamage | null
}

/**
 * Writes the entries of a closed log to a pack under a temporary name, durably; the caller renames it. Runs beside the
 * calls of a run, so it needs little memory: one reused block, and the keys and offsets of the entries.
 */
export async function packLog(
  files: FileLayer,
  logPath: string,
  packPath: string,
  codec: Codec,
): Promise<PackedEntries> {
  const path = packPath + temporarySuffix
  await files.remove(path)
  const pack = await openAppendLog({ files, path, header: packHeader(codec) })
  const [keys, from, to] = [new ByteBuffer(), [] as number[], [] as number[]]
  const [entries, heads] = [new ByteBuffer(), new ByteBuffer()]
  let damage: LogDamage | null = null
  const endBlock = async (): Promise<void> => {
    const compressed = await codec.compress(entries.view())
    await pack.ready()
    const place = pack.append(Buffer.concat([u32(from.length - to.length), heads.view(), compressed]))
    while (to.length < from.length) to.push(place)
    entries.clear()
    heads.clear()
  }
  try {
    const read = await readAppendLog({ files, path: logPath }, (payload, offset) => {
      from.push(offset)
      keys.add(entryKey(payload))
      heads.add(payload.subarray(0, headBytes))
      entries.add(u32(payload.length))
      entries.add(payload)
      return entries.length >= packBlockBytes ? endBlock() : undefined
    })
    damage = read.damage
    if (entries.length > 0) await endBlock()
  } finally {
    await pack.close()
  }
  return { keys: keys.view(), from, to, damage }
}

/** Growable byte buffer that keeps its capacity when cleared. */
class ByteBuffer {
  #room = Buffer.allocUnsafeSlow(4096)
  length = 0

  add(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (this.length + bytes.length))
      larger.set(this.view())
      this.#room = larger
    }
    this.#room.set(bytes, this.length)
    this.length += bytes.length
  }

  view(): Uint8Array {
    return this.#room.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(value, 0)
  return bytes
}

/** Compression of packs: zstd if this Node has it, otherwise gzip. */
export interface Codec {
  readonly name: 'zstd' | 'gzip'
  compress(bytes: Uint8Array): Promise<Uint8Array>
  decompress(bytes: Uint8Array): Promise<Uint8Array>
}

type Transform = (
  bytes: Uint8Array,
  options: zlib.ZlibOptions,
  done: (error: Error | null, out: Buffer) => void,
) => void
// Node has zstd from 22.15; the types here are older.
const native = zlib as unknown as { zstdCompress?: Transform; zstdDecompress?: Transform }

const gzip: Codec = {
  name: 'gzip',
  compress: (bytes) => promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)(bytes, { level: 4 }),
  decompress: (bytes) =>
    promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip)(bytes, { maxOutputLength: blockBytesMax }),
}

const zstd: Codec = {
  name: 'zstd',
  compress: (bytes) => promisify(native.zstdCompress as Transform)(bytes, {}) as unknown as Promise<Buffer>,
  decompress: async (bytes) =>
    native.zstdDecompress === undefined
      ? unzstd(bytes)
      : (promisify(native.zstdDecompress)(bytes, { maxOutputLength: blockBytesMax }) as unknown as Promise<Buffer>),
}

/** Codec with which this Node compresses; it reads both. */
export const packCodec: Codec = native.zstdCompress === undefined ? gzip : zstd

function codecNamed(name: unknown, path: string): Codec {
  if (name === 'gzip') return gzip
  if (name === 'zstd') return zstd
  throw new CorruptFileError(say`${path} is compressed with ${JSON.stringify(name)}, which this version does not know`)
}
