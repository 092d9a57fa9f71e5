/** Reads a Parquet file on disk, of any writer, by row range. A file that cannot be read is a CorruptFileError. */
import type { FileMetaData } from 'hyparquet'
import { errorMessage } from '../caught-error.js'
import { CorruptFileError, KunStreamError, ShardDamageError } from '../errors.js'
import { type FileLayer, nodeFiles, type OpenFile } from '../storage/files.js'
import { withColumns } from './column-choice.js'
import { ParquetFile } from './parquet-file.js'

/** A Parquet file, open for reading. `close` it when done. */
export interface Part {
  readonly path: string
  readonly rows: number
  /** Names, in the order of the file. */
  readonly columns: readonly string[]
  /** Number of rows of each row group. */
  readonly rowGroups: readonly number[]
  /** Returns the rows from `start` to before `end`; int64 as bigint. */
  read(start: number, end: number): Promise<Record<string, unknown>[]>
  /** Like `read`, with some columns only; those that the file lacks are absent. */
  readColumns(columns: readonly string[], start: number, end: number): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

/** @throws {CorruptFileError} the file is not Parquet, or is damaged */
export async function openPart(path: string, files: FileLayer = nodeFiles): Promise<Part> {
  return await LocalPart.open(path, files)
}

/** Yields all rows; holds one row group, decoded in ranges. */
export async function* rowsOf(part: Part): AsyncGenerator<Record<string, unknown>> {
  let start = 0
  for (const rows of part.rowGroups) {
    yield* await part.read(start, start + rows)
    start += rows
  }
}

/** A part with its footer and row groups. */
export class LocalPart implements Part {
  readonly path: string
  readonly #file: ParquetFile
  readonly #opened: OpenFile

  private constructor(path: string, file: ParquetFile, opened: OpenFile) {
    this.path = path
    this.#file = file
    this.#opened = opened
  }

  /** @throws {CorruptFileError} the file is not Parquet, or is damaged */
  static async open(path: string, files: FileLayer = nodeFiles): Promise<LocalPart> {
    const sizeBytes = (await files.sizeBytes(path)) ?? 0
    const opened = await files.open(path, 'read')
    const read = (offset: number, lengthBytes: number) => readExactly(opened, offset, lengthBytes)
    try {
      const file = await reading(path, () => ParquetFile.open({ sizeBytes, read }, { tailBytes }))
      return new LocalPart(path, file, opened)
    } catch (error) {
      await opened.close()
      throw error
    }
  }

  get metadata(): FileMetaData {
    return this.#file.metadata
  }

  get rows(): number {
    return Number(this.metadata.num_rows)
  }

  get columns(): string[] {
    return this.#file.columns
  }

  get rowGroups(): number[] {
    return this.metadata.row_groups.map(({ num_rows }) => Number(num_rows))
  }

  read(start: number, end: number): Promise<Record<string, unknown>[]> {
    return reading(this.path, () => this.#file.readRows(start, end))
  }

  readColumns(columns: readonly string[], start: number, end: number): Promise<Record<string, unknown>[]> {
    return reading(this.path, () => this.#file.withFooter(withColumns(this.metadata, columns)).readRows(start, end))
  }

  /** Returns the bytes from `start` to before `end`. */
  readBytes(start: number, end: number): Promise<Uint8Array> {
    return reading(this.path, () => this.#file.readBytes(start, end))
  }

  close(): Promise<void> {
    return this.#opened.close()
  }
}

/** Footers of most parts fit into it. */
const tailBytes = 64 * 1024

async function readExactly(file: OpenFile, offset: number, lengthBytes: number): Promise<Uint8Array> {
  const bytes = await file.read(offset, lengthBytes)
  if (bytes.byteLength === lengthBytes) return bytes
  throw new CorruptFileError(
    `${file.path} ends at byte ${offset + bytes.byteLength}, before ${offset + lengthBytes}: run verify on it`,
  )
}

async function reading<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof KunStreamError && !(cause instanceof ShardDamageError)) throw cause
    const why = errorMessage(cause)
    throw new CorruptFileError(
      `${path} cannot be read as Parquet: ${why}. Is it whole, and Parquet? \`kun-stream verify\` checks a run`,
      { cause, details: { path } },
    )
  }
}
