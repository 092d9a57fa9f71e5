/**
 * Opens and closes everything that a run uses. Parts that write nothing are opened first: an invalid filter or a server
 * that does not respond is reported before anything is written.
 */

import { join } from 'node:path'
import { type EventLog, noLog } from '../core/event-log.js'
import type { Clock } from '../core/types.js'
import type { OpenedDeduplicator } from '../dedup/deduplicator.js'
import { InstructionIndex } from '../dedup/instruction-index.js'
import { openDeduplicator } from '../dedup/open-index.js'
import { type LockLostError, UsageError } from '../errors.js'
import { plannedStages, promptReaders } from '../kun/planned-stages.js'
import { columnsOf, type RowOptions } from '../kun/row.js'
import type { Phase } from '../kun/stage-ranks.js'
import { type KunStages, kunStages } from '../kun/stages.js'
import { say } from '../language/say.js'
import type { ProbeMemory } from '../llm/endpoint/probe-memory.js'
import { type ModelServers, openServers } from '../llm/scheduler/model-servers.js'
import type { Capabilities } from '../llm/types.js'
import { type Encoder, parquetEncoder } from '../parquet/encoders/index.js'
import {
  type CutWriter,
  type ManifestEntry,
  openCutWriter,
  openRunDirectory,
  type RunDirectory,
  type RunRecord,
  readManifest,
} from '../sinks/index.js'
import { checkReads, type Shard, type ShardRead, type SourceCursor } from '../sources/index.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import type { OnStep } from '../storage/commit-steps.js'
import type { FileLayer } from '../storage/files.js'
import { failureUnderLock } from '../storage/lock/failure-under-lock.js'
import type { LockOptions, RunLock } from '../storage/lock/lock.js'
import { openReplies, type Replies } from '../storage/replies/replies.js'
import { dedupFolder, planFolder, repliesFolder } from '../storage/run-layout.js'
import type { Block, PreparedBlock } from '../text/block.js'
import type { ContaminationIndex } from '../text/contamination.js'
import { planPreparation } from '../text/plan.js'
import { type WorkerPool, workerPool } from '../workers/pool.js'
import { dedupThreadCount } from '../workers/thread-counts.js'
import { type Counters, rowsOf } from './accounting.js'
import { countersOf, cursorOf, readsOf } from './committed-cut.js'
import { blockPreparer } from './crashed-records.js'
import { withDecontamination } from './decontamination/plan.js'
import { replayDedup } from './dedup-replay.js'
import { DriftMonitor } from './drift/monitor.js'
import { alignShards, refuseMisaligned } from './pinned-shards.js'
import { checkReplySources } from './reply-sources.js'
import { pinnedCapabilities, pinnedShardsOf, runRecordOf } from './run-record.js'
import { readSampleProbes, writeSampleProbes } from './sample-probes.js'
import type { KunSettings } from './settings.js'
import { signaturePlan } from './stages/prepare.js'
import { fitWeights, knownWeights, type PinnedWeights } from './token-weights.js'
import { UsageLimits } from './usage-limits.js'

/** Everything that a run uses. `closeRun` closes it. */
export interface OpenRun {
  /** Shards of the settings, with removed shards in their places. */
  readonly shards: readonly Shard[]
  /** State of each shard that committed blocks were read from. */
  readonly reads: readonly ShardRead[]
  readonly directory: RunDirectory
  /** Where the run resumes; null at its start. */
  readonly from: ResumePoint | null
  readonly replies: Replies
  readonly servers: ModelServers
  readonly stages: KunStages
  readonly row: RowOptions
  readonly deduplicator: OpenedDeduplicator
  readonly pool: WorkerPool
  /** Prepares blocks in the pool. */
  readonly prepare: (block: Block) => Promise<PreparedBlock>
  /** Benchmarks that instructions and outputs are compared with; null without them. */
  readonly contamination: ContaminationIndex | null
  /** Null if instructions of a cut are not compared. */
  readonly instructions: InstructionIndex | null
  readonly log: EventLog
  readonly writer: CutWriter
  readonly drift: DriftMonitor
  readonly usage: UsageLimits
}

