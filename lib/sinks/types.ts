/** Types of the output of a run: rows and rejects in input order, in cuts. */
import type { Row } from '../parquet/columns.js'
import type { CutFile } from '../parquet/part-writer.js'
import type { PrepareReject } from '../text/block.js'

/** One dropped or failed record. Columns of rejects/: the same in every run. */
export interface Reject extends Pick<PrepareReject, 'offset' | 'stage' | 'reason' | 'detail' | 'excerpt' | 'key'> {
  /** Public id of the chunk or pair, or of the document (chunk −1) if it has no chunk. */
  readonly id: string
  readonly split: string
  readonly shard: string
  /** −1 for a whole document. */
  readonly chunk: number
  /** −1 before the label stage. */
  readonly variant: number
  /** Text of the chunk; null for what was rejected before the models, whose text may be long and is in the source. */
  readonly raw?: string | null
  /** Null before the label stage, and if its reply has none. */
  readonly instruction?: string | null
  /** Grade of the instruction; null if it has none. */
  readonly score?: number | null
  /** Grade of the text; null without `kun.screen`. */
  readonly screen?: number | null
}

/** State that a cut commits in addition to its files. JSON-safe. */
export interface CutState {
  /** Number of committed blocks, which is the number of the next block. */
  readonly blocks: number
  /** Where reading continues; lib/run/committed-cut.ts checks it. */
  readonly cursor: unknown
  /** State of the inputs that were read since the last cut: a later run compares it. */
  readonly inputs?: { readonly ended: readonly unknown[]; readonly open: readonly unknown[] }
  readonly dedupLogBytes: number
  /**
   * The limit of rows at which the cut was ended, before its end in the data. A run with a higher limit drops this cut and
   * makes it again; only the last cut can have it.
   */
  readonly rowsMax?: number
  /** Cumulative, from the start of the dataset. */
  readonly counters: Readonly<Record<string, unknown>>
}

/** One line of manifest.jsonl. */
export interface ManifestEntry extends CutState {
  readonly cut: number
  readonly files: readonly CutFile[]
}

/** Writes cuts, one after the other. Takes one call at a time, in input order. */
export interface CutWriter {
  /** Number of the open cut, from 0. */
  readonly cut: number
  /** Resolves when the next row can be written. @throws {ContractError} the row does not fit the columns */
  row(split: string, row: Row): Promise<void>
  reject(reject: Reject): Promise<void>
  /** Footer, fsync, rename of every file; directories; then the manifest line. Returns once it is durable. */
  commit(state: CutState): Promise<ManifestEntry>
  /** Drops the open cut: its temporary files are deleted. */
  abandon(): Promise<void>
}
