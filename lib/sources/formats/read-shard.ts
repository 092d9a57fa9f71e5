/** Reads the blocks of a shard. Detects the format from its first bytes and its name, or continues at a cursor. */
import { ShardDamageError } from '../../errors.js'
import type { RejectedRecord } from '../../text/block.js'
import { shardReject } from '../rejected-shard.js'
import type { Shard } from '../shard.js'
import { isArrow } from './arrow-magic.js'
import { layoutBytes, SplitterTarget, skipBytes, textBlocks, textStart } from './json-text.js'
import { parquetBlocks } from './parquet.js'
import { peek } from './peek.js'
import type { Codec, FormatCursor, FormatOptions, RawBlock, TextCursor } from './raw-block.js'
import { excerpt } from './rejected-records.js'
import { signatureBytes, unsupportedFormat, unsupportedName } from './signatures.js'
import { tarBlocks, tarOffset } from './tar.js'
import { isTar } from './tar-header.js'

/** Parquet format, "File format". */
const parquetMagic = 'PAR1'

const tarNames = /\.(tar|tgz|txz|tar\.(gz|zst|xz))$/i
const textNames = /\.(jsonl|json|ndjson|txt)(\.(gz|zst|xz))?$/i

/**
 * @param from the `next` of a block; null for the start of the shard
 * @throws {ShardFormatError} a Parquet shard cannot be read from its end
 */
export async function* readShard(
  shard: Shard,
  from: FormatCursor | null,
  options: FormatOptions,
  signal: AbortSignal,
): AsyncGenerator<RawBlock> {
  let offset = 0
  try {
    for await (const rawBlock of readFrom(shard, from, options, signal)) {
      offset = rawBlock.offset
      yield rawBlock
    }
  } catch (error) {
    // The shard could not be opened. Damage after its start becomes a reject in the format's reader.
    if (!(error instanceof ShardDamageError)) throw error
    yield* shardReject({ reason: error.reason, detail: error.message }, offset)
  }
}

async function* readFrom(
  shard: Shard,
  from: FormatCursor | null,
  options: FormatOptions,
  signal: AbortSignal,
): AsyncGenerator<RawBlock> {
  if (from === null) yield* readFromStart(shard, options, signal)
  else if ('group' in from) yield* parquetBlocks(shard, from, options, signal)
  else if ('tar' in from)
    yield* tarBlocks(streamFrom(shard, from.codec, tarOffset(from), options, signal), from, options)
  else if ('arrow' in from) {
    const { stream, head } = await peek(streamFrom(shard, from.codec, 0, options, signal), layoutBytes)
    const { arrowBlocks } = await import('./arrow.js')
    yield* arrowBlocks(stream, head, from.arrow, { codec: from.codec, mapping: shard.mapping }, options)
  } else {
    const target = from.codec === 'plain' ? new SplitterTarget() : null
    const stream = streamFrom(shard, from.codec, from.text.offset, options, signal, target)
    yield* withCodec(from.codec, textBlocks(stream, from.text, options, target))
  }
}

async function* readFromStart(
  shard: Shard,
  { firstBlockBytes, ...options }: FormatOptions,
  signal: AbortSignal,
): AsyncGenerator<RawBlock> {
  if (shard.format === 'parquet' || (shard.format === undefined && (await isParquet(shard, signal)))) {
    yield* parquetBlocks(shard, { group: 0, row: 0 }, options, signal)
    return
  }
  const target = new SplitterTarget()
  const stored = await peek(shard.open(0, signal, target), signatureBytes)
  const found = storedAs(stored.head)
  const mismatch = shard.format === undefined ? mismatchOf(shard.path, found, stored.head) : null
  if (mismatch !== null || found === 'parquet') {
    await stored.close()
    if (mismatch === null) yield* parquetBlocks(shard, { group: 0, row: 0 }, options, signal)
    else yield onlyReject(mismatch)
    return
  }
  const plain = found === 'plain' ? stored.stream : decompress(found, stored.stream, reopen(shard, signal), options)
  const { head, stream, close } = await peek(plain, layoutBytes)
  const inner = found === 'plain' ? null : innerMismatch(found, head)
  if (inner !== null) {
    await close()
    yield onlyReject(inner)
    return
  }
  if (shard.format === 'arrow' || (shard.format === undefined && isArrow(head))) {
    const { arrowBlocks } = await import('./arrow.js')
    yield* arrowBlocks(stream, head, 0, { codec: found, mapping: shard.mapping }, options)
  } else if (isTar(head) || (tarNames.test(shard.path) && head.byteLength > 0 && !looksLikeJson(head))) {
    yield* tarBlocks(stream, { codec: found, tar: 0, member: null }, options)
  } else {
    const start = textStart(head, 0)
    const text = skipBytes(stream, start.offset)
    const ofText = found === 'plain' ? target : null
    yield* withCodec(found, textBlocks(text, start, { ...options, firstBlockBytes }, ofText))
  }
}

