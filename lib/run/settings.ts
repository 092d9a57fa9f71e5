/**
 * What a run of the Kun method is told: the parts of a recipe it needs, defaults filled in, numbers in bytes and
 * milliseconds, secrets resolved, shards listed. Whoever starts a run makes this of a recipe; nothing here knows YAML.
 */
import type { DedupOptions } from '../dedup/options.js'
import type { KunOptions } from '../kun/options.js'
import type { ModelOptions, ServerOptions } from '../llm/options.js'
import type { Shard, SourceOptions } from '../sources/index.js'
import type { PrepareOptions } from '../text/plan.js'
import type { WorkersOptions } from '../workers/pool.js'
import type { DriftOptions } from './drift/detector.js'

/** Everything that determines a run. */
export interface KunSettings {
  readonly seed: number
  /** In the order of the recipe: split by split, shards sorted by path. */
  readonly shards: readonly Shard[]
  /** Every split of the recipe, those without a shard too. */
  readonly splits: readonly string[]
  readonly read: SourceOptions
  readonly workers: WorkersOptions
  readonly prepare: Omit<PrepareOptions, 'dedup'>
  readonly dedup: DedupOptions
  /** By the recipe's name; `builtin` is an address by now. */
  readonly models: Readonly<Record<string, ModelOptions>>
  readonly servers: ServerOptions
  readonly kun: KunOptions
  readonly output: OutputSettings
  readonly memory: MemorySettings
  /** Whether replies are kept after their cut; run directories whose replies are served first. */
  readonly replies: { readonly keep: boolean; readonly from: readonly string[] }
  /** When a change of the replies stops the run; false never. */
  readonly drift: DriftOptions | false
  readonly noYield: NoYieldSettings
  /** Rows of the whole run; tokens and hours of one call of it. Infinity where there is none. */
  readonly limits: { readonly rowsMax: number; readonly tokensMax: number; readonly hoursMax: number }
  /** What determines the bytes, as the recipe says it: goes to run.json, compared on resume. */
  readonly pinned: Readonly<Record<string, unknown>>
  /** The whole recipe, JSON-safe and without secrets, so that the run can be rebuilt from its directory alone. */
  readonly recipe: Readonly<Record<string, unknown>>
}

/** Where rows go, and in what files. Bytes are uncompressed. */
export interface OutputSettings {
  /** The run directory; made when it is missing. */
  readonly dir: string
  /** A cut ends with the first block at which so many candidates came since the last one, */
  readonly candidatesPerCut: number
  /** or so many blocks. */
  readonly blocksPerCutMax: number
  /** A split has a further file in a cut when it has more. */
  readonly rowsPerFile: number
  /** Of one row group; (splits + 1) of them may be open. */
  readonly rowGroupBytesMax: number
  /** `instruction` and `output` as columns, or one column `messages`. */
  readonly shape: 'pairs' | 'messages'
  readonly encoder: 'hyparquet-writer' | 'parquetjs-lite'
  /** zstd for hyparquet-writer; gzip, the default there, or snappy for parquetjs-lite. */
  readonly codec?: 'zstd' | 'gzip' | 'snappy' | undefined
}

/** What a run does that yields nothing. */
export interface NoYieldSettings {
  /** First records that may all be rejected for one reason; null sets no limit. */
  readonly recordsMax: number | null
  /** Whether a run may end without a row. */
  readonly mayBeEmpty: boolean
}

/** Bounds on what is held between source and sink, bytes. */
export interface MemorySettings {
  /** Bytes of blocks, and of what is made from them, between source and release. */
  readonly inFlightMax: number
  /** Bytes of finished rows that wait for an earlier one; more go to a file. */
  readonly reorderBytesMax: number
}
