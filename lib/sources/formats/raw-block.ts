/**
 * What a format makes of a shard: pieces, each with the place where the next one begins.
 * Owned by the formats; blocks.ts adds the number, split and shard name and knows nothing of layouts.
 */
import { sharedBuffers } from '../../core/shared-buffers.js'
import type { ShardDamageReason } from '../../errors.js'
import type { RefusedRecord } from '../../text/block.js'

/** A stretch of a shard ended between records. Depends on the data alone, never on how the bytes arrived. */
export interface Piece<Next = FormatCursor> {
  /** The piece's own. */
  readonly bytes: Uint8Array
  readonly bounds?: Int32Array
  readonly offset: number
  readonly offsetUnit: 'byte' | 'row'
  readonly refused: readonly RefusedRecord[]
  /** Reading on from here gives exactly the pieces that follow; null when nothing follows. */
  readonly next: Next | null
}

export type Codec = 'plain' | 'gzip' | 'zstd' | 'xz'

/** A place between two records of JSON text; offsets are in the decompressed stream. */
export type TextCursor =
  | { readonly layout: 'lines'; readonly offset: number }
  | {
      readonly layout: 'array'
      readonly offset: number
      /** What ends the list: `]`, `]` inside {"RECORDS": …}, or the end of the stream (values end to end). */
      readonly closing: 'bracket' | 'wrapper' | 'end'
      /** Behind the closing bracket, where only white space is expected. */
      readonly closed: boolean
    }

export type FormatCursor =
  | { readonly codec: Codec; readonly text: TextCursor }
  | {
      readonly codec: Codec
      /** Offset of the next member's header in the tar stream. */
      readonly tar: number
      /** The member in which the next record is: where its bytes end, and the place in it. */
      readonly member: { readonly end: number; readonly text: TextCursor } | null
    }
  | { readonly group: number; readonly row: number }
  /** Rows of an Arrow stream that were read. */
  | { readonly codec: Codec; readonly arrow: number }

/** What a format is told. */
export interface FormatOptions {
  readonly blockBytes: number
  readonly recordBytesMax: number
  readonly decodeMsMax: number
  readonly zstdWindowBytesMax: number
  readonly decodeBytesMax: number
  /** Parquet: all columns instead of the mapped ones, for output that is to hold whole records. False by default. */
  readonly allColumns?: boolean
  /** Pieces in memory that threads share, to be given back by whoever uses them up; else in memory of their own. */
  readonly shared?: boolean
}

/** Cuts JSON text that is pushed to it, in chunks of any size, without parsing it. */
export interface Splitter {
  push(chunk: Uint8Array): Piece<TextCursor>[]
  /** The rest; `damage` when the stream broke off, so that what is not whole is not delivered. */
  end(damage: Damage | null): Piece<TextCursor>[]
}

export interface Damage {
  readonly reason: ShardDamageReason
  readonly detail: string
}

/** The bytes of a piece, apart from where they were found. */
export function pieceBytes(bytes: Uint8Array, { shared = false }: FormatOptions): Uint8Array {
  return shared ? sharedBuffers.copyOf(bytes) : new Uint8Array(bytes)
}
