/** How far a run is in its input. */

/** Position in the input, in bytes of the shards as they are stored, with those of earlier calls. */
export interface InputProgress {
  /** Bytes of the blocks that were read. */
  readonly readBytes: number
  /** Bytes of the blocks that passed the deduplication: the number of their candidates is known. */
  readonly decidedBytes: number
  /** Bytes of all shards; null if it is unknown, as on standard input. */
  readonly totalBytes: number | null
}
