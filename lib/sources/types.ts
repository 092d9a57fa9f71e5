/** A shard: one file of a corpus, on disk or on the Hub. Formats read it through this and know neither. */
import type { RejectReasonName } from '../reject-reasons.js'
import type { FieldMapping } from '../text/mapping.js'

/** Why a shard as a whole is rejected. */
export interface ShardFault {
  readonly reason: RejectReasonName
  readonly detail: string
}

/** One file of a corpus, wherever it lies. */
export interface Shard {
  readonly split: string
  /** Relative to the repository or the source's root, with '/'. What ids and rows carry. */
  readonly path: string
  /** Bytes as stored; null where it cannot be known (stdin). */
  readonly sizeBytes: number | null
  /** What pins the content in run.json: commit and ETag on the Hub, a hash of size and samples on disk; null for stdin. */
  readonly version: string | null
  readonly mapping: FieldMapping
  /** Found when it was listed: the shard is one reject and is not opened. */
  readonly fault?: ShardFault | null
  /** Taken out of a run that began with it: its index stays, nothing is read of it. */
  readonly removed?: boolean
  /**
   * What the file system says of the file now: equal means the same content. Null where it does not tell. Only for shards
   * whose `version` does not pin every byte: what is read of them is hashed.
   */
  stamp?(): string | null
  /**
   * Bytes as stored (compressed), from `offset` to the end. Breaks off with an error or ends; never silently short.
   * A chunk is valid until the next is asked for: its memory may be filled again.
   */
  open(offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Exactly that range: Parquet footers and column chunks. */
  read(offset: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array>
}
