/**
 * Settings of a run: a recipe with its defaults filled in, numbers in bytes and milliseconds, secrets
 * resolved and shards listed. lib/recipe/run-settings.ts builds them from a recipe.
 */
import type { DedupOptions } from '../dedup/options.js'
import type { KunOptions } from '../kun/options.js'
import type { ModelOptions, ServerOptions } from '../llm/options.js'
import type { ReadOptions, Shard } from '../sources/index.js'
import type { PrepareOptions } from '../text/plan.js'
import type { WorkersOptions } from '../workers/options.js'
import type { DriftOptions } from './drift/detector.js'

/** Everything that determines a run. */
export interface KunSettings {
  readonly seed: number
  /** Takes this many records, spread over the shards, in place of all of them, and one chunk of each. */
  readonly sample?: number
  /** In the order of the recipe: split by split, shards sorted by path. */
  readonly shards: readonly Shard[]
  /** All splits of the recipe, with or without shards. */
  readonly splits: readonly string[]
  readonly read: ReadOptions
  readonly workers: WorkersOptions
  readonly prepare: Omit<PrepareOptions, 'dedup'>
  readonly dedup: DedupOptions
  /** By the recipe's name; `builtin` is replaced by an address. */
  readonly models: Readonly<Record<string, ModelOptions>>
  readonly servers: ServerOptions
  readonly kun: KunOptions
  readonly output: OutputSettings
  readonly memory: MemorySettings
  /** `keep`: keeps replies after their cut is committed. `from`: run directories whose replies are served first. */
  readonly replies: { readonly keep: boolean; readonly from: readonly string[] }
  /** When a change of the replies stops the run; false never. */
  readonly drift: DriftOptions | false
  readonly noYield: NoYieldSettings
  /** Rows of the whole run; tokens and hours of one call of `run`. Infinity: no limit. */
  readonly limits: { readonly rowsMax: number; readonly tokensMax: number; readonly hoursMax: number }
  /** The part of the recipe that determines the bytes: pinned in run.json and compared on resume. */
  readonly pinned: Readonly<Record<string, unknown>>
  /** The whole recipe, JSON-safe and without secrets, from which the run can be rebuilt. */
  readonly recipe: Readonly<Record<string, unknown>>
}

/** Where rows are written, and in which files. Sizes are of uncompressed bytes. */
export interface OutputSettings {
  /** The run directory; created if it does not exist. */
  readonly dir: string
  /** A cut ends with the block that reaches this number of candidates, */
  readonly candidatesPerCut: number
  /** or this number of blocks. */
  readonly blocksPerCutMax: number
  /** Rows of a file; a split with more rows in a cut has several files. */
  readonly rowsPerFile: number
  /** Bytes of a row group; (splits + 1) row groups may be open. */
  readonly rowGroupBytesMax: number
  /** Columns `instruction` and `output`, or one column `messages`. */
  readonly shape: 'pairs' | 'messages'
  readonly encoder: 'hyparquet-writer' | 'parquetjs-lite'
  /** zstd for hyparquet-writer; gzip, the default there, or snappy for parquetjs-lite. */
  readonly codec?: 'zstd' | 'gzip' | 'snappy' | undefined
}

/** Limits for a run that yields nothing. */
export interface NoYieldSettings {
  /** First records that may all be rejected for one reason; null sets no limit. */
  readonly recordsMax: number | null
  /** Whether a run may end without a row. */
  readonly mayBeEmpty: boolean
}

/** Limits of the memory between source and sink, bytes. */
export interface MemorySettings {
  /** Bytes of blocks, and of what is made from them, between source and release. */
  readonly inFlightMax: number
  /** Bytes of finished rows that wait for an earlier one; more are written to the spill file. */
  readonly reorderBytesMax: number
}
