/** Reads a Parquet file of any writer, row range by row range, with hyparquet. What cannot be read is a CorruptFileError. */
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { CorruptFileError, KunStreamError } from '../errors.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'

/** A Parquet file, open for reading. `close` it when done. */
export interface Part {
  readonly path: string
  readonly rows: number
  /** Names, in the order of the file. */
  readonly columns: readonly string[]
  /** Rows of each row group: what is decoded at once. */
  readonly rowGroups: readonly number[]
  /** Rows from `start` to before `end`; int64 as bigint. */
  read(start: number, end: number): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

/** @throws {CorruptFileError} it is no Parquet file, or damaged */
export async function openPart(path: string, files: FileLayer = nodeFiles): Promise<Part> {
  const byteLength = (await files.sizeBytes(path)) ?? 0
  const file = await files.open(path, 'read')
  const buffer: AsyncBuffer = {
    byteLength,
    slice: async (start, end = byteLength) => {
      // Offsets come from the file: a damaged one must not ask for more than there is.
      const [from, to] = [Math.max(0, Math.min(start, byteLength)), Math.max(0, Math.min(end, byteLength))]
      const bytes = await file.read(from, Math.max(0, to - from))
      return new Uint8Array(bytes).buffer
    },
  }
  try {
    const metadata = await decoding(path, () => parquetMetadataAsync(buffer))
    return {
      path,
      rows: Number(metadata.num_rows),
      columns: columnsOf(metadata),
      rowGroups: metadata.row_groups.map((group) => Number(group.num_rows)),
      read: (rowStart, rowEnd) =>
        decoding(path, () => parquetReadObjects({ file: buffer, metadata, compressors, rowStart, rowEnd })),
      close: () => file.close(),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** All rows, a row group at a time. */
export async function* rowsOf(part: Part): AsyncGenerator<Record<string, unknown>> {
  let start = 0
  for (const rows of part.rowGroups) {
    yield* await part.read(start, start + rows)
    start += rows
  }
}

function columnsOf(metadata: FileMetaData): string[] {
  return parquetSchema(metadata).children.map(({ element }) => element.name)
}

async function decoding<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof KunStreamError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CorruptFileError(
      `${path} cannot be read as Parquet: ${why}. Is it whole, and Parquet? \`kun-stream verify\` checks a run`,
      { cause, details: { path } },
    )
  }
}