/** The last committed cut. */
interface ResumePoint {
  /** Committed cuts. */
  readonly cuts: number
  /** Committed blocks. */
  readonly blocks: number
  readonly cursor: SourceCursor
  readonly counters: Counters
}

export interface OpenRunOptions {
  readonly files: FileLayer
  readonly onStep?: OnStep | undefined
  readonly onEvent?: ((message: string) => void) | undefined
  /** Receives each decision that changes what is sent or written. */
  readonly log?: EventLog | undefined
  readonly fresh?: 'refuse' | 'discard' | undefined
  /** For waits, deadlines and outages; the system clock by default. */
  readonly clock?: Clock | undefined
  /** Stops every record after this stage; replies are kept, no cut is committed. */
  readonly through?: Phase | undefined
  /** Called immediately, also before the run has started, for example while it waits for another process's lock. */
  readonly onWait?: ((message: string) => void) | undefined
  /** Called once if the run loses the lock of its directory. */
  readonly onLockLost?: ((error: LockLostError) => void) | undefined
  /** Options of the lock; for tests. */
  readonly lock?: Pick<LockOptions, 'leaseMs' | 'clock' | 'wallNow' | 'stateOf' | 'holder'> | undefined
  /** Bytes of a log of replies before it is closed; for tests. */
  readonly replySegmentBytes?: number | undefined
}

/** Closes what was opened so far, in this order, if opening the rest fails. */
export type Closings = (() => Promise<void>)[]

/**
 * Opens a run, and recovers its directory to the last committed cut.
 *
 * @throws {EndpointError | UsageError} a server or a run of `replies.from` cannot be used; nothing was written
 * @throws {RunLockedError | RunMismatchError} the directory belongs to another process or another recipe
 */
export async function openRun(settings: KunSettings, options: OpenRunOptions): Promise<OpenRun> {
  const { prepare, dedup, workers, output, read } = settings
  const { files, log = noLog } = options
  const onEvent = (message: string): void => {
    log.warn('note', { message })
    options.onEvent?.(message)
  }
  const noting = { ...options, onEvent }
  const planned = await planPreparation(prepare, process.cwd(), signaturePlan(dedup.near))
  const unfitted = await withDecontamination(planned, prepare.decontaminate, process.cwd())
  const encoder = await parquetEncoder({ encoder: output.encoder, ...(output.codec && { codec: output.codec }) })
  const closings: Closings = []
  let lock: RunLock | null = null
  try {
    await checkReplySources(settings, noting)
    const known = await pinnedCapabilities(settings, files)
    const fits = prepare.chunk.tokensOf === 'server' && unfitted.tokenizer === null
    const pinnedWeights = fits ? await weightsBefore(settings, noting) : null
    const { probes, ...serving } = await openServing(settings, options, known, closings, fits && pinnedWeights === null)
    const { servers, stages, drift } = serving
    const weights =
      pinnedWeights ?? (fits ? await fitWeights({ settings, plan: unfitted, servers, onEvent, log }) : null)
    const plan = weights === null ? unfitted : { ...unfitted, chunk: { ...unfitted.chunk, family: weights } }
    const capabilities = { ...known, ...servers.capabilities() }
    const record = await runRecordOf(settings, plan, encoder.identity, capabilities, files, weights)
    const { directory, shards, reads } = await openDirectory(settings, record, noting, closings)
    lock = directory.lock
    if (settings.sample !== undefined && probes !== null) await writeSampleProbes(output.dir, probes, directory.files)
    await checkReads(shards, reads, onEvent)
    await drift.open({ files: directory.files, directory: output.dir, onEvent })
    const row = { ...stages.row, shape: output.shape }
    const writing = await openWriting(settings, directory, row, encoder, noting, closings)
    const { replies, deduplicator } = writing
    servers.useReplies(replies)
    const instructions = await InstructionIndex.openFor(settings.kun.dedupInstructions)
    const pool = workerPool({ plan, ...workers, onEvent })
    closings.unshift(() => pool.close())
    const prepareBlock = blockPreparer(pool, replies, log)
    if (directory.last !== null && deduplicator.lostBytes > 0) {
      const cuts = await readManifest(output.dir, files)
      await replayDedup({ deduplicator, prepare: prepareBlock, shards, read, cuts })
    }
    const from = directory.last && resumePoint(directory.last)
    if (from !== null && directory.last?.rowsMax === undefined) await replies.forgetBefore(from.blocks)
    return {
      ...serving,
      ...writing,
      shards,
      reads,
      directory,
      from,
      row,
      pool,
      prepare: prepareBlock,
      contamination: plan.contamination?.index ?? null,
      instructions,
      log,
    }
  } catch (error) {
    return closeAfter(await failureUnderLock(lock, error), closings)
  }
}

