/**
 * The file layer: the only place that writes, fsyncs and renames what must survive a crash.
 * A seam, so that tests can lose what was not fsynced and fail the Nth operation.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { StorageError, TooLargeError } from '../errors.js'
import { errnoName } from './errno-name.js'

/** What is durable is what `fsync` returned for; a name is durable after `fsyncDirectory` of its parent. */
export interface FileLayer {
  open(path: string, mode: OpenMode): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  /** Adds a hard link; EEXIST if `to` exists. Atomic on NFS too, where `linkCount` decides after a lost reply. */
  link(from: string, to: string): Promise<void>
  /** Number of hard links, or null if the file does not exist. */
  linkCount(path: string): Promise<number | null>
  /** Nothing when it is not there. */
  remove(path: string): Promise<void>
  /** With the parents that are missing; nothing when it is there. Durable only after `fsyncDirectory` of each parent. */
  makeDirectory(path: string): Promise<void>
  /** Names in the directory, sorted by code unit; empty when it does not exist. */
  list(path: string): Promise<string[]>
  /** Size in bytes, or null when there is no such file. */
  sizeBytes(path: string): Promise<number | null>
  /** Last modification of the content, ms since the epoch; null if the file does not exist. */
  modifiedMs(path: string): Promise<number | null>
  fsyncDirectory(path: string): Promise<void>
}

/** read · create (fails if there) · write (truncates) · append (creates; reads too). */
export type OpenMode = 'read' | 'create' | 'write' | 'append'

/** A file that is open. Writes go one after the other; the caller awaits each before the next. */
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

/** The real file system. Every refusal is a StorageError with `details: { errno, operation, path }`. */
export const nodeFiles: FileLayer = {
  open: (path, mode) =>
    withStorageError('open', path, async () => new NodeFile(path, await open(path, openFlags[mode]))),
  rename: (from, to) => withStorageError('rename', to, () => rename(from, to)),
  link: (from, to) => withStorageError('link', to, () => link(from, to)),
  linkCount: (path) => withStorageError('look at', path, () => orIfMissing(null, async () => (await stat(path)).nlink)),
  remove: (path) => withStorageError('remove', path, () => rm(path, { force: true })),
  makeDirectory: (path) => withStorageError('make directory', path, () => makeWithParents(path)),
  list: (path) =>
    withStorageError('list', path, () => orIfMissing([], async () => (await readdir(path)).sort(byCodeUnit))),
  sizeBytes: (path) => withStorageError('look at', path, () => orIfMissing(null, async () => (await stat(path)).size)),
  modifiedMs: (path) =>
    withStorageError('look at', path, () => orIfMissing(null, async () => (await stat(path)).mtimeMs)),
  fsyncDirectory: (path) => withStorageError('fsync directory', path, () => syncDirectory(path)),
}

/**
 * Makes a directory, and fsyncs each parent that got a new entry: it is there after a crash. From the top down, each
 * made durable before the next, so that of what a killed process left only the deepest may not be durable yet.
 */
