/** Reads committed parts for the pages, each scan with a limit of rows. A part that cannot be read is a fault, not an error. */

import { join } from 'node:path'
import { errorMessage } from '../caught-error.js'
import { openPart, type Part } from '../parquet/part-reader.js'
import type { ManifestEntry } from '../sinks/index.js'

/** A committed file: rows of a split, or rejects if `split` is null. */
export type PartFile = ManifestEntry['files'][number]

export type StoredRow = Readonly<Record<string, unknown>>

/** Part of the files, and what could not be read of them. */
export class PartScan {
  readonly directory: string
  readonly faults: string[] = []

  constructor(directory: string) {
    this.directory = directory
  }

  /**
   * Yields rows, row group by row group, until the consumer ends it or `rowsMax` rows were read.
   *
   * @param columns columns to read; undefined: all of them
   */
  async *rows(
    parts: readonly PartFile[],
    rowsMax: number,
    columns?: readonly string[],
  ): AsyncGenerator<readonly StoredRow[]> {
    let read = 0
    for (const { path } of parts) {
      if (read >= rowsMax) return
      const part = await this.#open(path)
      if (part === null) continue
      try {
        let start = 0
        for (const size of part.rowGroups) {
          const end = start + Math.min(size, rowsMax - read)
          const rows = await this.#read(part, start, end, columns)
          if (rows === null) break
          yield rows
          read += rows.length
          start += size
          if (read >= rowsMax) break
        }
      } finally {
        await part.close()
      }
    }
  }

  /** Returns the last rows of a part, the last one first. */
  async lastRows({ path }: PartFile, count: number): Promise<StoredRow[]> {
    const part = await this.#open(path)
    if (part === null) return []
    try {
      const rows = await this.#read(part, Math.max(0, part.rows - count), part.rows)
      return rows?.toReversed() ?? []
    } finally {
      await part.close()
    }
  }

  /** Returns the rows with the given numbers, in their order; null for one that cannot be read. */
  async rowsAt({ path }: PartFile, numbers: readonly number[]): Promise<(StoredRow | null)[]> {
    const part = await this.#open(path)
    if (part === null) return numbers.map(() => null)
    try {
      const rows: (StoredRow | null)[] = []
      for (const number of numbers) rows.push((await this.#read(part, number, number + 1))?.[0] ?? null)
      return rows
    } finally {
      await part.close()
    }
  }

  /** Yields all rows of a part from its end, the last one first, in windows; skips the first `skip` of them unread. */
  async *backwards({ path }: PartFile, skip: number): AsyncGenerator<readonly StoredRow[]> {
    const part = await this.#open(path)
    if (part === null) return
    try {
      for (let end = part.rows - skip; end > 0; end -= windowRows) {
        const rows = await this.#read(part, Math.max(0, end - windowRows), end)
        if (rows === null) return
        yield rows.toReversed()
      }
    } finally {
      await part.close()
    }
  }

  async #open(path: string): Promise<Part | null> {
    try {
      return await openPart(join(this.directory, path))
    } catch (error) {
      this.#fault(error)
      return null
    }
  }

  async #read(part: Part, start: number, end: number, columns?: readonly string[]): Promise<StoredRow[] | null> {
    try {
      return columns === undefined ? await part.read(start, end) : await part.readColumns(columns, start, end)
    } catch (error) {
      this.#fault(error)
      return null
    }
  }

  #fault(error: unknown): void {
    const text = errorMessage(error)
    if (!this.faults.includes(text) && this.faults.length < faultsMax) this.faults.push(text)
  }
}

/** Rows that are decoded at a time. */
const windowRows = 4096
/** Faults that a page lists. */
const faultsMax = 8

/** Returns at most `partsMax` parts that are spread evenly over all of them. */
export function spread<Value>(parts: readonly Value[], partsMax: number): readonly Value[] {
  if (parts.length <= partsMax) return parts
  return Array.from({ length: partsMax }, (_, at) => parts[Math.floor((at * parts.length) / partsMax)] as Value)
}
