/** A shard: one file of a corpus, on disk or on the Hub. Formats read it through this and know neither. */
import type { RejectReasonName } from '../reject-reasons.js'
import type { RangedFile } from '../storage/ranged-file.js'
import type { FieldMapping } from '../text/mapping.js'

/** Why a shard as a whole is rejected. */
export interface ShardReject {
  readonly reason: RejectReasonName
  readonly detail: string
}

/** One file of a corpus. `path` is what ids and rows carry. */
export interface Shard extends RangedFile {
  readonly split: string
  readonly mapping: FieldMapping
  /** Format of its content, for a shard whose bytes do not tell it; detected by default. */
  readonly format?: 'arrow' | 'jsonl' | 'parquet' | undefined
  /** Found when it was listed: the shard is one reject and is not opened. */
  readonly fault?: ShardReject | null
  /** Removed from a run that began with it: its index stays, nothing of it is read. */
  readonly removed?: boolean
  /**
   * State of the file in the file system: equal means the same content. Null if it cannot be determined. Only for shards
   * whose `version` does not pin every byte: the bytes read from them are hashed.
   */
  stamp?(): string | null
}
