/**
 * The lease of a held lock: renewed in the background, trusted for less time than a competitor waits, and checked
 * before anything is written. Owns the holder's side; how a lock is acquired or taken over is lock.ts.
 *
 * Safety: a competitor takes over after it saw the lock unchanged for `leaseMs` of its own monotonic clock. The holder trusts
 * a renewal for `trustShare` of that, from before it was written, so it stops first. A holder that finds its lease over
 * (suspended, stalled) renews only under the guard that a takeover needs too, so that only one of the two can happen.
 */

import type { Clock } from '../../core/types.js'
import { KunStreamError, LockLostError } from '../../errors.js'
import { say } from '../../language/say.js'
import { closeAfter } from '../close-all.js'
import type { FileLayer, OpenFile } from '../files.js'
import { createLockFile, type LockRecord, lockLine, readLockFile, renewalsMax } from './lock-file.js'

/** Time from one renewal to the next, as a share of the lease. */
const renewShare = 1 / 12
/** Share of the lease for which a renewal is trusted. The margin covers clock drift and a write in progress. */
const trustShare = 3 / 4
/** Longest wait for a renewal that is in flight before the lock counts as lost, as a share of the lease. */
const stallShare = 1 / 3

interface LeaseOptions {
  readonly files: FileLayer
  /** The lock file. */
  readonly path: string
  readonly lock: LockRecord
  /** Time before the file was created. */
  readonly since: Instant
  readonly clock: Clock
  /** Milliseconds of the wall clock: it advances while the machine sleeps, which a monotonic clock may not. */
  readonly wallNow: () => number
  /** Called once when the lock is found lost outside of a check. */
  readonly onLost: (error: LockLostError) => void
}

/** A time on both clocks. */
export interface Instant {
  readonly monotonicMs: number
  readonly wallMs: number
}

export class Lease {
  readonly #options: LeaseOptions
  readonly #file: OpenFile
  #trustedSince: Instant
  #renewals = 0
  #lost: LockLostError | null = null
  /** Why the latest renewal failed. */
  #failure: unknown = null
  #renewing: Promise<void> | null = null
  readonly #ending = new AbortController()
  readonly #loop: Promise<void>

  private constructor(options: LeaseOptions, file: OpenFile) {
    this.#options = options
    this.#file = file
    this.#trustedSince = options.since
    this.#loop = this.#renewPeriodically()
  }

  /** Opens the lock file, which must exist, and starts to renew it. */
  static async open(options: LeaseOptions): Promise<Lease> {
    return new Lease(options, await options.files.open(options.path, 'append'))
  }

