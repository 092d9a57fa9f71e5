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
/** Bytes of an id of 32 hexadecimal digits. */
const packedBytes = 16
const hexDigits = Buffer.from('0123456789abcdef')
/** Longest id in UTF-8. */
const idBytesMax = 65535

/** Ids of the rows of a block, 16 bytes each; those that are not 32 hexadecimal digits by row. */
export interface IdBytes {
  readonly bytes: Uint8Array
  readonly longIds: ReadonlyMap<number, string> | null
}

export type BlockIds = readonly string[] | IdBytes

/** What is kept of a block. */
export interface KeptColumns {
  readonly block: number
  /** Length of the texts log after this block. */
  readonly textsBytes: number
  readonly signatureBytes: number
  /** Of all rows of the block, end to end. */
  readonly keys: Uint8Array
  readonly signature: Uint8Array
  readonly ids: BlockIds
  readonly hasShingle: (row: number) => boolean
  /** The rows that are kept, in order, and the offset of the text of each. */
  readonly rows: ArrayLike<number>
  readonly textOffsets: ArrayLike<number>
}

/** A payload that is written where it is needed: `target` has its length. */
export interface Payload {
  readonly length: number
  write(target: Buffer): void
}

/** Encodes the kept rows from place `from` to before `until`. */
export function encodeKept(kept: KeptColumns, from: number, until: number): Uint8Array {
  const payload = keptPayload(kept, from, until)
  const bytes = Buffer.allocUnsafe(payload.length)
  payload.write(bytes)
  return bytes
}

/** Returns the encoding of the kept rows from place `from` to before `until`. */
export function keptPayload(kept: KeptColumns, from: number, until: number): Payload {
  const { block, textsBytes, keys, signature, hasShingle, textOffsets } = kept
  const count = until - from
  // A frame without rows has no length of signatures.
  const signatureBytes = count === 0 ? 0 : kept.signatureBytes
  const ids = idsOf(kept, from, until)
  const write = (target: Buffer) => {
    target.fill(0, 0, headBytes)
    target.writeDoubleLE(block, 0)
    target.writeUInt32LE(count, 8)
    target.writeUInt32LE(signatureBytes, 12)
    target[16] = until < kept.rows.length ? 1 : 0
    target.writeDoubleLE(textsBytes, 24)
    const runs = runsOf(kept.rows, from, until)
    let at = copyRuns(keys, keyBytes, runs, target, headBytes)
    for (let place = from; place < until; place++) at = target.writeDoubleLE(textOffsets[place] as number, at)
    for (let place = from; place < until; place++) target[at++] = hasShingle(kept.rows[place] as number) ? 1 : 0
    at = copyRuns(signature, signatureBytes, runs, target, at)
    ids.write(target.subarray(at))
  }
  return { length: headBytes + count * (keyBytes + 9 + signatureBytes) + ids.length, write }
}

/** Rows that follow each other, as pairs of the first and the one after the last: most rows are kept. */
function runsOf(rows: ArrayLike<number>, from: number, until: number): readonly (readonly [number, number])[] {
  const runs: [number, number][] = []
  for (let place = from; place < until; place++) {
    const row = rows[place] as number
    const last = runs[runs.length - 1]
    if (last !== undefined && last[1] === row) last[1]++
    else runs.push([row, row + 1])
  }
  return runs
}

/** Returns the offset after the copies. */
function copyRuns(
  bytes: Uint8Array,
  rowBytes: number,
  runs: readonly (readonly [number, number])[],
  target: Uint8Array,
  offset: number,
): number {
  let at = offset
  for (const [row, end] of runs) {
    target.set(bytes.subarray(row * rowBytes, end * rowBytes), at)
    at += (end - row) * rowBytes
  }
  return at
}

/** Returns the encoding of the ids. */
function idsOf({ ids, rows }: KeptColumns, from: number, until: number): Payload {
  if (!('bytes' in ids) || ids.longIds !== null) {
    const idAt = (row: number): string => ('bytes' in ids ? idOf(ids, row) : (ids[row] as string))
    return textIds(Array.from({ length: until - from }, (_, place) => idAt(rows[from + place] as number)))
  }
  const write = (target: Buffer) => {
    let at = 0
    for (let place = from; place < until; place++) {
      target[at] = packedBytes * 2
      target[at + 1] = 0
      at += 2
      const start = (rows[place] as number) * packedBytes
      for (let i = start; i < start + packedBytes; i++) {
        const byte = ids.bytes[i] as number
        target[at++] = hexDigits[byte >> 4] as number
        target[at++] = hexDigits[byte & 15] as number
      }
    }
  }
  return { length: (until - from) * (2 + packedBytes * 2), write }
}

function textIds(ids: readonly string[]): Payload {
  const lengths = ids.map((id) => Math.min(Buffer.byteLength(id), idBytesMax))
  const write = (target: Buffer) => {
    let at = 0
    ids.forEach((id, i) => {
      const length = lengths[i] as number
      at = target.writeUInt16LE(length, at)
      // One that is cut off may end inside a character, which `write` leaves out.
      if (length < idBytesMax) target.write(id, at, length)
      else target.set(Buffer.from(id).subarray(0, length), at)
      at += length
    })
  }
  return { length: lengths.reduce((sum, length) => sum + 2 + length, 0), write }
}

/** Returns the id of a row. */
export function idOf({ bytes, longIds }: IdBytes, row: number): string {
  const long = longIds?.get(row)
  return long ?? Buffer.from(bytes.buffer, bytes.byteOffset + row * packedBytes, packedBytes).toString('hex')
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
