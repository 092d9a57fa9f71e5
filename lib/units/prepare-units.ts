/**
 * Divides a run into units: the head of its graph, up to dedup, and a file for the records of each cut. Resumes after the
 * last planned unit; makes files again that are missing or damaged.
 */
import { join } from 'node:path'
import { Credit } from '../core/credit.js'
import { EpochObjects } from '../epochs/epoch-objects.js'
import { EpochVerdicts } from '../epochs/epoch-verdicts.js'
import { AbortedError, type KunStreamError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { BlockLedger } from '../run/block-facts.js'
import { cursorOf } from '../run/committed-cut.js'
import { blockPreparer } from '../run/crashed-records.js'
import { NoYieldDetector } from '../run/no-yield.js'
import type { Closings } from '../run/open-run.js'
import { headGraph } from '../run/pipeline.js'
import type { KunSettings } from '../run/settings.js'
import { blocksPerThread } from '../run/stages/prepare.js'
import { readBlocks } from '../sources/index.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import { type FileLayer, nodeFiles, temporarySuffix } from '../storage/files.js'
import { failureUnderLock } from '../storage/lock/failure-under-lock.js'
import { readsInThread } from '../workers/thread-counts.js'
import { lastPlanFile, type OpenHead, openHead } from './open-head.js'
import { decideInEpochs, type EpochOptions, mustSuitEpochs } from './prepare-epochs.js'
import { cutOfLine, type PlanLine, type PlanTotals, writePlanTotals } from './unit-plan.js'
import { UnitSink } from './unit-sink.js'
import { UnitsAhead } from './units-ahead.js'

/** Options for `prepareUnits`. */
interface PrepareUnitsOptions {
  readonly store: ObjectStore
  /** Whether to open the model servers, whose capabilities the plan pins; otherwise the first worker does. */
  readonly probe: boolean
  /** Stops the work; the units planned so far are kept. */
  readonly signal: AbortSignal
  readonly onEvent?: (message: string) => void
  /** Units that are planned without a result, at most: prepare waits for results. No limit by default. */
  readonly unitsAheadMax?: number
  /** Called with each new unit. */
  readonly onUnit?: (line: PlanLine) => void
  readonly files?: FileLayer
  /** Decides duplicates in epochs; by default an index in this process does. The units are the same. */
  readonly epochs?: EpochOptions
}

/** What is prepared, and what this call added. */
export interface PreparedUnits extends PlanTotals {
  /** Units that this call planned. */
  readonly added: number
}

/**
 * Prepares all units of a run.
 *
 * @param settings `output.dir` is the directory for what only this process writes: the lock, the log of duplicates
 * @throws {RunLockedError | RunMismatchError} the directory belongs to another process or another recipe
 */
export async function prepareUnits(settings: KunSettings, options: PrepareUnitsOptions): Promise<PreparedUnits> {
  const { store, probe, files = nodeFiles, onEvent = () => undefined, epochs } = options
  if (epochs !== undefined) mustSuitEpochs(settings.dedup)
  const decided = epochs === undefined ? null : new EpochVerdicts(new EpochObjects(store))
  const verdictsOf = decided === null ? {} : { verdictsOf: decided.of }
  const closings: Closings = []
  let prepared: PreparedUnits
  try {
    const head = await openHead(settings, { store, probe, files, onEvent, ...verdictsOf }, closings)
    const added = await planUnits(settings, head, options).catch(async (error: unknown) => {
      throw await failureUnderLock(head.directory.lock, error)
    })
    const all = [...head.lines, ...added]
    const totals = { units: all.length, candidates: all.reduce((sum, { candidates }) => sum + candidates, 0) }
    if (!head.isComplete) await writePlanTotals(store, totals)
    if (head.isComplete || decided !== null) await new EpochObjects(store).discard()
    prepared = { ...totals, added: added.length }
  } catch (error) {
    return closeAfter(error, closings)
  }
  await closeAll(closings)
  return prepared
}

/** @returns the lines that were added to the plan */
async function planUnits(
  settings: KunSettings,
  head: OpenHead,
  options: PrepareUnitsOptions,
): Promise<readonly PlanLine[]> {
  const { store, epochs, signal, onEvent = () => undefined } = options
  if (head.isComplete) return []
  if (epochs !== undefined) await decideInEpochs(settings, head, store, epochs, { signal, onEvent })
  return planRest(settings, head, options)
}

/** Reads the rest of the input. @returns the lines that were added to the plan */
async function planRest(
  settings: KunSettings,
  head: OpenHead,
  { store, signal, onUnit, unitsAheadMax, onEvent = () => undefined }: PrepareUnitsOptions,
): Promise<PlanLine[]> {
  const { read, workers, memory, output, noYield: limits } = settings
  const { directory, shards, reads, lines, verdicts, deduplicator, pool } = head
  const last = lines.at(-1)
  const added: PlanLine[] = []
  const stopped = AbortSignal.any([signal, head.lost])
  const planned = lines.map(({ id }) => id)
  const ahead =
    unitsAheadMax === undefined
      ? null
      : new UnitsAhead({ store, max: unitsAheadMax, planned, signal: stopped, onEvent })
  const facts = new BlockLedger()
  const noYield = new NoYieldDetector({ recordsMax: limits.recordsMax, llmStages: [], from: null })
  let failure = null as KunStreamError | null
  const sink = new UnitSink({
    ...{ store, files: directory.files, noYield, blocks: facts, run: head.run, lines: lastPlanFile(lines) },
    temporary: join(directory.directory, `unit.jsonl.gz${temporarySuffix}`),
    cut: lines.length,
    firstBlock: last?.blocks ?? 0,
    onNoYield: (error) => {
      failure = error
      run.abort(error)
    },
    beforeCommit: async () => {
      await ahead?.wait()
      await deduplicator.flush()
      await verdicts.flush()
      await directory.lock.confirm()
    },
    onUnit: (line) => {
      added.push(line)
      ahead?.add(line.id)
      onUnit?.(line)
    },
    stopping: () => failure !== null || signal.aborted || head.lost.aborted,
  })
  const run = headGraph(facts, {
    blocks: readBlocks(
      shards,
      { ...read, thread: readsInThread(workers.readThread) },
      last && cursorOf(cutOfLine(last)),
      reads,
    ),
    prepare: blockPreparer(pool, verdicts),
    blocksInWorkers: pool.threads * blocksPerThread,
    deduplicator,
    blockCredit: new Credit('bytes of blocks', memory.inFlightMax),
    candidatesPerCut: output.candidatesPerCut,
    blocksPerCutMax: output.blocksPerCutMax,
    blocksDone: last?.blocks ?? 0,
  })
    .to(sink)
    .run({ signal: stopped })
  try {
    await run.done
    if (signal.aborted) throw new AbortedError(say`stopped`)
  } catch (error) {
    throw failure ?? (head.lost.aborted ? head.lost.reason : error)
  }
  if (!limits.mayBeEmpty && lines.length === 0) {
    const empty = noYield.atEnd()
    if (empty !== null) throw empty
  }
  return added
}
