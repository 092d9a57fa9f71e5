/**
 * Headers of a tar: ustar, GNU long names, pax. A reader of our own, because tar-stream throws away what it has
 * buffered when the stream breaks off, and a resume needs the offset of every header.
 * Format: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format".
 */
import { ShardDamageError } from '../../errors.js'
import type { ByteReader } from './byte-reader.js'

const recordBytes = 512

/** Bytes of a long name or a pax header. */
const extensionBytesMax = 1024 * 1024

export interface Member {
  readonly name: string
  readonly sizeBytes: number
  /** Holds data to read: a plain file, not a directory or link. */
  readonly regular: boolean
}

/** The next member, with the reader at its data; null at the end of the archive. */
export async function nextMember(reader: ByteReader): Promise<Member | null> {
  let name: string | null = null
  let sizeBytes: number | null = null
  let terminated = false
  for (;;) {
    const header = await reader.read(recordBytes)
    if (header.byteLength === 0 && terminated) return null
    if (header.byteLength < recordBytes) throw new ShardDamageError('shard-truncated', 'the tar has no end mark')
    if (header.every((byte) => byte === 0)) {
      terminated = true
      continue
    }
    if (!checksumHolds(header)) throw new ShardDamageError('shard-corrupt', 'a tar header has a wrong checksum')
    const type = String.fromCharCode(header[156] as number)
    const size = number(header.subarray(124, 136))
    if (type === 'x' || type === 'g' || type === 'L' || type === 'K') {
      const extension = await readExtension(reader, size)
      if (type === 'L') name = text(extension)
      if (type === 'x') {
        const fields = paxFields(extension)
        name = fields.get('path') ?? name
        if (fields.has('size')) sizeBytes = Number(fields.get('size'))
      }
      continue
    }
    sizeBytes ??= size
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
      throw new ShardDamageError('shard-corrupt', `a tar header gives a size of ${sizeBytes}`)
    }
    name ??= headerName(header)
    const regular = (type === '0' || type === '\0' || type === '7') && !name.endsWith('/')
    // Links and directories have no data, whatever their size field says.
    return { name, sizeBytes: '123456'.includes(type) ? 0 : sizeBytes, regular }
  }
}

/** Whether these first bytes are a header. */
export function isTar(head: Uint8Array): boolean {
  if (head.byteLength < recordBytes) return false
  const header = head.subarray(0, recordBytes)
  return Buffer.from(header.subarray(257, 262)).toString('latin1') === 'ustar' && checksumHolds(header)
}

export function paddingBytes(sizeBytes: number): number {
  return (recordBytes - (sizeBytes % recordBytes)) % recordBytes
}

async function readExtension(reader: ByteReader, sizeBytes: number): Promise<Buffer> {
  if (!(sizeBytes >= 0 && sizeBytes <= extensionBytesMax)) {
    throw new ShardDamageError('shard-corrupt', `a tar header extension of ${sizeBytes} bytes`)
  }
  const extension = await reader.read(sizeBytes)
  if (extension.byteLength < sizeBytes) throw new ShardDamageError('shard-truncated', 'the tar ends inside a header')
  await reader.skip(paddingBytes(sizeBytes))
  return extension
}

/** The sum of all bytes, with the checksum's own eight taken as spaces. */
function checksumHolds(header: Uint8Array): boolean {
  let sum = 8 * 32
  for (let index = 0; index < recordBytes; index++) {
    if (index < 148 || index >= 156) sum += header[index] as number
  }
  return sum === number(header.subarray(148, 156))
}

/** Octal digits, or big-endian binary when the first bit is set (GNU, for sizes over 8 GiB). */
function number(field: Uint8Array): number {
  if (((field[0] as number) & 0x80) === 0) {
    const digits = text(field).trim()
    return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN
  }
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
