/**
 * Takes records spread over all shards of a source, with their bytes, and estimates how many records the source has. Plain
 * lines are taken from windows over the whole shard; other formats from the first block of each shard.
 */
import { Buffer } from 'node:buffer'
import { recordPlaces } from '../text/records.js'
import { blocks } from './blocks.js'
import { readOptions } from './read-options.js'
import type { Shard } from './shard.js'
import { headBytesMax, openParquet, spreadOver } from './spread.js'

/** Shards that are read, at most: evenly spread over the list. */
const shardsMax = 24
/** Windows of a plain shard, and their size. */
const windowsMax = 8
const windowBytes = 256 * 1024
/** Slices in which stored bytes are counted. */
const sliceBytes = 16 * 1024

/** Records of one source. */
interface SpreadRecords {
  /** One JSON object each, on one line. */
  readonly records: readonly Uint8Array[]
  /** Records that the source has; null if unknown (standard input). */
  readonly documents: number | null
  /** Whether it was counted: all shards were read, or their footers say so. */
  readonly exact: boolean
}

/** What one shard gave. */
interface ShardSample {
  readonly lines: readonly Uint8Array[]
  /** Records of the shard. */
  readonly documents: number
  readonly exact: boolean
}

/**
 * @param max records to take, about the same number of each shard that is read
 * @throws {StorageError | HubAccessError} a shard cannot be reached now
 */
export async function spreadRecords(
  shards: readonly Shard[],
  max: number,
  signal?: AbortSignal,
): Promise<SpreadRecords> {
  const readable = shards.filter(({ sizeBytes, reject }) => sizeBytes !== null && reject == null)
  const chosen = spread(readable, Math.min(shardsMax, max))
  const samples: ShardSample[] = []
  const share = Math.ceil(max / Math.max(1, chosen.length))
  for (const shard of chosen) samples.push(await sampleOf(shard, share, signal))
  const bytesOf = (all: readonly Shard[]) => all.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0)
  const counted = samples.reduce((sum, { documents }) => sum + documents, 0)
  const whole = chosen.length === readable.length
  const scale = whole ? 1 : bytesOf(readable) / Math.max(1, bytesOf(chosen))
  return {
    records: spread(
      samples.flatMap(({ lines }) => lines),
      max,
    ),
    documents: readable.length === 0 ? null : Math.round(counted * scale),
    exact: whole && samples.every(({ exact }) => exact),
  }
}

/** Returns at most `max` entries, evenly spread. */
function spread<T>(all: readonly T[], max: number): T[] {
  return all.length <= max ? [...all] : spreadOver(all, max)
}

async function sampleOf(shard: Shard, max: number, signal?: AbortSignal): Promise<ShardSample> {
  const size = shard.sizeBytes ?? 0
  const isLines = /\.(jsonl|ndjson|json|txt)$/i.test(shard.path) && shard.format === undefined && size > headBytesMax
  return (isLines ? await fromWindows(shard, size, max, signal) : null) ?? fromHead(shard, size, max, signal)
}

/** Returns null if the windows do not have lines of JSON objects: another layout. */
async function fromWindows(shard: Shard, size: number, max: number, signal?: AbortSignal): Promise<ShardSample | null> {
  const windows = Math.min(windowsMax, max)
  const lines: Uint8Array[] = []
  let [bytes, found] = [0, 0]
  for (let index = 0; index < windows; index++) {
    const start = Math.floor((index * (size - windowBytes)) / Math.max(1, windows - 1))
    const read = Buffer.from(await shard.read(start, windowBytes, signal ?? neverAborted))
    const first = start === 0 ? 0 : read.indexOf(newline) + 1
    const last = read.lastIndexOf(newline)
    if (last <= first || read[first] !== openBrace) return null
    const whole = linesIn(read.subarray(first, last))
    bytes += last + 1 - first
    found += whole.length
    lines.push(...spread(whole, Math.ceil(max / windows)))
  }
  return { lines, documents: Math.round((size * found) / bytes), exact: false }
}

const newline = 0x0a
const openBrace = 0x7b
const neverAborted = new AbortController().signal

function linesIn(bytes: Buffer): Uint8Array[] {
  const lines: Uint8Array[] = []
  for (let start = 0; start < bytes.length; ) {
    const at = bytes.indexOf(newline, start)
    const end = at < 0 ? bytes.length : at
    if (end > start + 1) lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return lines
}

async function fromHead(shard: Shard, size: number, max: number, signal?: AbortSignal): Promise<ShardSample> {
  const lines: Uint8Array[] = []
  const read = { bytes: 0 }
  let [documents, ended] = [0, true]
  const options = { ...readOptions.parse({ blockBytes: 512 * 1024 }), allColumns: true, blocksAheadMax: 1 }
  let taken = 0
  for await (const { block } of blocks([counted(shard, read)], { ...options, ...(signal && { signal }) })) {
    for (const { start, end, rejected } of recordPlaces(block)) {
      documents++
      // A line end inside of a record of a JSON list is white space: a text has none.
      if (rejected === null) lines.push(withoutLineEnds(block.bytes.slice(start, end)))
    }
    taken += block.bytes.byteLength
    if (taken >= headBytesMax) {
      ended = false
      break
    }
  }
  const rows = ended ? null : await parquetRows(shard, size)
  const estimated = ended ? documents : Math.round((documents * size) / Math.max(1, read.bytes))
  return { lines: spread(lines, max), documents: rows ?? Math.max(documents, estimated), exact: ended || rows !== null }
}

function withoutLineEnds(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 0x0a || bytes[at] === 0x0d) bytes[at] = 0x20
  return bytes
}

/** Counts the stored bytes that were taken from a shard. */
function counted(shard: Shard, read: { bytes: number }): Shard {
  return {
    ...shard,
    async *open(offset, signal) {
      for await (const chunk of shard.open(offset, signal)) {
        for (let at = 0; at < chunk.length; at += sliceBytes) {
          const slice = chunk.subarray(at, at + sliceBytes)
          read.bytes += slice.length
          yield slice
        }
      }
    },
  }
}

async function parquetRows(shard: Shard, sizeBytes: number): Promise<number | null> {
  if (!/\.parquet$/i.test(shard.path)) return null
  const { metadata } = await openParquet(shard, sizeBytes, neverAborted)
  return Number(metadata.num_rows)
}
