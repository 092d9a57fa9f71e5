/** The first records of some shards, to see which fields they have. Reads one block of each shard. */

import { Buffer } from 'node:buffer'
import { isRecord } from '../core/objects.js'
import { type DecodeFault, RecordReader } from '../text/decode.js'
import { recordPlaces } from '../text/records.js'
import { TextMemory } from '../text/text-memory.js'
import { blocks } from './blocks.js'
import { readOptions } from './read-options.js'
import type { Shard, ShardReject } from './shard.js'

/** Shards that are looked at: the first, the last, and some between. */
const shardsMax = 5
/** Decompressed bytes that are read of each, at least one record. */
const blockBytes = 256 * 1024
const recordsMax = 50

/** What was found at the start of a shard. */
export interface FirstRecords {
  readonly path: string
  /** Records that are JSON objects, with all their fields. */
  readonly records: readonly Readonly<Record<string, unknown>>[]
  /** Records that were looked at. */
  readonly seen: number
  /** Records that have a text in the mapped field. */
  readonly texts: number
  /** Why records have none: the first record of each kind. */
  readonly faults: readonly (Pick<DecodeFault, 'detail'> & Pick<ShardReject, 'reason'>)[]
}

/** Options for `firstRecords`; all optional. */
interface FirstRecordsOptions {
  /** Stops at the first shard with a text, and reads mapped columns only. False by default. */
  readonly untilText?: boolean
  readonly signal?: AbortSignal
}

/**
 * Reads the first records of up to `shardsMax` shards, spread over the list. Standard input, which can be read once, and
 * shards that were rejected when they were listed give no records.
 *
 * @throws {StorageError | HubAccessError} a shard cannot be reached now
 */
export async function firstRecords(
  shards: readonly Shard[],
  { untilText = false, signal }: FirstRecordsOptions = {},
): Promise<FirstRecords[]> {
  const readable = shards.filter(({ sizeBytes, reject }) => sizeBytes !== null && reject == null)
  const found: FirstRecords[] = []
  for (const shard of spread(readable, shardsMax)) {
    const first = await startOf(shard, !untilText, signal)
    found.push(first)
    if (untilText && first.texts > 0) break
  }
  return found
}

/** Returns at most `max` entries, evenly spread, with the first and the last one. */
function spread<T>(all: readonly T[], max: number): T[] {
  if (all.length <= max) return [...all]
  return Array.from({ length: max }, (_, index) => all[Math.round((index * (all.length - 1)) / (max - 1))] as T)
}

async function startOf(shard: Shard, allColumns: boolean, signal?: AbortSignal): Promise<FirstRecords> {
  const options = { ...readOptions.parse({ blockBytes }), allColumns, blocksAheadMax: 1 }
  for await (const { block } of blocks([shard], { ...options, ...(signal && { signal }) })) {
    const reader = new RecordReader(new TextMemory())
    reader.open(block)
    const records: Record<string, unknown>[] = []
    const faults = new Map<string, FirstRecords['faults'][number]>()
    let [seen, texts] = [0, 0]
    for (const { start, end, rejected } of recordPlaces(block)) {
      seen++
      const read = rejected ?? reader.read(start, end)
      if ('reason' in read) {
        if (!faults.has(read.reason))
          faults.set(read.reason, { reason: read.reason as ShardReject['reason'], detail: read.detail })
      } else texts++
      if (rejected === null && records.length < recordsMax) {
        const record = objectIn(Buffer.from(block.bytes.subarray(start, end)))
        if (record !== null) records.push(record)
      }
    }
    return { path: shard.path, records, seen, texts, faults: [...faults.values()] }
  }
  return { path: shard.path, records: [], seen: 0, texts: 0, faults: [{ reason: 'shard-empty', detail: '' }] }
}

function objectIn(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8').replace(/^\ufeff/, ''))
    return isRecord(value) ? value : null
  } catch {
    return null // the reader reports why
  }
}