/** Checks the magic of a file named .parquet by a range: a stream would deliver bytes that are not read in this order. */
async function isParquet(shard: Shard, signal: AbortSignal): Promise<boolean> {
  const { path, sizeBytes } = shard
  if (!/\.parquet$/i.test(path) || sizeBytes === null || sizeBytes < parquetMagic.length) return false
  const head = await shard.read(0, parquetMagic.length, signal)
  return Buffer.from(head).toString('latin1') === parquetMagic
}

/** Returns the decompressed bytes from `offset`: a seek in a plain shard; else decompresses and skips. */
function streamFrom(
  shard: Shard,
  codec: Codec,
  offset: number,
  options: FormatOptions,
  signal: AbortSignal,
  target: SplitterTarget | null = null,
): AsyncIterable<Uint8Array> {
  if (codec === 'plain') return shard.open(offset, signal, target ?? undefined)
  return skipBytes(decompress(codec, shard.open(0, signal), reopen(shard, signal), options), offset)
}

/** Decoders are loaded for the first compressed shard. */
async function* decompress(
  ...args: Parameters<typeof import('./decompress.js')['decompress']>
): AsyncGenerator<Uint8Array> {
  const decoders = await import('./decompress.js')
  yield* decoders.decompress(...args)
}

/** Standard input can be read only once. */
function reopen(shard: Shard, signal: AbortSignal): (() => AsyncIterable<Uint8Array>) | null {
  return shard.sizeBytes === null ? null : () => shard.open(0, signal)
}

/** Section 2.1.1.1 of the .xz file format. */
const xzMagic = Buffer.from('fd377a585a00', 'hex')

/** Detects the codec by its magic number: RFC 1952; RFC 8878, frames and skippable frames; xz, also if cut short. */
function storedAs(head: Buffer): Codec | 'parquet' {
  if (head.byteLength < 4) return 'plain'
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  if (head.subarray(0, xzMagic.length).equals(xzMagic.subarray(0, head.byteLength))) return 'xz'
  const magic = head.readUInt32LE(0)
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd'
  return head.toString('latin1', 0, parquetMagic.length) === parquetMagic ? 'parquet' : 'plain'
}

function onlyReject(rejected: RejectedRecord): RawBlock {
  return { bytes: new Uint8Array(0), offset: 0, offsetUnit: 'byte', rejected: [rejected], next: null }
}

/** Returns the reject for a shard whose content does not match its name and does not look like JSON. */
function mismatchOf(path: string, found: Codec | 'parquet', head: Buffer): RejectedRecord | null {
  const refuse = (reason: RejectedRecord['reason'], detail: string) => ({
    offset: 0,
    reason,
    detail,
    excerpt: excerpt(head),
  })
  const part = looksLikeJson(head) ? null : unsupportedName(path)
  if (found !== 'plain') return part === null ? null : refuse('shard-unsupported', part)
  if (isUtf16(head)) return refuse('shard-unsupported', utf16)
  if (looksLikeJson(head) || isTar(head) || isArrow(head)) return null
  const unsupported = unsupportedFormat(head) ?? part
  if (unsupported !== null) return refuse('shard-unsupported', unsupported)
  const packed = /\.(gz|tgz|zst|xz|txz|parquet)$/i.exec(path)
  if (packed) {
    const reason = head.byteLength < 4 ? 'shard-truncated' : 'shard-corrupt'
    return refuse(reason, `named ${packed[0]}, but begins with ${head.toString('hex', 0, 4) || 'nothing'}`)
  }
  if (textNames.test(path) || tarNames.test(path) || path === '-' || head.byteLength === 0) return null
  if (isBlank(head)) return null
  return refuse('shard-unreadable', 'neither JSON nor a known archive, by its name and first bytes')
}

/** Returns the reject for a compressed shard whose content is compressed again, or in an unsupported format. */
function innerMismatch(codec: Codec, head: Buffer): RejectedRecord | null {
  const stored = storedAs(head)
  const unsupported = unsupportedFormat(head) ?? (isUtf16(head) ? utf16 : null)
  if (stored === 'plain' && unsupported === null) return null
  const detail = `within ${codec}: ${unsupported ?? `${stored} is not read there; decompress the shard once`}`
  return { offset: 0, reason: 'shard-unsupported', detail, excerpt: excerpt(head) }
}

const utf16 = 'UTF-16 is not read; convert the shard to UTF-8'

/** Detects UTF-16 by a byte order mark, or by the zero byte next to the opening bracket of JSON. */
function isUtf16(head: Buffer): boolean {
  const [first, second] = head
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true
  const bracket = (byte: number | undefined) => byte === 0x7b || byte === 0x5b
  return (first === 0 && bracket(second)) || (second === 0 && bracket(first))
}

function looksLikeJson(head: Buffer): boolean {
  return /^(\xef\xbb\xbf)?\s*[[{]/.test(head.toString('latin1'))
}

function isBlank(head: Buffer): boolean {
  return /^\s*$/.test(head.toString('latin1'))
}

async function* withCodec(codec: Codec, rawBlocks: AsyncIterable<RawBlock<TextCursor>>): AsyncGenerator<RawBlock> {
  for await (const rawBlock of rawBlocks) yield { ...rawBlock, next: rawBlock.next && { codec, text: rawBlock.next } }
}
