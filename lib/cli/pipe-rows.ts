/** What `kun-stream pipe` writes: chunks as JSON Lines or an Arrow stream, rejects as JSON Lines. */
import { RecordBatchStreamWriter } from 'apache-arrow'
import type { Duplicate } from '../dedup/index.js'
import type { ChunkColumns, PreparedBlock, TextColumn } from '../text/batch.js'
import { toRecordBatch } from '../text/record-batch.js'

export interface RowEncoder {
  /** Bytes of the rows `kept`, in order. */
  encode(prepared: PreparedBlock, ids: readonly string[], kept: readonly number[]): Uint8Array
  /** Bytes that end the output. */
  end(): Uint8Array
}

/** One object a chunk; `key` and `title` where the record has them. */
export class JsonRows implements RowEncoder {
  encode({ chunks, shard }: PreparedBlock, ids: readonly string[], kept: readonly number[]): Uint8Array {
    const lines = kept.map((row) => {
      const [key, title] = [textAt(chunks.key, row), textAt(chunks.title, row)]
      const value = {
        id: ids[row],
        ...(key !== '' && { key }),
        ...(title !== '' && { title }),
        text: textAt(chunks.text, row),
        tokens: chunks.tokens[row],
        shard,
        offset: chunks.offset[row],
        chunk: chunks.chunk[row],
      }
      return `${JSON.stringify(value)}\n`
    })
    return Buffer.from(lines.join(''))
  }

  end(): Uint8Array {
    return new Uint8Array(0)
  }
}

/** An Arrow IPC stream: the schema, then a record batch a block. */
export class ArrowRows implements RowEncoder {
  readonly #writer = new CollectingWriter()
  #any = false

  encode({ chunks }: PreparedBlock, _ids: readonly string[], kept: readonly number[]): Uint8Array {
    // A batch without rows has no signatures, so another schema.
    if (kept.length > 0) this.#write(takeRows(chunks, kept))
    return this.#writer.take()
  }

  end(): Uint8Array {
    if (!this.#any) this.#write(takeRows(noChunks, []))
    this.#writer.finish()
    return this.#writer.take()
  }

  #write(chunks: ChunkColumns): void {
    this.#any = true
    this.#writer.write(toRecordBatch(chunks))
  }
}

/** Hands the bytes over when asked, where Arrow's own writer would queue them without a bound. */
class CollectingWriter extends RecordBatchStreamWriter {
  private parts: Uint8Array[] = []

  take(): Uint8Array {
    const bytes = Buffer.concat(this.parts)
    this.parts = []
    return bytes
  }

  protected override _write(chunk: ArrayBufferView): this {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.parts.push(bytes)
    this._position += bytes.length
    return this
  }
}

export function rejectLines(
  prepared: PreparedBlock,
  ids: readonly string[],
  verdicts: readonly (Duplicate | null)[],
): Uint8Array {
  const { chunks, rejects, shard } = prepared
  const duplicates = verdicts.flatMap((verdict, row) => {
    if (verdict === null) return []
    return [{ id: ids[row], shard, offset: chunks.offset[row], chunk: chunks.chunk[row], stage: 'dedup', ...verdict }]
  })
  const refused = rejects.map((reject) => ({ shard, ...reject }))
  return Buffer.from([...refused, ...duplicates].map((each) => `${JSON.stringify(each)}\n`).join(''))
}

function textAt({ offsets, bytes }: TextColumn, row: number): string {
  const [start, end] = [offsets[row] as number, offsets[row + 1] as number]
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}

/** The rows named, in that order, copied. */
function takeRows(columns: ChunkColumns, rows: readonly number[]): ChunkColumns {
  const minima = columns.rows === 0 ? 0 : columns.signature.length / columns.rows
  const fingerprint = new Uint8Array(rows.length * 16)
  const signature = new Uint8Array(rows.length * minima)
  rows.forEach((row, at) => {
    fingerprint.set(columns.fingerprint.subarray(row * 16, row * 16 + 16), at * 16)
    signature.set(columns.signature.subarray(row * minima, (row + 1) * minima), at * minima)
  })
  return {
    rows: rows.length,
    document: Int32Array.from(rows, (row) => columns.document[row] as number),
    chunk: Int32Array.from(rows, (row) => columns.chunk[row] as number),
    offset: Float64Array.from(rows, (row) => columns.offset[row] as number),
    key: takeTexts(columns.key, rows),
    title: takeTexts(columns.title, rows),
    text: takeTexts(columns.text, rows),
    tokens: Int32Array.from(rows, (row) => columns.tokens[row] as number),
    letters: Int32Array.from(rows, (row) => columns.letters[row] as number),
    fingerprint,
    signature,
  }
}

function takeTexts({ offsets, bytes }: TextColumn, rows: readonly number[]): TextColumn {
  const parts = rows.map((row) => bytes.subarray(offsets[row], offsets[row + 1]))
  const taken = new Int32Array(rows.length + 1)
  parts.forEach((part, row) => {
    taken[row + 1] = (taken[row] as number) + part.length
  })
  return { offsets: taken, bytes: Buffer.concat(parts) }
}

const noTexts: TextColumn = { offsets: new Int32Array(1), bytes: new Uint8Array(0) }
const noChunks: ChunkColumns = {
  rows: 0,
  document: new Int32Array(0),
  chunk: new Int32Array(0),
  offset: new Float64Array(0),
  key: noTexts,
  title: noTexts,
  text: noTexts,
  tokens: new Int32Array(0),
  letters: new Int32Array(0),
  fingerprint: new Uint8Array(0),
  signature: new Uint8Array(0),
}
