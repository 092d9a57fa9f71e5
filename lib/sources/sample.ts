/**
 * Takes a few records spread over all shards, each as a block of its own, with the place that it has in a whole run. Lines
 * of a plain file are read at random offsets and rows of Parquet in random row groups; of any other shard a beginning of
 * bounded length is read, because it has no places to start from.
 */
import { seededRandom } from '../core/random.js'
import { recordPlaces } from '../text/records.js'
import { type SourceBlock, toBlock } from './blocks.js'
import type { FormatCursor, FormatOptions, RawBlock } from './formats/raw-block.js'
import { readShard } from './formats/read-shard.js'
import type { ReadOptions } from './read-options.js'
import type { Shard } from './shard.js'
import { headBytesMax, openParquet, spreadOver } from './spread.js'

interface SampleOptions extends ReadOptions {
  /** Records to take; fewer if the shards have fewer. */
  readonly records: number
  readonly seed: number
  readonly signal?: AbortSignal
}

/** Tries to find a record that was not taken yet. */
const triesPerRecord = 4

/** Yields the records; depends on the shards, `records` and `seed` alone. */
export async function* sampleBlocks(
  shards: readonly Shard[],
  { records, seed, signal = new AbortController().signal, ...read }: SampleOptions,
): AsyncGenerator<Omit<SourceBlock, 'storedBytes'>> {
  // Every record ends its block.
  const options: FormatOptions = { ...read, blockBytes: 1 }
  const random = seededRandom(seed)
  let number = 0
  /** Records that earlier shards lacked. */
  let missing = 0
  for (const { shard, count } of quotas(shards, records, random)) {
    const taken = await recordsOf(shard, count + missing, { options, random, signal })
    missing += count - taken.length
    for (const rawBlock of taken) {
      const cursor = { block: number + 1, nextShard: shards.length, turn: 0, open: [] }
      yield { block: toBlock(number++, shard, rawBlock), cursor, reads: { ended: [], open: [] } }
    }
  }
}

/** Spreads the records over the sources in proportion to their shards, one record each at least, and over their shards. */
function quotas(
  shards: readonly Shard[],
  records: number,
  random: () => number,
): { readonly shard: Shard; readonly count: number }[] {
  const readable = shards.filter(({ reject, removed, sizeBytes }) => reject == null && !removed && sizeBytes !== 0)
  const sources = new Map<string, Shard[]>()
  for (const shard of readable) {
    const name = JSON.stringify([shard.split, shard.source])
    sources.set(name, [...(sources.get(name) ?? []), shard])
  }
  const groups = sources.size > records ? [readable] : [...sources.values()]
  const spare = records - groups.length
  let [before, given] = [0, 0]
  return groups.flatMap((group) => {
    before += group.length
    const upTo = Math.round((Math.max(0, spare) * before) / readable.length)
    const count = (groups.length === 1 ? records : 1) + (groups.length === 1 ? 0 : upTo - given)
    given = upTo
    return spread(group, count, random)
  })
}

/** Takes `count` places at equal distances over the list: a random one of each distance, or the middle of a short list. */
function spread(shards: readonly Shard[], count: number, random: () => number) {
  const counts = new Map<Shard, number>()
  for (const shard of spreadOver(shards, count, shards.length <= count ? undefined : random)) {
    counts.set(shard, (counts.get(shard) ?? 0) + 1)
  }
  return [...counts].map(([shard, each]) => ({ shard, count: each }))
}

interface Reading {
  readonly options: FormatOptions
  readonly random: () => number
  readonly signal: AbortSignal
}

/** Returns up to `count` records of a shard, in order. */
async function recordsOf(shard: Shard, count: number, reading: Reading): Promise<RawBlock[]> {
  const start = readShard(shard, null, reading.options, reading.signal)
  try {
    const first = await nextRecord(start)
    if (first === null) return []
    const from = await randomStarts(shard, first.next, reading)
    return from === null ? await reservoir(first, start, count, reading) : await takenAt(shard, from, count, reading)
  } finally {
    await start.return(undefined)
  }
}

/** Returns a function to a random place to read from; null if the shard can be read from its start only. */
async function randomStarts(
  shard: Shard,
  next: FormatCursor | null,
  { random, signal }: Reading,
): Promise<(() => { readonly cursor: FormatCursor; readonly skips: boolean }) | null> {
  const { sizeBytes } = shard
  if (next === null || sizeBytes === null) return null
  if ('group' in next) {
    const file = await openParquet(shard, sizeBytes, signal).catch(() => null) // the reader of the shard reports the damage
    const groups = file?.metadata.row_groups.length ?? 0
    if (file === null || groups === 0) return null
    return () => {
      const group = Math.floor(random() * groups)
      return { cursor: { group, row: Math.floor(random() * file.groupRows(group)) }, skips: false }
    }
  }
  const isLines = 'text' in next && next.codec === 'plain' && next.text.layout === 'lines'
  if (!isLines || sizeBytes <= headBytesMax) return null
  // Most likely within a line: its rest is skipped.
  return () => {
    const offset = Math.floor(random() * sizeBytes)
    return { cursor: { codec: 'plain', text: { layout: 'lines', offset } }, skips: true }
  }
}

async function takenAt(
  shard: Shard,
  start: () => { readonly cursor: FormatCursor; readonly skips: boolean },
  count: number,
  { options, signal }: Reading,
): Promise<RawBlock[]> {
  const taken = new Map<number, RawBlock>()
  for (let tries = 0; taken.size < count && tries < count * triesPerRecord; tries++) {
    const { cursor, skips } = start()
    const rawBlocks = readShard(shard, cursor, options, signal)
    try {
      if (skips) await rawBlocks.next()
      const found = await nextRecord(rawBlocks)
      if (found !== null) taken.set(found.offset, found)
    } finally {
      await rawBlocks.return(undefined)
    }
  }
  return [...taken.values()].sort((a, b) => a.offset - b.offset)
}

/** Takes `count` records of the beginning with equal probability: reservoir sampling, Vitter's algorithm R. */
async function reservoir(
  first: RawBlock,
  rest: AsyncGenerator<RawBlock>,
  count: number,
  { random }: Reading,
): Promise<RawBlock[]> {
  const taken: { readonly index: number; readonly rawBlock: RawBlock }[] = []
  let [index, bytes] = [0, 0]
  for (let rawBlock: RawBlock | null = first; rawBlock !== null; rawBlock = await nextRecord(rest)) {
    const place = index < count ? index : Math.floor(random() * (index + 1))
    if (place < count) taken[place] = { index, rawBlock }
    index++
    bytes += rawBlock.bytes.byteLength
    if (bytes >= headBytesMax) break
  }
  return taken.sort((a, b) => a.index - b.index).map(({ rawBlock }) => rawBlock)
}

/** Returns the next block with a record or a reject; a blank line has neither. */
async function nextRecord(rawBlocks: AsyncGenerator<RawBlock>): Promise<RawBlock | null> {
  for (;;) {
    const { value, done } = await rawBlocks.next()
    if (done) return null
    const [place] = recordPlaces({ ...value, number: 0, split: '', shard: '', mapping: { text: '' } })
    if (place !== undefined) return value
  }
}
