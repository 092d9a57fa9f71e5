/**
 * JSON text, decompressed: which layout it has, and its pieces. Used for plain and compressed shards and for
 * the members of a tar, which differ only in where the bytes come from.
 */
import { ShardDamageError } from '../../errors.js'
import { arraySplitter } from './array.js'
import { lineSplitter } from './lines.js'
import type { Damage, FormatOptions, Piece, Splitter, TextCursor } from './raw-block.js'

/** Bytes looked at to tell the layout: a byte order mark, white space and `{"RECORDS": [` fit with room. */
export const layoutBytes = 4096

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * The first cursor of a text, from its first bytes: `[` opens an array, `{"RECORDS": [` a wrapped one, a line that
 * is `{` alone means values printed over several lines; all else is JSON Lines, whatever the name says.
 *
 * @param offset of head[0] in the stream
 */
export function textStart(head: Buffer, offset: number): TextCursor {
  const markBytes = head.subarray(0, 3).equals(byteOrderMark) ? 3 : 0
  const start = offset + markBytes
  const text = head.toString('latin1', markBytes)
  const array = /^\s*\[/.exec(text)
  if (array) return { layout: 'array', offset: start + array[0].length, closing: 'bracket', closed: false }
  const wrapper = /^\s*\{\s*"RECORDS"\s*:\s*\[/.exec(text)
  if (wrapper) return { layout: 'array', offset: start + wrapper[0].length, closing: 'wrapper', closed: false }
  if (/^\s*\{[ \t\r]*\n\s*"/.test(text)) return { layout: 'array', offset: start, closing: 'end', closed: false }
  return { layout: 'lines', offset: start }
}

/** @param stream the bytes from `cursor.offset` on */
export async function* textPieces(
  stream: AsyncIterable<Uint8Array>,
  cursor: TextCursor,
  options: FormatOptions,
): AsyncGenerator<Piece<TextCursor>> {
  const splitter: Splitter =
    cursor.layout === 'lines' ? lineSplitter(cursor.offset, options) : arraySplitter(cursor, options)
  let damage: Damage | null = null
  try {
    for await (const chunk of stream) yield* splitter.push(chunk)
  } catch (error) {
    // A shard that cannot be read is not a damaged one: the network, the disk and the signal stop the run.
    if (!(error instanceof ShardDamageError)) throw error
    damage = { reason: error.reason, detail: error.message }
  }
  yield* splitter.end(damage)
}

/** The stream without its first `count` bytes. */
export async function* skipBytes(stream: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count
  for await (const chunk of stream) {
    if (left >= chunk.byteLength) {
      left -= chunk.byteLength
    } else {
      yield left === 0 ? chunk : chunk.subarray(left)
      left = 0
    }
  }
}
