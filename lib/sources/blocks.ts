/**
 * Numbers the blocks of all shards: round robin over the open shards, one block from each in turn. Reads ahead in every
 * open shard without changing that order. Independent of formats.
 */
import { AbortedError, ShardChangedError } from '../errors.js'
import { say } from '../language/say.js'
import type { Block } from '../text/block.js'
import type { FormatCursor, FormatOptions, RawBlock } from './formats/raw-block.js'
import { readShard } from './formats/read-shard.js'
import type { ReadOptions } from './read-options.js'
import { shardReject } from './rejected-shard.js'
import type { Shard } from './shard.js'
import { readingOf, type ShardRead } from './shard-reading.js'

/** Where reading resumes. JSON-safe; with the list of shards it is all that is needed. */
export interface SourceCursor {
  /** Number of the next block. */
  readonly block: number
  /** Index of the first shard that has not been opened. */
  readonly nextShard: number
  /** Index in `open` of the shard that gives the next block. */
  readonly turn: number
  /** In the order of turns. A shard that has ended keeps its turn until its end is read. */
  readonly open: readonly { readonly shard: number; readonly path: string; readonly at: ShardPlace }[]
}

type ShardPlace = 'start' | 'end' | FormatCursor

export interface BlocksOptions extends ReadOptions {
  readonly signal?: AbortSignal
  /** Blocks read ahead in each open shard; 2 by default. Affects speed and memory only. */
  readonly blocksAheadMax?: number
  /**
   * Puts blocks into shared buffers, which the caller must release, as the worker pool does; false by default. V8 does
   * not count this memory, so that blocks that are kept or dropped would exhaust it.
   */
  readonly shared?: boolean
  /** Parquet: all columns instead of the mapped ones, for output that is to hold whole records. False by default. */
  readonly allColumns?: boolean
  /** Hashes what is read, for `reads`; true by default. Only a run that is resumed needs it. */
  readonly hashed?: boolean
  /**
   * Size of the first block of the first shard, doubled with each further one up to `blockBytes`, which is its default.
   * For JSON Lines. Not for blocks that are read again from a cursor: their size would differ.
   */
  readonly firstBlockBytes?: number
}

export interface SourceBlock {
  readonly block: Block
  /** Reading from here yields exactly the blocks that follow. */
  readonly cursor: SourceCursor
  readonly reads: BlockReads
  /** Stored bytes of all shards up to the end of the block, estimated within a compressed one. For progress only. */
  readonly storedBytes: number
}

/** State of the shards up to a block. JSON-safe. */
export interface BlockReads {
  /** Shards that ended since the previous block. */
  readonly ended: readonly ShardRead[]
  /** Shards in the cursor's `open`. */
  readonly open: readonly ShardRead[]
}

const blocksAheadMax = 2

/**
 * Yields every block of every shard, in an order that depends on the data and `options` alone.
 *
 * A shard that is truncated, corrupt or in an unsupported format ends in a rejected record; one that cannot be reached
 * throws.
 * Memory: about (blocksAheadMax + 2) × blockBytes for each open shard; one row group for Parquet.
 *
 * @param from the cursor of the last completed block; the first block by default
 * @param before what was read of the shards that are open in `from`; without it they are not hashed further
 * @throws {ShardFormatError} Parquet on standard input
 * @throws {ShardChangedError} a shard is shorter than when it was listed, or the cursor belongs to another list
 */
