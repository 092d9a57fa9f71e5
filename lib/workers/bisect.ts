/**
 * A block that killed its thread, prepared in parts: halved until what kills is one record, which becomes a reject;
 * the answers of the parts put together are what the whole would have been. At most 2 × records + 1 runs.
 */
import { Buffer } from 'node:buffer'
import { WorkerLostError } from '../errors.js'
import {
  type Block,
  type ChunkColumns,
  excerptCharsMax,
  type PreparedBlock,
  type PrepareReject,
  releaseColumns,
  type TextColumn,
} from '../text/batch.js'
import { type RecordPlace, recordPlaces } from '../text/records.js'

type Prepare = (block: Block) => Promise<PreparedBlock>

/** A record that killed its thread in an earlier run: given up without another try, with the same words. */
export interface LostRecord {
  /** Ordinal in its block. */
  readonly document: number
  readonly detail: string
}

/**
 * @param prepare throws WorkerLostError when the thread died; any other error ends it all
 * @param onLost told of each record given up now; may throw
 * @param known records not to be tried again
 * @throws {WorkerLostError} an empty block kills the thread too: then it is not the records
 */
export async function prepareInParts(
  block: Block,
  prepare: Prepare,
  onLost: (error: WorkerLostError) => void,
  known: readonly LostRecord[] = [],
): Promise<PreparedBlock> {
  const details = new Map(known.map(({ document, detail }) => [document, detail]))
  const places = [...recordPlaces(block)]
  const refused = places.filter((place) => place.refused !== null)
  const records = places.filter((place) => place.refused === null && !details.has(place.document))
  const parts = [renumber(await prepare(partOf(block, [], block.refused)), refused)]
  for (const part of await half(records)) parts.push(part)
  for (const place of places) {
    const detail = details.get(place.document)
    if (detail !== undefined) parts.push(lostRecord(block, place, detail))
  }
  const whole = join(block, places.length, parts)
  for (const part of parts) releaseColumns(part)
  return whole

  async function half(range: readonly RecordPlace[]): Promise<PreparedBlock[]> {
    if (range.length === 0) return []
    try {
      return [renumber(await prepare(partOf(block, range, [])), range)]
    } catch (error) {
      if (!(error instanceof WorkerLostError)) throw error
      if (range.length === 1) {
        onLost(error)
        return [lostRecord(block, range[0] as RecordPlace, (error.cause as Error).message)]
      }
      const middle = range.length >> 1
      return [...(await half(range.slice(0, middle))), ...(await half(range.slice(middle)))]
    }
  }
}

/** The records as a block of their own, over the same memory. */
function partOf(block: Block, records: readonly RecordPlace[], refused: Block['refused']): Block {
  const from = records[0]?.start ?? 0
  const to = records.at(-1)?.end ?? 0
  const bounds = Int32Array.from(records.flatMap(({ start, end }) => [start - from, end - from]))
  return {
    ...block,
    bytes: block.bytes.subarray(from, to),
    bounds,
    offset: records[0]?.offset ?? block.offset,
    refused,
  }
}

/** Ordinals and offsets as they are in the whole block. */
function renumber(part: PreparedBlock, places: readonly RecordPlace[]): PreparedBlock {
  const placeOf = (document: number) => places[document] as RecordPlace
  const { chunks } = part
  return {
    ...part,
    rejects: part.rejects.map((reject) => {
      const { document, offset } = placeOf(reject.document)
      return { ...reject, document, offset }
    }),
    chunks: {
      ...chunks,
      document: chunks.document.map((document) => placeOf(document).document),
      offset: Float64Array.from(chunks.document, (document) => placeOf(document).offset),
    },
  }
}

function lostRecord(block: Block, { document, offset, start, end }: RecordPlace, detail: string): PreparedBlock {
  const source = Buffer.from(block.bytes.subarray(start, Math.min(end, start + 4 * excerptCharsMax))).toString('utf8')
  const reject: PrepareReject = {
    document,
    chunk: null,
    offset,
    key: '',
    stage: 'prepare',
    reason: 'worker-lost',
    detail,
    excerpt: source.slice(0, excerptCharsMax).toWellFormed(),
  }
  const { number, split, shard } = block
  return { number, split, shard, documents: 1, chunks: noChunks(), rejects: [reject] }
}

function join({ number, split, shard }: Block, documents: number, parts: readonly PreparedBlock[]): PreparedBlock {
  const rejects = parts.flatMap((part) => part.rejects)
  rejects.sort((a, b) => a.document - b.document || (a.chunk ?? -1) - (b.chunk ?? -1))
  const columns = parts.map((part) => part.chunks)
  const joined: ChunkColumns = {
    rows: columns.reduce((sum, { rows }) => sum + rows, 0),
    document: Int32Array.from(columns.flatMap((part) => [...part.document])),
    chunk: Int32Array.from(columns.flatMap((part) => [...part.chunk])),
    offset: Float64Array.from(columns.flatMap((part) => [...part.offset])),
    key: joinTexts(columns.map((part) => part.key)),
    title: joinTexts(columns.map((part) => part.title)),
    text: joinTexts(columns.map((part) => part.text)),
    tokens: Int32Array.from(columns.flatMap((part) => [...part.tokens])),
    letters: Int32Array.from(columns.flatMap((part) => [...part.letters])),
    fingerprint: Uint8Array.from(columns.flatMap((part) => [...part.fingerprint])),
    signature: Uint8Array.from(columns.flatMap((part) => [...part.signature])),
  }
  return { number, split, shard, documents, chunks: joined, rejects }
}

function joinTexts(columns: readonly TextColumn[]): TextColumn {
  const offsets = [0]
  for (const column of columns) {
    const base = offsets.at(-1) as number
    for (const offset of column.offsets.subarray(1)) offsets.push(base + offset)
  }
  return { offsets: Int32Array.from(offsets), bytes: new Uint8Array(Buffer.concat(columns.map(({ bytes }) => bytes))) }
}

function noChunks(): ChunkColumns {
  const text = () => ({ offsets: new Int32Array(1), bytes: new Uint8Array(0) })
  return {
    rows: 0,
    document: new Int32Array(0),
    chunk: new Int32Array(0),
    offset: new Float64Array(0),
    key: text(),
    title: text(),
    text: text(),
    tokens: new Int32Array(0),
    letters: new Int32Array(0),
    fingerprint: new Uint8Array(0),
    signature: new Uint8Array(0),
  }
}
