/**
 * The parts of a run, opened in the order that leaves nothing behind when something is wrong, and closed in the other.
 * What only reads comes first: a wrong filter or a server that is not there is found before anything is written.
 */

import { join } from 'node:path'
import type { Clock } from '../core/types.js'
import { version } from '../core/version.js'
import { againstHashes } from '../dedup/against-hashes.js'
import type { OpenedDeduplicator } from '../dedup/deduplicator.js'
import { openDeduplicator } from '../dedup/open-index.js'
import type { LockLostError } from '../errors.js'
import { columnsOf } from '../kun/row.js'
import { type KunStages, kunStages, type Phase, stagesThrough } from '../kun/stages.js'
import { parseCapabilities } from '../llm/endpoint/capabilities.js'
import { type ModelServers, openServers } from '../llm/scheduler/model-servers.js'
import type { Capabilities } from '../llm/types.js'
import { encoderIdentity, parquetEncoder } from '../parquet/encoders/index.js'
import {
  type CutWriter,
  type ManifestEntry,
  openCutWriter,
  openRunDirectory,
  type RunDirectory,
  readManifest,
  readRunRecord,
} from '../sinks/index.js'
import { checkReads, type Shard, type ShardRead, type SourceCursor } from '../sources/index.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import type { OnStep } from '../storage/commit-steps.js'
import type { FileLayer } from '../storage/files.js'
import type { LockOptions } from '../storage/lock/lock.js'
import { openReplies, type Replies } from '../storage/replies/replies.js'
import { dedupFolder, repliesFolder } from '../storage/run-layout.js'
import { type PreparePlan, pinnedFilters, planPreparation } from '../text/plan.js'
import { type WorkerPool, workerPool } from '../workers/pool.js'
import { preparing } from './crashed-records.js'
import { replayDedup } from './dedup-replay.js'
import { DriftMonitor } from './drift/monitor.js'
import { alignShards, type PinnedShard, pinnedShards, readsOf, refuseMisaligned } from './pinned-shards.js'
import type { KunSettings } from './settings.js'
import { signaturePlan } from './stages/prepare.js'

export interface OpenRun {
  /** Shards of the settings, with removed shards in their places. */
  readonly shards: readonly Shard[]
  /** State of each as read by committed blocks. */
  readonly reads: readonly ShardRead[]
  readonly directory: RunDirectory
  /** The last committed cut. */
  readonly from: ManifestEntry | null
  readonly replies: Replies
  readonly servers: ModelServers
  readonly stages: KunStages
  readonly deduplicator: OpenedDeduplicator
  readonly pool: WorkerPool
  readonly writer: CutWriter
  readonly watch: DriftMonitor
}

export interface OpenRunOptions {
  readonly files: FileLayer
  readonly onStep?: OnStep | undefined
  readonly onEvent?: ((message: string) => void) | undefined
  readonly fresh?: 'refuse' | 'discard' | undefined
  /** Of waits, deadlines and outages; the machine's by default. */
  readonly clock?: Clock | undefined
  /** Stops every record after this stage; replies are kept, no cut is committed. */
  readonly through?: Phase | undefined
  /** Reports immediately, also before the run has begun, for example that it waits for another process's lock. */
  readonly onWait?: ((message: string) => void) | undefined
  /** Called once when the lock of the run directory is lost in mid-run. */
  readonly onLockLost?: ((error: LockLostError) => void) | undefined
  /** Options of the lock; for tests. */
  readonly lock?: Pick<LockOptions, 'leaseMs' | 'clock' | 'wallNow' | 'stateOf' | 'holder'> | undefined
  /** Bytes of a log of replies before it is closed; for tests. */
  readonly replySegmentBytes?: number | undefined
}

/** What was opened so far; closed from the last to the first when the next one cannot be. */
type Closing = (() => Promise<void>)[]

/**
 * Opens the parts of a run, and brings what earlier runs left to the last committed cut.
 *
 * @throws {EndpointError} a server cannot be used: nothing was written
 * @throws {RunLockedError | RunMismatchError} the directory belongs to another process or another recipe
 */
