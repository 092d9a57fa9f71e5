/** What a run puts on disk: rows and rejects in input order, cut by cut. */
import type { PrepareReject } from '../text/batch.js'

/** Types of columns. 'messages' is a list of {role, content}. */
export type ColumnType = 'string' | 'int64' | 'int32' | 'float64' | 'boolean' | 'messages'

/** A column of data/; `messages` is a list of {role, content}. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable?: boolean
}

/** A value of a row: bigint or number for int64, null where the column is nullable. */
export type Cell =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly { readonly role: string; readonly content: string }[]
/** A row of data/, by column name. */
export type Row = Readonly<Record<string, Cell>>

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

/** A file of a cut, as the manifest names it. `split` is null for rejects. */
export interface CutFile {
  /** Relative to the run directory, with '/'. */
  readonly path: string
  readonly split: string | null
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
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
