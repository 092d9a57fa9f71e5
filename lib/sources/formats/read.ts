/** Reads a shard in pieces: finds its format by its first bytes and its name, or goes on from a cursor. */
import type { Shard } from '../types.js'
import { peek } from './peek.js'
import type { Codec, FormatCursor, FormatOptions, Piece, TextCursor } from './piece.js'
import { layoutBytes, skipBytes, textPieces, textStart } from './text.js'

/**
 * @param from where to go on, from a piece's `next`; null for the start of the shard
 * @throws {ShardFormatError} the shard is in no format that is read here
 */
export async function* readShard(
  shard: Shard,
  from: FormatCursor | null,
  options: FormatOptions,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  if (from === null) {
    const { head, stream } = await peek(shard.open(0, signal), layoutBytes)
    const start = textStart(head, 0)
    yield* withCodec('plain', textPieces(skipBytes(stream, start.offset), start, options))
  } else if ('text' in from) {
    yield* withCodec('plain', textPieces(shard.open(from.text.offset, signal), from.text, options))
  }
}

async function* withCodec(codec: Codec, pieces: AsyncIterable<Piece<TextCursor>>): AsyncGenerator<Piece> {
  for await (const piece of pieces) yield { ...piece, next: piece.next && { codec, text: piece.next } }
}
