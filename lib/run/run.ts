/**
 * Executes an open run: builds the graph, stops it at limits and failures, writes the account at the end, and
 * closes everything.
 */
import { join } from 'node:path'
import { Credit } from '../core/credit.js'
import type { Run, RunMetrics } from '../core/run.js'
import { AbortedError, type KunStreamError, type LockLostError, type NoYieldError } from '../errors.js'
import { say } from '../language/say.js'
import type { ServersMetrics } from '../llm/scheduler/model-servers.js'
import type { Capabilities } from '../llm/types.js'
import {
  bytesBefore,
  type InputProgress,
  readBlocks,
  type SourceBlock,
  sampleBlocks,
  storedBytesOf,
} from '../sources/index.js'
import { closeAfter } from '../storage/close-all.js'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { failureUnderLock } from '../storage/lock/failure-under-lock.js'
import { spillName } from '../storage/run-layout.js'
import { SpillFile } from '../storage/spill-file.js'
import { readsInThread } from '../workers/thread-counts.js'
import { Accounting, type Counters, type RunTotals, rowsOf } from './accounting.js'
import type { CutSinkOptions } from './cut-sink.js'
import { InputMeter } from './input-meter.js'
import { type LatestRecord, LatestRecords } from './latest-records.js'
import { NoYieldDetector } from './no-yield.js'
import { closeRun, type OpenRun, type OpenRunOptions, openRun } from './open-run.js'
import { kunGraph } from './pipeline.js'
import { RowsLimit, recordCredit } from './record-credit.js'
import { itemBytes, itemCodec } from './reorder-codec.js'
import { withOneChunk } from './sampled-chunks.js'
import type { KunSettings } from './settings.js'
import { decontaminated } from './stages/decontaminate.js'
import { blocksPerThread } from './stages/prepare.js'
import { writeStats } from './stats-file.js'

/** Options for `startKunRun`; all optional. */
export type KunRunOptions = Omit<OpenRunOptions, 'files' | 'onLockLost'> & { readonly files?: FileLayer }

/** Progress of a run. Counters are of released records, in input order; the metrics are ahead of them. */
export interface KunRunProgress {
  readonly metrics: RunMetrics
  readonly servers: ServersMetrics
  /** Bytes of the blocks that this process read, decompressed. */
  readonly readBytes: number
  readonly input: InputProgress
  /** Stored replies that this call has not used; it may not need them all. */
  readonly storedReplies: number
  /** Committed cuts. */
  readonly cuts: number
  readonly counters: Counters
  readonly totals: RunTotals
  /** The pair that passed the last stage most recently; null before the first. */
  readonly lastPair: LatestRecord | null
  /** Memory that grows with the input: the index of duplicates, and the index of replies that are still needed. */
  readonly indexBytes: { readonly duplicates: number; readonly replies: number }
}

/** How a run ended. 'limit': at the row that reached `rowsMax`. */
export type KunRunEnd = 'input' | 'limit'

/** A run in progress. */
export interface KunRun {
  /** Settles once everything is closed. Rejects with the error that stopped the run; run again to resume. */
  readonly done: Promise<KunRunEnd>
  /** Blocks that earlier runs committed. */
  readonly blocksDone: number
  /** Capabilities of the servers, by the recipe's name for the model. */
  readonly capabilities: Readonly<Record<string, Capabilities>>
  readonly stages: OpenRun['stages']['described']
  /** Records that are finished and not committed. */
  readonly latest: Pick<LatestRecords, 'version' | 'snapshot'>
  progress(): KunRunProgress
  /** Whether requests are held back. */
  readonly isPaused: boolean
  /** Sends no further request until `resume`; those in flight finish. The stages before the servers then fill up and wait. */
  pause(): void
  resume(): void
  /** Stops reading and sending, waits until the replies of requests in flight are stored, drops the open cut. */
  stop(reason: KunStreamError): Promise<void>
  /** Stops immediately. Committed cuts are kept. */
  abort(reason: KunStreamError): void
}

/**
 * Starts a run, or resumes the one in the directory.
 *
 * @throws {EndpointError} a server cannot be used; nothing was written
 * @throws {RunLockedError | RunMismatchError} the directory belongs to another process or another recipe
 */
export async function startKunRun(settings: KunSettings, options: KunRunOptions = {}): Promise<KunRun> {
  let run: KunRun | null = null
  let lost: LockLostError | null = null
  const onLockLost = (error: LockLostError): void => {
    lost ??= error
    run?.abort(error)
  }
  const open = await openRun(settings, { ...options, files: options.files ?? nodeFiles, onLockLost })
  run = new ActiveRun(settings, open, options.through !== undefined)
  if (lost !== null) run.abort(lost)
  return run
}

