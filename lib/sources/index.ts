/** Everything other folders take from lib/sources, but for the Hub. */
export {
  type BlockReads,
  type BlocksOptions,
  blocks,
  bytesBefore,
  isBegun,
  isEnded,
  type SourceBlock,
  type SourceCursor,
} from './blocks.js'
export { removedShard } from './fault.js'
export { type LocalSource, localShards, type StdinSource, stdinShard } from './local.js'
export { type SourceOptions, sourceOptions } from './options.js'
export { presets } from './presets.js'
export { checkReads, type ShardRead } from './shard-reading.js'
export type { Shard, ShardFault } from './types.js'
