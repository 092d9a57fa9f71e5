/** Interface of the deduplicator: one verdict per row, in input order. */
import type { PreparedBlock } from '../text/block.js'

/** Verdict on a row that is dropped. */
export interface Duplicate {
  readonly reason: 'exact-duplicate' | 'near-duplicate' | 'near-duplicate-unverified'
  /** Public id of the chunk that is kept; '' where the index cannot name it. */
  readonly of: string
  /** Estimated (or exact) Jaccard of the comparison forms; 1 for exact duplicates, NaN where unknown. */
  readonly similarity: number
}

/** Result for a block. */
export interface DecidedRows {
  /** One per row; null for a row that is kept. */
  readonly verdicts: readonly (Duplicate | null)[]
  /** Length in bytes of the log including this block; committed by the cut that ends with it. */
  readonly logBytes: number
}

export interface Deduplicator {
  /**
   * Decides on each row. Called block by block, in input order; a call need not wait for the one before it.
   *
   * @param ids public id of each row; null for those of `recordId`
   */
  decide(block: PreparedBlock, ids: readonly string[] | null): Promise<DecidedRows>
  /** Length in bytes of the log, including the last decided block. */
  readonly logBytes: number
  /** Makes the log durable up to `logBytes`. */
  flush(): Promise<void>
  /** Documents kept, and the memory and disk space that they take. */
  stats(): { readonly documents: number; readonly memoryBytes: number; readonly diskBytes: number }
  close(): Promise<void>
}
