/** Interface of the encoders of Parquet files. */

import type { Cell, Column } from '../columns.js'

/** A library that writes Parquet. */
export interface Encoder {
  readonly name: 'hyparquet-writer' | 'parquetjs-lite'
  /** Library, codec, level and versions, which determine the bytes. Pinned in run.json. */
  readonly identity: string
  /** Refuses values that the library would alter; called for every row. */
  readonly check?: (columns: readonly Column[], cells: readonly Cell[]) => void
  open(options: EncodedFileOptions): EncodedFile
}

/** Options for `Encoder.open`. */
export interface EncodedFileOptions {
  readonly columns: readonly Column[]
  /** Key-value metadata of the footer. */
  readonly metadata: Readonly<Record<string, string>>
  /** Writes bytes, which are valid until the returned promise settles. */
  readonly write: (bytes: Uint8Array) => Promise<void>
}

/** A file being written. Holds one row group, or two while one is encoded in a thread. */
export interface EncodedFile {
  /**
   * `columns[c][r]` is row r of column c; checked cells, at least one row; `bytes` is their approximate uncompressed size.
   * May resolve before the group is written. The arrays must not be changed afterwards.
   */
  writeRowGroup(columns: readonly (readonly Cell[])[], rows: number, bytes: number): Promise<void>
  finish(): Promise<void>
}
