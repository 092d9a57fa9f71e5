/**
 * The order of blocks over all shards: round robin over the open ones, a block from each in turn, numbered.
 * Reads ahead in every open shard without touching that order. Formats know nothing of it, nor it of formats.
 */
import { AbortedError, ShardChangedError } from '../errors.js'
import type { Block } from '../text/block.js'
import type { FormatCursor, Piece } from './formats/raw-block.js'
import { readShard } from './formats/read-shard.js'
import type { ReadOptions } from './read-options.js'
import { shardReject } from './rejected-shard.js'
import type { Shard } from './shard.js'
import { readingOf, type ShardRead } from './shard-reading.js'

/** Where reading goes on: JSON-safe, and all that is needed besides the list of shards. */
export interface SourceCursor {
  /** Number of the next block. */
  readonly block: number
  /** Index of the first shard that has not been opened. */
  readonly nextShard: number
  /** Index in `open` of the shard whose turn it is. */
  readonly turn: number
  /** In the order of turns. A shard that has ended keeps its turn until it is found to be empty. */
  readonly open: readonly { readonly shard: number; readonly path: string; readonly at: ShardPlace }[]
}

type ShardPlace = 'start' | 'end' | FormatCursor

export interface BlocksOptions extends ReadOptions {
  readonly signal?: AbortSignal
  /** Blocks read ahead in each open shard; 2 by default. Alters nothing but speed and memory. */
  readonly blocksAheadMax?: number
  /**
   * Blocks in memory that threads share: for a worker pool, which gives it back. V8 does not count it, so that whoever
   * keeps the blocks, or drops them, would fill the memory. False by default.
   */
  readonly shared?: boolean
  /** Parquet: all columns instead of the mapped ones, for output that is to hold whole records. False by default. */
  readonly allColumns?: boolean
}

export interface SourceBlock {
  readonly block: Block
  /** Reading on from here gives exactly the blocks that follow. */
  readonly cursor: SourceCursor
  readonly reads: BlockReads
}

/** State of the shards at a block. JSON-safe. */
export interface BlockReads {
  /** Of shards that ended since the block before. */
  readonly ended: readonly ShardRead[]
  /** Of those in the cursor's `open`. */
  readonly open: readonly ShardRead[]
}

const blocksAheadMax = 2

/**
 * Every block of every shard, in an order that depends on the data and `options` alone.
 *
 * A shard that is truncated, corrupt or in an unreadable format ends in a refused record; one that cannot be reached
 * throws.
 * Memory: about (blocksAheadMax + 2) × blockBytes a shard that is open, one row group for Parquet.
 *
 * @param from the cursor of the last block that is done; from the first block by default
 * @param before state of the shards that are open in `from`; without it they are not hashed further
 * @throws {ShardFormatError} Parquet on standard input
 * @throws {ShardChangedError} a shard is shorter than when it was listed, or the cursor is of another list
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
  try {
    for (;;) {
      while (open.length < openMax && nextShard < shards.length) {
        open.push(openShard(shards, nextShard++, 'start', options, signal))
      }
      const current = open[turn]
      if (current === undefined) return
      const piece = await current.take()
      if (piece === null) {
        ended.push(current.reads())
        // The next shard takes the place, and the turn, of the one that ended.
        if (nextShard < shards.length) open[turn] = openShard(shards, nextShard++, 'start', options, signal)
        else open.splice(turn, 1)
        if (turn >= open.length) turn = 0
        continue
      }
      turn = (turn + 1) % open.length
      const block = toBlock(number++, current.shard, piece)
      const cursor = { block: number, nextShard, turn, open: open.map((each) => each.cursor()) }
      yield { block, cursor, reads: { ended, open: open.map((each) => each.reads()) } }
      ended = []
    }
  } finally {
    stopped.abort()
    await Promise.all(open.map((each) => each.close()))
  }
}

/** Whether blocks before the cursor hold something of that shard, be it its reject. */
export function isBegun({ nextShard, open }: SourceCursor, shard: number): boolean {
  if (shard >= nextShard) return false
  const place = open.find((each) => each.shard === shard)
  return place === undefined || place.at !== 'start'
}

