/** Public names of deduplication. */
export { type Banding, bandingFor, recall, type SettleBand, settleBand } from './banding.js'
export { signedBlock } from './columns.js'
export type { OpenedDeduplicator } from './deduplicator.js'
export { type OpenDeduplicatorOptions, openDeduplicator, textsPath } from './open-index.js'
export {
  bandingOf,
  type DedupOptions,
  dedupOptions,
  exactIndexBytesPerDocument,
  type IndexKind,
  indexKindFor,
  type NearOptions,
  nearOptions,
} from './options.js'
export type { Deduplicator, Duplicate } from './types.js'
