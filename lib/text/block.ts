/** Types that are passed between threads: a block of undecoded records, and the prepared block. */
import { sharedBuffers } from '../core/shared-buffers.js'
import { ContractError } from '../errors.js'
import type { RejectReasonName } from '../reject-reasons.js'
import { type ChunkColumns, joinColumns } from './columns.js'
import type { FieldMapping } from './mapping.js'
import type { PersonalAccount } from './personal/documents.js'

/** A range of one shard, about 1 MiB of undecoded bytes, that ends between records. */
export interface Block {
  /** From 0, in input order over all shards. Determined by the data alone. */
  readonly number: number
  readonly split: string
  /** Name of the source in rows; the split if absent. */
  readonly source?: string
  /** Relative to the repository or the source's root, with '/'; after the name of the source if it has one. */
  readonly shard: string
  /** Not used by any other block: the worker pool takes the buffer over. */
  readonly bytes: Uint8Array
  /** Start and end of every record in `bytes`, in pairs; absent for JSON Lines, where newlines end records. */
  readonly bounds?: Int32Array
  /** Position of bytes[0] in the shard's decompressed stream (unit 'byte'), or the first row (unit 'row'; Parquet, sent as JSON Lines). */
  readonly offset: number
  readonly offsetUnit: 'byte' | 'row'
  readonly mapping: FieldMapping
  /** Records that the source rejected (over recordBytesMax, shard cut short); each counts as one document read. */
  readonly rejected: readonly RejectedRecord[]
}

export interface RejectedRecord {
  readonly offset: number
  readonly reason: RejectReasonName
  readonly detail: string
  readonly excerpt: string
}

/** A block after preparation. Every document is either in `chunks` or in `rejects`. */
export interface PreparedBlock {
  readonly number: number
  readonly split: string
  readonly source?: string
  readonly shard: string
  /** Documents read, rejected ones included; counted independently of their outcome, so that the sum can be checked. */
  readonly documents: number
  /** Until `releaseColumns`. */
  chunks: ChunkColumns
  /** In order of (document, chunk). */
  readonly rejects: readonly PrepareReject[]
  /** Personal data in its documents; absent if none was found. */
  readonly personal?: PersonalAccount
}

export interface PrepareReject {
  /** Ordinal of the document in its block. */
  readonly document: number
  /** Ordinal of the chunk; null when the whole document was rejected. */
  readonly chunk: number | null
  readonly offset: number
  /** The document's own id, '' when it has none. */
  readonly key: string
  /** The step that rejected it: 'read', 'decode', 'clean', 'filter', 'chunk', 'prepare'. */
  readonly stage: string
  readonly reason: string
  readonly detail: string
  /** At most excerptCharsMax characters. */
  readonly excerpt: string
}

/** Characters of a rejected text that its reject shows. */
export const excerptCharsMax = 200

/** Returns the memory of the block's columns to the pool of shared buffers; any later access to them throws. */
export function releaseColumns(block: PreparedBlock): void {
  const { buffer } = block.chunks.text.bytes
  block.chunks = releasedColumns
  if (buffer instanceof SharedArrayBuffer) sharedBuffers.give(buffer)
}

/** Copies the columns out of shared memory, for a block that nothing releases, and releases that. */
export function detachColumns(block: PreparedBlock): void {
  const copy = joinColumns([block.chunks])
  releaseColumns(block)
  block.chunks = copy
}

const releasedColumns = new Proxy({} as ChunkColumns, {
  get() {
    throw new ContractError('columns of a block were read after they were released')
  },
})
