/**
 * The units of a run as jobs of BullMQ. A job contains the id of its unit and no more; its own id is that of the unit, so
 * that adding a unit twice has no effect. Unit order: units put in front (returned, lost, retried), then the oldest cut.
 */
import { randomUUID } from 'node:crypto'
import type { Job, Queue, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { connectQueue, operationMsMax, within } from './connection.js'
import { type JobState, jobStates, type UnitCounts, type UnitJob } from './job-states.js'
import { loadQueuePackages, type QueuePackages } from './packages.js'
import { type QueueAddress, queuePrefix } from './queue-address.js'
import type { QueuedUnit } from './queued-run.js'

export interface UnitQueueOptions {
  readonly address: QueueAddress
  /** Name of the queue: one a run. */
  readonly name: string
  /** A unit whose worker has not renewed its lock for this long is assigned again at the next check. */
  readonly lockMs?: number
  /** Longest time between two checks for expired locks. */
  readonly checkMs?: number
  /** Workers that a unit may lose before it is set aside. */
  readonly lossesMax?: number
  /** Time limit of the first connection. */
  readonly connectMsMax?: number
}

export const lockMsDefault = 60_000
const checkMsDefault = 30_000
const lossesMaxDefault = 3
/** Largest priority of BullMQ; later cuts share it, in order of their addition. */
const priorityMax = 2 ** 21 - 1
const unitsPerAdd = 1_000
/** Failed attempts are counted in the store; the queue's own limit must not end them earlier. */
const queueAttemptsMax = 1_000
/** Suffix of the second job of a unit, near the end of a run. */
export const secondJobSuffix = '#2'

interface JobData {
  readonly unit: string
  /** Failed attempts in the store that are not counted: those before the last `units retry`. */
  readonly forgiven?: number
}

interface AddedUnit extends QueuedUnit {
  /** Before units that were never tried. */
  readonly front?: boolean
  readonly forgiven?: number
}

/** A unit that this process has taken. */
export interface TakenUnit {
  readonly unit: string
  readonly jobId: string
  readonly token: string
  readonly forgiven: number
  /** Workers that were lost with it, by both of its jobs. */
  readonly losses: number
  /**
   * 'set-aside': it lost `lossesMax` workers. 'later': it is in the hand of another worker, whose loss and that of this one
   * would be more than `lossesMax`.
   */
  readonly admission: 'start' | 'later' | 'set-aside'
  /** Its job in the connection that took it; another one reads it again. */
  readonly job: Job<JobData>
  readonly owner: UnitQueue
}

export class UnitQueue {
  readonly #packages: QueuePackages
  readonly #redis: Redis
  readonly #queue: Queue<JobData>
  readonly #worker: Worker<JobData> | null
  readonly #retryMs: number
  readonly #checkMs: number
  /** Workers that a unit may lose before it is set aside. */
  readonly lossesMax: number
  /** Rejects when the connection is closed. */
  readonly #closed: Promise<never>

  private constructor(
    packages: QueuePackages,
    redis: Redis,
    options: UnitQueueOptions,
    takes: boolean,
    retryMs: number,
  ) {
    const { name, lockMs = lockMsDefault, checkMs = checkMsDefault, lossesMax = lossesMaxDefault } = options
    this.#packages = packages
    this.#redis = redis
    this.#retryMs = retryMs
    this.#checkMs = checkMs
    this.lossesMax = lossesMax
    const common = { connection: redis, prefix: queuePrefix }
    this.#queue = new packages.bullmq.Queue(name, common)
    this.#queue.on('error', () => undefined) // an operation that fails rejects
    this.#worker = takes
      ? new packages.bullmq.Worker(name, null, {
          ...common,
          lockDuration: lockMs,
          // Several workers check; one that finds the check already done waits for another interval.
          stalledInterval: checkMs / 2,
          maxStalledCount: lossesMax - 1,
        })
      : null
    this.#worker?.on('error', () => undefined)
    this.#closed = new Promise((_, reject) => {
      redis.once('close', () => reject(new Error('the connection was closed')))
    })
    this.#closed.catch(() => undefined) // a caller without an operation in flight finds out by the next one
  }

  /** Waits for an operation: not longer than its limit, and not when the connection is closed. */
  #ask<T>(work: Promise<T>): Promise<T> {
    return within(operationMsMax, Promise.race([work, this.#closed]))
  }

  /** @param takes whether this process takes units, and checks for lost ones */
  static async open(options: UnitQueueOptions, takes = false, retryMs = 10_000): Promise<UnitQueue> {
    const packages = await loadQueuePackages()
    const redis = await connectQueue(options.address, packages, options.connectMsMax ?? operationMsMax)
    const queue = new UnitQueue(packages, redis, options, takes, retryMs)
    try {
      await queue.#ask(queue.#queue.waitUntilReady())
      await queue.#worker?.startStalledCheckTimer()
      return queue
    } catch (error) {
      await queue.close()
      throw error
    }
  }

  /** Adds units; one that is in the queue already is not changed. */
  async add(units: readonly AddedUnit[]): Promise<void> {
    for (let at = 0; at < units.length; at += unitsPerAdd) {
      await this.#ask(this.#queue.addBulk(units.slice(at, at + unitsPerAdd).map((unit) => this.#jobOf(unit))))
    }
  }

  #jobOf({ id, cut, front = false, forgiven = 0 }: AddedUnit, jobId = id) {
    return {
      name: 'unit',
      data: { unit: id, ...(forgiven > 0 && { forgiven }) },
      opts: {
        jobId,
        ...(!front && { priority: Math.min(cut + 1, priorityMax) }),
        attempts: queueAttemptsMax,
        backoff: { type: 'fixed', delay: this.#retryMs },
        // The result is in the store.
        removeOnComplete: true,
        removeOnFail: false,
      },
    }
  }

  /** Adds a second job for a unit that another worker holds. It forgives what the first one does. */
  async addSecond({ unit, forgiven }: Pick<UnitJob, 'unit' | 'forgiven'>): Promise<void> {
    const { name, data, opts } = this.#jobOf({ id: unit, cut: 0, front: true, forgiven }, unit + secondJobSuffix)
    await this.#ask(this.#queue.add(name, data, opts))
  }

  /** Returns the next unit, or null if none is waiting. */
  async take(): Promise<TakenUnit | null> {
    if (this.#worker === null) throw new TypeError('this queue was not opened for taking units')
    const token = randomUUID()
    const job = await this.#ask(this.#worker.getNextJob(token, { block: false }))
    if (job?.id === undefined) return null
    const { unit, forgiven = 0 } = job.data
    const other = await this.#otherJob(unit, job.id)
    const losses = job.stalledCounter + other.losses
    const setAside = job.deferredFailure !== undefined || losses >= this.lossesMax
    const later = losses + other.inHand >= this.lossesMax
    const admission = setAside ? 'set-aside' : later ? 'later' : 'start'
    return { unit, jobId: job.id, token, forgiven, losses, admission, job, owner: this }
  }

  /** A unit has two jobs near the end of a run; BullMQ counts the losses of each. */
  async #otherJob(unit: string, jobId: string): Promise<{ losses: number; inHand: 0 | 1 }> {
    const otherId = jobId === unit ? unit + secondJobSuffix : unit
    // First whether it is in hand: its loss, which ends that, is then counted twice for a moment rather than not at all.
    const state = await this.#ask(this.#queue.getJobState(otherId))
    const other = await this.#ask(this.#queue.getJob(otherId))
    return { losses: other?.stalledCounter ?? 0, inHand: other !== undefined && state === 'active' ? 1 : 0 }
  }

  /** Returns a unit that must not be started now; it is taken again after the next check for expired locks. */
  putOff(taken: TakenUnit): Promise<boolean> {
    const waitMs = this.#checkMs * (0.5 + Math.random() / 2)
    return this.#end(taken, (job) => job.moveToDelayed(Date.now() + waitMs, taken.token))
  }

  /** Marks a unit as done. Returns false if it was in another worker's hand, or no longer in the queue. */
  complete(taken: TakenUnit): Promise<boolean> {
    return this.#end(taken, (job) => job.moveToCompleted(null, taken.token, false))
  }

  /**
   * Records that an attempt failed.
   *
   * @param final sets the unit aside; otherwise it is tried again later, before units that were never tried
   */
  async fail(taken: TakenUnit, reason: string, final: boolean): Promise<boolean> {
    const { UnrecoverableError } = this.#packages.bullmq
    return this.#end(taken, async (job) => {
      if (!final) await job.changePriority({ priority: 0 })
      await job.moveToFailed(final ? new UnrecoverableError(reason) : new Error(reason), taken.token, false)
    })
  }

  /** Returns a unit to the queue for another worker, before units that were never tried. */
  release(taken: TakenUnit): Promise<boolean> {
    return this.#end(taken, async (job) => {
      await job.changePriority({ priority: 0 })
      await job.moveToWait(taken.token)
    })
  }

  async #end({ jobId, job, owner }: TakenUnit, work: (job: Job<JobData>) => Promise<unknown>): Promise<boolean> {
    try {
      // The connection of the job is closed if this one was opened after it was taken.
      const own = owner === this ? job : await this.#ask(this.#queue.getJob(jobId))
      if (own === undefined) return false
      await this.#ask(work(own))
      return true
    } catch (error) {
      if (isLost(error)) return false
      throw error
    }
  }

  async counts(): Promise<UnitCounts> {
    const counts = await this.#ask(this.#queue.getJobCounts('wait', 'prioritized', 'delayed', 'active', 'failed'))
    const of = (name: string): number => counts[name] ?? 0
    return {
      waiting: of('wait') + of('prioritized'),
      delayed: of('delayed'),
      active: of('active'),
      failed: of('failed'),
    }
  }

  /** Returns the jobs of the given states, the oldest of each first; of one unit possibly two. */
  async jobs(states: readonly JobState[], perStateMax = Number.POSITIVE_INFINITY): Promise<UnitJob[]> {
    const found: UnitJob[] = []
    const end = Number.isFinite(perStateMax) ? perStateMax - 1 : -1
    for (const state of states) {
      const jobs = await this.#ask(this.#queue.getJobs([...jobStates[state]], 0, end, true))
      for (const job of jobs as (Job<JobData> | undefined)[]) {
        // Between the list and its jobs one may have ended.
        if (job?.id === undefined) continue
        found.push({
          unit: job.data.unit,
          jobId: job.id,
          state,
          startedAt: job.processedOn ?? null,
          reason: job.failedReason ?? null,
          losses: job.stalledCounter ?? 0,
          forgiven: job.data.forgiven ?? 0,
        })
      }
    }
    return found
  }

  /** Removes a job that no worker holds. Returns false if one does. */
  async remove(jobId: string): Promise<boolean> {
    const removed = await this.#ask(this.#queue.remove(jobId))
    return removed === 1 || (await this.#ask(this.#queue.getJob(jobId))) === undefined
  }

  /** Returns true for one process within `ms`: the one that fills the queue. */
  async claimFilling(ms: number): Promise<boolean> {
    const key = this.#queue.toKey('filling')
    return (await this.#ask(this.#redis.set(key, '1', 'PX', ms, 'NX'))) === 'OK'
  }

  /** Never throws, and does not wait for a server that does not respond. */
  async close(): Promise<void> {
    const closing = Promise.all([this.#worker?.close(true), this.#queue.close()])
    await within(1_000, closing).catch(() => undefined) // the connection is closed below
    this.#redis.disconnect()
  }
}

/** The job was given to another worker, completed by one, or removed with the data of the server. */
function isLost(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === -1 || code === -2 || code === -3 || code === -6
}
