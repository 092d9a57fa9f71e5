/**
 * Copies the files that a resumed run needs (committed cuts, logs, replies) to a mirror, and restores them.
 * mirror-snapshot.ts selects the files, mirror-stores.ts stores them.
 */

import { dirname, join } from 'node:path'
import { z } from 'zod'
import { unpinned } from '../core/option-meta.js'
import type { Clock } from '../core/types.js'
import { CorruptFileError, RunMismatchError, SourceNotFoundError } from '../errors.js'
import { hubToken } from '../hub/settings.js'
import { say } from '../language/say.js'
import { closeAfter } from '../storage/close-all.js'
import { fencedFiles } from '../storage/fenced-files.js'
import { type FileLayer, makeDurableDirectory, nodeFiles, temporarySuffix } from '../storage/files.js'
import { failureUnderLock } from '../storage/lock/failure-under-lock.js'
import { type LockOptions, lockRunDirectory } from '../storage/lock/lock.js'
import { manifestName } from '../storage/run-layout.js'
import type { MirrorStore } from './mirror-layout.js'
import { type MirrorPiece, type Snapshot, Snapshots, writePiece } from './mirror-snapshot.js'
import { type MirrorStoreOptions, openMirrorStore } from './mirror-stores.js'

/** `mirror:` of a recipe. */
export const mirrorOptions = z.strictObject({
  to: z
    .string()
    .min(1)
    .meta(
      unpinned(
        'A folder, s3://bucket/prefix (docs/s3.md), or hub:owner/name, a private dataset, created if missing; run --from-mirror restores the run from it on another machine',
      ),
    ),
  everyMs: z
    .number()
    .min(1000)
    .default(300_000)
    .meta(unpinned('Interval between copies; replies received after the last copy are requested again')),
  token: hubToken(),
})

/** Options for `openMirror`. */
export interface MirrorOptions extends Omit<MirrorStoreOptions, 'at'> {
  /** A run directory; a run may be in progress there. */
  readonly directory: string
  /** A directory, or `hub:owner/name`. */
  readonly to: string
}

/** The result of one pass. */
export interface MirrorPass {
  /** Cuts that the mirror holds. */
  readonly cuts: number
  readonly piecesSent: number
  readonly bytesSent: number
}

/** A copy of a run that is kept up to date. */
export interface Mirror {
  /** Copies what has changed; passes run one after the other. */
  pass(): Promise<MirrorPass>
  close(): Promise<void>
}

/** Opens a mirror for the duration of a run: files that cannot change are hashed once. */
export async function openMirror({ directory, to, ...options }: MirrorOptions): Promise<Mirror> {
  const store = await openMirrorStore({ at: to, ...options })
  const snapshots = new Snapshots(directory)
  let last: Promise<unknown> = Promise.resolve()
  return {
    pass() {
      const pass = last.then(() => mirrorOnce(store, snapshots))
      // A failure is reported to the caller of this pass; the next pass runs regardless.
      last = pass.then(
        () => null,
        () => null,
      )
      return pass
    },
    close: () => store.close(),
  }
}

/** Opens a mirror, makes one pass and closes it. */
export async function mirrorRun(options: MirrorOptions): Promise<MirrorPass> {
  const mirror = await openMirror(options)
  try {
    return await mirror.pass()
  } finally {
    await mirror.close()
  }
}

/**
 * Mirrors every `everyMs` until the signal is aborted, and once at the end. A failed pass is reported and retried after
 * the next interval: the run does not wait for its mirror.
 */
export async function mirrorWhile(options: {
  readonly mirror: Mirror
  readonly everyMs: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onPass?: (pass: MirrorPass) => void
  readonly onFailure: (error: unknown) => void
}): Promise<void> {
  const { mirror, everyMs, clock, signal, onPass, onFailure } = options
  const pass = () => mirror.pass().then(onPass, onFailure)
  while (!signal.aborted) {
    const woken = await clock.sleep(everyMs, signal).then(
      () => true,
      () => false,
    )
    if (woken) await pass()
  }
  await pass()
}

