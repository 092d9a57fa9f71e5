/** The public API: re-exports only. What is not here may change in any version. */

// The engine by itself: any values, any stages.
export { Credit } from './core/credit.js'
export type { SourceNodeOptions } from './core/flow-nodes.js'
export { from, type Graph, type GraphBuilder, type Source, sourceOf, type ValuesOptions } from './core/graph.js'
export type { Settlement } from './core/item.js'
export type { NodeMetrics } from './core/metrics.js'
export { sinkStream, stageStream } from './core/node-streams.js'
export type { Run, RunMetrics, RunOptions } from './core/run.js'
export type { OrderedSink, Released, ReorderOptions } from './core/sink-node.js'
export { Child, type Clock, type Outcome, type Position, type Stage, type StageContext } from './core/types.js'
// Everything that can go wrong: match on `code`.
export * from './errors.js'
export type { HubListing } from './hub/listing.js'
export type { Candidate, Pair } from './kun/types.js'
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
export { type OpenModels, type OpenModelsOptions, openModels } from './recipe/models.js'
export { type PreparedSettings, settingsOf } from './recipe/run-settings.js'
export type { Counters } from './run/accounting.js'
// Stages and sinks of a graph of one's own.
export { ChunkCandidate, Rejected, type SettledRecord } from './run/records.js'
export {
  type KunRun,
  type KunRunEnd,
  type KunRunOptions,
  type KunRunProgress,
  startKunRun,
} from './run/run.js'
export type { KunSettings, MemorySettings, OutputSettings } from './run/settings.js'
export type { ByteTarget, Destination } from './run/sinks/byte-target.js'
export { arrowSink, jsonlSink, parquetSink, type RowSinkOptions } from './run/sinks/row-sink.js'
export { chunkRows, pairRows, type Rows } from './run/sinks/rows.js'
export { chunks, type DedupStageOptions, dedup, type RecordStage } from './run/stages/dedup.js'
export {
  column,
  ifd,
  label,
  type ModelStage,
  type ModelStageOptions,
  pair,
  perplexity,
  polish,
  score,
  screen,
} from './run/stages/model-stages.js'
export { type PrepareStageOptions, prepare } from './run/stages/prepare.js'
// Stand-in servers: a model server and a Hub.
export type { Hub, HubOptions } from './simulator/hub/index.js'
export { startHub, startSimulator } from './simulator/on-demand.js'
export type { SimulatorOptions } from './simulator/vllm/options.js'
export type { Simulator } from './simulator/vllm/types.js'
// What a run left: its manifest, its rows, and whether they are what it says.
export { readManifest, type Verification, verifyRun } from './sinks/index.js'
// Sources of a graph.
export { arrowSource, type BlockSourceOptions, hubSource, localSource, stdinSource } from './sources/block-sources.js'
export { type HubShards, type HubShardsOptions, hubShards } from './sources/hub-shards.js'
export { type BlocksOptions, blocks, localShards, presets, type Shard } from './sources/index.js'
export type { Block, PreparedBlock, PrepareReject } from './text/block.js'
