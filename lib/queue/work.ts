/**
 * The loop of a worker: takes a unit, generates it, marks it as done. Ends when the store has a result of every unit; the
 * queue may be lost at any time, and is filled again from the plan.
 */

import { errorMessage } from '../caught-error.js'
import { type EventLog, noLog } from '../core/event-log.js'
import { AbortedError, KunStreamError, QueueError, UnitsSetAsideError } from '../errors.js'
import { count } from '../language/count.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import { attemptsMax } from '../units/failed-attempts.js'
import { fillQueue } from './fill-queue.js'
import type { LockRequest } from './lock-renewal.js'
import { OpenUnits } from './open-units.js'
import { pause } from './pause.js'
import type { QueueSession } from './queue-session.js'
import type { QueuedRun, UnitGenerator } from './queued-run.js'
import { secondJobSuffix, type TakenUnit } from './unit-queue.js'

/** Pauses of a worker without a unit; jittered, so that many workers do not ask at the same time. */
const idleMsMin = 200
const idleMsMax = 3_000
/** One worker at a time looks for units that the queue does not have. */
const fillEveryMs = 20_000
/** Units that failed one after the other: the worker's machine is suspected, not the units. */
const failuresInARowMax = 3
/** Units in hand that an idle worker examines: the oldest. */
const examinedMax = 64
/** From this share of units done, the oldest ones in hand are assigned a second time. */
const stragglerShare = 0.9
const stragglerMsDefault = 60_000
const resultCheckMsDefault = 60_000
/** Time limit for returning a unit when the worker is stopped. */
const releaseMsMax = 5_000
const idsInMessageMax = 5
const unitLost = 'KUN_UNIT_LOST'

export interface WorkOptions {
  readonly run: QueuedRun
  readonly generator: UnitGenerator
  readonly session: QueueSession
  /** Renews the lock of this job from now on. */
  readonly hold?: (request: LockRequest) => void
  /** Stops the worker. The generator is stopped by its own: it ends its unit, or throws. */
  readonly signal?: AbortSignal | undefined
  readonly log?: EventLog
  /** A unit that has been in hand for longer is assigned a second time near the end. */
  readonly stragglerMs?: number
  /** Longest time until a unit that another worker has finished is abandoned. */
  readonly resultCheckMs?: number
}

export interface WorkEnd {
  /** Units whose result is this worker's. */
  readonly committed: number
  /** Units that another worker finished first. */
  readonly already: number
  /** Failed attempts. */
  readonly failed: number
}

/**
 * Works until every unit has a result.
 *
 * @throws {AbortedError} the signal was aborted; the unit in hand was returned
 * @throws {UnitsSetAsideError} the remaining units were set aside
 * @throws {QueueError} the queue could not be reached in time
 */
export async function workOnQueue(options: WorkOptions): Promise<WorkEnd> {
  return new QueueWorker(options).work()
}

class QueueWorker {
  readonly #options: WorkOptions
  readonly #run: QueuedRun
  readonly #session: QueueSession
  readonly #log: EventLog
  readonly #units: OpenUnits
  readonly #end = { committed: 0, already: 0, failed: 0 }
  #failuresInARow = 0

  constructor(options: WorkOptions) {
    this.#options = options
    this.#run = options.run
    this.#session = options.session
    this.#log = options.log ?? noLog
    this.#units = new OpenUnits(options.run)
  }

  async work(): Promise<WorkEnd> {
    try {
      return await this.#loop()
    } catch (error) {
      // An operation of the queue that was interrupted by the signal.
      if (this.#options.signal?.aborted && error instanceof QueueError) throw stopped()
      throw error
    }
  }

  async #loop(): Promise<WorkEnd> {
    const { signal } = this.#options
    let idleMs = idleMsMin
    for (;;) {
      if (signal?.aborted) throw stopped()
      const taken = await this.#session.call((queue) => queue.take(), { signal })
      if (taken !== null) {
        await this.#generate(taken)
        idleMs = idleMsMin
      } else {
        if (await this.#idle()) return this.#end
        await pause(idleMs * (0.5 + Math.random() / 2), signal)
        idleMs = Math.min(idleMs * 2, idleMsMax)
      }
    }
  }

  async #generate(taken: TakenUnit): Promise<void> {
    const { unit, jobId, token } = taken
    if (await this.#run.isDone(unit)) return this.#finish(taken, 'already')
    if (taken.admission === 'set-aside') return this.#setAside(taken)
    if (taken.admission === 'later') {
      await this.#session.call((queue) => queue.putOff(taken))
      return
    }
    this.#log.info('unit-taken', { unit, second: jobId.endsWith(secondJobSuffix) })
    this.#options.hold?.({ jobId, token })
    const overtaken = new AbortController()
    const { resultCheckMs = resultCheckMsDefault } = this.#options
    const watch = setInterval(() => void this.#abortIfDone(unit, overtaken), resultCheckMs)
    const attempt = this.#options.generator.generate(unit, overtaken.signal)
    const outcome = await attempt.catch((error: unknown) => ({ error }))
    clearInterval(watch)
    // The lock is renewed until the queue knows the outcome, which may take a while.
    if (typeof outcome === 'string') await this.#finish(taken, outcome)
    else await this.#failed(taken, outcome.error)
    this.#options.hold?.(null)
  }

  async #setAside(taken: TakenUnit): Promise<void> {
    const { unit, losses, forgiven } = taken
    this.#log.warn('unit-set-aside', { unit, losses })
    // In the store too: a queue that is filled again must not assign it. Once, though a unit may have two jobs.
    const recorded = (await this.#run.failedAttempts(unit)) - forgiven >= attemptsMax
    if (!recorded) await this.#run.recordLosses(unit, losses)
    await this.#session.call((queue) => queue.fail(taken, unitLost, true))
  }

  async #abortIfDone(unit: string, overtaken: AbortController): Promise<void> {
    const done = await this.#run.isDone(unit).catch(() => false) // asked again
    if (done) overtaken.abort(new AbortedError(say`another worker has finished unit ${unit}`))
  }

  /** The result is in the store: the queue may take its time. */
  async #finish(taken: TakenUnit, end: 'committed' | 'already'): Promise<void> {
    this.#end[end]++
    this.#failuresInARow = 0
    this.#log.info('unit-done', { unit: taken.unit, end })
    // Of a stopped worker too: otherwise another one takes the unit after its lock has expired.
    const { signal } = this.#options
    const limit = signal?.aborted ? { waitMsMax: releaseMsMax } : { signal }
    const ours = await this.#session.call((queue) => queue.complete(taken), limit)
    if (!ours) this.#log.info('lock-lost', { unit: taken.unit, end })
  }

