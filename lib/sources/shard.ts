/** A shard: one file of a corpus, on disk or on the Hub. */
import type { RejectReasonName } from '../reject-reasons.js'
import type { RangedFile } from '../storage/ranged-file.js'
import type { FieldMapping } from '../text/mapping.js'
import type { LocalFileState } from './local-file.js'

/** Why a shard as a whole is rejected. */
export interface ShardReject {
  readonly reason: RejectReasonName
  readonly detail: string
}

/** One file of a corpus. Ids and rows contain its `path`. */
export interface Shard extends RangedFile {
  readonly split: string
  /** Name of its source in rows; the split if absent. `path` then begins with it, so that it is unique in the split. */
  readonly source?: string
  readonly mapping: FieldMapping
  /** Format of the content, if it cannot be detected from the bytes; detected by default. */
  readonly format?: 'arrow' | 'jsonl' | 'parquet' | undefined
  /** Why it was rejected when it was listed: the shard is not opened. */
  readonly reject?: ShardReject | null
  /** Removed from a run that started with it: it keeps its index, and is not read. */
  readonly removed?: boolean
  /**
   * State of the file in the file system: equal means the same content. Null if it cannot be determined. Only for shards
   * whose `version` does not pin every byte: the bytes read from them are hashed.
   */
  stamp?(): string | null
  /**
   * Only for files on disk: from it another thread can read the shard as it is read here. A copy of a shard that replaces
   * `open` or `read` must not have it where it is given to `readBlocks`.
   */
  local?(): LocalFileState
}
