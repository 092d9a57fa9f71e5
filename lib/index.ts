/** The public API: re-exports only. What is not here may change in any version. */

// The engine by itself: any values, any stages.
export { Credit } from './core/credit.js'
export type { SourceNodeOptions } from './core/flow-nodes.js'
export { from, type Graph, type GraphBuilder } from './core/graph.js'
export type { NodeMetrics } from './core/metrics.js'
export type { Run, RunMetrics, RunOptions } from './core/run.js'
export type { OrderedSink, Released, ReorderOptions } from './core/sink-node.js'
export { Child, type Clock, type Outcome, type Position, type Stage, type StageContext } from './core/types.js'
// Everything that can go wrong: match on `code`.
export * from './errors.js'
export type { HubListing } from './hub/listing.js'
// A run of the Kun method: a recipe → its settings → a session.
export { openPart, type Part, rowsOf } from './parquet/part-reader.js'
// From a run to the Hub, and to a second place.
export {
  type Mirror,
  type MirrorOptions,
  type MirrorPass,
  mirrorRun,
  mirrorWhile,
  openMirror,
  restoreFromMirror,
} from './publish/mirror.js'
export type { PublishedFile, PublishProgress, PublishResult } from './publish/options.js'
export { type PublishOptions, publish } from './publish/publish.js'
export { loadRecipe, parseRecipe, type Recipe } from './recipe/index.js'
export { type PreparedSettings, settingsOf } from './recipe/run-settings.js'
export type { Counters } from './run/accounting.js'
export {
  type KunRun,
  type KunRunEnd,
  type KunRunOptions,
  type KunRunProgress,
  startKunRun,
} from './run/run.js'
export type { KunSettings, MemorySettings, OutputSettings } from './run/settings.js'
// Stand-in servers: a model server and a Hub.
export type { Hub, HubOptions } from './simulator/hub/simulated-hub.js'
export { startHub, startSimulator } from './simulator/on-demand.js'
export type { SimulatorOptions } from './simulator/vllm/options.js'
export type { Simulator } from './simulator/vllm/types.js'
// What a run left: its manifest, its rows, and whether they are what it says.
export { readManifest, type Verification, verifyRun } from './sinks/index.js'
export { type HubShards, type HubShardsOptions, hubShards } from './sources/hub-shards.js'
export { type BlocksOptions, blocks, localShards, presets, type Shard } from './sources/index.js'
