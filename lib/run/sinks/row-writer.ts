/** Writes the rows of one output. */
export interface RowWriter<T> {
  /** Adds a row. */
  add(record: T): void
  /** Called when the rows so far include all rows of a source value. */
  endOrigin(): void
  /** Writes complete rows or batches to the destination. */
  flush(): Promise<void>
  /** Writes the remaining rows and the end of the format, such as a footer. */
  end(): Promise<void>
}
