/**
 * Opens a run directory: locks it, compares its run.json with this run, and recovers it to its last commit. The caller
 * decides which values run.json pins.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { differences } from '../core/difference.js'
import { CorruptFileError, RunMismatchError } from '../errors.js'
import { say } from '../language/say.js'
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
import { failureUnderLock } from '../storage/lock/failure-under-lock.js'
import { type LockOptions, lockRunDirectory, type RunLock } from '../storage/lock/lock.js'
import { moveToNewInode } from '../storage/new-inode.js'
import {
  dedupFolder,
  dedupLogPattern,
  discardedManifestName,
  driftName,
  latestName,
  manifestName,
  repliesFolder,
  runRecordName,
} from '../storage/run-layout.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import { readManifest } from './manifest.js'
import { isReopened, recoverRunDirectory } from './recover.js'
import type { ManifestEntry } from './types.js'

/** Content of run.json. JSON-safe, without secrets. */
export interface RunRecord {
  /** Values that determine the bytes: a run with other values is refused. */
  readonly pinned: Readonly<Record<string, unknown>>
  /** Values that do not (threads, endpoints): the latest ones are stored. */
  readonly free: Readonly<Record<string, unknown>>
}

/** Returns the name in the recipe that run.json stores; null if it stores none. */
export function recipeNameOf({ free }: Pick<RunRecord, 'free'>): string | null {
  const { data } = z.object({ name: z.string() }).safeParse(free.recipe)
  return data?.name ?? null
}

/** Options for `openRunDirectory`. */
export interface RunDirectoryOptions {
  readonly directory: string
  readonly record: RunRecord
  /**
   * Returns the records to compare and to store, given the stored record and its committed cuts: for fields that may
   * change in part. Called under the lock, before any change; throws if the run cannot resume.
   */
  readonly adapt?: (
    found: RunRecord,
    cuts: readonly ManifestEntry[],
  ) => { readonly found: RunRecord; readonly record: RunRecord }
  /** Reads the committed cuts, called under the lock; by default those of the manifest. */
  readonly cutsOf?: () => Promise<readonly ManifestEntry[]>
  readonly files?: FileLayer
  /** 'refuse': throws if the directory holds a run; 'discard': deletes that run except for its replies. */
  readonly fresh?: 'refuse' | 'discard'
  /** Returns whether the last cut, which a limit of rows ended, is dropped and made again. */
  readonly reopens?: (last: ManifestEntry) => boolean
  readonly lock?: Omit<LockOptions, 'files'>
  readonly onStep?: OnStep
}

/** A run directory that this process has locked and recovered. */
export interface RunDirectory {
  readonly directory: string
  /** The last committed cut; null if there is none. */
  readonly last: ManifestEntry | null
  /** File layer for all changes of the directory: throws once the lock is lost. */
  readonly files: FileLayer
  readonly lock: RunLock
  /** Releases the lock. */
  close(): Promise<void>
}

const fields = z.record(z.string(), z.unknown())
const runRecord: z.ZodType<RunRecord> = z.object({ pinned: fields, free: fields })
const recordRepair = say`Restore it from a backup or a mirror, or run the recipe in another directory with the replies of
  this one (replies.from)`

/**
 * Opens a run directory, and creates it if it does not exist.
 *
 * @throws {RunLockedError} another process works on it
 * @throws {RunMismatchError} it holds a run with other pinned values; the message has the differences
 * @throws {CorruptFileError} a committed file is damaged or missing
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
        say`${directory} has a manifest but no ${runRecordName}, so its recipe is unknown. Use another
          directory.`,
      )
    }
    if (fresh === 'refuse' && found !== null) {
      throw new RunMismatchError(
        say`${directory} holds a run already. Resume it, use another directory, or add --force to delete it.`,
      )
    }
    if (fresh === 'discard') {
      await discardRun(files, directory)
      found = null
    }
    if (found !== null) {
      const cuts = [...(await (options.cutsOf?.() ?? readManifest(directory, files)))]
      if (isReopened(cuts.at(-1), options.reopens)) cuts.pop()
      const adapted = options.adapt?.(found, cuts) ?? { found, record }
      record = adapted.record
      comparePinned(adapted.found, record, directory)
    }
    if (found === null || differences(found, record, 1).length > 0) await writeRunRecord(files, directory, record)
    const last = await recoverRunDirectory(directory, {
      ...{ files, committedMs },
      ...(onStep && { onStep }),
      ...(options.reopens && { reopens: options.reopens }),
    })
    return { directory, last, files, lock, close: () => lock.release() }
  } catch (error) {
    return closeAfter(await failureUnderLock(lock, error), [() => lock.release()])
  }
}

/**
 * Moves the logs that the former holder of the lock may have open to new inodes: if it was suspended between its check of
 * the lock and a write, it then writes to an unlinked file.
 *
 * @returns mtime of the manifest before the move, ms
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

/** Reads run.json; returns null if there is none. */
export async function readRunRecord(directory: string, files: FileLayer = nodeFiles): Promise<RunRecord | null> {
  const path = join(directory, runRecordName)
  const bytes = await readWholeFile(files, path, wholeFileBytesMax)
  if (bytes === null) return null
  return parseRunRecord(bytes, path)
}

/** Parses the content of a run.json. @throws {CorruptFileError} it is damaged */
export function parseRunRecord(bytes: Uint8Array, path: string): RunRecord {
  const { data, error } = runRecord.safeParse(decodeSealed(bytes, path, recordRepair))
  if (error !== undefined)
    throw new CorruptFileError(say`${path} is not a run.json of kun-stream: use another directory`)
  return data
}

function comparePinned(found: RunRecord, record: RunRecord, directory: string): void {
  const changed = differences(found.pinned, record.pinned)
  if (changed.length === 0) return
  throw new RunMismatchError(
    say`${directory} holds a run with other settings; rows of both cannot be mixed:\n 
      ${changed.join('\n  ')}\nChange them back, use another directory, or delete it to start over: \`run --fresh --force\`
      keeps the replies.`,
    { details: { directory, difference: changed.join('; ') } },
  )
}

async function writeRunRecord(files: FileLayer, directory: string, record: RunRecord): Promise<void> {
  await writeFileDurably(files, join(directory, runRecordName), Buffer.from(encodeSealed({ ...record })))
}

/** Renames the manifest first: without it no part is committed, and recovery deletes all parts and then that name. */
async function discardRun(files: FileLayer, directory: string): Promise<void> {
  const [manifest, discarded] = [join(directory, manifestName), join(directory, discardedManifestName)]
  if ((await files.sizeBytes(manifest)) !== null) await files.rename(manifest, discarded)
  else await (await files.open(discarded, 'append')).close()
  await files.fsyncDirectory(directory)
  // The new run may use other models, so drift detection starts from scratch.
  await files.remove(join(directory, driftName))
  await files.remove(join(directory, latestName))
  const dedup = join(directory, dedupFolder)
  for (const name of await files.list(dedup)) await files.remove(join(dedup, name))
}
