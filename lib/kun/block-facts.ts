/** What a block's end must know when it is committed: known at three places, needed together at the sink. */
export interface BlockFacts {
  readonly split: string
  /** Where reading goes on behind the block; known at the source. */
  readonly cursor: unknown
  /** Documents read, counted by the worker apart from what became of them. */
  documents: number
  /** Length of the dedup log with this block; known once its duplicates are decided. */
  dedupLogBytes: number
  /** Whether a cut ends here; known at dedup, before any reply. */
  endsCut: boolean
}

/** Facts of the blocks on the way, by block number; deleted at the block's end. Bounded by block credit. */
export type BlockLedger = Map<number, BlockFacts>
