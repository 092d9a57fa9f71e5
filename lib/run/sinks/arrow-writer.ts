/** Writes rows as an Arrow IPC stream: chunks over the memory of their block, pairs from their cells. */
import {
  Bool,
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { type Cell, type Column, cellsOf, textNames } from '../../parquet/columns.js'
import { type ChunkColumns, chunkColumnsOf, takeRows } from '../../text/columns.js'
import { type AddedColumn, toRecordBatch } from '../../text/record-batch.js'
import { ChunkCandidate } from '../records.js'
import type { ByteTarget } from './byte-target.js'
import type { RowWriter } from './row-writer.js'
import { meaningOf, type Rows, schemaMetadata } from './rows.js'

/** Returns the writer for the rows: those of chunks keep the columns of their block, fingerprints and signatures too. */
export function arrowWriter<T>(target: ByteTarget, rows: Rows<T>): RowWriter<T> {
  return rows.ofBlock === true ? new ChunkBatches(target) : new CellBatches(target, rows)
}

/** One record batch per block. */
class ChunkBatches implements RowWriter<unknown> {
  readonly #ipc: IpcStream
  #pending: ChunkCandidate[] = []
  /** How many of the pending chunks belong to blocks that have ended. */
  #ended = 0
  #isEmpty = true

  constructor(target: ByteTarget) {
    this.#ipc = new IpcStream(target)
  }

  add(record: unknown): void {
    if (!(record instanceof ChunkCandidate)) throw new TypeError('an Arrow sink of chunks received another value')
    this.#pending.push(record)
  }

  endOrigin(): void {
    this.#ended = this.#pending.length
  }

  async flush(): Promise<void> {
    const ended = this.#pending.slice(0, this.#ended)
    this.#pending = this.#pending.slice(this.#ended)
    this.#ended = 0
    for (let at = 0; at < ended.length; ) {
      const { block } = ended[at] as ChunkCandidate
      let end = at + 1
      while (end < ended.length && ended[end]?.block === block) end++
      const chunks = ended.slice(at, end)
      const all = chunks.length === block.chunks.rows
      const columns = all
        ? block.chunks
        : takeRows(
            block.chunks,
            chunks.map(({ row }) => row),
          )
      await this.#write(columns, chunks)
      at = end
    }
  }

  async end(): Promise<void> {
    this.#ended = this.#pending.length
    await this.flush()
    // A stream has a schema even without rows.
    if (this.#isEmpty) await this.#write(chunkColumnsOf(0, 0), [])
    await this.#ipc.end()
  }

  async #write(columns: ChunkColumns, chunks: readonly ChunkCandidate[]): Promise<void> {
    this.#isEmpty = false
    const added: AddedColumn[] = [
      { name: 'id', meaning: meaningOf('id'), values: chunks.map(({ id }) => id) },
      { name: 'shard', meaning: meaningOf('shard'), values: chunks.map(({ shard }) => shard) },
    ]
    await this.#ipc.write(toRecordBatch(columns, added, schemaMetadata('chunks')))
  }
}

/** One record batch per call of the sink. */
class CellBatches<T> implements RowWriter<T> {
  readonly #ipc: IpcStream
  readonly #rows: Rows<T>
  readonly #fields: readonly Field[]
  #columns: Cell[][]
  #count = 0
  #isEmpty = true

  constructor(target: ByteTarget, rows: Rows<T>) {
    this.#ipc = new IpcStream(target)
    this.#rows = rows
    this.#fields = rows.columns.map(fieldOf)
    this.#columns = rows.columns.map(() => [])
  }

  add(record: T): void {
    const cells = cellsOf(this.#rows.columns, this.#rows.rowOf(record))
    for (const [index, cell] of cells.entries()) this.#columns[index]?.push(cell)
    this.#count++
  }

  endOrigin(): void {}

  async flush(): Promise<void> {
    if (this.#count > 0) await this.#write()
  }

  async end(): Promise<void> {
    await this.flush()
    if (this.#isEmpty) await this.#write()
    await this.#ipc.end()
  }

  async #write(): Promise<void> {
    this.#isEmpty = false
    const fields = [...this.#fields]
    const children = fields.map(({ type }, index) => {
      const [data] = vectorFromArray(this.#columns[index] as Cell[], type).data
      return data ?? makeData({ type, length: 0 })
    })
    const data = makeData({ type: new Struct(fields), length: this.#count, nullCount: 0, children })
    this.#columns = this.#rows.columns.map(() => [])
    this.#count = 0
    await this.#ipc.write(new RecordBatch(new Schema(fields, schemaMetadata(this.#rows.kind)), data))
  }
}

function fieldOf({ name, type, nullable = false }: Column): Field {
  return new Field(name, arrowType(type), nullable, new Map([['description', meaningOf(name)]]))
}

function arrowType(type: Column['type']): DataType {
  switch (type) {
    case 'string':
      return new Utf8()
    case 'int64':
      return new Int64()
    case 'int32':
      return new Int32()
    case 'float64':
      return new Float64()
    case 'boolean':
      return new Bool()
    case 'message':
      return new Struct(textNames[type].map((name) => new Field(name, new Utf8(), false)))
    case 'messages':
    case 'turns': {
      const texts = new Struct(textNames[type].map((name) => new Field(name, new Utf8(), false)))
      return new List(new Field('item', texts, false))
    }
  }
}

/** The writer of apache-arrow. Its bytes are read after each batch, because its queue is unbounded. */
class IpcStream {
  readonly #target: ByteTarget
  readonly #writer = new CollectingWriter()

  constructor(target: ByteTarget) {
    this.#target = target
  }

  /** Resolves when the memory of the batch is no longer used. */
  async write(batch: RecordBatch): Promise<void> {
    this.#writer.write(batch)
    await this.#target.write(this.#writer.take())
  }

  async end(): Promise<void> {
    this.#writer.finish()
    await this.#target.write(this.#writer.take())
  }
}

class CollectingWriter extends RecordBatchStreamWriter {
  #parts: Uint8Array[] = []

  take(): readonly Uint8Array[] {
    const parts = this.#parts
    this.#parts = []
    return parts
  }

  protected override _write(chunk: ArrayBufferView): this {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#parts.push(bytes)
    this._position += bytes.length
    return this
  }
}
