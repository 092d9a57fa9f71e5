/** Footers of the Parquet files of a dataset on the Hub: each is read once, by range. */
import { CorruptFileError, KunStreamError, ShardDamageError } from '../errors.js'
import type { Remote, RemoteFile } from '../hub/remote.js'
import { type Feature, featuresOf } from '../parquet/features.js'
import { ParquetFile } from '../parquet/parquet-file.js'

export interface RemoteFooter {
  readonly rows: number
  /** Uncompressed. */
  readonly bytes: number
  readonly features: readonly Feature[]
}

/** Reads footers of one branch; keeps those that it has read. */
export class RemoteFooters {
  /** By sha256, or Git's name of the content. */
  readonly #known = new Map<string, Promise<RemoteFooter>>()
  readonly #remote: Remote
  readonly #signal: AbortSignal | undefined

  constructor(remote: Remote, signal: AbortSignal | undefined) {
    this.#remote = remote
    this.#signal = signal
  }

  /** Returns rows, uncompressed bytes and columns of a file, from its footer. */
  of(commit: string, file: RemoteFile): Promise<RemoteFooter> {
    const name = file.sha256 ?? file.oid
    const known = this.#known.get(name) ?? this.#read(commit, file)
    this.#known.set(name, known)
    return known
  }

  async #read(commit: string, file: RemoteFile): Promise<RemoteFooter> {
    const remote = this.#remote.file(commit, file)
    const read = (offset: number, lengthBytes: number) => remote.read(offset, lengthBytes, this.#signal ?? never)
    const { metadata } = await ParquetFile.open({ sizeBytes: file.bytes, read }, { tailBytes }).catch((cause) => {
      if (cause instanceof KunStreamError && !(cause instanceof ShardDamageError)) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new CorruptFileError(`${this.#remote.repo}/${file.path} cannot be read as Parquet: ${why}`, { cause })
    })
    const bytes = metadata.row_groups.reduce((sum, { total_byte_size }) => sum + Number(total_byte_size), 0)
    return { rows: Number(metadata.num_rows), bytes, features: featuresOf(metadata) }
  }
}

/** Read in the first request: the footers of most files fit into it. */
const tailBytes = 512 * 1024
const never = new AbortController().signal
