/** What the tests of sources share: shards in memory whose bytes arrive in chunks of random size, and how to compare. */
import { setImmediate } from 'node:timers/promises'
import { seededRandom } from '../../lib/core/random.js'
import type { SourceBlock, SourceCursor } from '../../lib/sources/index.js'
import { type BlocksOptions, blocks, type Shard } from '../../lib/sources/index.js'

export interface MemoryShard extends Shard {
  /** Offsets that open() was called with. */
  readonly opened: number[]
}

/** A shard whose bytes come in chunks of 1 to `chunkBytesMax` bytes, sometimes late; each is spoilt when the next is asked for. */
export function memoryShard(path: string, content: Buffer | string, seed = 1, chunkBytesMax = 300): MemoryShard {
  const bytes = Buffer.from(content)
  const opened: number[] = []
  return {
    split: 'test',
    path,
    sizeBytes: bytes.byteLength,
    version: 'memory',
    mapping: { text: 'text' },
    opened,
    async *open(offset, signal) {
      opened.push(offset)
      const next = seededRandom(seed + offset)
      for (let at = offset; at < bytes.byteLength; ) {
        signal.throwIfAborted()
        if (next() < 0.1) await setImmediate()
        const end = Math.min(bytes.byteLength, at + 1 + Math.floor(next() * chunkBytesMax))
        const chunk = Uint8Array.prototype.slice.call(bytes, at, end)
        yield chunk
        chunk.fill(0xaa)
        at = end
      }
    },
    async read(offset, lengthBytes) {
      return Uint8Array.prototype.slice.call(bytes, offset, offset + lengthBytes)
    },
  }
}

export const smallBlocks: BlocksOptions = {
  blockBytes: 256,
  recordBytesMax: 2000,
  shardsOpenMax: 3,
  order: 'interleaved',
  decodeMsMax: 10_000,
  decodeBytesMax: 512 * 1024 * 1024,
  zstdWindowBytesMax: 128 * 1024 * 1024,
}

export async function collect(
  shards: readonly Shard[],
  options: Partial<BlocksOptions> = {},
  from?: SourceCursor,
): Promise<SourceBlock[]> {
  const all: SourceBlock[] = []
  for await (const each of blocks(shards, { ...smallBlocks, ...options }, from)) all.push(each)
  return all
}

/** The records of a block as text, by its bounds or its newlines; blank lines are no records. */
export function records({ block }: Pick<SourceBlock, 'block'>): string[] {
  const bytes = Buffer.from(block.bytes)
  if (block.bounds === undefined) {
    return bytes
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '')
  }
  const texts: string[] = []
  for (let index = 0; index < block.bounds.length; index += 2) {
    texts.push(bytes.toString('utf8', block.bounds[index], block.bounds[index + 1]))
  }
  return texts
}

/** All that matters of blocks, as plain values that a test can compare. */
export function summary(all: readonly SourceBlock[]): unknown[] {
  return all.map((each) => ({
    ...each.block,
    bytes: Buffer.from(each.block.bytes).toString('latin1'),
    bounds: each.block.bounds ? [...each.block.bounds] : null,
    cursor: each.cursor,
  }))
}

/** Documents as JSON texts of uneven length, some with what trips a scanner: quotes, backslashes, brackets. */
export function documents(count: number, seed: number): string[] {
  const next = seededRandom(seed)
  const traps = ['"引号"', '\\', '\\"', '}{', '][', '\n换行\n', '\u2028', '😀', ',', '{"RECORDS":[', '']
  return Array.from({ length: count }, (_, index) => {
    const words = Array.from({ length: Math.floor(next() * 12) }, () => traps[Math.floor(next() * traps.length)])
    const nested = next() < 0.2 ? { extra: [[{}], { a: [1, '\\'] }] } : {}
    return JSON.stringify({ id: index, text: `第${index}篇${words.join('文')}`, ...nested })
  })
}

/** Reads from every cursor in turn and gives those that do not continue exactly; a JSON round trip in between. */
export async function brokenCursors(
  shards: readonly Shard[],
  options: Partial<BlocksOptions> = {},
): Promise<{ blocks: number; broken: number[] }> {
  const whole = await collect(shards, options)
  const expected = summary(whole).map((each) => JSON.stringify(each))
  const broken: number[] = []
  for (const [index, { cursor }] of whole.entries()) {
    const rest = await collect(shards, options, JSON.parse(JSON.stringify(cursor)) as SourceCursor)
    const found = summary(rest).map((each) => JSON.stringify(each))
    if (found.join('\n') !== expected.slice(index + 1).join('\n')) broken.push(index)
  }
  return { blocks: whole.length, broken }
}
