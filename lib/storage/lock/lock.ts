/**
 * Exclusive lock of a run directory: a file that names its holder, who renews it. A lock is taken over immediately if
 * its holder is known to have ended, and after its lease if the holder is not visible from this process (a container,
 * another machine). Owns acquisition and takeover; the holder's side is lease.ts.
 */

import { randomUUID } from 'node:crypto'
import { readFileSync, unlinkSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { backgroundClock, systemClock } from '../../core/clock.js'
import type { Clock } from '../../core/types.js'
import { type LockLostError, RunLockedError } from '../../errors.js'
import { secondsText } from '../../language/duration.js'
import { say } from '../../language/say.js'
import { closeAfter } from '../close-all.js'
import { type FileLayer, nodeFiles } from '../files.js'
import { lockName } from '../run-layout.js'
import { ageMs, type Instant, instant, Lease } from './lease.js'
import { createLockFile, type FoundLock, type LockRecord, readLockFile } from './lock-file.js'
import { type Holder, type HolderState, holderState, thisProcess } from './lock-holder.js'

/** Purpose of a lock: a directory may have several locks with different names. */
export interface LockUse {
  /** Name of the lock file. */
  readonly name: string
  /** Predicate of the holder, for messages: 'works on this run directory'. */
  readonly does: string
  /** The command that waits for it, for messages. */
  readonly command: string
}

/** Options for `lockRunDirectory`; all optional. */
export interface LockOptions {
  /** Purpose of the lock; a run by default. */
  readonly use?: LockUse
  readonly files?: FileLayer
  /** The holder that the lock names; this process by default. */
  readonly holder?: Holder
  /** Returns the state of a holder; looks up its process by default. */
  readonly stateOf?: (holder: Holder) => HolderState
  /** A lock that did not change for this long may be taken over; 60,000 by default. It is renewed 12 times in it. */
  readonly leaseMs?: number
  /** Clock of the held lease; by default the system's, whose sleeps do not keep the process alive. */
  readonly clock?: Clock
  /** Clock of the wait for another process's lock; the system's by default. */
  readonly waitClock?: Clock
  /** Ends the wait; the call rejects with its reason. */
  readonly signal?: AbortSignal
  /** Wall clock in milliseconds, by which a holder detects that its machine slept; `Date.now` by default. */
  readonly wallNow?: () => number
  /** Receives a message when acquisition waits for a lease, and after a takeover. */
  readonly onEvent?: (message: string) => void
  /** Called once when a renewal finds that the lock is lost. */
  readonly onLost?: (error: LockLostError) => void
}

/** A lock that is held. */
export interface RunLock {
  /**
   * True after a takeover from a holder that is not known to have ended, until `settle`: it may be suspended, with open
   * files and a write in flight. Stored on disk, so that a successor of this process sees it.
   */
  readonly isTakenOver: boolean
  /** Call it once each file that the former holder may have open was moved to a new inode. */
  settle(): Promise<void>
  /**
   * Resolves while the lock is held; cheap. Call it before each change of the directory.
   *
   * @throws {LockLostError} another process took it over, or it could not be renewed in time
   */
  check(): Promise<void>
  /** Like `check`, but also reads the lock file: call it directly before a commit. */
  confirm(): Promise<void>
  /** Deletes the lock file, unless another process took it over. */
  release(): Promise<void>
}

/** The lock of a run on its directory. */
const runUse: LockUse = { name: lockName, does: 'works on this run directory', command: 'run' }

const leaseMsDefault = 60_000

/**
 * Acquires the lock of a directory. If its holder is not visible and does not renew it, waits, at most for the lease.
 *
 * @throws {RunLockedError} another process holds it; the message has its pid and host
 */
export async function lockRunDirectory(directory: string, options: LockOptions = {}): Promise<RunLock> {
  const { files = nodeFiles, holder = thisProcess(), leaseMs = leaseMsDefault } = options
  const { clock = backgroundClock, waitClock = systemClock, wallNow = Date.now } = options
  const { use = runUse, signal } = options
  const taking: Acquisition = {
    files,
    use,
    signal,
    lock: { ...holder, token: randomUUID(), leaseMs },
    stateOf: options.stateOf ?? holderState,
    clock,
    waitClock,
    wallNow,
    onEvent: options.onEvent ?? (() => undefined),
  }
  const path = join(directory, use.name)
  const since = await acquire(taking, path, 0)
  const { lock } = taking
  let lease: Lease
  try {
    const onLost = options.onLost ?? (() => undefined)
    lease = await Lease.open({ files, path, lock, since, clock, wallNow, onLost })
  } catch (error) {
    return closeAfter(error, [() => files.remove(path)])
  }
  const release = async (): Promise<void> => {
    heldFiles.delete(resolve(path))
    if (await lease.close()) await files.remove(path)
  }
  if (files === nodeFiles) releaseAtExit(path, lock.token)
  let isTakenOver: boolean
  try {
    await removeLeftovers(files, path, lock.token)
    isTakenOver = (await files.sizeBytes(takenOverName(path))) !== null
  } catch (error) {
    return closeAfter(error, [release])
  }
  const settle = async (): Promise<void> => {
    await lease.confirm()
    await files.remove(takenOverName(path))
    await files.fsyncDirectory(directory)
  }
  return { isTakenOver, settle, check: () => lease.check(), confirm: () => lease.confirm(), release }
}

/** Suffix of the file that records that the former holder may still have files open. */
function takenOverName(path: string): string {
  return `${path}.taken-over`
}

/** Returns the holder of a directory's lock and its state; null if there is none or it has ended. */
export async function lockHolder(
  directory: string,
  files: FileLayer = nodeFiles,
): Promise<{
  readonly holder: Holder
  readonly state: 'running' | 'unknown'
  readonly lastSignMs: number | null
} | null> {
  const path = join(directory, lockName)
  const lock = (await readLockFile(files, path))?.lock ?? null
  if (lock === null) return null
  const state = holderState(lock)
  const { token: _, leaseMs: __, ...holder } = lock
  return state === 'gone' ? null : { holder, state, lastSignMs: await renewalAgeMs(path) }
}

/** Nested takeovers: each successor died while holding its predecessor's guard. */
const takeoversMax = 8
/** Tries to acquire a lock that other processes release and take at the same time. */
const contestsMax = 16
/** Reads of a watched lock per lease. */
const looksPerLease = 60

interface Acquisition {
  readonly files: FileLayer
  readonly use: LockUse
  readonly signal: AbortSignal | undefined
  readonly lock: LockRecord
  readonly stateOf: (holder: Holder) => HolderState
  readonly clock: Clock
  readonly waitClock: Clock
  readonly wallNow: () => number
  readonly onEvent: (message: string) => void
}

/**
 * Creates the lock file; removes an existing one if it may be taken over. Removal needs a guard, a lock of the same kind
 * that is named after the token of the removed lock. Without it, the slower of two processes would remove the new lock
 * of the faster one.
 *
 * @returns a time before the file was created
 */
async function acquire(taking: Acquisition, path: string, depth: number): Promise<Instant> {
  const { files, lock, clock, wallNow } = taking
  for (let contest = 0; contest < contestsMax; contest++) {
    const since = instant(clock, wallNow)
    if (await createLockFile(files, path, lock)) return since
    const found = await readLockFile(files, path)
    const over = found === null ? 'no' : await takeoverReason(taking, path, found)
    if (found === null || over === 'no') continue
    if (depth >= takeoversMax) break
    await removeUnderGuard(taking, path, found, depth, over)
  }
  throw new RunLockedError(say`could not acquire ${path}: too much contention. Delete it if no run is in progress.`)
}

async function removeUnderGuard(
  taking: Acquisition,
  path: string,
  found: FoundLock,
  depth: number,
  over: 'gone' | 'silent',
): Promise<void> {
  const { files, clock, wallNow, lock } = taking
  const guard = `${path}.${found.lock?.token ?? 'unreadable'}`
  const since = await acquire(taking, guard, depth + 1)
  try {
    const now = await readLockFile(files, path)
    // A guard that is old may have been taken over itself while this process was suspended.
    if (now?.content !== found.content || ageMs(since, instant(clock, wallNow)) >= lock.leaseMs / 2) return
    // Before the lock is removed: afterwards its holder is unknown.
    if (depth === 0 && over === 'silent') await markTakenOver(files, path)
    await files.remove(path)
    if (depth === 0)
      taking.onEvent(`took over the lock of ${nameOf(found)}, which has ended or did not renew it for a lease`)
  } finally {
    await files.remove(guard)
  }
}

async function markTakenOver(files: FileLayer, path: string): Promise<void> {
  const file = await files.open(takenOverName(path), 'append')
  await file.fsync().finally(() => file.close())
  await files.fsyncDirectory(dirname(path))
}

/**
 * Returns why the lock may be taken over: its holder has ended ('gone'), or is not visible and did not renew it for the
 * lease ('silent'). 'no' if the lock was released or replaced meanwhile.
 *
 * @throws {RunLockedError} its holder runs
 */
async function takeoverReason(taking: Acquisition, path: string, found: FoundLock): Promise<'no' | 'gone' | 'silent'> {
  if (found.isForeign) throw foreignLockError(path)
  const state = found.lock === null ? 'unknown' : taking.stateOf(found.lock)
  const { waitClock: clock, files, onEvent, use, signal } = taking
  if (state === 'running') throw await lockedError(path, found, use, 'can be seen to run')
  if (state === 'gone') return 'gone'
  const leaseMs = Math.max(taking.lock.leaseMs, found.lock?.leaseMs ?? 0)
  const age = ageText(await renewalAgeMs(path))
  onEvent(
    `${path} is held by ${nameOf(found)}, which cannot be seen from here; its last sign of life is ${age} old. ` +
      `Waiting for another one, at most ${Math.ceil(leaseMs / 1000)} s: without one this process takes over`,
  )
  const since = clock.now()
  for (;;) {
    await clock.sleep(leaseMs / looksPerLease, signal)
    // Before the read: a change after it must not be missed.
    const waitedMs = clock.now() - since
    const now = await readLockFile(files, path)
    if (now === null) return 'no'
    if (now.content !== found.content) {
      if (found.lock === null || now.lock?.token !== found.lock.token) return 'no'
      throw await lockedError(path, found, use, 'gave a sign of life while this process watched')
    }
    if (waitedMs >= leaseMs) return 'silent'
  }
}

/** Suffix of guards and temporary files: one token per level, or 'unreadable'. */
const leftover = /^(\.([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|unreadable))+(\.new)?$/

/** Removes guards and temporary files of processes that died during a takeover. */
async function removeLeftovers(files: FileLayer, path: string, token: string): Promise<void> {
  const lock = basename(path)
  for (const name of await files.list(dirname(path))) {
    const isLeftover = name.startsWith(lock) && leftover.test(name.slice(lock.length))
    if (isLeftover && !name.includes(token)) await files.remove(join(dirname(path), name))
  }
}

function nameOf({ lock }: FoundLock): string {
  return lock === null ? 'an unknown process' : `process ${lock.pid} on ${lock.host}`
}

async function lockedError(path: string, found: FoundLock, use: LockUse, how: string): Promise<RunLockedError> {
  const { pid = 0, host = '', leaseMs = leaseMsDefault } = found.lock ?? {}
  return new RunLockedError(
    say`${nameOf(found)} ${use.does}: it ${how}, its last sign of life is
      ${ageText(await renewalAgeMs(path))} old. Wait for it, or stop it (it resumes). One that was killed
      is taken over ${Math.ceil(leaseMs / 1000)} s after its last sign of life at the latest;
      \`${use.command}\` waits for that by itself.`,
    { details: { path, pid, host } },
  )
}

function foreignLockError(path: string): RunLockedError {
  return new RunLockedError(
    say`${path} was written by another version of kun-stream, which does not renew it. Delete it if no run
      is in progress there.`,
    { details: { path } },
  )
}

/** Returns the ms since the lock file changed; inexact if the directory is on another machine: for messages only. */
async function renewalAgeMs(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null) // it was released meanwhile, or lies in no real directory
  return found === null ? null : Math.max(0, Date.now() - found.mtimeMs)
}

/** Example: '3 s', '12 min', '5 h'. */
export function ageText(ageMs: number | null): string {
  if (ageMs === null) return say`an unknown time`
  const seconds = Math.round(ageMs / 1000)
  if (seconds < 120) return secondsText(seconds)
  return seconds < 3 * 3600 ? say`${Math.round(seconds / 60)} min` : say`${Math.round(seconds / 3600)} h`
}

/** Path of each lock file that this process holds on disk, with its token. */
const heldFiles = new Map<string, string>()
let deletesAtExit = false

/** Deletes locks at exit without `close` too, so that a successor that cannot see this process need not wait. */
function releaseAtExit(path: string, token: string): void {
  if (!deletesAtExit) process.once('exit', deleteHeldFiles)
  deletesAtExit = true
  heldFiles.set(resolve(path), token)
}

function deleteHeldFiles(): void {
  for (const [path, token] of heldFiles) deleteHeldFile(path, token)
}

/** Returns false if it cannot be deleted: such a lock is taken over after its lease. */
function deleteHeldFile(path: string, token: string): boolean {
  try {
    if (!readFileSync(path, 'utf8').includes(`"token":"${token}"`)) return false
    unlinkSync(path)
    return true
  } catch {
    return false
  }
}
