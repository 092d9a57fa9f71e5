/**
 * File layer: writes, fsyncs and renames everything that must survive a crash. An interface, so that tests can drop
 * unsynced data and fail the Nth operation.
 */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { errorCode, errorMessage } from '../caught-error.js'
import { StorageError, TooLargeError } from '../errors.js'
import { say, translated } from '../language/say.js'
import { errnoName } from './errno-name.js'

/** File operations. Data is durable after `fsync`; a name is durable after `fsyncDirectory` of its parent. */
export interface FileLayer {
  /** Whether its paths are those of the file system: another thread may then open them by itself to read them. */
  readonly isFileSystem?: boolean
  open(path: string, mode: OpenMode): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  /** Adds a hard link; EEXIST if `to` exists. Atomic on NFS too, where `linkCount` decides after a lost reply. */
  link(from: string, to: string): Promise<void>
  /** Number of hard links, or null if the file does not exist. */
  linkCount(path: string): Promise<number | null>
  /** Removes a file; no-op if it does not exist. */
  remove(path: string): Promise<void>
  /** Makes a directory and its missing parents; no-op if it exists. Durable after `fsyncDirectory` of each parent. */
  makeDirectory(path: string): Promise<void>
  /** Names in the directory, sorted by code unit; empty if it does not exist. */
  list(path: string): Promise<string[]>
  /** As `list`, and whether each name is a directory; a symbolic link is none. */
  listEntries(path: string): Promise<DirectoryEntry[]>
  /** Size in bytes, or null if the file does not exist. */
  sizeBytes(path: string): Promise<number | null>
  /** Last modification of the content, ms since the epoch; null if the file does not exist. */
  modifiedMs(path: string): Promise<number | null>
  fsyncDirectory(path: string): Promise<void>
}

export interface DirectoryEntry {
  readonly name: string
  readonly isDirectory: boolean
}

/** read · create (fails if it exists) · write (truncates) · append (creates; can also be read). */
export type OpenMode = 'read' | 'create' | 'write' | 'append'

