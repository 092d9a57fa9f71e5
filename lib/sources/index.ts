/** Everything other folders take from lib/sources, but for the Hub. */
export { type BlocksOptions, blocks, bytesBefore, isBegun, type SourceBlock, type SourceCursor } from './blocks.js'
export { removedShard } from './fault.js'
export { type LocalSource, localShards, type StdinSource, stdinShard } from './local.js'
export { type SourceOptions, sourceOptions } from './options.js'
export { presets } from './presets.js'
export type { Shard, ShardFault } from './types.js'
