/**
 * Opens everything a run needs, in the order that leaves nothing behind when something is wrong: first what only reads
 * (filters, servers), then the run directory, then what writes in it. Runs the graph of pipeline.ts, and closes all again.
 */
import { join } from 'node:path'
import { Credit } from '../core/credit.js'
import type { Run, RunMetrics } from '../core/run.js'
import { AbortedError, type KunStreamError, type LockLostError } from '../errors.js'
import type { ServersMetrics } from '../llm/scheduler/model-servers.js'
import type { Capabilities } from '../llm/types.js'
import { blocks, bytesBefore, type SourceCursor } from '../sources/index.js'
import { closeAfter } from '../storage/close-all.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { spillName } from '../storage/run-layout.js'
import { SpillFile } from '../storage/spill-file.js'
import type { Counters } from './accounting.js'
import { Accounting } from './accounting.js'
import { preparing } from './crashed-records.js'
import { NoYieldDetector } from './no-yield.js'
import { closeRun, type OpenRun, type OpenRunOptions, openRun } from './open-run.js'
import { kunGraph } from './pipeline.js'
import { itemBytes, itemCodec } from './reorder-codec.js'
import type { KunSettings } from './settings.js'
import { blocksPerThread } from './stages/prepare.js'
import { writeStats } from './stats-file.js'

/** Item credit: 24 × the requests in flight. With fewer, one record in a hundred that takes long leaves slots empty. */
const itemsPerRequest = 24

/** How a run is started, beside its settings; all of it may be left out. */
export type KunRunOptions = Omit<OpenRunOptions, 'files' | 'onLockLost'> & { readonly files?: FileLayer }

/**
 * A run as it is at this moment. Counters are of what was released, in input order; the metrics run ahead of them.
 */
export interface KunRunProgress {
  readonly metrics: RunMetrics
  readonly servers: ServersMetrics
  /** Bytes of blocks that were read by this process. */
  readonly readBytes: number
  readonly cuts: number
  readonly counters: Counters
  /** Memory of what grows with the input by its nature: the index of duplicates, and that of replies still asked for. */
  readonly indexBytes: { readonly duplicates: number; readonly replies: number }
}

/** How a run ended. 'limit': at the first cut that reached `rowsMax`. */
export type KunRunEnd = 'input' | 'limit'

/** A run at work. */
export interface KunRun {
  /** Settles when everything is closed again. Rejects with what stopped it; a rejected run resumes where its error says so. */
  readonly done: Promise<KunRunEnd>
  /** Blocks that earlier runs committed. */
  readonly blocksDone: number
  /** Their bytes; null where shards do not tell without being read. */
  readonly bytesDone: number | null
  /** By the recipe's name for a model: what was found out about its servers. */
  readonly capabilities: Readonly<Record<string, Capabilities>>
  readonly stages: OpenRun['stages']['described']
  progress(): KunRunProgress
  /** Stops reading and asking, waits until the requests in flight reached the replies, drops the open cut. */
  stop(reason: KunStreamError): Promise<void>
  /** Stops at once. What was committed stays. */
  abort(reason: KunStreamError): void
}

/**
 * Starts a run, or goes on with the one in the directory.
 *
 * @throws {EndpointError} a server cannot be used: nothing was written
 * @throws {RunLockedError | RunMismatchError} the directory belongs to another process or another recipe
 */
export async function startKunRun(settings: KunSettings, options: KunRunOptions = {}): Promise<KunRun> {
  let session: KunRun | null = null
  let lost: LockLostError | null = null
  const onLockLost = (error: LockLostError): void => {
    lost ??= error
    session?.abort(error)
  }
  const parts = await openRun(settings, { ...options, files: options.files ?? nodeFiles, onLockLost })
  session = new ActiveRun(settings, parts, options.through !== undefined)
  if (lost !== null) session.abort(lost)
  return session
}

class ActiveRun implements KunRun {
  readonly done: Promise<KunRunEnd>
  readonly blocksDone: number
  readonly bytesDone: number | null
  readonly capabilities: KunRun['capabilities']
  readonly stages: KunRun['stages']
  readonly #parts: OpenRun
  readonly #run: Run
  readonly #accounting: Accounting
  readonly #noYield: NoYieldDetector
  /** Whether the recipe allows a run to end without a row. */
  readonly #mayBeEmpty: boolean
  #readBytes = 0
  #cuts: number
  /** Why the run is being stopped; null while it is not. */
  #stopReason: KunStreamError | null = null
  #drained: Promise<void> | null = null
  #limitReached = false
  /** The run is over, however it ended: what still arrives at the sink comes too late. */
  #over = false
  #sinkWork: Promise<void> = Promise.resolve()