/** An open file. The caller awaits each write before the next. */
export interface OpenFile {
  readonly path: string
  /** Writes all of `bytes` at the end. */
  write(bytes: Uint8Array): Promise<void>
  /** Reads up to `lengthBytes` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>
  truncate(lengthBytes: number): Promise<void>
  fsync(): Promise<void>
  close(): Promise<void>
}

/** The file system. Errors are StorageErrors with `details: { errno, operation, path }`. */
export const nodeFiles: FileLayer = {
  isFileSystem: true,
  open: (path, mode) =>
    withStorageError('open', path, async () => new NodeFile(path, await open(path, openFlags[mode]))),
  rename: (from, to) => withStorageError('rename', to, () => rename(from, to)),
  link: (from, to) => withStorageError('link', to, () => link(from, to)),
  linkCount: (path) =>
    withStorageError('read the metadata of', path, () => orIfMissing(null, async () => (await stat(path)).nlink)),
  remove: (path) => withStorageError('remove', path, () => rm(path, { force: true })),
  makeDirectory: (path) => withStorageError('make directory', path, () => makeWithParents(path)),
  list: (path) =>
    withStorageError('list', path, () => orIfMissing([], async () => (await readdir(path)).sort(byCodeUnit))),
  listEntries: (path) => withStorageError('list', path, () => orIfMissing([], () => entriesOf(path))),
  sizeBytes: (path) =>
    withStorageError('read the metadata of', path, () => orIfMissing(null, async () => (await stat(path)).size)),
  modifiedMs: (path) =>
    withStorageError('read the metadata of', path, () => orIfMissing(null, async () => (await stat(path)).mtimeMs)),
  fsyncDirectory: (path) => withStorageError('fsync directory', path, () => syncDirectory(path)),
}

/**
 * Makes a directory durably: fsyncs each parent that got a new entry, from the top down, so that of the directories
 * that a killed process made only the deepest may not be durable.
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
    // This process created no entry in a directory that it cannot open.
    if (!['EACCES', 'EPERM', 'EROFS'].includes(errnoOf(error) ?? '')) throw error
  }
  for (const directory of missing) {
    await files.makeDirectory(directory)
    await files.fsyncDirectory(dirname(directory))
  }
}

/**
 * Limit of files that are read whole, as JSON: below V8's maximum string length of 2²⁹ − 24. Files that grow with the
 * input (manifest, logs) are read as a stream instead.
 */
export const wholeFileBytesMax = 500_000_000

/**
 * Replaces a file atomically: after a crash it has the old bytes or the new ones.
 *
 * @param bytesMax limit of the reader of this file
 * @throws {TooLargeError} larger than `bytesMax`; nothing was written
 */
export async function writeFileDurably(
  files: FileLayer,
  path: string,
  bytes: Uint8Array,
  bytesMax = wholeFileBytesMax,
): Promise<void> {
  if (bytes.length > bytesMax) {
    throw new TooLargeError(
      say`${path} would have ${bytes.length} bytes, more than the ${bytesMax} that can be read back: divide
        the input, with fewer shards in each run, or join small shards into larger ones`,
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

/** Reads a whole file; null if it does not exist. Throws a StorageError if it is larger than `bytesMax`. */
export async function readWholeFile(files: FileLayer, path: string, bytesMax: number): Promise<Uint8Array | null> {
  const size = await files.sizeBytes(path)
  if (size === null) return null
  if (size > bytesMax) {
    throw new StorageError(
      say`${path} has ${size} bytes, more than the limit of ${bytesMax}: it may not be a file of kun-stream`,
      {
        details: { path, sizeBytes: size, bytesMax },
      },
    )
  }
  const file = await files.open(path, 'read')
  try {
    return await file.read(0, size)
  } finally {
    await file.close()
  }
}

/** Returns the SHA-256 of the first `sizeBytes` of a file in hexadecimal. Memory: one chunk of 1 MiB. */
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

/** Suffix of a file that is being written; leftovers are deleted at the start. */
export const temporarySuffix = '.writing'

/** Returns the errno of a StorageError ('ENOENT', 'EEXIST' …), or null. */
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
      // A write may be short (signal, nearly full disk): continue, and the next one fails with the reason.
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

/** Without `recursive: true`: Node 20 and 24 loop forever if an existing parent fails with ENOENT, as in /proc. */
async function makeWithParents(path: string): Promise<void> {
  try {
    await makeIfMissing(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || path === dirname(path)) throw error
    await makeWithParents(dirname(path))
    await makeIfMissing(path)
  }
}

async function makeIfMissing(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    // It may be a link to a directory: stat follows it.
    const there = errorCode(error) === 'EEXIST' && (await stat(path)).isDirectory()
    if (!there) throw error
  }
}

async function entriesOf(path: string): Promise<DirectoryEntry[]> {
  const entries = await readdir(path, { withFileTypes: true })
  return entries
    .map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
    .sort((a, b) => byCodeUnit(a.name, b.name))
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open directories; NTFS journals names.
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
    if (errorCode(error) === 'ENOENT') return fallback
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

/** Builds the StorageError of a system error, with advice. */
export function storageError(operation: string, path: string, cause: unknown): StorageError {
  const errno = errnoName(cause) ?? 'unknown'
  const [what, advice] = refusals[errno] ?? [errorMessage(cause), 'See the cause.']
  return new StorageError(say`could not ${operation} ${path}: ${translated(what)} (${errno}). ${translated(advice)}`, {
    cause,
    details: { errno, operation, path },
  })
}

const refusals: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  ENOSPC: ['the disk is full', 'Free some space, then run the same command again: a run resumes.'],
  EDQUOT: ['the disk quota is used up', 'Free some space, then run the same command again: a run resumes.'],
  EROFS: ['the file system is read-only', 'Choose an output directory that can be written to.'],
  EMFILE: ['too many open files in this process', 'Raise the limit (`ulimit -n 4096`), then run again: it resumes.'],
  ENFILE: ['too many open files on this machine', 'Close other programs, then run again: it resumes.'],
  EACCES: ['permission denied', 'Give this user the right to read and write there, or choose another directory.'],
  EPERM: ['not permitted', 'Give this user the right to read and write there, or choose another directory.'],
  EIO: ['the device reported an error', 'Check the disk (dmesg, SMART); `kun-stream verify` lists what is intact.'],
  EREMOTEIO: ['the device reported an error', 'Check the disk and its connection, then run again: it resumes.'],
  ESTALE: ['the file was replaced or removed on the file server', 'Check the mount, then run again: it resumes.'],
  ETIMEDOUT: ['the file server does not answer', 'Check the mount, then run again: it resumes.'],
  ENOTCONN: ['the file server is not connected', 'Check the mount, then run again: it resumes.'],
  ENOENT: ['no such file or directory', 'Check the path.'],
  ELOOP: ['a link in the path leads to itself', 'Check the path.'],
  EINVAL: ['not supported by the file system', 'Choose another directory.'],
  EEXIST: ['it exists already', 'Another process may have created it.'],
  ENOTDIR: ['a part of the path is not a directory', 'Check the path.'],
  EISDIR: ['it is a directory', 'Check the path.'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter directory or split name.'],
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