export async function makeDurableDirectory(files: FileLayer, path: string): Promise<void> {
  const missing: string[] = []
  let there = resolve(path)
  while (there !== dirname(there) && (await files.sizeBytes(there)) === null) {
    missing.unshift(there)
    there = dirname(there)
  }
  try {
    await files.fsyncDirectory(dirname(there))
  } catch (error) {
    // Where this user may not look, no process of ours made the entry either.
    if (!['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '')) throw error
  }
  for (const directory of missing) {
    await files.makeDirectory(directory)
    await files.fsyncDirectory(dirname(directory))
  }
}

/**
 * Largest file that is read whole, as JSON: below the longest string of V8, which is 2²⁹ − 24 characters. Files that
 * grow with the input (manifest, logs) are read as a stream instead.
 */
export const wholeFileBytesMax = 500_000_000

/**
 * Replaces a file as a whole: after a crash it holds the old bytes or the new ones.
 *
 * @param bytesMax limit of the reader of this file
 * @throws {TooLargeError} it could not be read back; nothing was written
 */
export async function writeFileDurably(
  files: FileLayer,
  path: string,
  bytes: Uint8Array,
  bytesMax = wholeFileBytesMax,
): Promise<void> {
  if (bytes.length > bytesMax) {
    throw new TooLargeError(
      `${path} would have ${bytes.length} bytes, more than the ${bytesMax} that can be read back: divide the input, with fewer ` +
        'shards in each run, or join small shards into larger ones',
      { details: { path, sizeBytes: bytes.length, bytesMax } },
    )
  }
  const temporary = `${path}${temporarySuffix}`
  // A new inode: a process that lost its lock may still have the old one open.
  await files.remove(temporary)
  const file = await files.open(temporary, 'write')
  try {
    await file.write(bytes)
    await file.fsync()
  } finally {
    await file.close()
  }
  await files.rename(temporary, path)
  await files.fsyncDirectory(dirname(path))
}

/** The whole of a file, or null when there is none; throws a StorageError when it is larger than `bytesMax`. */
export async function readWholeFile(files: FileLayer, path: string, bytesMax: number): Promise<Uint8Array | null> {
  const size = await files.sizeBytes(path)
  if (size === null) return null
  if (size > bytesMax) {
    throw new StorageError(`${path} has ${size} bytes, more than the ${bytesMax} such a file can have: not ours?`, {
      details: { path, sizeBytes: size, bytesMax },
    })
  }
  const file = await files.open(path, 'read')
  try {
    return await file.read(0, size)
  } finally {
    await file.close()
  }
}

/** sha256 in hexadecimal of the first `sizeBytes` of a file. Memory: one piece of 1 MiB. */
export async function sha256Of(files: FileLayer, path: string, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256')
  const file = await files.open(path, 'read')
  try {
    for (let at = 0; at < sizeBytes; at += hashPieceBytes) {
      hash.update(await file.read(at, Math.min(hashPieceBytes, sizeBytes - at)))
    }
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

const hashPieceBytes = 1024 * 1024

/** Ends the name of a file that is being written; one that is found at start is left over and deleted. */
export const temporarySuffix = '.writing'

/** The errno of a StorageError ('ENOENT', 'EEXIST' …), or null. */
export function errnoOf(error: unknown): string | null {
  const errno = error instanceof StorageError ? error.details.errno : undefined
  return typeof errno === 'string' ? errno : null
}

const openFlags: Record<OpenMode, number> = {
  read: constants.O_RDONLY,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND,
  write: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND,
  append: constants.O_RDWR | constants.O_CREAT | constants.O_APPEND,
}

class NodeFile implements OpenFile {
  readonly #handle: FileHandle
  constructor(
    readonly path: string,
    handle: FileHandle,
  ) {
    this.#handle = handle
  }

  write(bytes: Uint8Array): Promise<void> {
    return withStorageError('write', this.path, async () => {
      // A single write may be short (a signal, a nearly full disk): go on, and let the next one say why.
      for (let done = 0; done < bytes.length; ) done += (await this.#handle.write(bytes, done)).bytesWritten
    })
  }

  read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    return withStorageError('read', this.path, async () => {
      const bytes = Buffer.allocUnsafe(lengthBytes)
      let done = 0
      while (done < lengthBytes) {
        const { bytesRead } = await this.#handle.read(bytes, done, lengthBytes - done, offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return bytes.subarray(0, done)
    })
  }

  truncate(lengthBytes: number): Promise<void> {
    return withStorageError('truncate', this.path, () => this.#handle.truncate(lengthBytes))
  }

  fsync(): Promise<void> {
    return withStorageError('fsync', this.path, () => this.#handle.sync())
  }

  close(): Promise<void> {
    return withStorageError('close', this.path, () => this.#handle.close())
  }
}

/** Not `recursive: true`: Node 20 and 24 try for ever where a parent is there and refuses with ENOENT, as in /proc. */
async function makeWithParents(path: string): Promise<void> {
  try {
    await makeIfMissing(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === dirname(path)) throw error
    await makeWithParents(dirname(path))
    await makeIfMissing(path)
  }
}

async function makeIfMissing(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    // What is there may be a link to a directory: stat follows it.
    const there = (error as NodeJS.ErrnoException).code === 'EEXIST' && (await stat(path)).isDirectory()
    if (!there) throw error
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directories; NTFS journals names by itself.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function orIfMissing<T>(fallback: T, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fallback
    throw error
  }
}

async function withStorageError<T>(operation: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw storageError(operation, path, cause)
  }
}

/** The StorageError for what the system refused, with what to do about it. */
export function storageError(operation: string, path: string, cause: unknown): StorageError {
  const errno = errnoName(cause) ?? 'unknown'
  const [what, advice] = refusals[errno] ?? [(cause as Error).message, 'See the cause.']
  return new StorageError(`could not ${operation} ${path}: ${what} (${errno}). ${advice}`, {
    cause,
    details: { errno, operation, path },
  })
}

const refusals: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  ENOSPC: ['the disk is full', 'Free some space, then start the same run again: it resumes.'],
  EDQUOT: ['the disk quota is used up', 'Free some space, then start the same run again: it resumes.'],
  EROFS: ['the file system is read-only', 'Choose an output directory that can be written to.'],
  EMFILE: ['too many open files in this process', 'Raise the limit (`ulimit -n 4096`), then run again: it resumes.'],
  ENFILE: ['too many open files on this machine', 'Close other programs, then run again: it resumes.'],
  EACCES: ['permission denied', 'Give this user the right to read and write there, or choose another directory.'],
  EPERM: ['not permitted', 'Give this user the right to read and write there, or choose another directory.'],
  EIO: ['the device reported an error', 'Check the disk (dmesg, SMART); `kun-stream verify` says what is still whole.'],
  EREMOTEIO: ['the device reported an error', 'Check the disk and its connection, then run again: it resumes.'],
  ESTALE: ['the file was replaced or removed on the file server', 'Check the mount, then run again: it resumes.'],
  ETIMEDOUT: ['the file server does not answer', 'Check the mount, then run again: it resumes.'],
  ENOTCONN: ['the file server is not connected', 'Check the mount, then run again: it resumes.'],
  ENOENT: ['no such file or directory, and none can be made there', 'Check the path.'],
  ELOOP: ['a link in the path leads to itself', 'Check the path.'],
  EINVAL: ['the file system does not take it', 'Choose another directory.'],
  EEXIST: ['it is there already', 'Another process may have made it.'],
  ENOTDIR: ['a part of the path is not a directory', 'Check the path.'],
  EISDIR: ['it is a directory', 'Check the path.'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter directory or split name.'],
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
