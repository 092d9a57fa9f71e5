/**
 * Writes cuts: rows by split and rejects into parts, and the commit in an order that survives a crash at any point. The
 * caller decides which records a cut holds.
 */

import { dirname, join } from 'node:path'
import { z } from 'zod'
import { ContractError, InvalidOptionError } from '../errors.js'
import { say } from '../language/say.js'
import { type Cell, type Column, cellsOf, checkColumns, type Row } from '../parquet/columns.js'
import type { Encoder } from '../parquet/encoders/types.js'
import { type CutFile, PartWriter } from '../parquet/part-writer.js'
import { type OnStep, runStep } from '../storage/commit-steps.js'
import { type FileLayer, makeDurableDirectory } from '../storage/files.js'
import { checkSplit, partFolders, partPath } from '../storage/run-layout.js'
import { appendToManifest } from './manifest.js'
import { PartCount } from './part-count.js'
import { rejectColumns } from './reject-columns.js'
import type { CutState, CutWriter, ManifestEntry, Reject } from './types.js'

/** Limits of a file and its row groups. */
export const cutOptions = z.strictObject({
  rowsPerFile: z
    .number()
    .int()
    .min(1)
    .default(100_000)
    .describe('Rows per file; a split with more rows in a cut gets several files'),
  // Encoding one column blocks the event loop, which requests to model servers share.
  rowGroupBytesMax: z
    .number()
    .int()
    .min(1024)
    .max(100_000_000)
    .default(8 * 1024 * 1024)
    .describe("Uncompressed bytes of a row group; the Hub's viewer accepts less than 100 MB"),
})

/** Options for `openCutWriter`. */
export interface CutWriterOptions extends z.input<typeof cutOptions> {
  readonly files: FileLayer
  /** The run directory. */
  readonly directory: string
  /** All splits; each may have a file open. */
  readonly splits: readonly string[]
  readonly columns: readonly Column[]
  readonly encoder: Encoder
  /** The last committed cut, from `recoverRunDirectory`; null starts a dataset. */
  readonly from: Pick<ManifestEntry, 'cut'> | null
  /** Called first in each commit, to make the data durable that the cut depends on (dedup log, replies). */
  readonly beforeCommit?: readonly (() => Promise<void>)[]
  /** Commits a cut whose parts are durable; by default by its line in the manifest of the directory. */
  readonly commitEntry?: (entry: ManifestEntry) => Promise<void>
  /** Called before and after the manifest line is written. Throws if this process must no longer commit. */
  readonly fence?: () => Promise<void>
  /** Memory for open row groups; (splits + 1) × rowGroupBytesMax must fit. */
  readonly memoryBytesMax?: number
  readonly onStep?: OnStep
}

/**
 * Opens a writer on a run directory that `recoverRunDirectory` has recovered.
 *
 * @throws {InvalidOptionError} the name of a column or split is not valid, or the memory is too small for the writers
 */
export async function openCutWriter(options: CutWriterOptions): Promise<CutWriter> {
  const sizes = cutOptions.parse({
    ...(options.rowsPerFile !== undefined && { rowsPerFile: options.rowsPerFile }),
    ...(options.rowGroupBytesMax !== undefined && { rowGroupBytesMax: options.rowGroupBytesMax }),
  })
  checkColumns(options.columns)
  for (const split of options.splits) checkSplit(split)
  const { files, directory, memoryBytesMax, splits } = options
  const needBytes = sizes.rowGroupBytesMax * (splits.length + 1)
  if (memoryBytesMax !== undefined && needBytes > memoryBytesMax) {
    throw new InvalidOptionError(
      say`${splits.length} splits and the rejects need up to ${needBytes} bytes (rowGroupBytesMax
        ${sizes.rowGroupBytesMax} each), but writers have only ${memoryBytesMax}: lower rowGroupBytesMax
        or raise the memory`,
    )
  }
  for (const folder of partFolders) await makeDurableDirectory(files, join(directory, folder))
  return new ParquetCutWriter({ ...options, ...sizes }, await PartCount.open(files, directory))
}

type FilledOptions = CutWriterOptions & Required<z.output<typeof cutOptions>>

