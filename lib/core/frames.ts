/**
 * How an append log looks on disk: frames, and the header that is the first of them. Pure but for the scan.
 *
 * Frame: [u32 length][u32 crc32 over length and payload][payload], little-endian. The first frame is the header:
 * JSON { magic, version, settings }. The checksum covers the length, so that zeros are no frame.
 */
import { crc32 } from 'node:zlib'
import { ContractError, CorruptFileError, RunMismatchError } from '../errors.js'
import { differences } from './difference.js'
import type { OpenFile } from './files.js'

/** Bytes of one payload. */
export const frameBytesMax = 16 * 1024 * 1024
/** Bytes before the payload: u32 of its length, u32 checksum. */
export const frameHeadBytes = 8

/** `payload` is only valid during the call. */
export type OnRecord = (payload: Uint8Array, offset: number) => void | Promise<void>

/** Calls back with each whole frame's payload; returns where the first frame that is not whole begins. */
export async function scanFrames(file: OpenFile, sizeBytes: number, path: string, onFrame: OnRecord): Promise<number> {
  let buffer: Uint8Array = new Uint8Array(0)
  let bufferAt = 0
  let offset = 0
  for (;;) {
    let frame = parseFrame(buffer, offset - bufferAt)
    if (typeof frame === 'number') {
      const wantBytes = Math.min(Math.max(frame, readBytes), sizeBytes - offset)
      if (frame > sizeBytes - offset) break
      buffer = await file.read(offset, wantBytes)
      bufferAt = offset
      frame = parseFrame(buffer, 0)
      if (typeof frame === 'number') {
        // The length is known only now: read again, whole, when it fits the file.
        if (frame > sizeBytes - offset || buffer.length < wantBytes) break
        continue
      }
    }
    if (frame === null) break
    // Only a promise is awaited: a million records need no million turns of the loop.
    const pending = onFrame(frame, offset)
    if (pending !== undefined) await pending
    offset += frameHeadBytes + frame.length
  }
  if (offset === 0 && !tornAtBirth(buffer, sizeBytes)) throw corrupt(path, 0, foreign)
  return offset
}

/**
 * A header that was never whole. It is fsynced before anything follows it, so such a file ends with its header:
 * a longer one lost its header later, and is not to be written over.
 */
function tornAtBirth(start: Uint8Array, sizeBytes: number): boolean {
  if (sizeBytes < frameHeadBytes) return true
  if (sizeBytes > headerBytesMax) return false
  const headerBytes = frameHeadBytes + new DataView(start.buffer, start.byteOffset).getUint32(0, true)
  return (sizeBytes <= headerBytes && headerBytes <= headerBytesMax) || start.every((byte) => byte === 0)
}

/** The payload, or the bytes that are needed to tell, or null when it is no frame. */
export function parseFrame(bytes: Uint8Array, at: number): Uint8Array | number | null {
  if (bytes.length - at < frameHeadBytes) return frameHeadBytes
  const view = new DataView(bytes.buffer, bytes.byteOffset + at)
  const length = view.getUint32(0, true)
  if (length > frameBytesMax) return null
  if (bytes.length - at < frameHeadBytes + length) return frameHeadBytes + length
  const payload = bytes.subarray(at + frameHeadBytes, at + frameHeadBytes + length)
  return view.getUint32(4, true) === checksum(bytes.subarray(at, at + 4), payload) ? payload : null
}

/** The frame of a payload: head and a copy of the payload. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(frameHeadBytes + payload.length)
  encodeFrameInto(frame, 0, payload)
  return frame
}

/** The same, written into `target` from byte `at` on; it must have room for head and payload. */
export function encodeFrameInto(target: Buffer, at: number, payload: Uint8Array): void {
  target.writeUInt32LE(payload.length, at)
  target.set(payload, at + frameHeadBytes)
  target.writeUInt32LE(checksum(target.subarray(at, at + 4), payload), at + 4)
}

function checksum(length: Uint8Array, payload: Uint8Array): number {
  return crc32(payload, crc32(length))
}

const readBytes = 1024 * 1024
const headerBytesMax = 64 * 1024
const logMagic = 'kun-stream log'
const logVersion = 1
const foreign = 'it does not begin as a log of kun-stream does'

/** @throws {ContractError} the settings take more than a header has room for */
export function encodeHeader(settings: Readonly<Record<string, unknown>>): Uint8Array {
  const payload = Buffer.from(JSON.stringify({ magic: logMagic, version: logVersion, settings }))
  if (payload.length + frameHeadBytes > headerBytesMax) {
    throw new ContractError(`the header of a log has ${payload.length} bytes, at most ${headerBytesMax} are allowed`)
  }
  return payload
}

/**
 * The settings that a log was made with.
 *
 * @throws {CorruptFileError} it is no header of ours · {RunMismatchError} of another version of the format
 */
export function decodeHeader(payload: Uint8Array, path: string): Readonly<Record<string, unknown>> {
  let header: unknown
  try {
    header = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString())
  } catch (cause) {
    throw new CorruptFileError(`${path} is not a log of kun-stream: its header is no JSON`, { cause })
  }
  const { magic, version, settings } = (header ?? {}) as { magic?: unknown; version?: unknown; settings?: unknown }
  if (magic !== logMagic || typeof settings !== 'object' || settings === null) {
    throw corrupt(path, 0, foreign)
  }
  if (version !== logVersion) {
    throw new RunMismatchError(
      `${path} has log format ${String(version)}, this version of kun-stream writes ${logVersion}: use the version that made it`,
    )
  }
  return settings as Readonly<Record<string, unknown>>
}

/** @throws {RunMismatchError} the settings differ; the message has the first difference */
export function compareHeaders(found: unknown, wanted: unknown, path: string): void {
  const [difference] = differences(found, wanted)
  if (difference === undefined) return
  throw new RunMismatchError(
    `${path} was made with other settings: ${difference}. Use the same settings, or another directory.`,
    { details: { path, difference } },
  )
}

/** The error for damage at a byte of a log. */
export function corrupt(path: string, offset: number, what: string): CorruptFileError {
  return new CorruptFileError(
    `${path} is damaged at byte ${offset}: ${what}. Take it from a backup, or start anew in another directory.`,
    { details: { path, offset } },
  )
}
