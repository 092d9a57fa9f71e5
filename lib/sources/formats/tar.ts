/**
 * Reads a tar of JSON texts as one stream, member after member, without extracting it. Names of members occur in messages
 * only, and never become paths. A block ends at the end of each member.
 */
import { ShardDamageError } from '../../errors.js'
import type { RejectedRecord } from '../../text/block.js'
import { namesText } from '../../text/field-path.js'
import { type ByteReader, byteReader } from './byte-reader.js'
import { layoutBytes, skipBytes, textBlocks, textStart } from './json-text.js'
import { peek } from './peek.js'
import type { Codec, FormatCursor, FormatOptions, RawBlock, TextCursor } from './raw-block.js'
import { damagedRecord } from './rejected-records.js'
import { nextEntry, paddingBytes, type TarEntry } from './tar-header.js'

type Member = Extract<TarEntry, { kind: 'member' }>

type TarCursor = Extract<FormatCursor, { tar: number }>

/** Names of members that hold records; others are reported and skipped. */
const textName = /(^|\/)[^./][^/]*\.(jsonl|json|ndjson|txt)$|(^|\/)[^./]+$/i

/** Metadata files that some archivers add for each member. */
const metadataName = /(^|\/)(\._[^/]*|\.DS_Store|PaxHeaders?[^/]*\/.*)$/

/** @param stream the tar from `tarOffset(from)` */
export async function* tarBlocks(
  stream: AsyncIterable<Uint8Array>,
  from: TarCursor,
  options: FormatOptions,
): AsyncGenerator<RawBlock> {
  const { codec } = from
  const reader = byteReader(stream, tarOffset(from))
  try {
    if (from.member !== null) {
      const { end, text } = from.member
      yield* memberBlocks(codec, reader, textBlocks(reader.take(end - text.offset), text, options), end, from.tar)
    }
    let header: Buffer | null = null
    while (!reader.broken()) {
      const entry = await nextEntry(reader, header)
      header = null
      if (entry === null) return
      if (entry.kind === 'damage') {
        header = entry.header
        const damage = damagedRecord(entry.offset, { reason: 'shard-corrupt', detail: entry.detail }, new Uint8Array(0))
        yield empty(
          [damage],
          header === null ? null : { codec, tar: reader.offset() - header.byteLength, member: null },
        )
        if (header === null) return
      } else {
        yield* entryBlocks(codec, reader, entry, options)
      }
    }
  } catch (error) {
    if (!(error instanceof ShardDamageError)) throw error
    yield empty(
      [damagedRecord(reader.offset(), { reason: error.reason, detail: error.message }, new Uint8Array(0))],
      null,
    )
  } finally {
    await reader.close()
  }
}

/** Returns the offset at which the stream for `tarBlocks` has to begin. */
export function tarOffset({ tar, member }: TarCursor): number {
  return member === null ? tar : member.text.offset
}

async function* entryBlocks(
  codec: Codec,
  reader: ByteReader,
  member: Member,
  options: FormatOptions,
): AsyncGenerator<RawBlock> {
  const offset = reader.offset()
  const end = offset + member.sizeBytes
  const next = end + paddingBytes(member.sizeBytes)
  const refusal = refusalOf(member)
  if (refusal === null) {
    yield* memberBlocks(codec, reader, startMember(reader, member, options), end, next)
    return
  }
  await reader.skip(next - offset)
  if (refusal === '') return
  const detail = `member ${namesText([member.name])} ${refusal}`
  const rejected: RejectedRecord = { offset, reason: 'member-unsupported', detail, excerpt: '' }
  yield empty([rejected], { codec, tar: next, member: null })
}

/** Returns why a member is not read, '' if it needs no reject; null if it is read. */
function refusalOf({ name, sizeBytes, refusal }: Member): string | null {
  if (metadataName.test(name)) return ''
  if (refusal !== null) return refusal
  return textName.test(name) ? null : `of ${sizeBytes} bytes is not JSON by its name`
}

async function* startMember(
  reader: ByteReader,
  { sizeBytes }: Member,
  options: FormatOptions,
): AsyncGenerator<RawBlock<TextCursor>> {
  const offset = reader.offset()
  const { head, stream } = await peek(reader.take(sizeBytes), layoutBytes)
  const start = textStart(head, offset)
  yield* textBlocks(skipBytes(stream, start.offset - offset), start, options)
}

/** Yields the blocks of one member, then skips the padding after it. The last block has the reject of a truncated stream. */
async function* memberBlocks(
  codec: Codec,
  reader: ByteReader,
  rawBlocks: AsyncIterable<RawBlock<TextCursor>>,
  end: number,
  next: number,
): AsyncGenerator<RawBlock> {
  for await (const rawBlock of rawBlocks) {
    const ended = rawBlock.next === null && reader.broken()
    // At the end of a member the cursor is before its padding, so that a resumed read also detects truncated padding.
    const text: TextCursor = rawBlock.next ?? { layout: 'lines', offset: end }
    yield { ...rawBlock, next: ended ? null : { codec, tar: next, member: { end, text } } }
  }
  if (!reader.broken()) await reader.skip(next - reader.offset())
}

function empty(rejected: readonly RejectedRecord[], next: FormatCursor | null): RawBlock {
  return { bytes: new Uint8Array(0), offset: rejected[0]?.offset ?? 0, offsetUnit: 'byte', rejected, next }
}
