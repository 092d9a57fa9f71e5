/** Footers of the Parquet files of a dataset on the Hub: each is read once, by range. */
import { parquetMetadataAsync } from 'hyparquet'
import type { Remote, RemoteFile } from '../hub/remote.js'
import { type Feature, featuresOf } from './card-facts.js'

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

  constructor(
    private readonly remote: Remote,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Returns rows, uncompressed bytes and columns of a file, from its footer. */
  of(commit: string, file: RemoteFile): Promise<RemoteFooter> {
    const name = file.sha256 ?? file.oid
    const known = this.#known.get(name) ?? this.#read(commit, file)
    this.#known.set(name, known)
    return known
  }

  async #read(commit: string, file: RemoteFile): Promise<RemoteFooter> {
    const remote = this.remote.file(commit, file)
    const { bytes } = file
    const metadata = await parquetMetadataAsync({
      byteLength: bytes,
      slice: async (start, end = bytes) =>
        (await remote.read(start, end - start, this.signal ?? never)).buffer as ArrayBuffer,
    })
    const sizes = metadata.row_groups.map(({ total_byte_size }) => Number(total_byte_size))
    const bytesPlain = sizes.reduce((sum, size) => sum + size, 0)
    return { rows: Number(metadata.num_rows), bytes: bytesPlain, features: featuresOf(metadata) }
  }
}

const never = new AbortController().signal
