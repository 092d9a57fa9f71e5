/**
 * What crosses between threads: a block of raw records going in, columns coming out.
 * Both lie in memory that the threads share and that is used again; a text is decoded only where it is needed.
 */
import { Buffer } from 'node:buffer'
import { sharedBuffers } from '../core/shared-buffers.js'
import { ContractError, InvalidOptionError } from '../errors.js'
import type { RejectReasonName } from '../reject-reasons.js'
import type { FieldMapping } from './mapping.js'

/** A stretch of one shard, about 1 MiB, ended between records, undecoded. */
export interface Block {
  /** From 0, in input order over all shards. Given by data alone. */
  readonly number: number
  readonly split: string
  /** Relative to the repository or the source's root, with '/'. */
  readonly shard: string
  /** The block's own: the worker pool gives their buffer back once the block is prepared. */
  readonly bytes: Uint8Array
  /** Start and end of every record in `bytes`, in pairs; absent for JSONL, where newlines say it. */
  readonly bounds?: Int32Array
  /** Place of bytes[0] in the shard's decompressed stream (unit 'byte'), or the first row (unit 'row'; Parquet, sent as JSONL). */
  readonly offset: number
  readonly offsetUnit: 'byte' | 'row'
  readonly mapping: FieldMapping
  /** Records the scan already refused (over recordBytesMax, shard cut short); each counts as one document read. */
  readonly refused: readonly RefusedRecord[]
}

export interface RefusedRecord {
  readonly offset: number
  readonly reason: RejectReasonName
  readonly detail: string
  readonly excerpt: string
}

/** The outcome of a block in a worker. Every document is either chunked or in `rejects`. */
export interface PreparedBlock {
  readonly number: number
  readonly split: string
  readonly shard: string
  /** Documents read, refused ones included: counted apart from what became of them, so that the sum can be checked. */
  readonly documents: number
  /** Until `releaseColumns`. */
  readonly chunks: ChunkColumns
  /** In order of (document, chunk). */
  readonly rejects: readonly PrepareReject[]
}

export interface PrepareReject {
  /** Ordinal of the document in its block. */
  readonly document: number
  /** Ordinal of the chunk, or null when the whole document was refused. */
  readonly chunk: number | null
  readonly offset: number
  /** The document's own id, '' when it has none. */
  readonly key: string
  /** The step that refused: 'read', 'decode', 'clean', 'filter', 'chunk'. */
  readonly stage: string
  readonly reason: string
  readonly detail: string
  /** At most excerptCharsMax characters. */
  readonly excerpt: string
}

/** Characters of a refused text that its reject shows. */
export const excerptCharsMax = 200

/** Texts end to end in UTF-8; text i is bytes[offsets[i] … offsets[i + 1]]. */
export interface TextColumn {
  readonly offsets: Int32Array
  readonly bytes: Uint8Array
}

/** One row a chunk, in order of (document, chunk); all of them views of one buffer, where a worker made them. */
export interface ChunkColumns {
  readonly rows: number
  /** Ordinal of the document in its block. */
  readonly document: Int32Array
  /** Ordinal of the chunk in its document. */
  readonly chunk: Int32Array
  /** Place of the document in its shard. */
  readonly offset: Float64Array
  readonly key: TextColumn
  readonly title: TextColumn
  readonly text: TextColumn
  readonly tokens: Int32Array
  /** Characters of the comparison form (NFKC, lower case, letters and digits only). */
  readonly letters: Int32Array
  /** 16 bytes a row: of the comparison form. */
  readonly fingerprint: Uint8Array
  /** A byte a minimum, `minima` a row; empty when near-duplicates are not looked for. */
  readonly signature: Uint8Array
}

/** The text in row `index` of a column: decoded only where it is needed. */
export function textAt(column: TextColumn, index: number): string {
  const { bytes, offsets } = column
  const start = offsets[index]
  const end = offsets[index + 1]
  if (start === undefined || end === undefined) {
    throw new InvalidOptionError(`row ${index} is not in a column of ${offsets.length - 1} rows`)
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', start, end)
}

/** Gives the columns' memory back: whoever asks for anything of them afterwards is told so. */
export function releaseColumns(block: PreparedBlock): void {
  const { buffer } = block.chunks.offset
  Object.assign(block, { chunks: releasedColumns })
  if (buffer instanceof SharedArrayBuffer) sharedBuffers.give(buffer)
}

const releasedColumns = new Proxy({} as ChunkColumns, {
  get() {
    throw new ContractError('columns of a block were read after they were given back')
  },
})
