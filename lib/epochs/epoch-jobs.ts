/**
 * The jobs of all epochs, in order: each part is searched for the rows of an epoch, its slices are settled, then it is
 * resolved. A process takes the jobs of one part (`workOnPart`); `resolveEpochs` resolves, and takes the jobs that are not
 * done, or waits for them. A job whose result exists is done, so processes may stop, repeat or race.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { DecidePlan } from '../dedup/plan.js'
import { LimitError } from '../errors.js'
import { say } from '../language/say.js'
import { type Epoch, type EpochObjects, type EpochSettings, partOf, slicesOf } from './epoch-objects.js'
import { PartSearch } from './part-search.js'
import { resolveEpoch } from './resolve-epoch.js'
import { settleSlice } from './settle-slice.js'

/** What all jobs need. */
export interface EpochJobs {
  readonly objects: EpochObjects
  readonly settings: EpochSettings
  readonly plan: DecidePlan
  readonly signal: AbortSignal
  /** Longest wait for a result of another process. */
  readonly waitMsMax: number
  /** Called with each epoch: that this process has searched, or that is resolved. */
  readonly onEpoch: (epoch: number) => void
}

/** Interval at which a result of another process is looked for. */
const pollMs = 500
/** Looks after which it is checked whether the epochs still exist. */
const looksPerCheck = 20

/**
 * Searches one part for every epoch and settles its share of the slices, until all are resolved. Memory: the part.
 *
 * @param part from 0
 * @throws {LimitError} another process gave no result for `waitMsMax`
 */
export async function workOnPart(jobs: EpochJobs, part: number): Promise<void> {
  const { objects, settings, plan, signal, onEpoch } = jobs
  const search = new PartSearch(objects, settings, plan, part)
  let before: Epoch | null = null
  for (let number = 0; ; number++) {
    const epoch = await wait(jobs, async () => (await objects.epoch(number)) ?? (await isEnd(objects, number)))
    if (epoch === 'end') return
    const last = before
    if (last !== null && !(await objects.isResolved(epoch))) {
      await wait(jobs, () => objects.isResolved(last))
      await search.search(epoch, signal)
      for (const slice of slicesOf(epoch)) {
        if (partOf(slice, settings) !== part) continue
        await wait(jobs, () => isFound(jobs, slice))
        await settleSlice(objects, settings, plan, slice)
      }
      onEpoch(number)
    }
    before = epoch
  }
}

/** Options for `resolveEpochs`. */
interface ResolveOptions {
  /** Local directory for copies of texts. */
  readonly scratch: string
  /** Whether to leave the jobs of the parts to other processes. */
  readonly elsewhere: boolean
}

/**
 * Resolves all epochs, which must be mapped. Memory: an epoch, and a part unless their jobs are done elsewhere.
 *
 * @throws {LimitError} another process gave no result for `waitMsMax`
 */
export async function resolveEpochs(jobs: EpochJobs, { scratch, elsewhere }: ResolveOptions): Promise<void> {
  const { objects, settings, plan, signal, onEpoch } = jobs
  const searches = new SearchCache(jobs)
  for (let number = 0; ; number++) {
    const epoch = await objects.epoch(number)
    if (epoch === null) return
    if (await objects.isResolved(epoch)) continue
    if (number > 0) {
      if (!elsewhere) await searches.searchAll(epoch)
      for (const slice of slicesOf(epoch)) {
        signal.throwIfAborted()
        if (elsewhere) await wait(jobs, () => objects.hasSettled(slice))
        else await settleSlice(objects, settings, plan, slice)
      }
    }
    searches.release()
    await resolveEpoch(objects, plan, epoch, { scratch, signal })
    onEpoch(number)
  }
}

/** Searches the parts one after the other; holds one of them. */
class SearchCache {
  readonly #jobs: EpochJobs
  #held: PartSearch | null = null

  constructor(jobs: EpochJobs) {
    this.#jobs = jobs
  }

  async searchAll(epoch: Epoch): Promise<void> {
    const { objects, settings, plan, signal } = this.#jobs
    const last = slicesOf(epoch).at(-1) as number
    for (let part = 0; part < settings.parts; part++) {
      if (await objects.hasFound(part, last)) continue
      if (this.#held?.part !== part) this.#held = new PartSearch(objects, settings, plan, part)
      await this.#held.search(epoch, signal)
    }
  }

  /** Frees the memory of a part that is not the only one: an epoch is resolved, then another part is needed first. */
  release(): void {
    if (this.#jobs.settings.parts > 1) this.#held = null
  }
}

async function isEnd(objects: EpochObjects, epoch: number): Promise<'end' | null> {
  const count = await objects.epochCount()
  return count !== null && epoch >= count ? 'end' : null
}

async function isFound({ objects, settings }: EpochJobs, slice: number): Promise<boolean> {
  for (let part = 0; part < settings.parts; part++) if (!(await objects.hasFound(part, slice))) return false
  return true
}

/** Waits until `look` returns something. */
async function wait<T>(jobs: EpochJobs, look: () => Promise<T | null | false>): Promise<T> {
  const { objects, signal, waitMsMax } = jobs
  for (let waitedMs = 0, looks = 1; ; waitedMs += pollMs, looks++) {
    signal.throwIfAborted()
    const found = await look()
    if (found !== null && found !== false) return found
    if (looks % looksPerCheck === 0 && (await objects.settings()) === null) {
      throw new LimitError(say`${objects.store.url}/epochs was removed, as it is once every unit is planned`)
    }
    if (waitedMs >= waitMsMax) {
      throw new LimitError(
        say`no result of another process for ${Math.round(waitMsMax / 1000)} s: start dedup-part for the parts that have no process, then run the same command again`,
      )
    }
    await delay(pollMs, undefined, { signal }).catch(() => undefined) // the signal is checked above
  }
}