export async function* blocks(
  shards: readonly Shard[],
  options: BlocksOptions,
  from: SourceCursor = { block: 0, nextShard: 0, turn: 0, open: [] },
  before: readonly ShardRead[] = [],
): AsyncGenerator<SourceBlock, void, undefined> {
  checkCursor(shards, from)
  const stopped = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stopped.signal]) : stopped.signal
  const openMax = options.order === 'in-order' ? 1 : options.shardsOpenMax
  const known = new Map(before.map((each) => [each.shard, each]))
  const open = from.open.map(({ shard, at }) => openShard(shards, shard, at, options, signal, known.get(shard)))
  let ended: ShardRead[] = []
  let { block: number, nextShard, turn } = from
  const ofOpen = (): number => open.reduce((sum, each) => sum + each.storedBytes(), 0)
  // Shards before the cursor that are not open have ended.
  let endedBytes = sizeOf(shards.slice(0, nextShard)) - sizeOf(from.open.map(({ shard }) => shards[shard] as Shard))
  try {
    for (;;) {
      while (open.length < openMax && nextShard < shards.length) {
        open.push(openShard(shards, nextShard++, 'start', options, signal))
      }
      const current = open[turn]
      if (current === undefined) return
      const rawBlock = await current.take()
      if (rawBlock === null) {
        ended.push(current.reads())
        endedBytes += current.shard.sizeBytes ?? 0
        // The next shard replaces the one that ended, in the same turn.
        if (nextShard < shards.length) open[turn] = openShard(shards, nextShard++, 'start', options, signal)
        else open.splice(turn, 1)
        if (turn >= open.length) turn = 0
        continue
      }
      turn = (turn + 1) % open.length
      const block = toBlock(number++, current.shard, rawBlock)
      const cursor = { block: number, nextShard, turn, open: open.map((each) => each.cursor()) }
      const reads = { ended, open: open.map((each) => each.reads()) }
      yield { block, cursor, reads, storedBytes: endedBytes + ofOpen() }
      ended = []
    }
  } finally {
    stopped.abort()
    await Promise.all(open.map((each) => each.close()))
  }
}

/** Returns the bytes of the shards as they are stored; null if one has no known size, such as standard input. */
export function storedBytesOf(shards: readonly Shard[]): number | null {
  return shards.some(({ sizeBytes }) => sizeBytes === null) ? null : sizeOf(shards)
}

function sizeOf(shards: readonly Shard[]): number {
  return shards.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0)
}

/** Whether blocks before the cursor contain records or rejects of the shard. */
export function isBegun({ nextShard, open }: SourceCursor, shard: number): boolean {
  if (shard >= nextShard) return false
  const place = open.find((each) => each.shard === shard)
  return place === undefined || place.at !== 'start'
}

/** Whether no block after the cursor contains anything of the shard. */
export function isEnded(cursor: SourceCursor, shard: number): boolean {
  const place = cursor.open.find((each) => each.shard === shard)
  return shard < cursor.nextShard && (place === undefined || place.at === 'end')
}

/** Returns the decompressed bytes before a cursor; null if unknown without reading: compressed shards and Parquet. */
export function bytesBefore(shards: readonly Shard[], { nextShard, open }: SourceCursor): number | null {
  const places = new Map(open.map(({ shard, at }) => [shard, at]))
  let bytes = 0
  for (const [index, { sizeBytes }] of shards.slice(0, nextShard).entries()) {
    const at = places.get(index) ?? 'end'
    if (at === 'start') continue
    const plain = at === 'end' || ('text' in at && at.codec === 'plain')
    if (!plain || sizeBytes === null) return null
    bytes += at === 'end' ? sizeBytes : at.text.offset
  }
  return bytes
}

function checkCursor(shards: readonly Shard[], { open, nextShard }: SourceCursor): void {
  for (const { shard, path } of open) {
    const found = shards[shard]?.path
    if (found === path) continue
    throw new ShardChangedError(
      say`cannot resume: shard ${shard} was ${path} and is now ${found ?? 'missing'}. Use the files that the
        run started with`,
    )
  }
  if (nextShard > shards.length) {
    throw new ShardChangedError(say`cannot resume: ${nextShard} shards were opened and ${shards.length} are listed now`)
  }
}

interface OpenShard {
  readonly shard: Shard
  /** Returns the next block; null at the end of the shard. */
  take(): Promise<RawBlock | null>
  /** Returns the place after the last block taken. */
  cursor(): SourceCursor['open'][number]
  /** Returns the state of what was read, including bytes read ahead. */
  reads(): ShardRead
  /** Returns the stored bytes up to the end of the last block taken. */
  storedBytes(): number
  close(): Promise<void>
}

