/**
 * Immutable objects under keys such as 'results/000/4f2a.json': a directory (directory-store.ts) or a bucket with a
 * prefix (s3-store.ts). The first writer of a key wins, on every store that is accepted: whether work is done is decided
 * by this alone, without locks or clocks.
 */
import { ContractError } from '../errors.js'

/** A store of objects. Safe for concurrent use by many processes and hosts. */
export interface ObjectStore {
  /** For messages: an absolute path, or s3://bucket/prefix. */
  readonly url: string
  /** The directory if the store is one: files can be written in place. Null for S3. */
  readonly directory: string | null
  /**
   * Commits bytes under a key that does not exist: atomic, and durable when it returns; the first writer wins.
   *
   * @returns true if this call stored its object; false if another did, also if the bytes are equal and the writer is
   *   unknown
   */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<boolean>
  /** Writes or replaces an object; for keys that only this process writes. Atomic, and durable when it returns. */
  put(key: string, bytes: Uint8Array): Promise<void>
  /** As `put`, from a local file, in bounded memory. The file must not change meanwhile. */
  putFile(key: string, path: string): Promise<void>
  /** Returns the whole object, at most `wholeFileBytesMax` bytes; null if there is none. */
  get(key: string): Promise<Uint8Array | null>
  /** Returns up to `lengthBytes` bytes from `offset`, fewer at the end of the object; null if there is none. */
  getRange(key: string, offset: number, lengthBytes: number): Promise<Uint8Array | null>
  /** Copies an object to a local file, atomically and in bounded memory; false if there is none. */
  getFile(key: string, path: string): Promise<boolean>
  head(key: string): Promise<ObjectFacts | null>
  /** Keys that begin with a prefix, sorted by code unit. May lag behind what was written: decisions read by name. */
  list(prefix: string): AsyncIterable<string>
  /** No-op if there is none. */
  remove(key: string): Promise<void>
  /** May be called again. */
  close(): Promise<void>
}

export interface ObjectFacts {
  readonly bytes: number
}

/** Limit of S3 for a key, which includes the store's prefix. */
const keyBytesMax = 1024
/** Limit of one name between slashes: 255 on POSIX, less the name of the temporary file. */
const keyNameBytesMax = 200

/**
 * @param prefix of the store
 * @throws {ContractError} not a key of plain names joined by '/'; of two keys none may be a folder of the other
 */
export function checkKey(key: string, prefix = ''): void {
  const names = key.split('/')
  const plain = names.every(
    (name) => /^[\w\-=+@.]+$/.test(name) && !/^\.{1,2}$/.test(name) && name.length <= keyNameBytesMax,
  )
  if (!plain || prefix.length + key.length > keyBytesMax)
    throw new ContractError(`${JSON.stringify(key)} is not a key of an object`)
}
