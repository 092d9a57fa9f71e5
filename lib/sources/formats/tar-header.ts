/**
 * Reads the headers of a tar: ustar, GNU long names, pax. tar-stream is not used: it discards buffered data when the
 * stream fails, and does not give the offset of a header, which resuming needs.
 * Format: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format".
 */
import { ShardDamageError } from '../../errors.js'
import { namesText } from '../../text/field-path.js'
import type { ByteReader } from './byte-reader.js'

const recordBytes = 512

/** Largest long name or pax header. */
const extensionBytesMax = 1024 * 1024

/** Most headers of one member: long names, pax headers, the map of a sparse file. */
const headersMax = 1000

/** An entry of a tar. The reader is positioned at its data. */
export type TarEntry =
  | {
      readonly kind: 'member'
      readonly name: string
      /** Size of the data that follows, as stored. */
      readonly sizeBytes: number
      /** Why the data is not read as text; null if it is read, '' if no reason is needed. */
      readonly refusal: string | null
    }
  | {
      readonly kind: 'damage'
      readonly offset: number
      readonly detail: string
      /** The next valid header, which was read; null if none follows. */
      readonly header: Buffer | null
    }

/** Attributes from the headers before a member's own. */
interface Extension {
  name: string | null
  sizeBytes: number | null
  pax: boolean
  sparse: boolean
  /** A header over the limit was skipped: the name is unknown. */
  skipped: boolean
}

/**
 * Returns the next entry; null at the end of the archive. Concatenated tars are one, as with `tar --ignore-zeros`.
 *
 * @param first the header before the position of the reader, if it was read already
 */
export async function nextEntry(reader: ByteReader, first: Buffer | null): Promise<TarEntry | null> {
  const extension: Extension = { name: null, sizeBytes: null, pax: false, sparse: false, skipped: false }
  let terminated = false
  let pending = first
  for (let headers = 0; ; headers++) {
    const header = pending ?? (await reader.read(recordBytes))
    pending = null
    if (header.byteLength < recordBytes) {
      if (terminated && header.every((byte) => byte === 0)) return null
      if (terminated) return damageAt(reader, header, 'bytes follow the end of the tar')
      throw new ShardDamageError('shard-truncated', 'the tar has no end mark')
    }
    if (header.every((byte) => byte === 0)) {
      terminated = true
      headers = 0
      continue
    }
    const problem =
      headers > headersMax ? `a tar member has over ${headersMax} headers` : headerProblem(header, terminated)
    if (problem !== null) return await resynchronize(reader, header, problem)
    const type = typeOf(header)
    if (extensionTypes.includes(type)) await readExtension(reader, header, type, extension)
    else return await member(reader, header, type, extension)
  }
}

/** Types of headers that describe the next member: long names and pax headers of any origin. */
const extensionTypes = 'xgLKXAN'

function headerProblem(header: Buffer, terminated: boolean): string | null {
  if (!checksumHolds(header)) {
    return terminated ? 'bytes follow the end of the tar' : 'a tar header has a wrong checksum'
  }
  const size = sizeOf(header)
  return isSize(size) ? null : `a tar header gives a size of ${size}`
}

/** Skips to the next valid header. */
async function resynchronize(reader: ByteReader, bad: Buffer, problem: string): Promise<TarEntry> {
  const offset = reader.offset() - recordBytes
  for (let skipped = bad.byteLength; ; skipped += recordBytes) {
    const header = await reader.read(recordBytes)
    if (header.byteLength < recordBytes) {
      return { kind: 'damage', offset, detail: `${problem}; no header follows`, header: null }
    }
    if (!isTar(header)) continue
    return { kind: 'damage', offset, detail: `${problem}; ${skipped} bytes before the next header are lost`, header }
  }
}

function damageAt(reader: ByteReader, bytes: Buffer, detail: string): TarEntry {
  return { kind: 'damage', offset: reader.offset() - bytes.byteLength, detail, header: null }
}

async function member(reader: ByteReader, header: Buffer, type: string, extension: Extension): Promise<TarEntry> {
  const offset = reader.offset() - recordBytes
  const sizeBytes = extension.sizeBytes ?? sizeOf(header)
  if (!isSize(sizeBytes)) return await resynchronize(reader, header, `a pax header gives a size of ${sizeBytes}`)
  if (type === 'S') await skipSparseMap(reader, header)
  const name = extension.name ?? headerName(header)
  if (extension.skipped) {
    const refusal = `follows a header over ${extensionBytesMax} bytes at ${offset}, so that its name is unknown`
    return { kind: 'member', name, sizeBytes: hasData(type, extension) ? sizeBytes : 0, refusal }
  }
  const isDirectory = type === '5' || type === 'D' || (plainTypes.includes(type) && name.endsWith('/'))
  const refusal = isDirectory ? '' : refusalOf(type, header, extension, sizeBytes)
  return { kind: 'member', name, sizeBytes: hasData(type, extension) ? sizeBytes : 0, refusal }
}

/** Types of regular files: POSIX, before POSIX, contiguous. */
const plainTypes = '0\x007'

