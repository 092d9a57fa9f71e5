/**
 * Detects the layout of decompressed JSON text, and divides it into blocks. Used for plain and compressed shards and for
 * members of a tar.
 */
import { ShardDamageError } from '../../errors.js'
import type { ReadTarget } from '../../storage/ranged-file.js'
import { arraySplitter } from './array.js'
import { lineSplitter } from './lines.js'
import type { Damage, FormatOptions, RawBlock, Splitter, TextCursor } from './raw-block.js'

/** Bytes examined to detect the layout: more than a byte order mark, white space and `{"RECORDS": [`. */
export const layoutBytes = 4096

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Returns the first cursor of a text: `[` begins an array, `{"RECORDS": [` a wrapped array, and a line with only `{`
 * values that span several lines; any other text is JSON Lines, regardless of the name.
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

/** Passes the memory of a splitter to the file that is read for it, once there is a splitter. */
export class SplitterTarget implements ReadTarget {
  splitter: Splitter | null = null

  space(): Uint8Array | null {
    return this.splitter?.space?.() ?? null
  }
}

/**
 * @param stream the bytes from `cursor.offset`
 * @param target the one that `stream` was opened with
 */
export async function* textBlocks(
  stream: AsyncIterable<Uint8Array>,
  cursor: TextCursor,
  options: FormatOptions,
  target: SplitterTarget | null = null,
): AsyncGenerator<RawBlock<TextCursor>> {
  const splitter: Splitter =
    cursor.layout === 'lines' ? lineSplitter(cursor.offset, options) : arraySplitter(cursor, options)
  if (target !== null) target.splitter = splitter
  let damage: Damage | null = null
  try {
    for await (const chunk of stream) yield* splitter.push(chunk)
  } catch (error) {
    // Only damage becomes a reject: failures of the network or disk, and the signal, stop the run.
    if (!(error instanceof ShardDamageError)) throw error
    damage = { reason: error.reason, detail: error.message }
  }
  yield* splitter.end(damage)
}

/** Yields the stream without its first `count` bytes. */
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
