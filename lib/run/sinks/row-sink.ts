/** Sinks that write rows in one format, and rejects as JSON Lines: `jsonlSink`, `arrowSink`, `parquetSink`. */

import type { Settlement } from '../../core/item.js'
import type { OrderedSink } from '../../core/sink-node.js'
import { type Cell, cellsOf, huggingfaceMetadata, sizeOf } from '../../parquet/columns.js'
import { type EncoderOptions, parquetEncoder } from '../../parquet/encoders/index.js'
import type { EncodedFile } from '../../parquet/encoders/types.js'
import { rejectOf } from '../cut-sink.js'
import { ChunkCandidate, Rejected, type ReleasedRecord, recordOf, type SettledRecord } from '../records.js'
import { type ByteTarget, byteTarget, type Destination } from './byte-target.js'
import type { RowWriter } from './row-writer.js'
import type { Rows } from './rows.js'

/** Options of the sinks. */
export interface RowSinkOptions<T> {
  /** A path, which is written under a temporary name first, or a Writable of bytes. */
  readonly to: Destination
  /** Columns: `chunkRows()` or `pairRows(stages)`. */
  readonly rows: Rows<T>
  /** Destination of dropped documents, chunks and pairs with their reasons, as JSON Lines; none by default. */
  readonly rejects?: Destination
  /** Called with every record, in input order. */
  readonly onReleased?: (released: ReleasedRecord) => void
}

/** Writes rows as JSON Lines. */
export function jsonlSink<T>(options: RowSinkOptions<T>): OrderedSink<T, SettledRecord> {
  return rowSink(options, async (target) => new JsonLines(target, options.rows))
}

/** Writes rows as an Arrow IPC stream. */
export function arrowSink<T>(options: RowSinkOptions<T>): OrderedSink<T, SettledRecord> {
  return rowSink(options, async (target) => {
    const { arrowWriter } = await import('./arrow-writer.js')
    return arrowWriter(target, options.rows)
  })
}

/** Writes rows as one Parquet file. */
export function parquetSink<T>(
  options: RowSinkOptions<T> & Partial<EncoderOptions> & { readonly rowGroupBytesMax?: number },
): OrderedSink<T, SettledRecord> {
  const { rows, rowGroupBytesMax = rowGroupBytes, encoder = 'hyparquet-writer', codec } = options
  return rowSink(options, async (target) => {
    const file = (await parquetEncoder({ encoder, codec })).open({
      columns: rows.columns,
      metadata: { huggingface: huggingfaceMetadata(rows.columns) },
      write: (bytes) => target.write([bytes]),
    })
    return new RowGroups(file, rows, rowGroupBytesMax)
  })
}

/** Uncompressed bytes of a row group by default. */
const rowGroupBytes = 64 * 1024 * 1024

function rowSink<T>(
  { to, rejects, onReleased }: RowSinkOptions<T>,
  open: (target: ByteTarget) => Promise<RowWriter<T>>,
): OrderedSink<T, SettledRecord> {
  const target = byteTarget(to)
  const rejectTarget = rejects === undefined ? null : byteTarget(rejects)
  let opening: Promise<RowWriter<T>> | null = null
  let ended = false
  const writer = (): Promise<RowWriter<T>> => {
    opening ??= open(target)
    return opening
  }
  return {
    name: 'write',
    write: async (batch) => {
      const out = await writer()
      const lines: string[] = []
      for (const released of batch) {
        onReleased?.(released as ReleasedRecord)
        if (released.settlement === null) out.add(released.value)
        else if (rejectTarget !== null) lines.push(...rejectLines(released.value, released.settlement))
        if (released.endsOrigin) out.endOrigin()
      }
      if (lines.length > 0) await rejectTarget?.write([Buffer.from(lines.join(''))])
      await out.flush()
    },
    end: async () => {
      await (await writer()).end()
      await target.end()
      await rejectTarget?.end()
      ended = true
    },
    close: async () => {
      if (ended) return
      await target.discard()
      await rejectTarget?.discard()
    },
  }
}

/** Returns the line of a reject; an empty list for a block without documents. */
function rejectLines(value: SettledRecord, settlement: Settlement): string[] {
  const record = recordOf({ value, settlement, position: [], endsOrigin: false })
  return record === null ? [] : [`${JSON.stringify(rejectJson(record, settlement))}\n`]
}

function rejectJson(record: NonNullable<ReturnType<typeof recordOf>>, settlement: Settlement): object {
  if (record instanceof Rejected) return { shard: record.shard, ...record.reject }
  if (record instanceof ChunkCandidate && record.duplicate !== null) {
    const { id, shard, offset, chunk, duplicate } = record
    return { id, shard, offset, chunk, stage: settlement.stage, ...duplicate }
  }
  return rejectOf(record, settlement)
}

class JsonLines<T> implements RowWriter<T> {
  readonly #target: ByteTarget
  readonly #rows: Rows<T>
  #lines: string[] = []

  constructor(target: ByteTarget, rows: Rows<T>) {
    this.#target = target
    this.#rows = rows
  }

  add(record: T): void {
    this.#lines.push(`${JSON.stringify(this.#rows.jsonOf(record))}\n`)
  }

  endOrigin(): void {}

  async flush(): Promise<void> {
    if (this.#lines.length === 0) return
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    await this.#target.write([bytes])
  }

  async end(): Promise<void> {
    await this.flush()
  }
}

class RowGroups<T> implements RowWriter<T> {
  readonly #file: EncodedFile
  readonly #rows: Rows<T>
  readonly #bytesMax: number
  #columns: Cell[][]
  #count = 0
  #bytes = 0

  constructor(file: EncodedFile, rows: Rows<T>, bytesMax: number) {
    this.#file = file
    this.#rows = rows
    this.#bytesMax = bytesMax
    this.#columns = rows.columns.map(() => [])
  }

  add(record: T): void {
    const cells = cellsOf(this.#rows.columns, this.#rows.rowOf(record))
    for (const [index, cell] of cells.entries()) this.#columns[index]?.push(cell)
    this.#bytes += sizeOf(cells)
    this.#count++
  }

  endOrigin(): void {}

  async flush(): Promise<void> {
    if (this.#bytes >= this.#bytesMax) await this.#writeGroup()
  }

  async end(): Promise<void> {
    if (this.#count > 0) await this.#writeGroup()
    await this.#file.finish()
  }

  async #writeGroup(): Promise<void> {
    const [columns, count, bytes] = [this.#columns, this.#count, this.#bytes]
    this.#columns = columns.map(() => [])
    this.#count = 0
    this.#bytes = 0
    await this.#file.writeRowGroup(columns, count, bytes)
  }
}
