/**
 * One process at a time on a run directory, by a file made with O_EXCL that says who holds it.
 * A lock whose holder died is taken over: by pid, the process's start and the machine's boot, never by age.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeAfter } from '../core/closing.js'
import { errnoOf, type FileLayer, nodeFiles, readWholeFile } from '../core/files.js'
import { RunLockedError } from '../errors.js'

/** The process that a lock names, told apart from a later one with the same pid. */
export interface Holder {
  readonly pid: number
  /** In clock ticks since boot; null where the system does not tell. */
  readonly started: string | null
  readonly boot: string | null
  readonly host: string
}

/** What `lockRunDirectory` is told; all of it may be left out. */
export interface LockOptions {
  readonly files?: FileLayer
  /** Whom the lock names; this process by default. */
  readonly holder?: Holder
  /** Whether a holder still runs; asked of the system by default. */
  readonly isAlive?: (holder: Holder) => boolean
  /** An unreadable lock is one being written, for this long; 1000 by default. */
  readonly settleMs?: number
}

/** A lock that is held. `release` deletes it, unless somebody else took it over. */
export interface RunLock {
  release(): Promise<void>
}

/** Name of the lock in a run directory. */
export const lockName = 'lock.json'

/** @throws {RunLockedError} another process holds it; the message has its pid and host */
export async function lockRunDirectory(directory: string, options: LockOptions = {}): Promise<RunLock> {
  const { files = nodeFiles, holder = thisProcess(), isAlive = isRunning, settleMs = 1000 } = options
  const lock: OwnedLock = { ...holder, token: randomUUID() }
  const path = join(directory, lockName)
  await acquire({ files, lock, isAlive, settleMs }, path, 0)
  const release = async (): Promise<void> => {
    if ((await readLock(files, path))?.token === lock.token) await files.remove(path)
  }
  try {
    await removeGuards(files, directory, lock.token)
  } catch (error) {
    return closeAfter(error, [release])
  }
  return { release }
}

/** Who holds the lock of a directory and still runs; null where nobody does. Takes nothing. */
export async function lockHolder(directory: string, files: FileLayer = nodeFiles): Promise<Holder | null> {
  const holder = await readLock(files, join(directory, lockName))
  return holder !== null && isRunning(holder) ? holder : null
}

/** Locks of takers-over that died in their turn: each died holding the guard of the one before. */
const takeoversMax = 8
/** Tries to take a lock that others let go and take at the same time. */
const contestsMax = 16
/** Looks at an unreadable lock before it counts as left by a process that died while writing it. */
const settleTries = 20

interface OwnedLock extends Holder {
  readonly token: string
}

interface Taking {
  readonly files: FileLayer
  readonly lock: OwnedLock
  readonly isAlive: (holder: Holder) => boolean
  readonly settleMs: number
}

/**
 * A dead holder's lock may only be removed under a guard, which is a lock of the same kind named after its token:
 * else of two that found it dead, the slower would remove the faster one's new lock.
 */
async function acquire(taking: Taking, path: string, depth: number): Promise<void> {
  const { files, lock, isAlive } = taking
  for (let contest = 0; contest < contestsMax; contest++) {
    if (await tryCreate(files, path, lock)) return
    const found = await readSettled(taking, path)
    if (found === null) continue
    if (found !== 'unreadable' && isAlive(found)) throw await locked(path, found)
    if (depth >= takeoversMax) break
    const token = found === 'unreadable' ? 'unreadable' : found.token
    const guard = `${path}.${token}`
    await acquire(taking, guard, depth + 1)
    try {
      const now = await readSettled(taking, path)
      const same = now === 'unreadable' ? found === 'unreadable' : now?.token === token
      if (same) await files.remove(path)
    } finally {
      await files.remove(guard)
    }
  }
  throw new RunLockedError(`${path} cannot be taken: others take it all the time. Delete it if no run is under way.`)
}

