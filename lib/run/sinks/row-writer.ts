/** Writes the rows of one output. */
export interface RowWriter<T> {
  /** Takes a row. */
  add(record: T): void
  /** The rows taken so far complete a source value. */
  endOrigin(): void
  /** Writes what can be written. */
  flush(): Promise<void>
  /** Writes the rest, and what ends the format. */
  end(): Promise<void>
}
