/** Finds single records of the input, each as a block of its own: by their place, or by their number in input order. */
import { recordPlaces } from '../text/records.js'
import { blocks, type SourceBlock, toBlock } from './blocks.js'
import { readShard } from './formats/read-shard.js'
import type { ReadOptions } from './read-options.js'
import type { Shard } from './shard.js'

type RecordBlock = SourceBlock['block']

/**
 * Returns the record of a shard at an offset; null if no record starts there. A line of a plain file is read directly; any
 * other shard is read from its start.
 */
export async function recordAt(shard: Shard, offset: number, read: ReadOptions): Promise<RecordBlock | null> {
  const options = { ...read, blockBytes: 1 }
  const { signal } = new AbortController()
  const cursors = [{ codec: 'plain', text: { layout: 'lines', offset } } as const, null]
  for (const cursor of /\.(?:jsonl|ndjson|json|txt)$/i.test(shard.path) ? cursors : [null]) {
    const rawBlocks = readShard(shard, cursor, options, signal)
    try {
      for await (const rawBlock of rawBlocks) {
        const block = toBlock(0, shard, rawBlock)
        for (const place of recordPlaces(block)) {
          // A place within an array or a compressed file is not the start of a line.
          if (place.offset === offset && (cursor === null || startsRecord(block))) return block
          if (place.offset > offset) break
        }
        if (cursor !== null || rawBlock.offset > offset) break
      }
    } finally {
      await rawBlocks.return(undefined)
    }
  }
  return null
}

function startsRecord({ bytes }: RecordBlock): boolean {
  try {
    JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
    return true
  } catch {
    return false
  }
}

/** Returns the record with this number, from 0, in the order in which a run reads the shards; null if there are fewer. */
export async function recordNumber(
  shards: readonly Shard[],
  number: number,
  read: ReadOptions,
): Promise<RecordBlock | null> {
  let before = 0
  for await (const { block } of blocks(shards, read)) {
    const places = [...recordPlaces(block)]
    const place = places[number - before]
    if (place !== undefined) {
      const shard = shards.find(({ path, split }) => path === block.shard && split === block.split)
      if (place.rejected !== null || shard === undefined) return { ...block, bytes: new Uint8Array(0) }
      const bytes = new Uint8Array(block.bytes.subarray(place.start, place.end))
      const bounds = block.bounds === undefined ? {} : { bounds: new Int32Array([0, bytes.byteLength]) }
      return { ...block, ...bounds, bytes, offset: place.offset, rejected: [], number: 0 }
    }
    before += places.length
  }
  return null
}
