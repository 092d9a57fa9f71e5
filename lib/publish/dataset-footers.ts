/** Footers of the Parquet files of a dataset on the Hub. Each is read once, by range. */
import { errorMessage } from '../caught-error.js'
import { CorruptFileError, KunStreamError, ShardDamageError } from '../errors.js'
import { type HubDataset, neverAborted } from '../hub/dataset.js'
import type { HubFileEntry } from '../hub/file.js'
import { say } from '../language/say.js'
import { type Feature, featuresOf } from '../parquet/features.js'
import { ParquetFile } from '../parquet/parquet-file.js'

interface DatasetFooter {
  readonly rows: number
  /** Uncompressed. */
  readonly bytes: number
  readonly features: readonly Feature[]
}

/** Reads footers and keeps them. */
export class DatasetFooters {
  /** By sha256, or Git's hash of the content. */
  readonly #known = new Map<string, Promise<DatasetFooter>>()
  readonly #dataset: HubDataset
  readonly #signal: AbortSignal | undefined

  constructor(dataset: HubDataset, signal: AbortSignal | undefined) {
    this.#dataset = dataset
    this.#signal = signal
  }

  /** Returns rows, uncompressed bytes and columns of a file. */
  of(commit: string, file: HubFileEntry): Promise<DatasetFooter> {
    const name = file.sha256 ?? file.oid
    const known = this.#known.get(name) ?? this.#read(commit, file)
    this.#known.set(name, known)
    return known
  }

  async #read(commit: string, file: HubFileEntry): Promise<DatasetFooter> {
    const dataset = this.#dataset.file(commit, file)
    const read = (offset: number, lengthBytes: number) =>
      dataset.read(offset, lengthBytes, this.#signal ?? neverAborted)
    const { metadata } = await ParquetFile.open({ sizeBytes: file.sizeBytes, read }, { tailBytes }).catch((cause) => {
      if (cause instanceof KunStreamError && !(cause instanceof ShardDamageError)) throw cause
      const why = errorMessage(cause)
      throw new CorruptFileError(say`${this.#dataset.repo}/${file.path} cannot be read as Parquet: ${why}`, { cause })
    })
    const bytes = metadata.row_groups.reduce((sum, { total_byte_size }) => sum + Number(total_byte_size), 0)
    return { rows: Number(metadata.num_rows), bytes, features: featuresOf(metadata) }
  }
}

/** Bytes read by the first request: the footers of most files fit into it. */
const tailBytes = 512 * 1024
