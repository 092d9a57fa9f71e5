/**
 * Dedup in epochs, for inputs whose index does not fit into the memory of one process: the input is mapped to slices, and
 * the jobs of lib/epochs decide. The input is then read a second time, with these verdicts, to write the units.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Credit } from '../core/credit.js'
import { exactPlanOf } from '../dedup/open-index.js'
import { type DedupOptions, indexKindFor } from '../dedup/options.js'
import { resolveEpochs, workOnPart } from '../epochs/epoch-jobs.js'
import { EpochObjects, type EpochSettings } from '../epochs/epoch-objects.js'
import { mapEpochs } from '../epochs/map-epochs.js'
import { AbortedError, UsageError } from '../errors.js'
import { count } from '../language/count.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { blockPreparer } from '../run/crashed-records.js'
import type { KunSettings } from '../run/settings.js'
import { blocksPerThread } from '../run/stages/prepare.js'
import type { RunRecord } from '../sinks/index.js'
import { readBlocks } from '../sources/index.js'
import { runRecordName } from '../storage/run-layout.js'
import { readsInThread } from '../workers/thread-counts.js'
import type { OpenHead } from './open-head.js'
import { mustBeDirectory, mustBeDivided } from './prepared-store.js'
import { readPlanFile, readPlanTotals } from './unit-plan.js'
import { readUnitRecord, unitRecipe } from './unit-record.js'

/** How duplicates are decided in epochs. */
export interface EpochOptions extends EpochSettings {
  /** Whether other processes, by `workOnEpochs`, search the parts and settle; otherwise this one does what is missing. */
  readonly elsewhere: boolean
  /** Longest wait for a result of another process. */
  readonly waitMsMax: number
}

/** Rows of an epoch by default. It takes 1.6 GB to resolve. */
export const epochRowsDefault = 4_000_000
/** Wait for another process by default. */
export const epochWaitMsDefault = 3_600_000

/** Folder in the run's directory for copies of texts of a bucket. */
const scratchFolder = 'epoch-texts'

/** @throws {UsageError} the recipe's duplicates cannot be decided in epochs */
export function mustSuitEpochs(dedup: DedupOptions): void {
  if (indexKindFor(dedup) !== 'exact') {
    throw new UsageError(
      say`--dedup-parts needs dedup.index: exact. A Bloom index cannot be divided: a hit may come from bits of two documents`,
    )
  }
  if (dedup.against.length > 0) {
    throw new UsageError(
      say`--dedup-parts cannot be used with dedup.against: the documents of earlier runs are in one index`,
    )
  }
}

/** Maps the input and decides on all duplicates; what is done already is not done again. */
export async function decideInEpochs(
  settings: KunSettings,
  { shards, directory, verdicts, pool, lost }: OpenHead,
  store: ObjectStore,
  { parts, epochRows, elsewhere, waitMsMax }: EpochOptions,
  { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: (message: string) => void },
): Promise<void> {
  const objects = new EpochObjects(store)
  await objects.endDiscard()
  const pinned = await objects.pin({ parts, epochRows })
  if (pinned.parts !== parts || pinned.epochRows !== epochRows) {
    throw new UsageError(
      say`${store.url} was begun with --dedup-parts ${pinned.parts} --epoch-rows ${pinned.epochRows}: use the same`,
    )
  }
  const plan = exactPlanOf(settings.dedup)
  const stopped = AbortSignal.any([signal, lost])
  try {
    await mapEpochs({
      ...{ objects, settings: pinned, plan, signal: stopped, blocksInWorkers: pool.threads * blocksPerThread },
      blocks: (from) =>
        readBlocks(shards, { ...settings.read, thread: readsInThread(settings.workers.readThread) }, from),
      prepare: blockPreparer(pool, verdicts),
      credit: new Credit('bytes of blocks', settings.memory.inFlightMax),
      beforeSlice: async () => {
        await verdicts.flush()
        await directory.lock.confirm()
      },
      onEpoch: (epoch, rows) => onEvent(say`epoch ${epoch} is mapped: ${count(rows, 'chunk')}`),
    })
    const onEpoch = (epoch: number): void => onEvent(say`epoch ${epoch}: duplicates are decided`)
    const scratch = join(directory.directory, scratchFolder)
    await resolveEpochs(
      { objects, settings: pinned, plan, signal: stopped, waitMsMax, onEpoch },
      { scratch, elsewhere },
    )
  } catch (error) {
    if (lost.aborted) throw lost.reason
    throw signal.aborted ? new AbortedError(say`stopped`) : error
  }
}

