/**
 * On-disk format of an append log: a header frame, then data frames. Pure except for the scan.
 *
 * Frame, little-endian: [u32 length][u32 check of length and offset][u32 crc32 over those 8 bytes and the payload]
 * [payload]. The first frame is the header: JSON { magic, version, settings }. The separate check of the head prevents
 * a damaged length from being followed, so the next valid frame is found in linear time. It covers the frame's offset,
 * so that bytes inside a payload, or a block written twice or at the wrong place, do not count as a frame.
 */

import { crc32 } from 'node:zlib'
import { differences } from '../core/difference.js'
import { isRecord } from '../core/objects.js'
import { ContractError, CorruptFileError, RunMismatchError } from '../errors.js'
import { say } from '../language/say.js'
import type { OpenFile } from './files.js'

/** Largest payload in bytes. */
export const frameBytesMax = 16 * 1024 * 1024
/** Bytes before the payload: length, check of the head, checksum, each a u32. */
export const frameHeadBytes = 12

/** `payload` is only valid during the call. */
export type OnRecord = (payload: Uint8Array, offset: number) => void | Promise<void>

/** Damage before valid frames: a crash cannot leave it in fsynced data. */
export interface LogDamage {
  /** Number of frames with a damaged payload and of stretches without recognisable frames. */
  readonly count: number
  readonly bytes: number
  /** Offset of the first. */
  readonly offset: number
  /** Whether the header is damaged. */
  readonly header: boolean
}

/** Result of a scan. */
export interface LogScan {
  /** End of the last valid frame. Bytes after it are a torn tail, or damage at the end. */
  readonly bytes: number
  /** Null if there is none. */
  readonly damage: LogDamage | null
}

/**
 * Calls back with the payload of each valid frame, in order; damaged ones are skipped.
 *
 * @param stopAtDamage ends the scan at the first frame that is not valid, as at a torn tail
 * @throws {CorruptFileError} the file does not start with a log header and has no valid frame
 */
export async function scanFrames(
  file: OpenFile,
  sizeBytes: number,
  path: string,
  onFrame: OnRecord,
  { stopAtDamage = false }: { readonly stopAtDamage?: boolean } = {},
): Promise<LogScan> {
  const frames = new FrameReader(file, sizeBytes)
  let damage = null as LogDamage | null
  let [offset, end] = [0, 0]
  for (;;) {
    const read = frames.payloadAt(offset)
    const frame = read instanceof Promise ? await read : read
    if (frame !== null) {
      // Await only promises: a million records must not cost a million microtasks.
      const pending = onFrame(frame, offset)
      if (pending !== undefined) await pending
      offset += frameHeadBytes + frame.length
      end = offset
      continue
    }
    const next = stopAtDamage ? null : await frames.next(offset)
    if (next === null) break
    damage = {
      count: (damage?.count ?? 0) + 1,
      bytes: (damage?.bytes ?? 0) + next - offset,
      offset: damage?.offset ?? offset,
      header: damage?.header ?? offset === 0,
    }
    offset = next
  }
  if (end === 0 && !(await frames.isTornHeader(path))) throw corrupt(path, 0, foreign)
  return { bytes: end, damage }
}

/** Reads frames through one buffer. */
class FrameReader {
  readonly #file: OpenFile
  readonly #sizeBytes: number
  #buffer: Uint8Array = new Uint8Array(0)
  #bufferAt = 0
  /** Offset of the first valid frame after the last damage; infinite if there is none. */
  #validAt = -1

  constructor(file: OpenFile, sizeBytes: number) {
    this.#file = file
    this.#sizeBytes = sizeBytes
  }

