/**
 * Opens what the head of a divided run uses: the lock of the directory, the plan so far, the log of duplicates, verdicts of
 * the worker threads, the threads.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { noLog } from '../core/event-log.js'
import type { OpenedDeduplicator } from '../dedup/deduplicator.js'
import { openDeduplicator } from '../dedup/open-index.js'
import type { VerdictsOf } from '../dedup/verdict-decider.js'
import { CorruptFileError, type LockLostError, UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { Capabilities } from '../llm/types.js'
import type { ObjectStore } from '../objects/object-store.js'
import { parquetEncoder } from '../parquet/encoders/index.js'
import { blockPreparer } from '../run/crashed-records.js'
import { withDecontamination } from '../run/decontamination/plan.js'
import { replayDedup } from '../run/dedup-replay.js'
import { type Closings, openDirectory, openServing, weightsBefore } from '../run/open-run.js'
import { checkReplySources } from '../run/reply-sources.js'
import { pinnedCapabilities, runRecordOf } from '../run/run-record.js'
import type { KunSettings } from '../run/settings.js'
import { signaturePlan } from '../run/stages/prepare.js'
import { fitWeights } from '../run/token-weights.js'
import { type RunDirectory, type RunRecord, readManifest } from '../sinks/index.js'
import { checkReads, type Shard, type ShardRead } from '../sources/index.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import { type FileLayer, readWholeFile, sha256Of, temporarySuffix, wholeFileBytesMax } from '../storage/files.js'
import { failureUnderLock } from '../storage/lock/failure-under-lock.js'
import { openReplies, type Replies } from '../storage/replies/replies.js'
import { dedupFolder, repliesFolder, runRecordName } from '../storage/run-layout.js'
import { type PreparePlan, planPreparation } from '../text/plan.js'
import { type WorkerPool, workerPool } from '../workers/pool.js'
import { claimPlan } from './plan-owner.js'
import { planDoneKey, planFolder, planKey, unitKey, unitsPerPlanFile, verdictsFolder } from './unit-keys.js'
import {
  cutOfLine,
  type PlanLine,
  type PlanTotals,
  readPlanLines,
  readPlanTotals,
  removePlanTotals,
} from './unit-plan.js'
import { mustBeSameRun, readUnitRecord } from './unit-record.js'
import { pinCapabilities, readCapabilities } from './worker-parts.js'

/** Options for `openHead`. */
interface OpenHeadOptions {
  readonly store: ObjectStore
  readonly files: FileLayer
  /** Whether to open the model servers, whose capabilities the plan pins; otherwise the first worker does. */
  readonly probe: boolean
  /** Verdicts on duplicates that were decided elsewhere, in place of an index. */
  readonly verdictsOf?: VerdictsOf
  readonly onEvent: (message: string) => void
}

/** What the head of a divided run uses. */
export interface OpenHead {
  readonly directory: RunDirectory
  readonly shards: readonly Shard[]
  readonly reads: readonly ShardRead[]
  /** Units that are planned and intact. */
  readonly lines: readonly PlanLine[]
  /** Whether there are no others. */
  readonly isComplete: boolean
  readonly verdicts: Replies
  readonly deduplicator: OpenedDeduplicator
  readonly pool: WorkerPool
  /** Hash of what determines the rows besides the records. */
  readonly run: string
  /** Aborted when the lock of the directory is lost. */
  readonly lost: AbortSignal
}

/**
 * @param settings `output.dir` is the directory for what only this process writes
 * @throws {RunLockedError | RunMismatchError} the directory belongs to another process or another recipe
 */
export async function openHead(settings: KunSettings, options: OpenHeadOptions, closings: Closings): Promise<OpenHead> {
  const { store, files, onEvent } = options
  const { output, read } = settings
  const isPinned = (await readCapabilities(store)) !== null
  const { plan, record, capabilities } = await planHead(settings, { ...options, probe: options.probe && !isPinned })
  const lost = new AbortController()
  let lines: PlanLine[] = []
  const opened = await openDirectory(
    settings,
    record,
    { files, onEvent, onLockLost: (error: LockLostError) => lost.abort(error) },
    closings,
    async () => {
      lines = await intactLines(store, files, output.dir, onEvent)
      return lines.map(cutOfLine)
    },
  )
  const { directory, shards, reads } = opened
  try {
    await checkReads(shards, reads, onEvent)
    await mustHaveNoRun(store, directory, lines)
    await shareRecord(store, directory, record)
    const isComplete = (await intactTotals(store, onEvent))?.units === lines.length
    if (!isComplete) {
      await claimPlan(store, directory)
      await removePlanTotals(store)
    }
    if (capabilities !== null) await pinCapabilities(store, capabilities)
    const state = await openState(settings, directory, lines, plan, options, closings)
    if (lines.length > 0 && state.deduplicator.lostBytes > 0) {
      const prepare = blockPreparer(state.pool, state.verdicts, noLog)
      await replayDedup({ deduplicator: state.deduplicator, prepare, shards, read, cuts: lines.map(cutOfLine) })
    }
    const { shards: _, ...rows } = record.pinned
    const run = createHash('sha256').update(JSON.stringify(rows)).digest('hex')
    return { ...opened, ...state, lines, isComplete, run, lost: lost.signal }
  } catch (error) {
    throw await failureUnderLock(directory.lock, error)
  }
}

