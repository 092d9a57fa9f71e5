/** Opens the store of a run that was prepared. Nothing is written before its run.json was read: a wrong path stays as it was. */
import { stat } from 'node:fs/promises'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { checkFirstWins, openObjectStore } from '../objects/open-store.js'
import type { RunRecord } from '../sinks/index.js'
import { closeAfter } from '../storage/close-all.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { manifestName } from '../storage/run-layout.js'
import { planFolder } from './unit-keys.js'
import { readUnitRecord } from './unit-record.js'

/** Options for `openPreparedStore`; all optional. */
interface OpenPreparedOptions {
  /** For commands that only read: the store is not tried. Default false. */
  readonly readOnly?: boolean
  /** File layer of a directory. */
  readonly files?: FileLayer
  /** Called with retries of a bucket that does not respond. */
  readonly onEvent?: ((message: string) => void) | undefined
}

export interface PreparedStore {
  readonly store: ObjectStore
  readonly record: RunRecord
}

/**
 * @param where a path, or s3://bucket/prefix
 * @throws {UsageError} nothing was prepared there, or a run that is not divided into units
 * @throws {StoreRefusedError} the store accepts a second write of an object
 */
export async function openPreparedStore(
  where: string,
  { readOnly = false, files = nodeFiles, onEvent }: OpenPreparedOptions = {},
): Promise<PreparedStore> {
  const store = await openObjectStore(where, { readOnly: true, files, onEvent })
  try {
    await mustBeDirectory(store)
    const record = await readUnitRecord(store)
    await mustBeDivided(store)
    if (!readOnly) await checkFirstWins(store)
    return { store, record }
  } catch (error) {
    return closeAfter(error, [() => store.close()])
  }
}

/** A bucket and a prefix need no check: a prefix does not exist by itself. @throws {UsageError} no such directory */
export async function mustBeDirectory({ directory }: ObjectStore): Promise<void> {
  if (directory === null) return
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => error)
  if (!(found instanceof Error) && found.isDirectory()) return
  const missing = found instanceof Error && found.code === 'ENOENT'
  if (found instanceof Error && !missing) return // the first read says why
  throw new UsageError(
    missing
      ? say`${directory} does not exist: give the directory that kun-stream prepare RECIPE --out DIR wrote`
      : say`${directory} is a file: give the directory that kun-stream prepare RECIPE --out DIR wrote`,
  )
}

/** @throws {UsageError} a run in one process wrote it */
export async function mustBeDivided(store: ObjectStore): Promise<void> {
  // `prepare` makes an empty one before the first file of its plan.
  if (((await store.head(manifestName))?.bytes ?? 0) === 0) return
  for await (const _ of store.list(planFolder)) return
  throw new UsageError(
    say`${store.url} holds a run that is not divided into units: finish it with \`run\`, or use another directory`,
  )
}
