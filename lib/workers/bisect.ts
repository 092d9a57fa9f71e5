/**
 * Prepares a block that crashed its thread, or exceeded its deadline, in parts: the record at which the thread was lost is
 * tried alone, or the block is bisected, until one record is left, which becomes a reject. The joined results are those
 * that the whole block would have had. At most 3 × records + 1 runs.
 */
import { Buffer } from 'node:buffer'
import { errorMessage } from '../caught-error.js'
import { WorkerLostError } from '../errors.js'
import { type Block, excerptCharsMax, type PreparedBlock, type PrepareReject, releaseColumns } from '../text/block.js'
import { chunkColumnsOf, joinColumns } from '../text/columns.js'
import { sumPersonalAccounts } from '../text/personal/account.js'
import { type RecordPlace, recordPlaces } from '../text/records.js'

type Prepare = (block: Block) => Promise<PreparedBlock>

/** 'worker-lost': the record crashed the thread. 'worker-timeout': it exceeded the deadline. */
export const lostReasons = ['worker-lost', 'worker-timeout'] as const
type LostReason = (typeof lostReasons)[number]

/** A record that crashed a thread in an earlier run: rejected again without a retry, with the same detail. */
export interface LostRecord {
  /** Ordinal in its block. */
  readonly document: number
  readonly reason: LostReason
  readonly detail: string
}

/**
 * @param prepare throws WorkerLostError if the thread died; any other error is passed on
 * @param onLost called with each record that is rejected now; may throw
 * @param known records that are rejected without a retry
 * @param suspect ordinal of the record at which the thread was lost; null if unknown
 * @throws {WorkerLostError} an empty block crashes the thread too, so no record is the cause
 */
export async function prepareInParts(
  block: Block,
  prepare: Prepare,
  onLost: (error: WorkerLostError, record: LostRecord) => void,
  known: readonly LostRecord[] = [],
  suspect: number | null = null,
): Promise<PreparedBlock> {
  const lost = new Map(known.map((record) => [record.document, record]))
  const places = [...recordPlaces(block)]
  const rejected = places.filter((place) => place.rejected !== null)
  const records = places.filter((place) => place.rejected === null && !lost.has(place.document))
  const parts = [renumber(await prepare(partOf(block, [], block.rejected)), rejected)]
  const at = records.findIndex(({ document }) => document === suspect)
  for (const range of at < 0 ? [records] : around(records, at)) {
    for (const part of await prepareRange(range)) parts.push(part)
  }
  for (const place of places) {
    const record = lost.get(place.document)
    if (record !== undefined) parts.push(rejectOf(block, place, record))
  }
  const whole = join(block, places.length, parts)
  for (const part of parts) releaseColumns(part)
  return whole

  async function prepareRange(range: readonly RecordPlace[]): Promise<PreparedBlock[]> {
    const [first] = range
    if (first === undefined) return []
    try {
      return [renumber(await prepare(partOf(block, range, [])), range)]
    } catch (error) {
      if (!(error instanceof WorkerLostError)) throw error
      if (range.length === 1) {
        const record = lostRecordOf(error, first.document)
        onLost(error, record)
        return [rejectOf(block, first, record)]
      }
      const parts: PreparedBlock[] = []
      for (const part of divided(range, error)) parts.push(...(await prepareRange(part)))
      return parts
    }
  }
}

/** Splits before and after the record at which the thread was lost, or in halves if that is unknown. */
function divided(range: readonly RecordPlace[], { details }: WorkerLostError): (readonly RecordPlace[])[] {
  const at = details.document
  if (typeof at === 'number' && at < range.length) return around(range, at)
  const middle = range.length >> 1
  return [range.slice(0, middle), range.slice(middle)]
}

function around(range: readonly RecordPlace[], at: number): (readonly RecordPlace[])[] {
  return [range.slice(0, at), range.slice(at, at + 1), range.slice(at + 1)]
}

function lostRecordOf(error: WorkerLostError, document: number): LostRecord {
  const reason = error.details.timedOut === true ? 'worker-timeout' : 'worker-lost'
  return { document, reason, detail: errorMessage(error.cause) }
}

/** Returns a block of the given records, over the same memory. */
function partOf(block: Block, records: readonly RecordPlace[], rejected: Block['rejected']): Block {
  const from = records[0]?.start ?? 0
  const to = records.at(-1)?.end ?? 0
  const bounds = Int32Array.from(records.flatMap(({ start, end }) => [start - from, end - from]))
  return {
    ...block,
    bytes: block.bytes.subarray(from, to),
    bounds,
    offset: records[0]?.offset ?? block.offset,
    rejected,
  }
}

/** Replaces ordinals and offsets by those in the whole block. */
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

function rejectOf(block: Block, place: RecordPlace, { reason, detail }: LostRecord): PreparedBlock {
  const { document, offset, start, end } = place
  const source = Buffer.from(block.bytes.subarray(start, Math.min(end, start + 4 * excerptCharsMax))).toString('utf8')
  const reject: PrepareReject = {
    document,
    chunk: null,
    offset,
    key: '',
    stage: 'prepare',
    reason,
    detail,
    excerpt: source.slice(0, excerptCharsMax).toWellFormed(),
  }
  const { number, split, shard } = block
  return { number, split, shard, documents: 1, chunks: chunkColumnsOf(0, 0), rejects: [reject] }
}

function join(block: Block, documents: number, parts: readonly PreparedBlock[]): PreparedBlock {
  const { number, split, source, shard } = block
  const rejects = parts.flatMap((part) => part.rejects)
  rejects.sort((a, b) => a.document - b.document || (a.chunk ?? -1) - (b.chunk ?? -1))
  const personal = sumPersonalAccounts(parts.map((part) => part.personal))
  return {
    ...{ number, split, shard, ...(source !== undefined && { source }) },
    ...{ documents, chunks: joinColumns(parts.map((part) => part.chunks)), rejects },
    ...(personal !== null && { personal }),
  }
}