/** Options for `workOnEpochs`. */
export interface EpochWorkOptions {
  /** Number of the part, from 1, and of all parts; they must be those of `prepare`. */
  readonly part: number
  readonly of: number
  readonly signal: AbortSignal
  readonly waitMsMax: number
  readonly onEvent: (message: string) => void
}

/** Interval at which the start of `prepare` is looked for. */
const startPollMs = 1_000

/**
 * Waits until `prepare` has written the recipe and the settings of the epochs.
 *
 * @returns null if there is nothing to do any more: the units are planned, and epochs/ is removed
 * @throws {UsageError} the directory does not exist, it has a run without epochs, or `prepare` did not start in time
 */
async function startedEpochs(
  store: ObjectStore,
  { of, signal, waitMsMax, onEvent }: EpochWorkOptions,
): Promise<{ readonly record: RunRecord; readonly settings: EpochSettings } | null> {
  const objects = new EpochObjects(store)
  await mustBeDirectory(store)
  const start = performance.now()
  for (let looks = 0; ; looks++) {
    const record = (await store.head(runRecordName)) === null ? null : await readUnitRecord(store)
    const settings = record && (await objects.settings())
    if (record !== null && settings !== null) return { record, settings }
    const noEpochs = (): UsageError =>
      new UsageError(
        say`${store.url} has no epochs: start \`prepare RECIPE --out ${store.url} --dedup-parts ${of}\` first`,
      )
    if (record !== null) {
      if ((await readPlanTotals(store)) !== null) return null
      await mustBeDivided(store)
      if ((await readPlanFile(store, 0)).length > 0) throw noEpochs()
    }
    if (looks === 0) onEvent(say`waits for prepare, which has not begun in ${store.url}`)
    if (performance.now() - start >= waitMsMax) throw noEpochs()
    await delay(startPollMs, undefined, { signal }).catch(() => undefined) // checked below
    if (signal.aborted) throw new AbortedError(say`stopped`)
  }
}

/**
 * Does the jobs of one part until the duplicates of all epochs are decided. Memory: the part.
 *
 * @returns the number of epochs that it was searched for
 * @throws {UsageError} `prepare` was not started there, or has other parts
 */
export async function workOnEpochs(store: ObjectStore, options: EpochWorkOptions): Promise<number> {
  const { part, of, signal, waitMsMax, onEvent } = options
  const started = await startedEpochs(store, options)
  if (started === null) return 0
  const { record, settings } = started
  const { dedup } = unitRecipe(record, store.url, []).prepare
  const objects = new EpochObjects(store)
  if (settings.parts !== of) {
    throw new UsageError(
      say`--part is ${`${part}/${of}`}, ${store.url} has ${settings.parts} parts: give ${`${part}/${settings.parts}`}`,
    )
  }
  let searched = 0
  const onEpoch = (epoch: number): void => {
    searched++
    onEvent(say`epoch ${epoch}: part ${part} was searched`)
  }
  try {
    await workOnPart({ objects, settings, plan: exactPlanOf(dedup), signal, waitMsMax, onEpoch }, part - 1)
    return searched
  } catch (error) {
    // Another process decided the rest, and prepare has removed what this one would have read.
    if (!signal.aborted && (await objects.settings()) === null && (await readPlanTotals(store)) !== null)
      return searched
    throw signal.aborted ? new AbortedError(say`stopped`) : error
  }
}