class ActiveRun implements KunRun {
  readonly done: Promise<KunRunEnd>
  readonly blocksDone: number
  readonly capabilities: KunRun['capabilities']
  readonly stages: KunRun['stages']
  readonly #open: OpenRun
  readonly #run: Run
  readonly #accounting: Accounting
  readonly #noYield: NoYieldDetector
  readonly latest = new LatestRecords()
  /** Whether a run may end without a row. */
  readonly #mayBeEmpty: boolean
  readonly #rowsMax: number
  readonly #itemCredit: Credit
  readonly #rowsLimit: RowsLimit
  /** A phase keeps replies only: it writes no rows and no account. */
  readonly #isPhase: boolean
  readonly #input: InputMeter
  /** Keys of stored replies when the run was opened. */
  readonly #repliesAtStart: number
  #isPaused = false
  #cuts: number
  /** Why the run is being stopped; null while it is not. */
  #stopReason: KunStreamError | null = null
  #limitReached: boolean
  /** Whether the graph has ended: the sink drops records that arrive later. */
  #isOver = false
  #sinkWork: Promise<void> = Promise.resolve()

  constructor(settings: KunSettings, open: OpenRun, isPhase: boolean) {
    const { from, stages, servers, drift, usage, shards } = open
    this.#open = open
    this.#isPhase = isPhase
    this.#rowsMax = settings.limits.rowsMax
    this.#mayBeEmpty = settings.noYield.mayBeEmpty
    this.blocksDone = from?.blocks ?? 0
    this.#input = new InputMeter(storedBytesOf(shards), from === null ? 0 : bytesBefore(shards, from.cursor))
    this.#repliesAtStart = open.replies.size
    this.capabilities = servers.capabilities()
    this.stages = stages.described
    this.#cuts = from?.cuts ?? 0
    const counters = from?.counters ?? null
    this.#accounting = new Accounting(settings.splits, stages.names, counters)
    this.#noYield = new NoYieldDetector({
      recordsMax: settings.noYield.recordsMax,
      llmStages: stages.described.map(({ name }) => name),
      from: counters,
    })
    // A run that was killed after the cut that reached the limit must not commit another one.
    this.#limitReached = !isPhase && from !== null && rowsOf(from.counters) >= this.#rowsMax
    this.#itemCredit = recordCredit(settings.models, servers)
    this.#rowsLimit = new RowsLimit(
      {
        rowsMax: isPhase ? Number.POSITIVE_INFINITY : this.#rowsMax,
        variants: settings.kun.label.variants,
        credit: this.#itemCredit,
      },
      this.#accounting.rows,
    )
    this.#run = this.#graph(settings).run()
    const stop = (reason: KunStreamError) => this.#stopLater(reason)
    drift.start(stop)
    usage.start(() => servers.metrics().tokens, stop)
    this.done = this.#finish()
    this.done.catch(() => undefined) // reported to the caller that awaits `done`
  }

  progress(): KunRunProgress {
    const { servers, deduplicator, replies } = this.#open
    const serversNow = servers.metrics()
    return {
      metrics: this.#run.metrics(),
      servers: serversNow,
      readBytes: this.#input.blockBytes,
      input: this.#input.read(),
      storedReplies: Math.max(0, this.#repliesAtStart - serversNow.keptServed),
      cuts: this.#cuts,
      counters: this.#accounting.counters(),
      totals: this.#accounting.totals(),
      lastPair: this.latest.lastPair,
      indexBytes: { duplicates: deduplicator.stats().memoryBytes, replies: replies.indexBytes },
    }
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  pause(): void {
    if (this.#isPaused || this.#stopReason !== null) return
    this.#isPaused = true
    this.#open.log.info('run-paused', {})
    this.#open.servers.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#open.log.info('run-resumed', {})
    this.#open.servers.resume()
  }

  async stop(reason: KunStreamError): Promise<void> {
    if (this.#stopReason !== null) return
    this.#stopReason = reason
    this.#open.log.warn('run-stopping', { code: reason.code, message: reason.message })
    this.#run.drain()
    await this.#open.servers.drain()
    this.#run.abort(reason)
  }

  abort(reason: KunStreamError): void {
    this.#stopReason ??= reason
    this.#open.log.warn('run-aborting', { code: reason.code, message: reason.message })
    this.#run.abort(reason)
  }

  #stopLater(reason: KunStreamError): void {
    this.stop(reason).catch(() => undefined) // `done` rejects with it
  }

  #graph({ read, workers, memory, output, sample, seed }: KunSettings) {
    const { directory, pool, prepare, deduplicator, stages, drift, servers, contamination, shards } = this.#open
    /** Index of the last stage on pairs, from 1; 0: the label stage. */
    const last = stages.pairs.length
    return kunGraph({
      blocks:
        sample === undefined ? this.#blocks(read, workers) : sampleBlocks(shards, { ...read, records: sample, seed }),
      prepare: sample === undefined ? prepare : withOneChunk(prepare, seed),
      blocksInWorkers: pool.threads * blocksPerThread,
      deduplicator,
      onDecided: (block) => this.#input.blockDecided(block),
      chunkStages: stages.chunks.map((stage) => this.latest.observe(drift.stage(stage), false)),
      label: stages.label && this.latest.observe(drift.stage(decontaminated(stages.label, contamination)), last === 0),
      pairStages: stages.pairs.map((stage, index) =>
        this.latest.observe(drift.stage(decontaminated(stage, contamination)), last === index + 1),
      ),
      blockCredit: new Credit('bytes of blocks', memory.inFlightMax),
      itemCredit: this.#itemCredit,
      reorder: {
        bytesMax: memory.reorderBytesMax,
        sizeBytes: itemBytes,
        spill: new SpillFile(directory.files, join(directory.directory, spillName), itemCodec),
      },
      candidatesPerCut: output.candidatesPerCut,
      blocksPerCutMax: output.blocksPerCutMax,
      blocksDone: this.blocksDone,
      servers,
      noYield: this.#noYield,
      onNoYield: (error: NoYieldError) => this.#stopLater(error),
      sink: this.#isPhase ? null : this.#sink(),
    })
  }

  async *#blocks(read: KunSettings['read'], workers: KunSettings['workers']): AsyncGenerator<SourceBlock> {
    if (this.#limitReached) return
    const { shards, from, reads } = this.#open
    const options = { ...read, thread: readsInThread(workers.readThread) }
    for await (const sourced of readBlocks(shards, options, from?.cursor, reads)) {
      this.#input.blockRead(sourced)
      yield sourced
    }
  }

  #sink(): Pick<
    CutSinkOptions,
    'writer' | 'row' | 'instructions' | 'accounting' | 'rowsLimit' | 'working' | 'afterCommit' | 'stopping'
  > {
    const { writer, row, replies, instructions } = this.#open
    return {
      writer,
      row,
      instructions,
      accounting: this.#accounting,
      rowsLimit: this.#rowsLimit,
      working: (work) => {
        this.#sinkWork = work
      },
      afterCommit: async ({ blocks: done, cut, rowsMax }, counters) => {
        this.#cuts = cut + 1
        this.latest.committed(done)
        this.#open.log.info('cut-committed', { cut, blocks: done, rows: rowsOf(counters) })
        // A run with a higher limit makes a cut that the limit ended again, from its replies.
        if (rowsMax === undefined) await replies.forgetBefore(done)
        this.#limitReached = rowsOf(counters) >= this.#rowsMax
        if (!this.#limitReached) return
        this.#open.log.info('rows-limit-reached', { rowsMax: this.#rowsMax })
        this.#run.abort(new AbortedError(say`rowsMax is reached`))
      },
      stopping: () => this.#isOver || this.#stopReason !== null || this.#limitReached,
    }
  }

  async #finish(): Promise<KunRunEnd> {
    const close = () => closeRun(this.#open)
    try {
      await this.#run.done
      // After a stop the sink has dropped records, even if all of the input was read.
      if (this.#stopReason !== null) throw this.#stopReason
    } catch (error) {
      this.#isOver = true
      await this.#sinkWork.catch(() => undefined) // it fails with `error`, or because of it
      if (!this.#limitReached) {
        if (!(error instanceof AbortedError)) {
          return closeAfter(await failureUnderLock(this.#open.directory.lock, error), [close])
        }
        // An error of closing counts more than the stop: replies may not be stored.
        await close()
        throw this.#stopReason ?? error
      }
    }
    const { directory } = this.#open
    const stats = { cuts: this.#cuts, splits: this.#accounting.counters() }
    if (!this.#isPhase) {
      await writeStats(directory.files, directory.directory, stats).catch((error: unknown) =>
        closeAfter(error, [close]),
      )
    }
    await close()
    const empty = this.#limitReached || this.#mayBeEmpty ? null : this.#noYield.atEnd()
    if (empty !== null) throw empty
    return this.#limitReached ? 'limit' : 'input'
  }
}