/** Decides how blocks are prepared. Servers are opened to count tokens, and to pin their capabilities; then closed. */
async function planHead(
  settings: KunSettings,
  { probe, files, onEvent }: OpenHeadOptions,
): Promise<{ plan: PreparePlan; record: RunRecord; capabilities: Readonly<Record<string, Capabilities>> | null }> {
  const { prepare, dedup, output } = settings
  const planned = await planPreparation(prepare, process.cwd(), signaturePlan(dedup.near))
  const unfitted = await withDecontamination(planned, prepare.decontaminate, process.cwd())
  const encoder = await parquetEncoder({ encoder: output.encoder, ...(output.codec && { codec: output.codec }) })
  await checkReplySources(settings, { files, onEvent })
  const known = await pinnedCapabilities(settings, files)
  const fits = prepare.chunk.tokensOf === 'server' && unfitted.tokenizer === null
  let weights = fits ? await weightsBefore(settings, { files }) : null
  let capabilities: Readonly<Record<string, Capabilities>> | null = null
  const counts = fits && weights === null
  if (probe || counts) {
    const closings: Closings = []
    try {
      const { servers } = await openServing(settings, { files, onEvent }, known, closings, counts)
      capabilities = { ...known, ...servers.capabilities() }
      if (counts) weights = await fitWeights({ settings, plan: unfitted, servers, onEvent, log: noLog })
    } catch (error) {
      return closeAfter(error, closings)
    }
    await closeAll(closings)
  }
  const plan = weights === null ? unfitted : { ...unfitted, chunk: { ...unfitted.chunk, family: weights } }
  const record = await runRecordOf(settings, plan, encoder.identity, capabilities ?? known, files, weights)
  return { plan, record, capabilities }
}

/**
 * Returns the lines of the plan up to the first that is damaged, or whose unit file is missing or damaged: the units from
 * there on are made again, with the same ids. The content of the files is compared only when planning had ended.
 */
async function intactLines(
  store: ObjectStore,
  files: FileLayer,
  scratch: string,
  onEvent: (message: string) => void,
): Promise<PlanLine[]> {
  const hasEnded = (await store.head(planDoneKey)) !== null
  const lines: PlanLine[] = []
  try {
    for await (const line of readPlanLines(store)) {
      if (!(await isIntact(store, files, line, hasEnded, scratch))) {
        onEvent(
          say`the unit file ${store.url}/${unitKey(line.cut)} is missing or damaged: it and those after it are made again`,
        )
        break
      }
      lines.push(line)
    }
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    onEvent(say`the plan file ${store.url}/${planKey(lines.length)} is damaged: it and those after it are made again`)
  }
  return lines
}

/** Returns the totals of a complete plan; null while it is not, or if they are damaged and must be written again. */
async function intactTotals(store: ObjectStore, onEvent: (message: string) => void): Promise<PlanTotals | null> {
  try {
    return await readPlanTotals(store)
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    onEvent(say`${store.url}/${planDoneKey} is damaged: it is made again`)
    return null
  }
}

async function isIntact(
  store: ObjectStore,
  files: FileLayer,
  { cut, bytes, sha256 }: PlanLine,
  compares: boolean,
  scratch: string,
): Promise<boolean> {
  const key = unitKey(cut)
  if ((await store.head(key))?.bytes !== bytes) return false
  if (!compares) return true
  if (store.directory !== null) return (await sha256Of(files, join(store.directory, key), bytes)) === sha256
  const copy = join(scratch, `unit${temporarySuffix}`)
  try {
    return (await store.getFile(key, copy)) && (await sha256Of(files, copy, bytes)) === sha256
  } finally {
    await files.remove(copy)
  }
}

/** @throws {UsageError} the directory is that of an undivided run */
async function mustHaveNoRun(
  store: ObjectStore,
  { directory, files }: RunDirectory,
  lines: readonly PlanLine[],
): Promise<void> {
  if (lines.length > 0 || (await readManifest(directory, files)).length === 0) return
  // A plan without an intact line is still one.
  for await (const _ of store.list(planFolder)) return
  throw new UsageError(
    say`${directory} holds a run that is not divided into units: finish it with \`run\`, or use another directory`,
  )
}

/** Copies run.json to a store that is not the directory. @throws {RunMismatchError} the store has another run */
async function shareRecord(store: ObjectStore, { directory, files }: RunDirectory, record: RunRecord): Promise<void> {
  if (store.directory !== null) return
  const bytes = await readWholeFile(files, join(directory, runRecordName), wholeFileBytesMax)
  if (bytes !== null && (await store.putIfAbsent(runRecordName, bytes))) return
  mustBeSameRun(await readUnitRecord(store), record, store.url)
}

async function openState(
  { dedup, workers, replies }: KunSettings,
  { directory, files }: RunDirectory,
  lines: readonly PlanLine[],
  plan: PreparePlan,
  { verdictsOf, onEvent }: OpenHeadOptions,
  closings: Closings,
): Promise<Pick<OpenHead, 'verdicts' | 'deduplicator' | 'pool'>> {
  const verdicts = await openReplies({
    files,
    directory: join(directory, verdictsFolder),
    from: replies.from.map((earlier) => join(earlier, repliesFolder)),
    onWarning: onEvent,
  })
  closings.unshift(() => verdicts.close())
  const deduplicator = await openDeduplicator({
    options: dedup,
    directory: join(directory, dedupFolder),
    files,
    committedLogBytes: lines.at(-1)?.dedupLogBytes ?? 0,
    ...(verdictsOf && { verdictsOf }),
    onWarning: onEvent,
  })
  closings.unshift(() => deduplicator.close())
  const pool = workerPool({ plan, ...workers, onEvent })
  closings.unshift(() => pool.close())
  return { verdicts, deduplicator, pool }
}

/** Returns the lines of the last file of the plan, which the next unit is added to. */
export function lastPlanFile(lines: readonly PlanLine[]): readonly PlanLine[] {
  const full = lines.length - (lines.length % unitsPerPlanFile)
  return lines.slice(full)
}