/** Whether nothing of that shard comes behind the cursor. */
export function isEnded(cursor: SourceCursor, shard: number): boolean {
  const place = cursor.open.find((each) => each.shard === shard)
  return shard < cursor.nextShard && (place === undefined || place.at === 'end')
}

/** Decompressed bytes before a cursor; null where it takes reading to know, as of what is compressed and of Parquet. */
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
      `cannot go on: shard ${shard} was ${path} and is now ${found ?? 'missing'}. Use the files the run began with`,
    )
  }
  if (nextShard > shards.length) {
    throw new ShardChangedError(`cannot go on: ${nextShard} shards were opened and ${shards.length} are listed now`)
  }
}

interface OpenShard {
  readonly shard: Shard
  /** The next piece; null at the end of the shard. */
  take(): Promise<Piece | null>
  /** The place behind the last piece taken. */
  cursor(): SourceCursor['open'][number]
  /** Its state, including bytes read ahead. */
  reads(): ShardRead
  close(): Promise<void>
}

type Ahead = { readonly result: IteratorResult<Piece> } | { readonly error: unknown }

function openShard(
  shards: readonly Shard[],
  index: number,
  from: ShardPlace,
  options: BlocksOptions,
  signal: AbortSignal,
  known?: ShardRead,
): OpenShard {
  const shard = shards[index] as Shard
  const reading = readingOf(shard, from === 'start' ? null : known?.read)
  const pieces = piecesOf(reading.shard, from, options, signal)
  const aheadMax = Math.max(1, options.blocksAheadMax ?? blocksAheadMax)
  /** Errors wait here as values: they are thrown in the shard's turn, whenever they came up. */
  const ahead: Promise<Ahead>[] = []
  let at: ShardPlace = from
  let [records, rejects] = from === 'start' ? [false, false] : [known?.rejected !== true, true]

  function readAhead(): void {
    // A generator serves calls of next() one after the other, in order.
    while (ahead.length < aheadMax) {
      ahead.push(
        pieces.next().then(
          (result) => ({ result }),
          (error: unknown) => ({ error }),
        ),
      )
    }
  }

  async function take(): Promise<Piece | null> {
    readAhead()
    const next = await (ahead.shift() as Promise<Ahead>)
    if ('error' in next) {
      if (signal.aborted) throw new AbortedError(`reading ${shard.path} was stopped`, { cause: next.error })
      throw next.error
    }
    const settled = reading.settled()
    if (settled !== null) await settled
    if (next.result.done) return null
    readAhead()
    const piece = next.result.value
    at = piece.next ?? 'end'
    records ||= piece.bytes.byteLength > 0
    rejects ||= piece.refused.length > 0
    return piece
  }

  function reads(): ShardRead {
    const read = reading.read()
    return { shard: index, ...(read && { read }), ...(rejects && !records && { rejected: true as const }) }
  }

  readAhead()
  return {
    shard,
    take,
    cursor: () => ({ shard: index, path: shard.path, at }),
    reads,
    close: async () => void (await pieces.return(undefined)),
  }
}

function piecesOf(shard: Shard, from: ShardPlace, options: BlocksOptions, signal: AbortSignal): AsyncGenerator<Piece> {
  if (from === 'end' || shard.removed) return nothing()
  if (shard.fault != null) return shardReject(shard.fault)
  return readShard(shard, from === 'start' ? null : from, options, signal)
}

async function* nothing(): AsyncGenerator<Piece> {}

function toBlock(number: number, shard: Shard, { next: _, ...piece }: Piece): Block {
  return { number, split: shard.split, shard: shard.path, mapping: shard.mapping, ...piece }
}