export async function openRun(settings: KunSettings, options: OpenRunOptions): Promise<OpenRun> {
  const { dir } = settings.output
  const plan = await planPreparation(settings.prepare, process.cwd(), signaturePlan(settings.dedup.near))
  const closing: Closing = []
  try {
    const asking = await openAsking(settings, options, closing)
    const { servers, watch, stages } = asking
    const { directory, shards, reads } = await openDirectory(settings, options, plan, asking.capabilities, closing)
    const from = directory.last
    await checkReads(shards, reads, (message) => options.onEvent?.(message))
    await watch.keepStarts({
      files: directory.files,
      directory: settings.output.dir,
      onEvent: (message) => options.onEvent?.(message),
    })
    const { replies, deduplicator, writer } = await openWriting(settings, options, asking, directory, closing)
    const pool = workerPool({ plan, ...settings.workers, onEvent: (message) => options.onEvent?.(message) })
    closing.push(() => pool.close())
    if (from !== null && deduplicator.lostBytes > 0) {
      const cuts = await readManifest(dir, options.files)
      await replayDedup({ deduplicator, prepare: preparing(pool, replies), settings: { ...settings, shards }, cuts })
    }
    if (from !== null) await replies.committed(from.blocks)
    return { shards, reads, directory, from, replies, servers, stages, deduplicator, pool, writer, watch }
  } catch (error) {
    return closeAfter(error, closing.reverse())
  }
}

interface Asking extends Pick<OpenRun, 'servers' | 'watch' | 'stages'> {
  /** By model, those too that this phase does not need. */
  readonly capabilities: Readonly<Record<string, Capabilities>>
}

/** The servers, and the stages that ask them. Writes nothing. */
async function openAsking(settings: KunSettings, options: OpenRunOptions, closing: Closing): Promise<Asking> {
  const { output, replies: keeping } = settings
  const known = await knownCapabilities([output.dir, ...keeping.from], options.files)
  const servers = await openServers({
    models: usedModels(settings, options.through),
    seed: settings.seed,
    servers: settings.servers,
    ...(options.clock && { clock: options.clock }),
    pinned: known,
    onEvent: ({ endpoint, words }) => options.onEvent?.(`${endpoint}: ${words}`),
  })
  closing.push(() => servers.close())
  const watch = new DriftMonitor({ ...settings.limits, brakes: settings.brakes })
  const watched = { model: (name: string) => watch.model(servers.model(name)) }
  const stages = kunStages(settings.kun, watched, modelNames(settings), options.through)
  return { servers, watch, stages, capabilities: { ...known, ...servers.capabilities() } }
}

async function openDirectory(
  settings: KunSettings,
  { files, fresh, onStep, onEvent, onWait, onLockLost, lock }: OpenRunOptions,
  plan: PreparePlan,
  capabilities: Asking['capabilities'],
  closing: Closing,
): Promise<Pick<OpenRun, 'directory' | 'shards' | 'reads'>> {
  const dir = settings.output.dir
  let { shards } = settings
  let reads: readonly ShardRead[] = []
  const record = await runRecord(settings, plan, capabilities, await encoderIdentity(encodingOf(settings)), files)
  const directory = await openRunDirectory({
    directory: dir,
    files,
    record,
    adapt: (found, cuts) => {
      reads = readsOf(cuts)
      const before = (found.pinned.shards ?? []) as PinnedShard[]
      const aligned = alignShards(before, shards, (cuts.at(-1)?.cursor ?? null) as SourceCursor | null, reads)
      refuseMisaligned(aligned, dir)
      shards = aligned.shards
      for (const note of aligned.notes) onEvent?.(note)
      const withShards = <R extends typeof found>(each: R): R => ({
        ...each,
        pinned: { ...each.pinned, shards: aligned.pinned },
      })
      return { found: withShards(found), record: withShards(record) }
    },
    ...(fresh && { fresh }),
    ...(onStep && { onStep }),
    lock: {
      ...lock,
      onEvent: (message) => (onWait ?? onEvent)?.(message),
      onLost: (error) => onLockLost?.(error),
    },
  })
  closing.push(() => directory.close())
  return { directory, shards, reads }
}