  constructor(settings: KunSettings, parts: OpenRun, isPhase: boolean) {
    this.#parts = parts
    const { files } = parts.directory
    const { from, stages, writer, servers, replies, deduplicator, pool, watch } = parts
    const { output, memory, limits } = settings
    this.blocksDone = from?.blocks ?? 0
    this.bytesDone = from === null ? 0 : bytesBefore(parts.shards, from.cursor as SourceCursor)
    this.capabilities = servers.capabilities()
    this.stages = stages.described
    this.#cuts = from === null ? 0 : from.cut + 1
    this.#accounting = new Accounting(settings.splits, stages.names, (from?.counters as Counters | undefined) ?? null)
    const recordsMax = settings.brakes === false ? false : settings.brakes.sameEndingRecords
    this.#mayBeEmpty = recordsMax === false && settings.brakes !== false
    this.#noYield = new NoYieldDetector({
      recordsMax: recordsMax === false ? null : recordsMax,
      llmStages: stages.names,
      from: (from?.counters as Counters | undefined) ?? null,
    })
    // Killed after the cut that reached it, a run must not make one more when it goes on.
    this.#limitReached = !isPhase && from !== null && rowsOf(this.#accounting.counters()) >= limits.rowsMax
    const graph = kunGraph({
      blocks: this.#limitReached ? nothing() : this.#read(settings, from?.cursor as SourceCursor | undefined),
      prepare: preparing(pool, replies),
      blocksInWorkers: pool.threads * blocksPerThread,
      deduplicator,
      label: stages.label === null ? null : watch.stage(stages.label),
      laterStages: stages.later.map((stage) => watch.stage(stage)),
      blockCredit: new Credit('bytes of blocks', memory.inFlightMax),
      itemCredit: new Credit('records', itemsPerRequest * requestsInFlightMax(settings)),
      reorder: {
        bytesMax: memory.reorderBytesMax,
        sizeBytes: itemBytes,
        spill: new SpillFile(files, join(output.dir, spillName), itemCodec),
      },
      candidatesPerCut: output.candidatesPerCut,
      blocksPerCutMax: output.blocksPerCutMax,
      blocksDone: this.blocksDone,
      servers,
      noYield: this.#noYield,
      onNoYield: (reason) => void this.stop(reason).catch(() => undefined), // `done` rejects with it
      sink: isPhase
        ? null
        : {
            writer,
            row: { ...stages.row, shape: output.shape },
            accounting: this.#accounting,
            working: (work) => {
              this.#sinkWork = work
            },
            afterCommit: async ({ blocks: done, cut }, counters) => {
              this.#cuts = cut + 1
              await replies.committed(done)
              this.#limitReached = rowsOf(counters) >= limits.rowsMax
              if (this.#limitReached) this.#run.abort(new AbortedError('rowsMax is reached'))
            },
            stopping: () => this.#over || this.#stopReason !== null || this.#limitReached,
          },
    })
    this.#run = graph.run()
    watch.start(
      () => servers.metrics().tokens,
      (reason) => void this.stop(reason).catch(() => undefined), // `done` rejects with it
    )
    this.done = this.#finish(files, isPhase ? null : output.dir)
    this.done.catch(() => undefined) // whoever awaits `done` gets it
  }

  progress(): KunRunProgress {
    return {
      metrics: this.#run.metrics(),
      servers: this.#parts.servers.metrics(),
      readBytes: this.#readBytes,
      cuts: this.#cuts,
      counters: this.#accounting.counters(),
      indexBytes: {
        duplicates: this.#parts.deduplicator.stats().memoryBytes,
        replies: this.#parts.replies.indexBytes,
      },
    }
  }

  async stop(reason: KunStreamError): Promise<void> {
    if (this.#stopReason !== null) return
    this.#stopReason = reason
    this.#run.drain()
    this.#drained = this.#parts.servers.drain()
    this.#parts.watch.drain(this.#drained)
    await this.#drained
    this.#run.abort(reason)
  }

  abort(reason: KunStreamError): void {
    this.#stopReason ??= reason
    this.#run.abort(reason)
  }

  async *#read({ read }: KunSettings, from: SourceCursor | undefined): ReturnType<typeof blocks> {
    for await (const sourced of blocks(this.#parts.shards, { ...read, shared: true }, from, this.#parts.reads)) {
      this.#readBytes += sourced.block.bytes.byteLength
      yield sourced
    }
  }

  /** @param dir null in a phase, which leaves no account */
  async #finish(files: FileLayer, dir: string | null): Promise<KunRunEnd> {
    try {
      await this.#run.done
      // What was read before a stop may all have come out, but the sink took none of it any more.
      if (this.#stopReason !== null) throw this.#stopReason
    } catch (error) {
      this.#over = true
      await this.#sinkWork.catch(() => undefined) // its failure is `error`, or comes after it
      if (!this.#limitReached) {
        if (!(error instanceof AbortedError)) return closeAfter(error, [() => closeRun(this.#parts)])
        // Who only stopped it must hear of replies that could not be written at the end.
        await closeRun(this.#parts)
        throw this.#stopReason ?? error
      }
    }
    try {
      if (dir !== null) await writeStats(files, dir, { cuts: this.#cuts, splits: this.#accounting.counters() })
    } catch (error) {
      return closeAfter(error, [() => closeRun(this.#parts)])
    }
    await closeRun(this.#parts)
    const barren = this.#limitReached || this.#mayBeEmpty ? null : this.#noYield.atEnd()
    if (barren !== null) throw barren
    return this.#limitReached ? 'limit' : 'input'
  }
}

async function* nothing(): ReturnType<typeof blocks> {}

function rowsOf(counters: Counters): number {
  return Object.values(counters).reduce((sum, { rows }) => sum + rows, 0)
}

/** Requests that may be under way at once: of every endpoint once, whatever models use it. */
function requestsInFlightMax({ models }: KunSettings): number {
  const byEndpoint = new Map<string, number>()
  for (const { endpoints, inFlightMax } of Object.values(models)) {
    for (const endpoint of endpoints) byEndpoint.set(endpoint, Math.max(inFlightMax, byEndpoint.get(endpoint) ?? 0))
  }
  return [...byEndpoint.values()].reduce((sum, each) => sum + each, 0)
}
