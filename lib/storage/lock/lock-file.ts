/**
 * The lock file: a line of JSON with its holder, then one byte per renewal. A renewal is an append to the holder's
 * inode, so it can never overwrite the lock of a successor. Owns the format and the creation of the file.
 */
import { randomUUID } from 'node:crypto'
import { closeAfter } from '../close-all.js'
import { linkUnsupported } from '../exclusive-rename.js'
import { errnoOf, type FileLayer } from '../files.js'
import type { Holder } from './lock-holder.js'

/** Contents of the first line. */
export interface LockRecord extends Holder {
  /** Distinguishes this lock from every other one. */
  readonly token: string
  /** The lock may be taken over once the file has not changed for this long. */
  readonly leaseMs: number
}

/** Contents of a lock file. */
export interface FoundLock {
  /** Null if the first line was not written by kun-stream, or is incomplete. */
  readonly lock: LockRecord | null
  /** Whether it is a complete line of JSON without a lease: written by a version that does not renew. */
  readonly isForeign: boolean
  /** The bytes of the file, which change with each renewal. */
  readonly content: string
}

/** Longest lease that a lock file can ask for. */
const leaseMsMax = 600_000
/** Renewals after which the file is cut back to its first line. */
export const renewalsMax = 4096
const firstLineBytesMax = 4096

/** Builds the first line of a lock file. */
export function lockLine(lock: LockRecord): Buffer {
  return Buffer.from(`${JSON.stringify(lock)}\n`)
}

/**
 * Creates a lock file atomically. Returns false if one exists.
 *
 * Links a complete file with link(2), which is atomic on NFS; uses O_EXCL if links are not supported.
 */
export async function createLockFile(files: FileLayer, path: string, lock: LockRecord): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}.new`
  try {
    await writeNew(files, temporary, lock)
    return await linkNew(files, temporary, path, lock)
  } finally {
    await files.remove(temporary)
  }
}

async function linkNew(files: FileLayer, from: string, path: string, lock: LockRecord): Promise<boolean> {
  try {
    await files.link(from, path)
    return true
  } catch (error) {
    // Over NFS the reply may be lost: the repeated request finds the first one's link and reports EEXIST.
    if ((await files.linkCount(from)) === 2) return true
    const errno = errnoOf(error) ?? ''
    // ENOENT: the holder of the lock removed the temporary file with other leftovers.
    if (errno === 'EEXIST' || errno === 'ENOENT') return false
    if (!linkUnsupported.has(errno)) throw error
  }
  try {
    await writeNew(files, path, lock)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

async function writeNew(files: FileLayer, path: string, lock: LockRecord): Promise<void> {
  const file = await files.open(path, 'create')
  try {
    await file.write(lockLine(lock))
    await file.fsync()
  } catch (error) {
    return closeAfter(error, [() => file.close(), () => files.remove(path)])
  }
  await file.close()
}

/**
 * Reads the lock file, or returns null if missing. Opens it each time: over NFS only a new open returns current data.
 */
export async function readLockFile(files: FileLayer, path: string): Promise<FoundLock | null> {
  let bytes: Uint8Array
  try {
    const file = await files.open(path, 'read')
    try {
      bytes = await file.read(0, firstLineBytesMax + renewalsMax + 1)
    } finally {
      await file.close()
    }
  } catch (error) {
    // ESTALE: over NFS, the file was deleted while it was read.
    if (['ENOENT', 'ESTALE'].includes(errnoOf(error) ?? '')) return null
    throw error
  }
  const content = Buffer.from(bytes).toString('latin1')
  const line = content.slice(0, content.indexOf('\n') + 1)
  return { content, ...parseLine(Buffer.from(line, 'latin1').toString()) }
}

function parseLine(line: string): Pick<FoundLock, 'lock' | 'isForeign'> {
  let parsed: Partial<LockRecord> | null
  try {
    parsed = JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return { lock: null, isForeign: false }
    throw error
  }
  const { token, pid, host, leaseMs } = parsed ?? {}
  const names = typeof token === 'string' && /^[\w-]+$/.test(token) && Number.isInteger(pid) && typeof host === 'string'
  if (!names || typeof leaseMs !== 'number' || !(leaseMs > 0)) return { lock: null, isForeign: true }
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  const { started, boot, namespace } = parsed as LockRecord
  return {
    isForeign: false,
    lock: {
      token,
      pid: pid as number,
      host,
      leaseMs: Math.min(leaseMs, leaseMsMax),
      started: text(started),
      boot: text(boot),
      namespace: text(namespace),
    },
  }
}
