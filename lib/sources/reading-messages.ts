/** Messages between readBlocks and its thread. */
import type { WireError } from '../core/wire-error.js'
import type { BlocksOptions, SourceBlock, SourceCursor } from './blocks.js'
import type { RawBlock } from './formats/raw-block.js'
import type { LocalFileState } from './local-file.js'
import type { Shard } from './shard.js'
import type { ShardRead } from './shard-reading.js'

/** A shard without its functions. `file` is null for one that is not opened: rejected or removed. */
export interface ShardData
  extends Pick<Shard, 'split' | 'path' | 'sizeBytes' | 'version' | 'mapping' | 'format' | 'reject' | 'removed'> {
  readonly file: LocalFileState | null
}

export interface ReadingData {
  readonly shards: readonly ShardData[]
  readonly options: Omit<BlocksOptions, 'signal'>
  readonly from: SourceCursor | undefined
  readonly before: readonly ShardRead[] | undefined
  /** Bytes of blocks that were sent and for which no credit was returned, at which the thread waits. */
  readonly aheadBytesMax: number
}

/** A SourceBlock whose block lacks what its shard gives. */
export interface BlockData extends Pick<SourceBlock, 'cursor' | 'reads' | 'storedBytes'> {
  /** Index of its shard. */
  readonly shard: number
  readonly number: number
  readonly raw: Pick<RawBlock, 'bytes' | 'bounds' | 'offset' | 'offsetUnit' | 'rejected'>
}

export interface FromReading {
  readonly blocks: readonly BlockData[]
  /** Set in the last message. */
  readonly end: 'end' | WireError | null
}

export type ToReading =
  | {
      /** Bytes of blocks that were taken since the last message, each counted by `costOf`. */
      readonly credit: number
      /** Memory for further blocks. */
      readonly buffers: readonly SharedArrayBuffer[]
    }
  | { readonly stop: true }

/** A block without records takes memory, too. */
const costMin = 64 * 1024

/** Returns what a block takes of `aheadBytesMax`. */
export function costOf({ raw }: BlockData): number {
  return Math.max(costMin, raw.bytes.byteLength)
}