  async #failed(taken: TakenUnit, error: unknown): Promise<void> {
    const { unit } = taken
    if (await this.#run.isDone(unit)) return this.#finish(taken, 'already')
    const failure = error instanceof KunStreamError ? error : null
    // Exit codes 2 and 3 are the condition of this worker (its servers, its disk, a signal): not of the unit.
    if (this.#options.signal?.aborted || (failure !== null && failure.exitCode !== 1)) {
      this.#log.info('unit-returned', { unit, code: failure?.code ?? null })
      const returned = this.#session.call((queue) => queue.release(taken), { waitMsMax: releaseMsMax })
      await returned.catch(() => undefined) // assigned again when its lock has expired
      throw this.#options.signal?.aborted ? stopped() : error
    }
    this.#end.failed++
    const attempts = (await this.#run.failedAttempts(unit)) - taken.forgiven
    const final = attempts >= attemptsMax
    const code = failure?.code ?? 'KUN_FAILED'
    this.#log.warn('unit-failed', { unit, code, attempts, final, message: errorMessage(error) })
    await this.#session.call((queue) => queue.fail(taken, code, final))
    if (++this.#failuresInARow >= failuresInARowMax) throw error
  }

  /** @returns whether all is done. @throws {UnitsSetAsideError} all but units that were set aside */
  async #idle(): Promise<boolean> {
    const { signal } = this.#options
    const counts = await this.#session.call((queue) => queue.counts(), { signal })
    if (counts.waiting > 0) return false
    await this.#units.read()
    if (await this.#session.call((queue) => queue.claimFilling(fillEveryMs), { signal })) {
      await fillQueue(this.#run, this.#session, { signal, units: this.#units })
      return false
    }
    if (counts.delayed > 0 || counts.active > examinedMax) return false
    if (counts.active > 0 && !(await this.#allInHandAreDone())) {
      if (counts.active + counts.failed <= this.#units.planned * (1 - stragglerShare)) await this.#addStraggler()
      return false
    }
    return this.#allDone()
  }

  /** A worker that was lost after its commit leaves a unit in hand until its lock expires. */
  async #allInHandAreDone(): Promise<boolean> {
    const jobs = await this.#session.call((queue) => queue.jobs(['active'], examinedMax))
    for (const { unit } of jobs) if (!(await this.#run.isDone(unit))) return false
    return true
  }

  async #addStraggler(): Promise<void> {
    if (!this.#units.complete) return
    const jobs = await this.#session.call((queue) => queue.jobs(['active'], examinedMax))
    const known = new Set(jobs.map(({ jobId }) => jobId))
    const before = Date.now() - (this.#options.stragglerMs ?? stragglerMsDefault)
    const lossesMax = await this.#session.call(async (queue) => queue.lossesMax)
    const oldest = jobs
      .filter(({ unit, jobId, startedAt, losses }) => {
        const second = unit + secondJobSuffix
        if (jobId === second || known.has(second) || losses + 1 >= lossesMax) return false
        return startedAt !== null && startedAt < before
      })
      .sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0))[0]
    if (oldest === undefined) return
    this.#log.info('unit-assigned-twice', { unit: oldest.unit })
    await this.#session.call((queue) => queue.addSecond(oldest))
  }

  async #allDone(): Promise<boolean> {
    if (!this.#units.complete) return false
    const failed = await this.#session.call((queue) => queue.jobs(['failed']))
    const setAside = new Set(failed.map(({ unit }) => unit))
    const found: string[] = []
    const first = await this.#units.first(async (id) => {
      if (!setAside.has(id) && (await this.#run.failedAttempts(id)) < attemptsMax) return true
      found.push(id)
      return false
    })
    if (first !== null) return false
    if (found.length === 0) return true
    const ids = listText(found.slice(0, idsInMessageMax))
    const units = count(found.length, 'unit')
    throw new UnitsSetAsideError(
      found.length > idsInMessageMax
        ? say`${units} set aside after repeated failures: ${ids} and others; every other unit is done. List them with kun-stream units ls`
        : say`${units} set aside after repeated failures: ${ids}; every other unit is done. List them with kun-stream units ls`,
      { details: { units: found.length } },
    )
  }
}

function stopped(): AbortedError {
  return new AbortedError(say`stopped`)
}