/** What writes in the run directory: replies, the dedup log, cuts. */
async function openWriting(
  settings: KunSettings,
  { onEvent, onStep, replySegmentBytes }: OpenRunOptions,
  { servers, stages }: Asking,
  { files, last: from, lock }: RunDirectory,
  closing: Closing,
): Promise<Pick<OpenRun, 'replies' | 'deduplicator' | 'writer'>> {
  const { dir, shape, rowsPerFile, rowGroupBytesMax } = settings.output
  const replies = await openReplies({
    files,
    directory: join(dir, repliesFolder),
    mode: settings.replies.keep ? 'keep' : 'discard',
    from: settings.replies.from.map((earlierRun) => join(earlierRun, repliesFolder)),
    ...(replySegmentBytes !== undefined && { segmentBytes: replySegmentBytes }),
    ...(onEvent && { onWarning: onEvent }),
  })
  closing.push(() => replies.close())
  servers.useReplies(replies)
  // Killed after the last commit, a run did not come to discard what that made needless.
  if (from !== null) await replies.committed(from.blocks)
  const deduplicator = await openDeduplicator({
    options: settings.dedup,
    directory: join(dir, dedupFolder),
    files,
    committedLogBytes: from?.dedupLogBytes ?? 0,
    ...(onEvent && { onWarning: onEvent }),
  })
  closing.push(() => deduplicator.close())
  const writer = await openCutWriter({
    files,
    directory: dir,
    splits: settings.splits,
    columns: columnsOf({ ...stages.row, shape }),
    encoder: await parquetEncoder(encodingOf(settings)),
    from,
    rowsPerFile,
    rowGroupBytesMax,
    beforeCommit: [() => deduplicator.flush(), () => replies.flush()],
    fence: () => lock.confirm(),
    ...(onStep && { onStep }),
  })
  closing.push(() => writer.abandon())
  return { replies, deduplicator, writer }
}

function encodingOf({ output: { encoder, codec } }: KunSettings) {
  return { encoder, ...(codec && { codec }) }
}

/** Everything that was opened, whether or not the run came to its end. The lock goes last. */
export async function closeRun({
  pool,
  servers,
  writer,
  deduplicator,
  replies,
  directory,
  watch,
}: OpenRun): Promise<void> {
  await closeAll([
    () => pool.close(),
    () => servers.close(),
    () => watch.close(),
    () => writer.abandon(),
    () => deduplicator.close(),
    () => replies.close(),
    () => directory.close(),
  ])
}

/** What was found out about servers when a run began, in the first directory that knows it. */
async function knownCapabilities(
  directories: readonly string[],
  files: FileLayer,
): Promise<Record<string, Capabilities>> {
  let known: Record<string, Capabilities> = {}
  for (const directory of directories) {
    const record = await readRunRecord(directory, files)
    known = { ...parseCapabilities(record?.free.capabilities ?? {}), ...known }
  }
  return known
}

/** A phase needs no other server than those of its stages. */
function usedModels({ models, kun }: KunSettings, through: Phase | undefined): KunSettings['models'] {
  const used = new Set(stagesThrough(kun, through).map(({ model }) => model))
  return Object.fromEntries(Object.entries(models).filter(([name]) => used.has(name)))
}

/** The recipe's name for a model is what rows carry: where it is served does not alter the bytes. */
function modelNames({ models }: KunSettings): Record<string, string> {
  return Object.fromEntries(Object.entries(models).map(([name, { model }]) => [name, model]))
}

async function runRecord(
  settings: KunSettings,
  plan: PreparePlan,
  capabilities: Readonly<Record<string, Capabilities>>,
  encoder: string,
  files: FileLayer,
): Promise<{ pinned: Record<string, unknown>; free: Record<string, unknown> }> {
  return {
    pinned: {
      version,
      recipe: settings.pinned,
      shards: pinnedShards(settings.shards),
      filters: pinnedFilters(plan.filters),
      tokenizer: plan.tokenizer === null ? null : { name: plan.tokenizer.name, sha256: plan.tokenizer.sha256 },
      ...(settings.dedup.against.length > 0 && { against: await againstHashes(settings.dedup.against, files) }),
      encoder,
    },
    // Found by probing, one model at a time where phases need it; an endpoint that lacks one of them is refused.
    free: { capabilities, workers: settings.workers, memory: settings.memory, recipe: settings.recipe },
  }
}
