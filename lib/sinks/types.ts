/** What a run puts on disk: rows and rejects in input order, cut by cut. */
import type { Row } from '../parquet/columns.js'
import type { CutFile } from '../parquet/part-writer.js'
import type { PrepareReject } from '../text/block.js'

/** One dropped or failed record. Columns of rejects/: the same in every run. */
export interface Reject extends Pick<PrepareReject, 'offset' | 'stage' | 'reason' | 'detail' | 'excerpt' | 'key'> {
  /** Public id of the chunk or pair; of the document (chunk −1) where it never became one. */
  readonly id: string
  readonly split: string
  readonly shard: string
  /** −1 for a whole document. */
  readonly chunk: number
  /** −1 before the label stage. */
  readonly variant: number
}

/** What a cut commits besides its files; JSON-safe. */
export interface CutState {
  /** Number of blocks that are done: the next run starts at this block. */
  readonly blocks: number
  /** Where the sources continue, opaque here. */
  readonly cursor: unknown
  /** State of the inputs since the last cut, opaque here: a later run compares it. */
  readonly inputs?: { readonly ended: readonly unknown[]; readonly open: readonly unknown[] }
  readonly dedupLogBytes: number
  /** Cumulative, from the start of the dataset. */
  readonly counters: Readonly<Record<string, unknown>>
}

/** One line of manifest.jsonl. */
export interface ManifestEntry extends CutState {
  readonly cut: number
  readonly files: readonly CutFile[]
}

/** Writes one cut after the other. Calls come in input order and one at a time. */
export interface CutWriter {
  /** The one that is open, from 0. */
  readonly cut: number
  /** Resolves when there is room for more. @throws {ContractError} the row does not fit the columns */
  row(split: string, row: Row): Promise<void>
  reject(reject: Reject): Promise<void>
  /** Footer, fsync, rename of every file; directories; then the manifest line. Returns once it is durable. */
  commit(state: CutState): Promise<ManifestEntry>
  /** Drops the open cut: its temporary files are deleted. */
  abandon(): Promise<void>
}