/** Links, devices and directories have no data, even if a size is given; in pax a hard link may contain that of its file. */
function hasData(type: string, extension: Extension): boolean {
  return type === '1' ? extension.pax && extension.sizeBytes !== null : !'23456'.includes(type)
}

function refusalOf(type: string, header: Buffer, { sparse }: Extension, sizeBytes: number): string | null {
  if (type === 'S' || sparse) {
    return `is sparse, with ${sizeBytes} bytes of data between holes; extract it and pack it without --sparse`
  }
  if (plainTypes.includes(type)) return null
  if (type === '1' || type === '2') {
    return `is a ${type === '1' ? 'hard' : 'symbolic'} link to ${namesText([text(header.subarray(157, 257))])}, which is not followed`
  }
  if (type === '3' || type === '4' || type === '6') return 'is a device or a pipe'
  if (type === 'M') return `continues in this volume with ${sizeBytes} bytes; join the volumes first`
  return type === 'V' ? '' : `of ${sizeBytes} bytes has the unknown type ${namesText([type])}`
}

/** GNU: four segments are in the header, 21 in each following block while a flag is set. */
async function skipSparseMap(reader: ByteReader, header: Buffer): Promise<void> {
  let more = header[482] !== 0
  while (more) {
    const block = await reader.read(recordBytes)
    if (block.byteLength < recordBytes) throw new ShardDamageError('shard-truncated', 'the tar ends inside a header')
    more = block[504] !== 0
  }
}

/** Whether the bytes begin with a header. */
export function isTar(head: Uint8Array): boolean {
  if (head.byteLength < recordBytes) return false
  const header = Buffer.from(head.subarray(0, recordBytes))
  // Headers before POSIX have no magic: all fixed fields must be octal numbers.
  const old = [100, 108, 116, 124, 136].every((at) => /^ *[0-7]+[ \0]/.test(header.toString('latin1', at, at + 12)))
  return (header.toString('latin1', 257, 262) === 'ustar' || old) && checksumHolds(header) && isSize(sizeOf(header))
}

export function paddingBytes(sizeBytes: number): number {
  return (recordBytes - (sizeBytes % recordBytes)) % recordBytes
}

async function readExtension(reader: ByteReader, header: Buffer, type: string, found: Extension): Promise<void> {
  const sizeBytes = sizeOf(header)
  if (sizeBytes > extensionBytesMax) {
    found.skipped = true
    await reader.skip(sizeBytes + paddingBytes(sizeBytes))
    return
  }
  const extension = await reader.read(sizeBytes)
  if (extension.byteLength < sizeBytes) throw new ShardDamageError('shard-truncated', 'the tar ends inside a header')
  await reader.skip(paddingBytes(sizeBytes))
  if (type === 'L') found.name = text(extension)
  if (type !== 'x' && type !== 'X') return
  const fields = paxFields(extension)
  found.pax = true
  found.name = fields.get('GNU.sparse.name') ?? fields.get('path') ?? found.name
  if (fields.has('size')) found.sizeBytes = Number(fields.get('size'))
  if ([...fields.keys()].some((key) => key.startsWith('GNU.sparse.'))) found.sparse = true
}

function typeOf(header: Buffer): string {
  return String.fromCharCode(header[156] as number)
}

function sizeOf(header: Buffer): number {
  return number(header.subarray(124, 136))
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** The sum of all bytes, with those of the checksum taken as spaces; old programs summed signed bytes. */
function checksumHolds(header: Uint8Array): boolean {
  const expected = number(header.subarray(148, 156))
  let sum = 8 * 32
  let signed = 8 * 32
  for (let index = 0; index < recordBytes; index++) {
    if (index >= 148 && index < 156) continue
    const byte = header[index] as number
    sum += byte
    signed += byte < 128 ? byte : byte - 256
  }
  return sum === expected || signed === expected
}

/** Octal digits, or big-endian binary if the first bit is set (GNU, for sizes over 8 GiB). */
function number(field: Uint8Array): number {
  if (((field[0] as number) & 0x80) === 0) {
    const digits = text(field).trim()
    return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
  }
  if (field[0] === 0xff) return -1
  let value = (field[0] as number) & 0x7f
  for (const byte of field.subarray(1)) value = value * 256 + byte
  return value
}

function headerName(header: Uint8Array): string {
  const prefix = header[262] === 0 ? text(header.subarray(345, 500)) : ''
  const name = text(header.subarray(0, 100))
  return prefix === '' ? name : `${prefix}/${name}`
}

/** Lines of "length key=value\n"; the length counts the whole line. */
function paxFields(extension: Buffer): Map<string, string> {
  const fields = new Map<string, string>()
  let at = 0
  while (at < extension.byteLength) {
    const space = extension.indexOf(32, at)
    const length = space === -1 ? Number.NaN : Number(extension.toString('latin1', at, space))
    if (!(length > space - at + 1 && at + length <= extension.byteLength)) break
    const line = extension.toString('utf8', space + 1, at + length - 1)
    const equals = line.indexOf('=')
    if (equals > 0) fields.set(line.slice(0, equals), line.slice(equals + 1))
    at += length
  }
  return fields
}

/** Up to the first NUL. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString('utf8')
}