/** Closes everything, however the run ended. The lock of the directory is released last. */
export async function closeRun(run: OpenRun): Promise<void> {
  const { pool, servers, usage, drift, writer, deduplicator, replies, directory } = run
  usage.close()
  await closeAll([
    () => pool.close(),
    () => servers.close(),
    () => drift.close(),
    () => writer.abandon(),
    () => deduplicator.close(),
    () => replies.close(),
    () => directory.close(),
  ])
}

function resumePoint(last: ManifestEntry): ResumePoint {
  return { cuts: last.cut + 1, blocks: last.blocks, cursor: cursorOf(last), counters: countersOf(last) }
}

/** Returns the weights of tokens that an earlier call of this run, or the run whose replies are used, has pinned. */
export function weightsBefore(
  { output, replies, kun, models }: KunSettings,
  { files, fresh }: OpenRunOptions,
): Promise<PinnedWeights | null> {
  const own = fresh === 'discard' ? [] : [output.dir]
  const model = models[kun.label.model]?.model ?? kun.label.model
  return knownWeights([...own, ...replies.from], model, files)
}

/** Opens the servers, the stages that use them, and drift detection. Writes nothing. */
export async function openServing(
  settings: KunSettings,
  { clock, through, onEvent, log, files }: OpenRunOptions,
  pinned: Readonly<Record<string, Capabilities>>,
  closings: Closings,
  /** Whether the server of the label model must count tokens, also in a phase that does not call it. */
  countsTokens: boolean,
): Promise<Pick<OpenRun, 'servers' | 'stages' | 'drift' | 'usage'> & { readonly probes: ProbeMemory | null }> {
  const { seed, models, kun, servers: serverOptions, drift: driftOptions, limits, sample } = settings
  const used = new Set(plannedStages(kun, through).map(({ model }) => model))
  if (countsTokens) used.add(kun.label.model)
  const drift = new DriftMonitor(driftOptions)
  const usage = new UsageLimits(limits)
  const probes = await readSampleProbes(settings, files, onEvent)
  const servers = await openServers({
    models: Object.fromEntries(Object.entries(models).filter(([name]) => used.has(name))),
    seed,
    servers: serverOptions,
    ...(clock && { clock }),
    pinned,
    readPrompts: promptReaders(kun),
    briefProbe: sample !== undefined,
    ...(probes !== null && { probeMemory: probes }),
    onEvent: ({ endpoint, words }) => onEvent?.(`${endpoint}: ${words}`),
    onAnswer: (call, answer) => {
      usage.answered()
      drift.answered(call, answer)
    },
    ...(log && { log }),
  })
  closings.unshift(() => servers.close())
  // Rows have the name of a model, not the address of its server: the address does not change the bytes.
  const modelNames = Object.fromEntries(Object.entries(models).map(([name, options]) => [name, options.model]))
  const stages = kunStages(kun, servers, modelNames, through)
  return { servers, stages, drift, usage, probes }
}

