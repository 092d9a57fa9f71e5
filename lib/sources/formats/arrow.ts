/**
 * Rows of an Arrow IPC stream or file as JSON Lines of the mapped columns, cut into blocks. A file is read as the stream
 * that it contains: its footer is not used. Holds one record batch; its bodies must not be compressed.
 */
import { type Data, DataType, type RecordBatch, RecordBatchReader } from 'apache-arrow'
import { errorMessage } from '../../caught-error.js'
import { ShardDamageError } from '../../errors.js'
import type { RejectedRecord } from '../../text/block.js'
import { namesText } from '../../text/field-path.js'
import type { FieldMapping } from '../../text/mapping.js'
import { isArrowFile } from './arrow-magic.js'
import { skipBytes } from './json-text.js'
import { examFields } from './parquet-columns.js'
import { rowLine, textFrom } from './parquet-line.js'
import { blockBytesOf, type Codec, type FormatCursor, type FormatOptions, type RawBlock } from './raw-block.js'
import { damagedRecord, excerptBytes, recordTooLarge } from './rejected-records.js'

/** The magic and its padding, before the stream in a file. */
const filePrefixBytes = 8
/**
 * @param stream the decompressed shard, from its first byte
 * @param from rows to skip
 */
export async function* arrowBlocks(
  stream: AsyncIterable<Uint8Array>,
  head: Buffer,
  from: number,
  shard: { readonly codec: Codec; readonly mapping: FieldMapping },
  options: FormatOptions,
): AsyncGenerator<RawBlock> {
  const isFile = isArrowFile(head)
  const rawBlocks = new PieceCutter(from, shard.codec, options)
  let row = 0
  try {
    const reader = await RecordBatchReader.from(isFile ? skipBytes(stream, filePrefixBytes) : stream)
    await reader.open()
    if (!reader.schema) throw new ShardDamageError('shard-truncated', 'it ends before its schema')
    const names = reader.schema.fields.map(({ name }) => name)
    const mapped = mappedColumns(names, shard.mapping)
    const columns = options.allColumns ? names : mapped
    for await (const batch of reader) {
      for (const line of linesOf(batch, columns)) if (row++ >= from) yield* rawBlocks.add(row - 1, line)
    }
    yield* rawBlocks.end(null)
  } catch (error) {
    // Errors of the network, the disk and the signal stop the run; any other error is one of the decoder.
    // That of a signal is a number.
    if (!(error instanceof ShardDamageError) && error instanceof Error && 'code' in error) throw error
    const reason = error instanceof ShardDamageError ? error.reason : 'shard-corrupt'
    yield* rawBlocks.end(damagedRecord(row, { reason, detail: `arrow: ${errorMessage(error)}` }, new Uint8Array(0)))
  }
}

/** @throws {ShardDamageError} 'shard-columns': there is no column for the text; the message lists the columns */
function mappedColumns(names: readonly string[], { text, id, title, compose }: FieldMapping): readonly string[] {
  if (text === '') return names
  const find = (field: string): string[] => names.filter((name) => name === field || field.startsWith(`${name}.`))
  const exam = compose === 'wanjuan-exam' ? examFields : []
  if (find(text).length === 0 && !(exam.length > 0 && names.includes('q_main'))) {
    throw new ShardDamageError(
      'shard-columns',
      `no column ${namesText([text])} for the text; columns: ${namesText(names)}. Name the right one as \`text\``,
    )
  }
  return [...new Set([text, id, title, ...exam].flatMap((field) => (field === undefined ? [] : find(field))))]
}

function* linesOf(batch: RecordBatch, names: readonly string[]): Generator<Buffer> {
  const columns = names.map((name) => {
    const vector = batch.getChild(name)
    const [data] = vector?.data ?? []
    const isText = data !== undefined && DataType.isUtf8(data.type)
    // Invalid UTF-8 is copied unchanged, so that the record is rejected as in JSON Lines.
    return { name, at: isText ? (row: number) => textFromData(data, row) : (row: number) => vector?.get(row) }
  })
  for (let row = 0; row < batch.numRows; row++) {
    yield rowLine(Object.fromEntries(columns.map(({ name, at }) => [name, at(row)])))
  }
}

function textFromData(data: Data, row: number): unknown {
  if (!data.getValid(row)) return null
  const { valueOffsets, values } = data
  return textFrom((values as Uint8Array).subarray(valueOffsets[row], valueOffsets[row + 1]))
}

/** Collects lines to blocks of `blockBytes`. A rejected row ends its block, so that row n of a block is its n-th line. */
class PieceCutter {
  readonly #codec: Codec
  readonly #options: FormatOptions
  #first: number
  #lines: Buffer[] = []
  #bytes = 0
  #rejected: RejectedRecord | null = null

  constructor(first: number, codec: Codec, options: FormatOptions) {
    this.#first = first
    this.#codec = codec
    this.#options = options
  }

  /** Yields the block before `row` once it is full. */
  *add(row: number, line: Buffer): Generator<RawBlock> {
    const { blockBytes, recordBytesMax } = this.#options
    if (this.#bytes >= blockBytes || this.#rejected !== null) {
      yield this.#rawBlock({ codec: this.#codec, arrow: row })
      this.#first = row
    }
    const lineBytes = line.byteLength - 1
    if (lineBytes > recordBytesMax) {
      this.#rejected = recordTooLarge(row, lineBytes, recordBytesMax, excerptBytes(line))
      return
    }
    this.#lines.push(line)
    this.#bytes += line.byteLength
  }

  /** Yields the last block. */
  *end(fault: RejectedRecord | null): Generator<RawBlock> {
    if (this.#rejected !== null && fault !== null) {
      yield this.#rawBlock(null)
      this.#first = fault.offset
    }
    this.#rejected ??= fault
    if (this.#lines.length > 0 || this.#rejected !== null) yield this.#rawBlock(null)
  }

  #rawBlock(next: FormatCursor | null): RawBlock {
    const rejected = this.#rejected === null ? [] : [this.#rejected]
    const bytes = blockBytesOf(Buffer.concat(this.#lines), this.#options)
    const rawBlock = { bytes, offset: this.#first, offsetUnit: 'row' as const, rejected, next }
    this.#lines = []
    this.#bytes = 0
    this.#rejected = null
    return rawBlock
  }
}
