/**
 * Blocks as formats produce them, each with the cursor of the next one. blocks.ts adds number, split and shard.
 */
import { sharedBuffers } from '../../core/shared-buffers.js'
import type { ShardDamageReason } from '../../errors.js'
import type { RejectedRecord } from '../../text/block.js'

/** A range of a shard that ends between records. Depends on the data alone, not on how the bytes arrived. */
export interface RawBlock<Next = FormatCursor> {
  /** Memory that no other block uses. */
  readonly bytes: Uint8Array
  readonly bounds?: Int32Array
  readonly offset: number
  readonly offsetUnit: 'byte' | 'row'
  readonly rejected: readonly RejectedRecord[]
  /** Reading from here yields exactly the blocks that follow; null if nothing follows. */
  readonly next: Next | null
  /** Share of the shard up to the end of the block, 0 to 1, where the format knows it. For progress only. */
  readonly share?: number
}

export type Codec = 'plain' | 'gzip' | 'zstd' | 'xz'

/** A place between two records of JSON text; offsets are in the decompressed stream. */
export type TextCursor =
  | { readonly layout: 'lines'; readonly offset: number }
  | {
      readonly layout: 'array'
      readonly offset: number
      /** End of the list: `]`, `]` inside {"RECORDS": …}, or the end of the stream (concatenated values). */
      readonly closing: 'bracket' | 'wrapper' | 'end'
      /** After the closing bracket, where only white space is expected. */
      readonly closed: boolean
    }

export type FormatCursor =
  | { readonly codec: Codec; readonly text: TextCursor }
  | {
      readonly codec: Codec
      /** Offset of the header of the next member in the tar stream. */
      readonly tar: number
      /** The member of the next record: where its bytes end, and the place in it. */
      readonly member: { readonly end: number; readonly text: TextCursor } | null
    }
  | { readonly group: number; readonly row: number }
  /** Rows of an Arrow stream that were read. */
  | { readonly codec: Codec; readonly arrow: number }

/** Options of all formats. */
export interface FormatOptions {
  readonly blockBytes: number
  /** JSON Lines: size of the first block of a shard, doubled with each one up to `blockBytes`, its default. */
  readonly firstBlockBytes?: number | undefined
  readonly recordBytesMax: number
  readonly decodeMsMax: number
  readonly zstdWindowBytesMax: number
  readonly decodeBytesMax: number
  /** Parquet: all columns instead of the mapped ones, for output that is to hold whole records. False by default. */
  readonly allColumns?: boolean
  /** Puts blocks into shared buffers, which the caller releases; else each has its own memory. */
  readonly shared?: boolean
}

/** Cuts JSON text that is pushed to it, in chunks of any size, without parsing it. */
export interface Splitter {
  push(chunk: Uint8Array): RawBlock<TextCursor>[]
  /** Returns memory for the next chunk, which `push` then need not copy; null if there is none. */
  space?(): Uint8Array | null
  /** Returns the rest. With `damage`, the stream was cut off and an incomplete record is not returned. */
  end(damage: Damage | null): RawBlock<TextCursor>[]
}

/** Why a shard, or a part of it, is rejected. */
export interface Damage {
  readonly reason: ShardDamageReason
  readonly detail: string
}

/** Copies the bytes of a block. */
export function blockBytesOf(bytes: Uint8Array, { shared = false }: FormatOptions): Uint8Array {
  return shared ? sharedBuffers.copyOf(bytes) : new Uint8Array(bytes)
}