type Ahead = { readonly result: IteratorResult<RawBlock> } | { readonly error: unknown }

function openShard(
  shards: readonly Shard[],
  index: number,
  from: ShardPlace,
  options: BlocksOptions,
  signal: AbortSignal,
  known?: ShardRead,
): OpenShard {
  const shard = shards[index] as Shard
  const reading = readingOf(shard, options.hashed === false ? undefined : from === 'start' ? null : known?.read)
  /** Stored bytes delivered, those of blocks read ahead included. */
  let deliveredBytes = 0
  const counted = (offset: number) => {
    deliveredBytes = Math.max(deliveredBytes, offset)
  }
  const sized = index === 0 && from === 'start' ? options : { ...options, firstBlockBytes: undefined }
  const rawBlocks = rawBlocksOf(countingShard(reading.shard, counted), from, sized, signal)
  const aheadMax = Math.max(1, options.blocksAheadMax ?? blocksAheadMax)
  /** Errors are kept as values: they are thrown in the shard's turn, so that the order does not depend on time. */
  const ahead: Promise<Ahead>[] = []
  let at: ShardPlace = from
  let share: number | null = null
  let [records, rejects] = from === 'start' ? [false, false] : [known?.rejected !== true, true]

  function readAhead(): void {
    // A generator serves calls of next() one after the other, in order.
    while (ahead.length < aheadMax) {
      ahead.push(
        rawBlocks.next().then(
          (result) => ({ result }),
          (error: unknown) => ({ error }),
        ),
      )
    }
  }

  async function take(): Promise<RawBlock | null> {
    readAhead()
    const next = await (ahead.shift() as Promise<Ahead>)
    if ('error' in next) {
      if (signal.aborted) throw new AbortedError(say`reading ${shard.path} was stopped`, { cause: next.error })
      throw next.error
    }
    const settled = reading.settled()
    if (settled !== null) await settled
    if (next.result.done) return null
    readAhead()
    const rawBlock = next.result.value
    at = rawBlock.next ?? 'end'
    share = rawBlock.share ?? null
    records ||= rawBlock.bytes.byteLength > 0
    rejects ||= rawBlock.rejected.length > 0
    return rawBlock
  }

  function reads(): ShardRead {
    const read = reading.read()
    return { shard: index, ...(read && { read }), ...(rejects && !records && { rejected: true as const }) }
  }

  function storedBytes(): number {
    if (at === 'start') return 0
    const { sizeBytes } = shard
    if (at === 'end') return sizeBytes ?? deliveredBytes
    if (share !== null && sizeBytes !== null) return share * sizeBytes
    return 'text' in at && at.codec === 'plain' ? at.text.offset : deliveredBytes
  }

  readAhead()
  return {
    shard,
    take,
    storedBytes,
    cursor: () => ({ shard: index, path: shard.path, at }),
    reads,
    close: async () => void (await rawBlocks.return(undefined)),
  }
}

/** @param counted called with the offset after each chunk that `open` delivered */
function countingShard(shard: Shard, counted: (offset: number) => void): Shard {
  return {
    ...shard,
    async *open(offset, signal, target) {
      let at = offset
      for await (const chunk of shard.open(offset, signal, target)) {
        at += chunk.byteLength
        counted(at)
        yield chunk
      }
    },
  }
}

function rawBlocksOf(
  shard: Shard,
  from: ShardPlace,
  options: FormatOptions,
  signal: AbortSignal,
): AsyncGenerator<RawBlock> {
  if (from === 'end' || shard.removed) return nothing()
  if (shard.reject != null) return shardReject(shard.reject)
  return readShard(shard, from === 'start' ? null : from, options, signal)
}

async function* nothing(): AsyncGenerator<RawBlock> {}

/** Adds the place of the shard to a block as its format produced it. */
export function toBlock(number: number, shard: Shard, { next: _next, share: _share, ...rawBlock }: RawBlock): Block {
  const { split, source, path, mapping } = shard
  return { number, split, ...(source !== undefined && { source }), shard: path, mapping, ...rawBlock }
}
