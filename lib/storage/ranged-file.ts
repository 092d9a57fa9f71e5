/** A file that is read by range: on disk, in the cache or on the Hub. */
export interface RangedFile {
  /** Relative to the repository or the source's root, with '/'. */
  readonly path: string
  /** Bytes as stored; null if unknown (stdin). */
  readonly sizeBytes: number | null
  /** Pins the content in run.json: commit and ETag on the Hub, a hash of size and samples on disk; null for stdin. */
  readonly version: string | null
  /**
   * Reads bytes as stored (compressed), from `offset` to the end. Fails if the file ends early; never returns less.
   * A chunk is valid until the next one is requested: its memory may be reused.
   */
  open(offset: number, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Reads exactly that range: Parquet footers and column chunks. */
  read(offset: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array>
}