  /** Returns the payload of the frame at `offset`; null if there is no valid frame. */
  payloadAt(offset: number): Uint8Array | null | Promise<Uint8Array | null> {
    const frame = parseFrame(this.#buffer, offset - this.#bufferAt, offset)
    return typeof frame === 'number' ? this.#readFrame(offset, frame) : frame
  }

  async #readFrame(offset: number, neededBytes: number): Promise<Uint8Array | null> {
    for (let needed = neededBytes; needed <= this.#sizeBytes - offset; ) {
      await this.#fill(offset, needed)
      const frame = parseFrame(this.#buffer, 0, offset)
      if (typeof frame !== 'number') return frame
      // The length is known only now: read the frame again as a whole, unless the file became shorter.
      if (frame <= needed || this.#buffer.length < needed) return null
      needed = frame
    }
    return null
  }

  /**
   * Returns the offset of the next valid frame after the invalid one at `offset`, or null. Linear in the bytes skipped.
   */
  async next(offset: number): Promise<number | null> {
    await this.#fill(offset, frameHeadBytes)
    const length = headLength(this.#buffer, 0, offset)
    if (length !== null) {
      const after = offset + frameHeadBytes + length
      // A valid head gives the end of its frame; damage after it is counted separately.
      return after < this.#sizeBytes && (await this.#anyFrom(after)) !== null ? after : null
    }
    return this.#anyFrom(offset + 1)
  }

  async #anyFrom(offset: number): Promise<number | null> {
    // Found for an earlier frame of the same stretch: no byte is searched twice.
    if (this.#validAt < offset) this.#validAt = (await this.#search(offset)) ?? Number.POSITIVE_INFINITY
    return Number.isFinite(this.#validAt) ? this.#validAt : null
  }

  async #search(offset: number): Promise<number | null> {
    for (let from = offset; from + frameHeadBytes <= this.#sizeBytes; ) {
      const size = Math.min(readBytes, this.#sizeBytes - from)
      const bytes = await this.#file.read(from, size)
      for (let at = 0; at + frameHeadBytes <= bytes.length; at++) {
        if (headLength(bytes, at, from + at) !== null && (await this.payloadAt(from + at)) !== null) return from + at
      }
      if (bytes.length < size) return null
      from += Math.max(1, size - frameHeadBytes + 1)
    }
    return null
  }

  /**
   * Whether the header was never written completely. It is fsynced before anything follows it, so such a file ends
   * inside its header; a longer file lost its header later and must not be overwritten.
   */
  async isTornHeader(path: string): Promise<boolean> {
    if (this.#sizeBytes < frameHeadBytes) return true
    const start = Buffer.from(await this.#file.read(0, Math.min(this.#sizeBytes, headerBytesMax)))
    const text = start.subarray(8, 64).toString('latin1')
    if (text.startsWith('{"magic":"kun-stream log"')) throw otherVersion(path, 1)
    if (this.#sizeBytes > headerBytesMax) return false
    const length = headLength(start, 0, 0)
    const isHead = length !== null && this.#sizeBytes <= frameHeadBytes + length
    return isHead || start.every((byte) => byte === 0) || text.slice(4).startsWith('{"magic":"kun-stream log"')
  }

  async #fill(offset: number, neededBytes: number): Promise<void> {
    this.#buffer = await this.#file.read(offset, Math.min(Math.max(neededBytes, readBytes), this.#sizeBytes - offset))
    this.#bufferAt = offset
  }
}

/** Returns the payload of the frame at `at`, the number of bytes needed to check it, or null if it is not valid. */
export function parseFrame(bytes: Uint8Array, at: number, offset: number): Uint8Array | number | null {
  if (bytes.length - at < frameHeadBytes) return frameHeadBytes
  const length = headLength(bytes, at, offset)
  if (length === null) return null
  if (bytes.length - at < frameHeadBytes + length) return frameHeadBytes + length
  const payload = bytes.subarray(at + frameHeadBytes, at + frameHeadBytes + length)
  return readU32(bytes, at + 8) === checksum(bytes.subarray(at, at + 8), payload) ? payload : null
}

/** Returns the payload length in a head; null if its check fails. */
function headLength(bytes: Uint8Array, at: number, offset: number): number | null {
  // The length is below 2^24: three of four positions in text fail here already.
  if ((bytes[at + 3] as number) > 1) return null
  const length = readU32(bytes, at)
  return length <= frameBytesMax && readU32(bytes, at + 4) === headCheck(length, offset) ? length : null
}

function readU32(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number]
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
}

/** Mixes length and offset; every step is invertible, so that no two lengths at one offset have the same check. */
function headCheck(length: number, offset: number): number {
  let mixed = Math.imul(length ^ 0x6b756e73, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ (offset | 0), 0xc2b2ae35)
  mixed = Math.imul(mixed ^ (mixed >>> 13) ^ Math.floor(offset / 2 ** 32), 0x27d4eb2f)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Builds the frame of a payload at `offset` of its log: head and a copy of the payload. */
export function encodeFrame(payload: Uint8Array, offset: number): Uint8Array {
  const frame = Buffer.allocUnsafe(frameHeadBytes + payload.length)
  encodeFrameInto(frame, 0, payload, offset)
  return frame
}

/** Like `encodeFrame`, but writes into `target` at byte `at`; `target` must be large enough. */
export function encodeFrameInto(target: Uint8Array, at: number, payload: Uint8Array, offset: number): void {
  target.set(payload, at + frameHeadBytes)
  encodeHead(target, at, payload, offset)
}

/** Writes the head of a frame at byte `at`, whose payload is in `target` or a copy of what is. */
export function encodeHead(target: Uint8Array, at: number, payload: Uint8Array, offset: number): void {
  const { length } = payload
  const check = headCheck(length, offset)
  writeU32(target, at, length)
  writeU32(target, at + 4, check)
  writeU32(target, at + 8, crc32(payload, headChecksum(length, check)))
}

function writeU32(target: Uint8Array, at: number, value: number): void {
  target[at] = value
  target[at + 1] = value >>> 8
  target[at + 2] = value >>> 16
  target[at + 3] = value >>> 24
}

/** crc32 of two u32: the call costs several times as much as eight bytes. */
function headChecksum(length: number, check: number): number {
  const first = length ^ -1
  return (
    (tableAt(7, first) ^
      tableAt(6, first >>> 8) ^
      tableAt(5, first >>> 16) ^
      tableAt(4, first >>> 24) ^
      tableAt(3, check) ^
      tableAt(2, check >>> 8) ^
      tableAt(1, check >>> 16) ^
      tableAt(0, check >>> 24) ^
      -1) >>>
    0
  )
}

function tableAt(bytesAfter: number, byte: number): number {
  return crcTables[(bytesAfter << 8) | (byte & 255)] as number
}

/** What a byte adds to the crc32 of data that ends 0 to 7 bytes after it. */
const crcTables = new Int32Array(8 << 8)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
  crcTables[byte] = crc
}
for (let i = 256; i < crcTables.length; i++) {
  const before = crcTables[i - 256] as number
  crcTables[i] = (before >>> 8) ^ (crcTables[before & 255] as number)
}

function checksum(head: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(head))
}

const readBytes = 1024 * 1024
const headerBytesMax = 64 * 1024
const logMagic = 'kun-stream log'
const logVersion = 2
const foreign = 'it does not start with the header of a kun-stream log'

/**
 * Builds the payload of the header frame.
 *
 * @throws {ContractError} the settings are too large
 */
export function encodeHeader(settings: Readonly<Record<string, unknown>>): Uint8Array {
  const payload = Buffer.from(JSON.stringify({ magic: logMagic, version: logVersion, settings }))
  if (payload.length + frameHeadBytes > headerBytesMax) {
    throw new ContractError(`the header of a log has ${payload.length} bytes, at most ${headerBytesMax} are allowed`)
  }
  return payload
}

/**
 * Parses the payload of the header frame; returns the settings.
 *
 * @throws {CorruptFileError} it is not a header · {RunMismatchError} it has another format version
 */
export function decodeHeader(payload: Uint8Array, path: string): Readonly<Record<string, unknown>> {
  let header: unknown
  try {
    header = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString())
  } catch (cause) {
    throw new CorruptFileError(say`${path} is not a log of kun-stream: its header is not valid JSON`, { cause })
  }
  const { magic, version, settings } = isRecord(header) ? header : {}
  if (magic !== logMagic || !isRecord(settings)) {
    throw corrupt(path, 0, foreign)
  }
  if (version !== logVersion) {
    throw otherVersion(path, version)
  }
  return settings
}

function otherVersion(path: string, version: unknown): RunMismatchError {
  return new RunMismatchError(
    say`${path} has log format ${String(version)}, this version of kun-stream writes ${logVersion}: use the
      version that made it`,
  )
}

/** @throws {RunMismatchError} the settings differ; the message has the first difference */
export function compareHeaders(found: unknown, wanted: unknown, path: string): void {
  const [difference] = differences(found, wanted)
  if (difference === undefined) return
  throw new RunMismatchError(
    say`${path} was made with other settings: ${difference}. Use the same settings, or another directory.`,
    { details: { path, difference } },
  )
}

/** Builds the error for damage at an offset of a log. */
export function corrupt(path: string, offset: number, what: string): CorruptFileError {
  return new CorruptFileError(
    say`${path} is damaged at byte ${offset}: ${what}. Restore it from a backup or a mirror, or start over
      in another directory.`,
    { details: { path, offset } },
  )
}
