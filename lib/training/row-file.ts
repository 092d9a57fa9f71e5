/** Writes rows of training data as JSON Lines or as one Parquet file. Memory: one buffer of lines, or one row group. */
import { Buffer } from 'node:buffer'
import { type Cell, cellsOf, huggingfaceMetadata, type Row, sizeOf } from '../parquet/columns.js'
import { parquetEncoder } from '../parquet/encoders/index.js'
import type { EncodedFile } from '../parquet/encoders/types.js'
import type { Form } from './forms.js'

/** Formats of the output. */
export const rowFormats = ['jsonl', 'parquet'] as const
export type RowFormat = (typeof rowFormats)[number]

/** Destination of the bytes; one write at a time. */
interface RowTarget {
  write(parts: readonly Uint8Array[]): Promise<void>
}

/** Receives rows one after the other. The caller ends or discards the target. */
export interface RowFile {
  add(row: Row): Promise<void>
  /** Writes what is still in memory, and the footer. */
  end(): Promise<void>
}

/** Bytes of lines that are written together. */
const linesBytesMax = 256 * 1024
/** Uncompressed bytes of a row group. */
const rowGroupBytesMax = 32 * 1024 * 1024

/** Opens a file of rows in a form. */
export async function openRowFile(
  target: RowTarget,
  columns: Form<never>['columns'],
  format: RowFormat,
): Promise<RowFile> {
  if (format === 'jsonl') return new LineFile(target, columns)
  const file = (await parquetEncoder()).open({
    columns,
    metadata: { huggingface: huggingfaceMetadata(columns) },
    write: (bytes) => target.write([bytes]),
  })
  return new ParquetRows(file, columns)
}

class LineFile implements RowFile {
  readonly #target: RowTarget
  readonly #columns: Form<never>['columns']
  #lines: string[] = []
  #chars = 0

  constructor(target: RowTarget, columns: Form<never>['columns']) {
    this.#target = target
    this.#columns = columns
  }

  async add(row: Row): Promise<void> {
    const cells = cellsOf(this.#columns, row)
    const named = Object.fromEntries(this.#columns.map(({ name }, index) => [name, jsonCell(cells[index])]))
    const line = JSON.stringify(named)
    this.#lines.push(`${line}\n`)
    this.#chars += line.length
    if (this.#chars >= linesBytesMax) await this.#flush()
  }

  async end(): Promise<void> {
    await this.#flush()
  }

  async #flush(): Promise<void> {
    if (this.#lines.length === 0) return
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    this.#chars = 0
    await this.#target.write([bytes])
  }
}

/** int64 is a bigint, which JSON does not have; the offsets of runs are below 2^53. */
function jsonCell(cell: Cell | undefined): unknown {
  return typeof cell === 'bigint' ? Number(cell) : cell
}

class ParquetRows implements RowFile {
  readonly #file: EncodedFile
  readonly #columns: Form<never>['columns']
  #cells: Cell[][]
  #rows = 0
  #bytes = 0

  constructor(file: EncodedFile, columns: Form<never>['columns']) {
    this.#file = file
    this.#columns = columns
    this.#cells = columns.map(() => [])
  }

  async add(row: Row): Promise<void> {
    const cells = cellsOf(this.#columns, row)
    for (const [index, cell] of cells.entries()) this.#cells[index]?.push(cell)
    this.#rows++
    this.#bytes += sizeOf(cells)
    if (this.#bytes >= rowGroupBytesMax) await this.#writeGroup()
  }

  async end(): Promise<void> {
    if (this.#rows > 0) await this.#writeGroup()
    await this.#file.finish()
  }

  async #writeGroup(): Promise<void> {
    const [cells, rows, bytes] = [this.#cells, this.#rows, this.#bytes]
    this.#cells = this.#columns.map(() => [])
    this.#rows = 0
    this.#bytes = 0
    await this.#file.writeRowGroup(cells, rows, bytes)
  }
}
