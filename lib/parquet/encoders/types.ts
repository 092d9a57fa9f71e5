/** The seam under the Parquet files: what an encoder is given, and what it must say about itself. */

/** A library that writes Parquet, as the cut writer sees it. */
import type { Cell, Column } from '../columns.js'
export interface Encoder {
  readonly name: 'hyparquet-writer' | 'parquetjs-lite'
  /** Library, codec, level and their versions: what fixes the bytes besides the rows. Pinned in run.json. */
  readonly identity: string
  /** Refuses what it would alter; called for every row before it is kept. */
  readonly check?: (columns: readonly Column[], cells: readonly Cell[]) => void
  open(options: EncodedFileOptions): EncodedFile
}

/** What one file is made of, and where its bytes go. */
export interface EncodedFileOptions {
  readonly columns: readonly Column[]
  /** Key-value metadata of the footer. */
  readonly metadata: Readonly<Record<string, string>>
  /** The bytes are only valid until the promise it returns settles. */
  readonly write: (bytes: Uint8Array) => Promise<void>
}

/** One file, written front to back. Holds one row group at a time. */
export interface EncodedFile {
  /** `columns[c][r]` is row r of column c; checked cells, at least one row. */
  writeRowGroup(columns: readonly (readonly Cell[])[], rows: number): Promise<void>
  finish(): Promise<void>
}
