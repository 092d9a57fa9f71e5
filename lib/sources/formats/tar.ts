/**
 * A tar of JSON texts, member after member, read as one stream: nothing is unpacked. Names of members are data
 * for messages and never become paths. Pieces end at the end of each member.
 */
import { ShardDamageError } from '../../errors.js'
import type { RefusedRecord } from '../../text/block.js'
import { namesText } from '../../text/field-path.js'
import { type ByteReader, byteReader } from './byte-reader.js'
import { layoutBytes, skipBytes, textPieces, textStart } from './json-text.js'
import { peek } from './peek.js'
import type { Codec, FormatCursor, FormatOptions, Piece, TextCursor } from './raw-block.js'
import { damaged } from './rejected-records.js'
import { nextEntry, paddingBytes, type TarEntry } from './tar-header.js'

type Member = Extract<TarEntry, { kind: 'member' }>

type TarCursor = Extract<FormatCursor, { tar: number }>

/** Names whose members hold records; others are reported and passed over. */
const textName = /(^|\/)[^./][^/]*\.(jsonl|json|ndjson|txt)$|(^|\/)[^./]+$/i

/** Files that archivers on some systems add beside each member. */
const metadataName = /(^|\/)(\._[^/]*|\.DS_Store|PaxHeaders?[^/]*\/.*)$/

/** @param stream the tar from `tarOffset(from)` on */
export async function* tarPieces(
  stream: AsyncIterable<Uint8Array>,
  from: TarCursor,
  options: FormatOptions,
): AsyncGenerator<Piece> {
  const { codec } = from
  const reader = byteReader(stream, tarOffset(from))
  try {
    if (from.member !== null) {
      const { end, text } = from.member
      yield* memberPieces(codec, reader, textPieces(reader.take(end - text.offset), text, options), end, from.tar)
    }
    let header: Buffer | null = null
    while (!reader.broken()) {
      const entry = await nextEntry(reader, header)
      header = null
      if (entry === null) return
      if (entry.kind === 'damage') {
        header = entry.header
        const damage = damaged(entry.offset, { reason: 'shard-corrupt', detail: entry.detail }, new Uint8Array(0))
        yield empty(
          [damage],
          header === null ? null : { codec, tar: reader.offset() - header.byteLength, member: null },
        )
        if (header === null) return
      } else {
        yield* entryPieces(codec, reader, entry, options)
      }
    }
  } catch (error) {
    if (!(error instanceof ShardDamageError)) throw error
    yield empty([damaged(reader.offset(), { reason: error.reason, detail: error.message }, new Uint8Array(0))], null)
  } finally {
    await reader.close()
  }
}

/** Where the stream that `tarPieces` is given has to begin. */
export function tarOffset({ tar, member }: TarCursor): number {
  return member === null ? tar : member.text.offset
}

async function* entryPieces(
  codec: Codec,
  reader: ByteReader,
  member: Member,
  options: FormatOptions,
): AsyncGenerator<Piece> {
  const offset = reader.offset()
  const end = offset + member.sizeBytes
  const next = end + paddingBytes(member.sizeBytes)
  const refusal = refusalOf(member)
  if (refusal === null) {
    yield* memberPieces(codec, reader, startMember(reader, member, options), end, next)
    return
  }
  await reader.skip(next - offset)
  if (refusal === '') return
  const detail = `member ${namesText([member.name])} ${refusal}`
  const refused: RefusedRecord = { offset, reason: 'member-unsupported', detail, excerpt: '' }
  yield empty([refused], { codec, tar: next, member: null })
}

/** Returns why a member is not read; '' if that needs no reject. */
function refusalOf({ name, sizeBytes, refusal }: Member): string | null {
  if (metadataName.test(name)) return ''
  if (refusal !== null) return refusal
  return textName.test(name) ? null : `of ${sizeBytes} bytes is not JSON by its name`
}

async function* startMember(
  reader: ByteReader,
  { sizeBytes }: Member,
  options: FormatOptions,
): AsyncGenerator<Piece<TextCursor>> {
  const offset = reader.offset()
  const { head, stream } = await peek(reader.take(sizeBytes), layoutBytes)
  const start = textStart(head, offset)
  yield* textPieces(skipBytes(stream, start.offset - offset), start, options)
}

/** Pieces of one member, then the padding behind it. A reject for a stream that broke off is in the last piece. */
async function* memberPieces(
  codec: Codec,
  reader: ByteReader,
  pieces: AsyncIterable<Piece<TextCursor>>,
  end: number,
  next: number,
): AsyncGenerator<Piece> {
  for await (const piece of pieces) {
    const ended = piece.next === null && reader.broken()
    // At the end of a member the padding is still to come: going on from there reads it, and finds it cut short too.
    const text: TextCursor = piece.next ?? { layout: 'lines', offset: end }
    yield { ...piece, next: ended ? null : { codec, tar: next, member: { end, text } } }
  }
  if (!reader.broken()) await reader.skip(next - reader.offset())
}

function empty(refused: readonly RefusedRecord[], next: FormatCursor | null): Piece {
  return { bytes: new Uint8Array(0), offset: refused[0]?.offset ?? 0, offsetUnit: 'byte', refused, next }
}