async function mirrorOnce(store: MirrorStore, snapshots: Snapshots): Promise<MirrorPass> {
  const before = shaOfAll(await store.read())
  const { snapshot, places } = await snapshots.take()
  const now = shaOfAll(snapshot)
  const added = [...places.values()].filter(({ piece }) => !before.has(piece.sha256))
  const dropped = [...before].filter((sha256) => !now.has(sha256))
  if (added.length > 0 || dropped.length > 0) await store.write(snapshot, added, dropped)
  const bytesSent = added.reduce((sum, { piece }) => sum + piece.bytes, 0)
  return { cuts: snapshot.cuts, piecesSent: added.length, bytesSent }
}

function shaOfAll(snapshot: Snapshot | null): Set<string> {
  return new Set((snapshot?.files ?? []).flatMap(({ pieces }) => pieces.map(({ sha256 }) => sha256)))
}

/**
 * Restores a run to an empty directory, where `run` resumes it. Holds the lock of the run directory.
 *
 * @throws {RunLockedError} another process runs in the directory or restores to it
 * @throws {SourceNotFoundError} there is no mirror · {RunMismatchError} the directory holds a run
 * @throws {CorruptFileError} a piece does not have the sha256 of the snapshot
 */
export async function restoreFromMirror(
  options: { readonly directory: string; readonly from: string; readonly lock?: LockOptions } & Omit<
    MirrorStoreOptions,
    'at'
  >,
): Promise<{ cuts: number; files: number; bytes: number }> {
  const { directory, lock: lockOptions, ...rest } = options
  await makeDurableDirectory(nodeFiles, directory)
  const lock = await lockRunDirectory(directory, lockOptions)
  try {
    const restored = await restoreLocked({ ...rest, directory, files: fencedFiles(nodeFiles, lock) })
    // Every file was created by this process.
    if (lock.isTakenOver) await lock.settle()
    await lock.release()
    return restored
  } catch (error) {
    return closeAfter(await failureUnderLock(lock, error), [() => lock.release()])
  }
}

async function restoreLocked(
  options: { readonly directory: string; readonly from: string; readonly files: FileLayer } & Omit<
    MirrorStoreOptions,
    'at'
  >,
): Promise<{ cuts: number; files: number; bytes: number }> {
  const { directory, from, files: layer, ...rest } = options
  if ((await nodeFiles.sizeBytes(join(directory, manifestName))) !== null) {
    throw new RunMismatchError(
      say`${directory} holds a run: restore to an empty directory, or resume the run without the mirror`,
    )
  }
  const store = await openMirrorStore({ at: from, ...rest })
  try {
    const snapshot = await store.read()
    if (snapshot === null) {
      throw new SourceNotFoundError(
        say`${from} holds no mirror yet: check mirror.to of the recipe, or start without it`,
      )
    }
    // The manifest is restored last: a directory that has one is complete.
    const files = [...snapshot.files].sort((a, b) => rank(a.path) - rank(b.path))
    let bytes = 0
    for (const { path, pieces } of files) bytes += await restoreFile(layer, store, join(directory, path), pieces)
    return { cuts: snapshot.cuts, files: files.length, bytes }
  } finally {
    await store.close()
  }
}

function rank(path: string): number {
  return path === manifestName ? 1 : 0
}

async function restoreFile(
  files: FileLayer,
  store: MirrorStore,
  path: string,
  pieces: readonly MirrorPiece[],
): Promise<number> {
  await makeDurableDirectory(files, dirname(path))
  // A new inode: a process that lost its lock may still have the old one open.
  await files.remove(path + temporarySuffix)
  const file = await files.open(path + temporarySuffix, 'create')
  let bytes = 0
  try {
    for (const piece of pieces) {
      bytes += piece.bytes
      if (await writePiece(file, piece, store.piece(piece))) continue
      throw new CorruptFileError(
        say`a piece of ${path} in the mirror is damaged (its sha256 is not ${piece.sha256}): restore again`,
      )
    }
    await file.fsync()
  } finally {
    await file.close()
  }
  await files.rename(path + temporarySuffix, path)
  await files.fsyncDirectory(dirname(path))
  return bytes
}