/** Guards that a dead taker-over left: no lock has the token they are named after any more. */
async function removeGuards(files: FileLayer, directory: string, token: string): Promise<void> {
  for (const name of await files.list(directory)) {
    if (name.startsWith(`${lockName}.`) && !name.includes(token)) await files.remove(join(directory, name))
  }
}

async function tryCreate(files: FileLayer, path: string, lock: OwnedLock): Promise<boolean> {
  let file: Awaited<ReturnType<FileLayer['open']>>
  try {
    file = await files.open(path, 'create')
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
  try {
    await file.write(Buffer.from(`${JSON.stringify(lock)}\n`))
  } catch (error) {
    return closeAfter(error, [() => file.close(), () => files.remove(path)])
  }
  await file.close()
  return true
}

async function readSettled({ files, settleMs }: Taking, path: string): Promise<OwnedLock | 'unreadable' | null> {
  for (let i = 0; ; i++) {
    if ((await files.sizeBytes(path)) === null) return null
    const lock = await readLock(files, path)
    if (lock !== null) return lock
    if ((i * settleMs) / settleTries >= settleMs) return 'unreadable'
    await sleep(settleMs / settleTries)
  }
}

async function readLock(files: FileLayer, path: string): Promise<OwnedLock | null> {
  const bytes = await readWholeFile(files, path, 4096)
  if (bytes === null) return null
  try {
    const lock = JSON.parse(Buffer.from(bytes).toString()) as OwnedLock
    const whole = typeof lock.token === 'string' && /^[\w-]+$/.test(lock.token) && Number.isInteger(lock.pid)
    return whole && typeof lock.host === 'string' ? lock : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

async function locked(path: string, { pid, host }: Holder): Promise<RunLockedError> {
  const details = { path, pid, host }
  if (host === hostname()) {
    const words = 'works on this run directory. Wait for it, or stop it (it resumes).'
    return new RunLockedError(`process ${pid} on ${host} ${words}`, { details })
  }
  return new RunLockedError(
    `process ${pid} on ${host} holds this run directory, and from here nobody can tell whether it still runs: its last ` +
      `sign of life is ${await silenceText(dirname(path))} old, and a run gives one every 10 s. If it runs, wait for it or stop ` +
      `it (it resumes). If it is surely gone, as a container that was replaced, delete ${path} and run again.`,
    { details },
  )
}

/** What a run under way writes again and again, and the lock itself. */
const signs = ['timings.json', lockName] as const

/** How long ago one was written; by two clocks where the directory is on another machine. */
async function silenceText(directory: string): Promise<string> {
  // One that is not there, or hidden, is no sign.
  const found = await Promise.all(signs.map((name) => stat(join(directory, name)).catch(() => null)))
  const latestMs = Math.max(0, ...found.map((each) => each?.mtimeMs ?? 0))
  const minutes = Math.round((Date.now() - latestMs) / 60_000)
  if (minutes < 2) return 'less than two minutes'
  return minutes < 180 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}

/** The holder that this process is. */
export function thisProcess(): Holder {
  return { pid: process.pid, started: startOf(process.pid), boot: bootId(), host: hostname() }
}

/** Of another machine's process nothing is known: it counts as running. */
export function isRunning({ pid, started, boot, host }: Holder): boolean {
  if (host !== hostname()) return true
  if (boot !== bootId()) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  // A pid is given again: the same one with another start is another process.
  return started === null || startOf(pid) === started
}

function bootId(): string | null {
  return readSystemFile('/proc/sys/kernel/random/boot_id')
}

/**
 * Field 22 of /proc/PID/stat; the name before it may hold spaces and brackets. Null for a zombie: in a container whose
 * first process reaps nobody, a killed process keeps its pid and its start, but works on nothing.
 */
function startOf(pid: number): string | null {
  const stat = readSystemFile(`/proc/${pid}/stat`)
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
}

function readSystemFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // Not Linux, or the process is gone: not known.
    return null
  }
}
