/**
 * Writes one Parquet file: collects rows to a row group, encodes, writes and hashes it. Holds one row group. The file has a
 * temporary name until `publish`, after `seal` has made its bytes durable.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ContractError, LockLostError } from '../errors.js'
import { type OnStep, runStep } from '../storage/commit-steps.js'
import { renameExclusively } from '../storage/exclusive-rename.js'
import { type FileLayer, type OpenFile, temporarySuffix } from '../storage/files.js'
import { type Cell, type Column, huggingfaceMetadata, sizeOf } from './columns.js'
import type { EncodedFile, Encoder } from './encoders/types.js'

/** A file of a cut, as the manifest names it. `split` is null for rejects. */
export interface CutFile {
  /** Relative to the run directory, with '/'. */
  readonly path: string
  readonly split: string | null
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

/** Options for `PartWriter.open`. */
interface PartOptions {
  readonly files: FileLayer
  /** The run directory. */
  readonly directory: string
  /** Relative to it, with '/'. */
  readonly path: string
  readonly split: string | null
  readonly columns: readonly Column[]
  readonly encoder: Encoder
  /** Uncompressed bytes of a row group; a larger row is a row group by itself. */
  readonly rowGroupBytesMax: number
  readonly onStep?: OnStep | undefined
}

export class PartWriter {
  rows = 0
  /** Relative to the run directory. */
  readonly path: string
  readonly #hash = createHash('sha256')
  readonly #target: string
  readonly #encoded: EncodedFile
  #bytes = 0
  #columns: Cell[][]
  #groupRows = 0
  #groupBytes = 0
  #sealed = false
  readonly #options: PartOptions
  readonly #file: OpenFile

  private constructor(options: PartOptions, file: OpenFile) {
    this.#options = options
    this.#file = file
    const { columns, encoder } = options
    this.path = options.path
    this.#target = join(options.directory, options.path)
    this.#columns = columns.map(() => [])
    this.#encoded = encoder.open({
      columns,
      metadata: { huggingface: huggingfaceMetadata(columns) },
      write: async (bytes) => {
        this.#hash.update(bytes)
        this.#bytes += bytes.length
        await file.write(bytes)
      },
    })
  }

  static async open(options: PartOptions): Promise<PartWriter> {
    const file = await options.files.open(join(options.directory, options.path) + temporarySuffix, 'write')
    return new PartWriter(options, file)
  }

  /** @param cells checked, in the order of the columns */
  async add(cells: readonly Cell[]): Promise<void> {
    const bytes = sizeOf(cells)
    if (this.#groupRows > 0 && this.#groupBytes + bytes > this.#options.rowGroupBytesMax) await this.#writeGroup()
    for (const [c, column] of this.#columns.entries()) column.push(cells[c] as Cell)
    this.#groupRows++
    this.#groupBytes += bytes
    this.rows++
  }

  /** Writes the last row group and the footer, and fsyncs. Required before `publish`. */
  async seal(): Promise<void> {
    if (this.#sealed) return
    if (this.rows === 0) throw new ContractError(`${this.#options.path} has no rows: an empty file must not be written`)
    const { onStep, path } = this.#options
    await runStep(onStep, 'footer', path, async () => {
      if (this.#groupRows > 0) await this.#writeGroup()
      await this.#encoded.finish()
    })
    await runStep(onStep, 'fsync-file', path, () => this.#file.fsync())
    this.#sealed = true
    await this.#file.close()
  }

  /**
   * Renames the file to its name, which is durable after the directory is fsynced.
   *
   * @throws {LockLostError} the name is in use: recovery deletes what no commit names, so another process wrote it
   */
  async publish(): Promise<CutFile> {
    const { files, path, split, onStep } = this.#options
    if (!this.#sealed) throw new ContractError(`${path} is not sealed: its bytes may not be durable`)
    const [from, to] = [this.#target + temporarySuffix, this.#target]
    const renamed = await runStep(onStep, 'rename', path, () => renameExclusively(files, from, to))
    if (!renamed) {
      throw new LockLostError(
        `${to} is there already: another process works on this run directory. This one stops and commits nothing more; run ` +
          'it again once the other one has ended.',
        { details: { path: to } },
      )
    }
    return { path, split, rows: this.rows, bytes: this.#bytes, sha256: this.#hash.copy().digest('hex') }
  }

  /** Deletes the file with the temporary name. */
  async discard(): Promise<void> {
    if (!this.#sealed) await this.#file.close()
    this.#sealed = true
    await this.#options.files.remove(this.#target + temporarySuffix)
  }

  async #writeGroup(): Promise<void> {
    const [columns, rows, bytes] = [this.#columns, this.#groupRows, this.#groupBytes]
    this.#columns = columns.map(() => [])
    this.#groupRows = 0
    this.#groupBytes = 0
    await this.#encoded.writeRowGroup(columns, rows, bytes)
  }
}
