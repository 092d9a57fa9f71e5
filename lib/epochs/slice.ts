/**
 * Format of a slice: the rows of some blocks as frames of a dedup log, and their texts as frames of a texts log, each
 * without a header. A position, slice × 2³² + offset of the text, orders rows and locates the text.
 */
import { crc32 } from 'node:zlib'
import { type DecideColumns, hasShingleAt, keptColumns } from '../dedup/block-rows.js'
import { decodeKept, encodeKept, type KeptRow } from '../dedup/kept-frames.js'
import type { DecidePlan } from '../dedup/plan.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { corrupt, encodeFrame, frameBytesMax, frameHeadBytes, parseFrame } from '../storage/frames.js'
import type { PreparedBlock } from '../text/block.js'
import { fingerprintBytes, textBytesAt, textLengthAt } from '../text/columns.js'
import { recordId } from '../text/identity.js'
import { type EpochSettings, type MappedBlock, rowsKey, textsKey } from './epoch-objects.js'

/** Rows from which on a slice ends, with its block. */
const rowsPerSliceMax = 32_768
/** An epoch has at least so many slices where blocks are small enough, so that parts have about the same number of rows. */
const slicesPerEpoch = 16
/** Bytes of texts from which on a slice ends, with its block. */
const textBytesPerSlice = 64 * 1024 * 1024
/** Rows of a frame. */
const rowsPerFrameMax = 8192
const positionsPerSlice = 2 ** 32
/** Bytes of the first read of a text, in which most texts fit. */
const firstReadBytes = 8192

/** Collects the blocks of a slice. Memory: the slice. */
export class SliceBuilder {
  readonly #plan: DecidePlan
  readonly #rowsMax: number
  readonly #rows: Uint8Array[] = []
  readonly #texts: Uint8Array[] = []
  #rowsBytes = 0
  #textsBytes = 0
  #rowCount = 0
  /** The blocks so far. */
  readonly blocks: MappedBlock[] = []

  constructor(plan: DecidePlan, { epochRows }: EpochSettings) {
    this.#plan = plan
    this.#rowsMax = Math.min(rowsPerSliceMax, Math.ceil(epochRows / slicesPerEpoch))
  }

  get isFull(): boolean {
    return this.#rowCount >= this.#rowsMax || this.#textsBytes >= textBytesPerSlice
  }

  get rows(): number {
    return this.#rowCount
  }

  /** Adds the next block; copies what it needs. @throws {UsageError} a text is too long to be compared with later ones */
  add({ number, split, shard, chunks }: PreparedBlock): void {
    const columns: DecideColumns = chunks
    const ids = Array.from({ length: chunks.rows }, (_, i) =>
      recordId(split, shard, chunks.offset[i] as number, chunks.chunk[i] as number),
    )
    const textOffsets = ids.map((_, i) => (hasShingleAt(this.#plan, columns, i) ? this.#addText(columns, i) : -1))
    const given = { block: number, textsBytes: this.#textsBytes, ids, rows: [...ids.keys()], textOffsets }
    const kept = keptColumns(this.#plan, columns, given)
    for (let at = 0; at === 0 || at < ids.length; at += rowsPerFrameMax) {
      const payload = encodeKept(kept, at, Math.min(at + rowsPerFrameMax, ids.length))
      const frame = encodeFrame(payload, this.#rowsBytes)
      this.#rows.push(frame)
      this.#rowsBytes += frame.length
    }
    this.blocks.push(mappedBlock(chunks))
    this.#rowCount += ids.length
  }

  /** Adds a block that no document is in. */
  addEmpty(): void {
    this.blocks.push([0, crc32('')])
  }

  /** Stores the slice. */
  async store(store: ObjectStore, slice: number): Promise<void> {
    await store.putIfAbsent(textsKey(slice), Buffer.concat(this.#texts))
    await store.putIfAbsent(rowsKey(slice), Buffer.concat(this.#rows))
  }

  #addText({ text }: DecideColumns, i: number): number {
    const bytes = textLengthAt(text, i)
    if (bytes > frameBytesMax) {
      throw new UsageError(
        say`a chunk has ${bytes} bytes, dedup in epochs takes at most ${frameBytesMax}: set chunk.tokensMax, or prepare without --dedup-parts`,
      )
    }
    const offset = this.#textsBytes
    this.#texts.push(encodeFrame(textBytesAt(text, i), offset))
    this.#textsBytes += frameHeadBytes + bytes
    return offset
  }
}

/** Returns what identifies the rows of a block: when the input is read again, they must be the same. */
export function mappedBlock({ rows, fingerprint }: Pick<DecideColumns, 'rows' | 'fingerprint'>): MappedBlock {
  return [rows, crc32(fingerprint.subarray(0, rows * fingerprintBytes))]
}

/** Reads the rows of a slice: `textOffset` of each is its position. @throws {CorruptFileError} it is missing or damaged */
export async function readSlice(store: ObjectStore, slice: number): Promise<KeptRow[]> {
  const path = `${store.url}/${rowsKey(slice)}`
  const bytes = await store.get(rowsKey(slice))
  if (bytes === null) throw corrupt(path, 0, say`it is missing`)
  const rows: KeptRow[] = []
  for (let at = 0; at < bytes.length; ) {
    const frame = parseFrame(bytes, at, at)
    if (frame === null || typeof frame === 'number') throw corrupt(path, at, say`its checksum does not match`)
    for (const row of decodeKept(frame).rows) {
      rows.push(row.textOffset < 0 ? row : { ...row, textOffset: slice * positionsPerSlice + row.textOffset })
    }
    at += frameHeadBytes + frame.length
  }
  return rows
}

/** Reads the text at a position. @throws {CorruptFileError} it is missing or damaged */
export async function readTextAt(store: ObjectStore, position: number): Promise<string> {
  const key = textsKey(Math.floor(position / positionsPerSlice))
  const offset = position % positionsPerSlice
  let frame: ReturnType<typeof parseFrame> = firstReadBytes
  for (let tries = 0; tries < 2 && typeof frame === 'number'; tries++) {
    const bytes: Uint8Array | null = await store.getRange(key, offset, frame)
    frame = bytes === null ? null : parseFrame(bytes, 0, offset)
  }
  if (frame === null || typeof frame === 'number') {
    throw corrupt(`${store.url}/${key}`, offset, say`no complete text begins there`)
  }
  return Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('utf8')
}
