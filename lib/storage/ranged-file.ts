/** Memory into which a file may read its next bytes, so that they need not be copied. */
export interface ReadTarget {
  /** Returns free memory for the bytes that follow; null if the file must use its own. Called before each read. */
  space(): Uint8Array | null
}

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
   *
   * @param target files that can read into given memory yield views of it
   */
  open(offset: number, signal: AbortSignal, target?: ReadTarget): AsyncIterable<Uint8Array>
  /** Reads exactly that range: Parquet footers and column chunks. */
  read(offset: number, lengthBytes: number, signal: AbortSignal): Promise<Uint8Array>
}
