/**
 * The file layer: the only place that writes, fsyncs and renames what must survive a crash.
 * A seam, so that tests can lose what was not fsynced and fail the Nth operation.
 */

/** What is durable is what `fsync` returned for; a name is durable after `fsyncDirectory` of its parent. */
export interface FileLayer {
  open(path: string, mode: OpenMode): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  makeDirectory(path: string): Promise<void>
  /** Names in the directory, sorted by code unit; empty when it does not exist. */
  list(path: string): Promise<string[]>
  /** Size in bytes, or null when there is no such file. */
  sizeBytes(path: string): Promise<number | null>
  fsyncDirectory(path: string): Promise<void>
}

/** read · create (fails if there) · write (truncates) · append (creates; reads too). */
export type OpenMode = 'read' | 'create' | 'write' | 'append'

export interface OpenFile {
  readonly path: string
  /** Writes all of `bytes` at the end. */
  write(bytes: Uint8Array): Promise<void>
  /** Up to `lengthBytes` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>
  truncate(lengthBytes: number): Promise<void>
  fsync(): Promise<void>
  close(): Promise<void>
}
