/** What the pipeline asks of deduplication: a verdict a row, in input order. */
import type { PreparedBlock } from '../text/block.js'

/** Why a row is dropped; null keeps it. */
export interface Duplicate {
  readonly reason: 'exact-duplicate' | 'near-duplicate' | 'near-duplicate-unverified'
  /** Public id of the chunk that is kept; '' where the index cannot name it. */
  readonly of: string
  /** Estimated (or exact) Jaccard of the comparison forms; 1 for exact duplicates, NaN where unknown. */
  readonly similarity: number
}

export interface Deduplicator {
  /** Must be called block by block, in input order; `ids[i]` is the public id of row i. */
  decide(block: PreparedBlock, ids: readonly string[]): Promise<readonly (Duplicate | null)[]>
  /** Length in bytes of the log up to and with the last decided block: what a cut commits. */
  readonly logBytes: number
  /** Everything up to `logBytes` survives a crash once this returns. */
  flush(): Promise<void>
  /** What the index holds and takes. */
  stats(): { readonly documents: number; readonly memoryBytes: number; readonly diskBytes: number }
  close(): Promise<void>
}