class ParquetCutWriter implements CutWriter {
  readonly #options: FilledOptions
  readonly #partCount: PartCount
  cut: number
  /** The open part of each split; that of rejects has the key null. */
  readonly #open = new Map<string | null, PartWriter>()
  /** Full parts of this cut. */
  readonly #sealed: PartWriter[] = []
  readonly #parts = new Map<string | null, number>()
  readonly #splits: ReadonlySet<string>
  #busy = false
  /** The first failure: all later calls throw it. */
  #ended: unknown = null

  constructor(options: FilledOptions, partCount: PartCount) {
    this.#options = options
    this.#partCount = partCount
    this.cut = (options.from?.cut ?? -1) + 1
    this.#splits = new Set(options.splits)
  }

  async row(split: string, row: Row): Promise<void> {
    if (!this.#splits.has(split))
      throw new ContractError(`a row has the split ${split}, which is not one of the writer`)
    const cells = cellsOf(this.#options.columns, row)
    this.#options.encoder.check?.(this.#options.columns, cells)
    await this.#alone(() => this.#add(split, this.#options.columns, cells))
  }

  async reject(reject: Reject): Promise<void> {
    const cells = cellsOf(rejectColumns, { ...reject })
    this.#options.encoder.check?.(rejectColumns, cells)
    await this.#alone(() => this.#add(null, rejectColumns, cells))
  }

  async commit(state: CutState): Promise<ManifestEntry> {
    return this.#alone(async () => {
      const { directory, onStep, beforeCommit = [] } = this.#options
      for (const [i, flush] of beforeCommit.entries()) await runStep(onStep, 'flush', String(i), flush)
      const files = await this.#publishParts()
      const { blocks, cursor, inputs, dedupLogBytes, rowsMax, counters } = state
      const read = inputs && { inputs }
      const limit = rowsMax !== undefined && { rowsMax }
      const entry: ManifestEntry = { cut: this.cut, blocks, cursor, ...read, dedupLogBytes, ...limit, counters, files }
      await this.#partCount.add(files.length)
      await this.#options.fence?.()
      const { commitEntry = (each) => appendToManifest(this.#options.files, directory, each, onStep) } = this.#options
      await commitEntry(entry)
      // A process that was suspended during the write may have written to a manifest that its successor replaced.
      await this.#options.fence?.()
      this.#parts.clear()
      this.cut++
      return entry
    })
  }

  async abandon(): Promise<void> {
    if (this.#busy) throw new ContractError('abandon was called during another call to the writer')
    this.#ended ??= new ContractError('the writer was abandoned')
    const parts = [...this.#open.values(), ...this.#sealed]
    this.#open.clear()
    this.#sealed.length = 0
    for (const part of parts) await part.discard()
  }

  async #add(split: string | null, columns: readonly Column[], cells: readonly Cell[]): Promise<void> {
    let part = this.#open.get(split)
    if (part === undefined) {
      const n = this.#parts.get(split) ?? 0
      const path = partPath(split, this.cut, n)
      part = await PartWriter.open({ ...this.#options, path, split, columns })
      this.#parts.set(split, n + 1)
      this.#open.set(split, part)
    }
    await part.add(cells)
    if (part.rows < this.#options.rowsPerFile) return
    // Sealed immediately: memory and open files do not grow with the cut. The commit renames it.
    await part.seal()
    this.#open.delete(split)
    this.#sealed.push(part)
  }

  /** Footer, fsync, rename of each file in the order of their names; then the directories. */
  async #publishParts(): Promise<CutFile[]> {
    const parts = [...this.#open.values(), ...this.#sealed].sort((a, b) => (a.path < b.path ? -1 : 1))
    const published: CutFile[] = []
    for (const part of parts) {
      await part.seal()
      published.push(await part.publish())
    }
    for (const folder of new Set(published.map(({ path }) => dirname(path)))) {
      const path = join(this.#options.directory, folder)
      await runStep(this.#options.onStep, 'fsync-directory', folder, () => this.#options.files.fsyncDirectory(path))
    }
    this.#open.clear()
    this.#sealed.length = 0
    return published
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended !== null) throw this.#ended
    if (this.#busy) throw new ContractError('the writer takes one call at a time: await each call')
    this.#busy = true
    try {
      return await work()
    } catch (error) {
      // Only recovery can find out whether the cut is durable: no other cut may follow it.
      this.#ended = error
      throw error
    } finally {
      this.#busy = false
    }
  }
}
