/**
 * Encoding of the documents kept from a block, as a record of the dedup log: all that is needed to rebuild the index.
 * Framing, checksums and the removal of a torn tail are in lib/storage/append-log.ts.
 *
 * Payload, little-endian: f64 block · u32 rows · u32 bytes per signature · u8 1 if more of this block follows · 7 zero
 * bytes · f64 length of the texts log after this block · keys (16 bytes each) · text offsets (f64 each, −1 for none) · flags (u8
 * each, 1 if the text has a shingle) · signatures · ids, each u16 length and UTF-8.
 */
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { fingerprintBytes } from '../text/columns.js'

/** Bytes of a key, which is a fingerprint. */
export const keyBytes = fingerprintBytes

export interface KeptRow {
  readonly key: Uint8Array
  /** Whether the text has a shingle: without one its signature has no meaning. */
  readonly hasShingle: boolean
  /** Empty when near-duplicates are not looked for. */
  readonly signature: Uint8Array
  readonly id: string
  /** Offset of the text in the texts log; −1 when it is not stored. */
  readonly textOffset: number
}

/** Rows kept from one block, or from a part of it. */
interface KeptBlock {
  readonly block: number
  /** More of the same block follows in the next frame. */
  readonly more: boolean
  /** Length of the texts log after this block. */
  readonly textsBytes: number
  readonly rows: readonly KeptRow[]
}

const headBytes = 32
/** Longest id in UTF-8. */
const idBytesMax = 65535

export function encodeKept({ block, rows, more, textsBytes }: KeptBlock): Uint8Array {
  const signatureBytes = rows[0]?.signature.length ?? 0
  const ids = rows.map((row) => Buffer.from(row.id).subarray(0, idBytesMax))
  const idsBytes = ids.reduce((sum, id) => sum + 2 + id.length, 0)
  const payload = Buffer.alloc(headBytes + rows.length * (keyBytes + 9 + signatureBytes) + idsBytes)
  payload.writeDoubleLE(block, 0)
  payload.writeUInt32LE(rows.length, 8)
  payload.writeUInt32LE(signatureBytes, 12)
  payload[16] = more ? 1 : 0
  payload.writeDoubleLE(textsBytes, 24)
  let at = headBytes
  for (const row of rows) {
    payload.set(row.key, at)
    at += keyBytes
  }
  for (const row of rows) at = payload.writeDoubleLE(row.textOffset, at)
  for (const row of rows) payload[at++] = row.hasShingle ? 1 : 0
  for (const row of rows) {
    payload.set(row.signature, at)
    at += signatureBytes
  }
  for (const id of ids) {
    at = payload.writeUInt16LE(id.length, at)
    at += id.copy(payload, at)
  }
  return payload
}

/**
 * Returns what the head of a record says, without its rows.
 *
 * @throws {CorruptFileError} another program wrote the record
 */
export function keptHead(payload: Uint8Array): Omit<KeptBlock, 'rows'> & { readonly rows: number } {
  if (payload.length < headBytes) throw foreign(payload.length)
  const head = Buffer.from(payload.buffer, payload.byteOffset, headBytes)
  const [block, rows, textsBytes] = [head.readDoubleLE(0), head.readUInt32LE(8), head.readDoubleLE(24)]
  return { block, rows, more: head[16] === 1, textsBytes }
}

/**
 * Returns rows that point into a copy of `payload`.
 *
 * @throws {CorruptFileError} the lengths do not add up: another program wrote the record
 */
export function decodeKept(payload: Uint8Array): KeptBlock {
  const bytes = Buffer.from(payload)
  const count = bytes.length < headBytes ? 0 : bytes.readUInt32LE(8)
  const signatureBytes = bytes.length < headBytes ? 0 : bytes.readUInt32LE(12)
  const texts = headBytes + count * keyBytes
  const flags = texts + count * 8
  const signatures = flags + count
  let at = signatures + count * signatureBytes
  if (bytes.length < at || bytes.length < headBytes) throw foreign(bytes.length)
  const rows: KeptRow[] = []
  for (let row = 0; row < count; row++) {
    if (at + 2 > bytes.length) throw foreign(bytes.length)
    const idEnd = at + 2 + bytes.readUInt16LE(at)
    if (idEnd > bytes.length) throw foreign(bytes.length)
    rows.push({
      key: bytes.subarray(headBytes + row * keyBytes, headBytes + (row + 1) * keyBytes),
      hasShingle: bytes[flags + row] === 1,
      signature: bytes.subarray(signatures + row * signatureBytes, signatures + (row + 1) * signatureBytes),
      id: bytes.toString('utf8', at + 2, idEnd),
      textOffset: bytes.readDoubleLE(texts + row * 8),
    })
    at = idEnd
  }
  return { block: bytes.readDoubleLE(0), more: bytes[16] === 1, textsBytes: bytes.readDoubleLE(24), rows }
}

function foreign(length: number): CorruptFileError {
  return new CorruptFileError(
    say`a record of ${length} bytes in the dedup log is not valid: it was not written by this version of
      kun-stream. Start over in another directory.`,
  )
}
