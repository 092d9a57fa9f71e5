/** Exports of lib/sources for other folders, except those for the Hub. */
export {
  type BlockReads,
  type BlocksOptions,
  blocks,
  bytesBefore,
  isBegun,
  isEnded,
  type SourceBlock,
  type SourceCursor,
  storedBytesOf,
} from './blocks.js'
export { recordAt, recordNumber } from './find-record.js'
export type { InputProgress } from './input-progress.js'
export { type LocalSource, localShards, type StdinSource, stdinShard } from './local-shards.js'
export { boundsOf, mappingOf, presetNames, presets, type SourcePreset } from './presets.js'
export { readBlocks } from './read-blocks.js'
export { type ReadOptions, readOptions } from './read-options.js'
export { removedShard } from './rejected-shard.js'
export { sampleBlocks } from './sample.js'
export type { Shard, ShardReject } from './shard.js'
export { checkReads, type ShardRead } from './shard-reading.js'