/** Locks the run directory, compares its record with this run's, and recovers it. */
export async function openDirectory(
  { output: { dir: directory }, shards: listed, limits }: KunSettings,
  record: RunRecord,
  { files, fresh, onStep, onEvent, onWait, onLockLost, lock }: OpenRunOptions,
  closings: Closings,
  /** Committed cuts, if they are not those of the manifest. */
  cutsOf?: () => Promise<readonly ManifestEntry[]>,
): Promise<Pick<OpenRun, 'directory' | 'shards' | 'reads'>> {
  let shards = listed
  let reads: readonly ShardRead[] = []
  if (cutsOf === undefined) await refuseDivided(directory, files)
  const opened = await openRunDirectory({
    directory,
    files,
    record,
    adapt: (found, cuts) => {
      const last = cuts.at(-1)
      reads = readsOf(cuts)
      const aligned = alignShards(pinnedShardsOf(found), listed, last === undefined ? null : cursorOf(last), reads)
      refuseMisaligned(aligned, directory)
      shards = aligned.shards
      for (const note of aligned.notes) onEvent?.(note)
      const withShards = (each: RunRecord): RunRecord => ({
        ...each,
        pinned: { ...each.pinned, shards: aligned.pinned },
      })
      return { found: withShards(found), record: withShards(record) }
    },
    ...(cutsOf === undefined ? { reopens: (last) => rowsOf(countersOf(last)) < limits.rowsMax } : { cutsOf }),
    ...(fresh && { fresh }),
    ...(onStep && { onStep }),
    lock: {
      ...lock,
      onEvent: (message) => (onWait ?? onEvent)?.(message),
      onLost: (error) => onLockLost?.(error),
    },
  })
  closings.unshift(() => opened.close())
  return { directory: opened, shards, reads }
}

/** @throws {UsageError} the directory is divided into units, whose log of duplicates a run would truncate */
async function refuseDivided(directory: string, files: FileLayer): Promise<void> {
  if ((await files.list(join(directory, planFolder))).length === 0) return
  throw new UsageError(say`${directory} is divided into units: use \`generate\` and \`assemble\`, or another directory`)
}

/** Opens the parts that write in the run directory: replies, the dedup log, cuts. */
async function openWriting(
  { output, splits, replies: replyOptions, dedup, workers }: KunSettings,
  { directory, files, last, lock }: RunDirectory,
  row: RowOptions,
  encoder: Encoder,
  { onEvent, onStep, replySegmentBytes }: OpenRunOptions,
  closings: Closings,
): Promise<Pick<OpenRun, 'replies' | 'deduplicator' | 'writer'>> {
  const replies = await openReplies({
    files,
    directory: join(directory, repliesFolder),
    mode: replyOptions.keep ? 'keep' : 'discard',
    from: replyOptions.from.map((earlierRun) => join(earlierRun, repliesFolder)),
    ...(replySegmentBytes !== undefined && { segmentBytes: replySegmentBytes }),
    ...(onEvent && { onWarning: onEvent }),
  })
  closings.unshift(() => replies.close())
  // A run that was killed between a commit and the discard of its replies discards them now.
  if (last !== null && last.rowsMax === undefined) await replies.forgetBefore(last.blocks)
  const deduplicator = await openDeduplicator({
    options: dedup,
    directory: join(directory, dedupFolder),
    files,
    committedLogBytes: last?.dedupLogBytes ?? 0,
    threads: dedupThreadCount(workers.dedupThreads),
    ...(onEvent && { onWarning: onEvent }),
  })
  closings.unshift(() => deduplicator.close())
  const writer = await openCutWriter({
    files,
    directory,
    splits,
    columns: columnsOf(row),
    encoder,
    from: last,
    rowsPerFile: output.rowsPerFile,
    rowGroupBytesMax: output.rowGroupBytesMax,
    beforeCommit: [() => deduplicator.flush(), () => replies.flush()],
    fence: () => lock.confirm(),
    ...(onStep && { onStep }),
  })
  closings.unshift(() => writer.abandon())
  return { replies, deduplicator, writer }
}
