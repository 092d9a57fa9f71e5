/** What `kun-stream pipe` writes: chunks as JSON Lines or an Arrow stream, rejects as JSON Lines. */
import { RecordBatchStreamWriter } from 'apache-arrow'
import type { Duplicate } from '../dedup/index.js'
import type { PreparedBlock } from '../text/block.js'
import { type ChunkColumns, chunkColumnsOf, takeRows, textAt } from '../text/columns.js'
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
    if (!this.#any) this.#write(chunkColumnsOf(0, 0))
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