  /**
   * Resolves while the lock is held. Free while the latest renewal can be trusted; otherwise renews first.
   *
   * @throws {LockLostError} another process took the lock over, or it could not be renewed
   */
  async check(): Promise<void> {
    if (this.#lost !== null) throw this.#lost
    if (this.#isTrusted()) return
    await this.#renewWithin()
    // A renewal that was already in flight started before the lease expired and does not count.
    if (!this.#isTrusted() && this.#lost === null) await this.#renewWithin()
    if (this.#lost !== null) throw this.#lost
    if (!this.#isTrusted()) throw this.#lose(this.#stalled())
  }

  /**
   * Like `check`, but also reads the lock file: the fence of a commit.
   *
   * @throws {LockLostError} as `check`, or the lock file names another process
   */
  async confirm(): Promise<void> {
    await this.check()
    await this.#requireOwned()
    // The read may have taken longer than the lease.
    await this.check()
  }

  /** Stops renewing. Returns whether the lock file still belongs to this process, which then deletes it. */
  async close(): Promise<boolean> {
    const held = await this.check().then(
      () => true,
      () => false, // lost: the file belongs to another process
    )
    this.#ending.abort()
    await this.#loop
    const found = held ? await this.#read().catch((error) => closeAfter(error, [() => this.#file.close()])) : null
    await this.#file.close()
    return held && found?.lock?.token === this.#options.lock.token && this.#isTrusted()
  }

  #read(): ReturnType<typeof readLockFile> {
    return readLockFile(this.#options.files, this.#options.path)
  }

  async #renewPeriodically(): Promise<void> {
    const { clock, lock, onLost } = this.#options
    const { signal } = this.#ending
    while (!signal.aborted && this.#lost === null) {
      const woken = await clock.sleep(lock.leaseMs * renewShare, signal).then(
        () => true,
        () => false, // aborted: the loop ends
      )
      if (!woken) continue
      await this.#renewWithin()
      if (!this.#isTrusted()) this.#lose(this.#stalled())
      if (this.#lost !== null) onLost(this.#lost)
    }
  }

  /** One renewal at a time; never rejects. */
  #renewOnce(): Promise<void> {
    this.#renewing ??= this.#renew()
      .catch((error: unknown) => {
        this.#failure = error
        if (error instanceof LockLostError) this.#lose(error)
      })
      .finally(() => {
        this.#renewing = null
      })
    return this.#renewing
  }

  /** Renews, but waits only as long as a renewal can help: on a stalled network file system it may never end. */
  async #renewWithin(): Promise<void> {
    const ended = new AbortController()
    const { clock, lock } = this.#options
    const stalled = clock.sleep(lock.leaseMs * stallShare, ended.signal).catch(() => undefined) // the renewal ended
    await Promise.race([this.#renewOnce(), stalled])
    ended.abort()
  }

  async #renew(): Promise<void> {
    if (this.#lost !== null) return
    if (this.#isTrusted()) return this.#write()
    const { files, path, lock } = this.#options
    const guard = `${path}.${lock.token}`
    if (!(await createLockFile(files, guard, lock))) {
      throw new LockLostError(say`${path} is being taken over by another process: this run did not renew it in time`)
    }
    try {
      await this.#write()
    } catch (error) {
      await closeAfter(error, [() => files.remove(guard)])
    }
    await files.remove(guard)
  }

  /**
   * The renewal counts from before the write, and only if it ended in time: competitors saw it before their wait ended.
   * If the lock was taken over, the write went to a file without a name, and the read finds another lock.
   */
  async #write(): Promise<void> {
    const since = this.#now()
    if (this.#renewals % renewalsMax === renewalsMax - 1) await this.#file.truncate(lockLine(this.#options.lock).length)
    await this.#file.write(Buffer.from('.'))
    await this.#file.fsync()
    this.#renewals++
    await this.#requireOwned()
    if (this.#ageMs(since) < this.#trustMs) this.#trustedSince = since
  }

  async #requireOwned(): Promise<void> {
    const { path, lock } = this.#options
    const found = await this.#read()
    if (found?.lock?.token === lock.token) return
    const why =
      found === null || found.lock === null
        ? say`${path} was deleted: another process may work on this run directory.`
        : say`${path} is held by process ${found.lock.pid} on ${found.lock.host}: another process may work on this run
            directory.`
    const next = say`This one stops and commits nothing more; run it again once the other one has ended.`
    throw this.#lose(new LockLostError(`${why} ${next}`, { details: { path } }))
  }

  /** Marks the lock as lost. Returns the first error with which it was. */
  #lose(error: LockLostError): LockLostError {
    this.#lost ??= error
    return this.#lost
  }

  #stalled(): LockLostError {
    const { path } = this.#options
    const why = this.#failure instanceof KunStreamError ? `: ${this.#failure.message}` : ''
    return new LockLostError(
      say`${path} could not be renewed in time, and another process may have taken it over${why || '.'} This
        run stops and commits nothing more; run it again.`,
      { details: { path }, ...(this.#failure !== null && { cause: this.#failure }) },
    )
  }

  get #trustMs(): number {
    return this.#options.lock.leaseMs * trustShare
  }

  #isTrusted(): boolean {
    return this.#ageMs(this.#trustedSince) < this.#trustMs
  }

  #now(): Instant {
    return instant(this.#options.clock, this.#options.wallNow)
  }

  #ageMs(since: Instant): number {
    return ageMs(since, this.#now())
  }
}

/** Returns the larger of both clocks: sleep may stop the monotonic one, a correction may set the wall clock back. */
export function ageMs(since: Instant, now: Instant): number {
  return Math.max(now.monotonicMs - since.monotonicMs, now.wallMs - since.wallMs)
}

export function instant(clock: Clock, wallNow: () => number): Instant {
  return { monotonicMs: clock.now(), wallMs: wallNow() }
}
