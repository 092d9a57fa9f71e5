/**
 * A run directory from the outside: locked, its run.json compared, brought to its last commit.
 * What is pinned in run.json is the caller's; that it is never quietly another is decided here.
 */
import { join } from 'node:path'
import { differences } from '../core/difference.js'
import { CorruptFileError, RunMismatchError } from '../errors.js'
import { closeAfter } from '../storage/close-all.js'
import type { OnStep } from '../storage/commit-steps.js'
import { fencedFiles } from '../storage/fenced-files.js'
import {
  type FileLayer,
  makeDurableDirectory,
  nodeFiles,
  readWholeFile,
  wholeFileBytesMax,
  writeFileDurably,
} from '../storage/files.js'
import { type LockOptions, lockRunDirectory, type RunLock } from '../storage/lock/lock.js'
import { moveToNewInode } from '../storage/new-inode.js'
import {
  dedupFolder,
  dedupLogPattern,
  discardedManifestName,
  driftName,
  manifestName,
  repliesFolder,
  runRecordName,
} from '../storage/run-layout.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import { readManifest } from './manifest.js'
import { recoverRunDirectory } from './recover.js'
import type { ManifestEntry } from './types.js'

/** run.json. JSON-safe, no secrets. */
export interface RunRecord {
  /** What determines the bytes: another one is refused on the same directory. */
  readonly pinned: Readonly<Record<string, unknown>>
  /** What does not (threads, endpoints): the latest is kept. */
  readonly free: Readonly<Record<string, unknown>>
}

/** What `openRunDirectory` is told. */
export interface RunDirectoryOptions {
  readonly directory: string
  readonly record: RunRecord
  /**
   * What to compare and what to keep, given the record of the run that is there and its committed cuts: for fields
   * that may change in part. Called under the lock, before anything is altered; what it throws refuses the directory.
   */
  readonly adapt?: (
    found: RunRecord,
    cuts: readonly ManifestEntry[],
  ) => { readonly found: RunRecord; readonly record: RunRecord }
  readonly files?: FileLayer
  /** 'refuse': throws when there is a run already; 'discard': deletes it, but for its replies, which were paid for. */
  readonly fresh?: 'refuse' | 'discard'
  readonly lock?: Omit<LockOptions, 'files'>
  readonly onStep?: OnStep
}

/** A run directory that this process has locked and brought to its last commit. */
export interface RunDirectory {
  readonly directory: string
  /** The last committed cut; null when there is none. */
  readonly last: ManifestEntry | null
  /** The file layer for everything that changes the directory: refuses once the lock is lost. */
  readonly files: FileLayer
  readonly lock: RunLock
  /** Releases the lock. */
  close(): Promise<void>
}

const recordRepair =
  'Restore it from a backup or a mirror, or run the recipe in another directory with the replies of this one (replies.from)'

/**
 * Opens a run directory, making it when there is none.
 *
 * @throws {RunLockedError} another process works on it
 * @throws {RunMismatchError} it holds a run with other pinned values; the message has the difference
 * @throws {CorruptFileError} what it committed is not whole
 */
export async function openRunDirectory(options: RunDirectoryOptions): Promise<RunDirectory> {
  const { directory, files: plainFiles = nodeFiles, fresh, onStep } = options
  let { record } = options
  await makeDurableDirectory(plainFiles, directory)
  const lock = await lockRunDirectory(directory, { ...options.lock, files: plainFiles })
  const files = fencedFiles(plainFiles, lock)
  try {
    const committedMs = lock.isTakenOver ? await renewLogs(files, directory, lock) : null
    let found = await readRunRecord(directory, files)
    if (found === null && (await files.sizeBytes(join(directory, manifestName))) !== null && fresh !== 'discard') {
      throw new RunMismatchError(
        `${directory} has a manifest but no ${runRecordName}: whose is it? Use another directory.`,
      )
    }
    if (fresh === 'refuse' && found !== null) {
      throw new RunMismatchError(
        `${directory} holds a run already. Resume it, use another directory, or add --force to delete it.`,
      )
    }
    if (fresh === 'discard') {
      await discardRun(files, directory)
      found = null
    }
    if (found !== null) {
      const adapted = options.adapt?.(found, await readManifest(directory, files)) ?? { found, record }
      record = adapted.record
      comparePinned(adapted.found, record, directory)
    }
    if (found === null || differences(found, record, 1).length > 0) await writeRunRecord(files, directory, record)
    const last = await recoverRunDirectory(directory, { files, committedMs, ...(onStep && { onStep }) })
    return { directory, last, files, lock, close: () => lock.release() }
  } catch (error) {
    return closeAfter(error, [() => lock.release()])
  }
}

/**
 * Moves the files that the former holder may have open for appending to new inodes: stopped between its check and its
 * write, it appends to a file without a name when it wakes.
 *
 * @returns when the manifest was changed last, before
 */
async function renewLogs(files: FileLayer, directory: string, lock: RunLock): Promise<number | null> {
  const committedMs = await files.modifiedMs(join(directory, manifestName))
  const paths = [join(directory, manifestName)]
  for (const [folder, name] of [
    [dedupFolder, dedupLogPattern],
    [repliesFolder, /\.log$/],
  ] as const) {
    const names = await files.list(join(directory, folder))
    paths.push(...names.filter((each) => name.test(each)).map((each) => join(directory, folder, each)))
  }
  for (const path of paths) await moveToNewInode(files, path)
  await lock.settle()
  return committedMs
}

/** run.json as it is, or null when there is none. */
export async function readRunRecord(directory: string, files: FileLayer = nodeFiles): Promise<RunRecord | null> {
  const path = join(directory, runRecordName)
  const bytes = await readWholeFile(files, path, wholeFileBytesMax)
  if (bytes === null) return null
  const record = decodeSealed(bytes, path, recordRepair)
  if (typeof record.pinned !== 'object' || typeof record.free !== 'object') {
    throw new CorruptFileError(`${path} is not a run.json of kun-stream: use another directory`)
  }
  return record as unknown as RunRecord
}

function comparePinned(found: RunRecord, record: RunRecord, directory: string): void {
  const changed = differences(found.pinned, record.pinned)
  if (changed.length === 0) return
  throw new RunMismatchError(
    `${directory} holds a run that was made otherwise, its rows would not fit together:\n  ${changed.join('\n  ')}\n` +
      'Change it back, use another directory, or start it anew with --fresh --force (replies are kept).',
    { details: { directory, difference: changed.join('; ') } },
  )
}

async function writeRunRecord(files: FileLayer, directory: string, record: RunRecord): Promise<void> {
  await writeFileDurably(files, join(directory, runRecordName), Buffer.from(encodeSealed({ ...record })))
}

/** The manifest first: under its other name no part counts, and recovery deletes them all and then that name. */
async function discardRun(files: FileLayer, directory: string): Promise<void> {
  const [manifest, discarded] = [join(directory, manifestName), join(directory, discardedManifestName)]
  if ((await files.sizeBytes(manifest)) !== null) await files.rename(manifest, discarded)
  else await (await files.open(discarded, 'append')).close()
  await files.fsyncDirectory(directory)
  // The models may be others: how stages began is seen anew.
  await files.remove(join(directory, driftName))
  const dedup = join(directory, dedupFolder)
  for (const name of await files.list(dedup)) await files.remove(join(dedup, name))
}
