/**
 * Pool of worker threads that prepare blocks; blocks and columns are in shared memory. Starts the threads and handles their
 * crashes. lib/text prepares the blocks; the caller limits how many are in flight.
 */
import { Piscina } from 'piscina'
import { asError } from '../caught-error.js'
import { sharedBuffers } from '../core/shared-buffers.js'
import { AbortedError, ContractError, WorkerLostError } from '../errors.js'
import type { Block, PreparedBlock } from '../text/block.js'
import type { PreparePlan } from '../text/plan.js'
import { type LostRecord, prepareInParts } from './bisect.js'
import { Deadlines } from './deadlines.js'
import { type WorkersOptions, workersOptions } from './options.js'
import { threadCount } from './thread-counts.js'
import { Threads } from './threads.js'
import { newProgress, preparedOf, progressOf, type WireReply, type WireTask } from './wire.js'

export { type LostRecord, lostReasons } from './bisect.js'

export interface WorkerPoolOptions extends Partial<WorkersOptions> {
  readonly plan: PreparePlan
  /** Reports each record that is rejected for a crash or a timeout, and each block whose thread was terminated. */
  readonly onEvent?: (message: string) => void
}

export interface WorkerPool {
  readonly threads: number
  /**
   * Prepares a block in a thread. A shared buffer in `block.bytes` is released for reuse once the block is prepared; other
   * bytes are copied. The columns are views of one shared buffer, which `releaseColumns` releases.
   *
   * A block that crashed its thread, or took longer than `blockMsMax`, is prepared again in an isolated thread, in parts, until
   * the record that causes it is found; it becomes a reject 'worker-lost' or 'worker-timeout'.
   *
   * @param keepsBytes the caller reads `block.bytes` later, and releases a shared buffer by itself
   * @param lost records that crashed a thread in an earlier run: rejected again without a retry
   * @throws {CustomFilterError} a custom filter threw
   * @throws {WorkerLostError} threads crash on any input, or on more than `lostRecordsMax` records
   */
  prepare(block: Block, lost?: readonly LostRecord[], keepsBytes?: boolean): Promise<PreparedBlock>
  /** Stops the threads immediately; blocks in flight are rejected with AbortedError. */
  close(): Promise<void>
}

/**
 * Three semi-spaces of 8 MiB instead of V8's 16: objects of a block die before the next block, so this costs no time
 * (measured), and the heap of a thread reaches its full size, 35 MiB instead of 60, ten times as soon.
 */
const maxYoungGenerationSizeMb = 24

export function workerPool(options: WorkerPoolOptions): WorkerPool {
  const filled = { ...workersOptions.parse({}), ...options }
  const { plan, threads: asked, heapBytesMax } = filled
  const threads = threadCount(asked)
  const entry =
    plan.filters.length > 0 ? new URL('./filters-worker.js', import.meta.url) : new URL('./worker.js', import.meta.url)
  const start = (count: number) =>
    new Threads(
      new Piscina({
        filename: entry.href,
        minThreads: count,
        maxThreads: count,
        concurrentTasksPerWorker: 1,
        recordTiming: false,
        workerData: { plan },
        resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytesMax / 2 ** 20), maxYoungGenerationSizeMb },
      }),
      count,
    )
  return new PiscinaPool(threads, start, filled)
}

/** Initial size of a columns buffer over that of its block: texts, and the other columns of chunks of 500 characters. */
const columnsShareMin = 1.25
/** Limit, for short texts, whose other columns are larger than the text. Columns that do not fit get a buffer of their own. */
const columnsShareMax = 8
const columnsSlack = 1.125

type PoolOptions = Pick<WorkersOptions, 'lostRecordsMax' | 'blockMsMax'> & Pick<WorkerPoolOptions, 'onEvent'>

class PiscinaPool implements WorkerPool {
  readonly #pool: Threads
  /** Isolated thread that re-runs blocks which crashed another one; started on first use. */
  #quarantine: Threads | undefined
  /** Settles when the quarantine thread is free: it prepares one block at a time. */
  #quarantineFree: Promise<unknown> = Promise.resolve()
  #lostRecords = 0
  /** Size of a columns buffer over that of its block, as large as earlier blocks needed. */
  #columnsShare = columnsShareMin
  #closed = false
  readonly #deadlines: Deadlines

  readonly #start: (threads: number) => Threads
  readonly #options: PoolOptions

  constructor(
    readonly threads: number,
    start: (threads: number) => Threads,
    options: PoolOptions,
  ) {
    this.#start = start
    this.#options = options
    this.#deadlines = new Deadlines(options.blockMsMax)
    this.#pool = start(threads)
  }

  async prepare(block: Block, lost: readonly LostRecord[] = [], keepsBytes = false): Promise<PreparedBlock> {
    if (this.#closed) throw new ContractError('the worker pool is closed: no block can be prepared')
    const shared = inSharedBuffer(block)
    const prepared = await (lost.length > 0 ? this.#prepareInQuarantine(shared, lost) : this.#prepareShared(shared))
    if (!keepsBytes || shared.bytes !== block.bytes) sharedBuffers.give(shared.bytes.buffer)
    return prepared
  }

  async #prepareShared(block: SharedBlock): Promise<PreparedBlock> {
    try {
      return await this.#run(this.#pool, block)
    } catch (error) {
      if (this.#closed) throw new AbortedError('the worker pool was closed while it prepared a block', { cause: error })
      if (!(error instanceof WorkerLostError)) throw error
      const { document } = error.details
      return this.#prepareInQuarantine(block, [], typeof document === 'number' ? document : null)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#deadlines.close()
    await Promise.all([this.#pool.close(), this.#quarantine?.close()])
  }

  #prepareInQuarantine(
    block: Block,
    known: readonly LostRecord[] = [],
    suspect: number | null = null,
  ): Promise<PreparedBlock> {
    const turn = this.#quarantineFree.then(() => {
      this.#quarantine ??= this.#start(1)
      const quarantine = this.#quarantine
      return prepareInParts(
        block,
        (part) => this.#run(quarantine, part),
        (error, record) => this.#countLost(error, record),
        known,
        suspect,
      )
    })
    this.#quarantineFree = turn.catch(() => undefined) // the caller of this turn handles the error
    return turn
  }

  /** @throws {WorkerLostError} the thread died before it returned */
  async #run(pool: Threads, block: Block): Promise<PreparedBlock> {
    const columnsBuffer = sharedBuffers.take(Math.ceil(block.bytes.byteLength * this.#columnsShare))
    const progress = newProgress()
    const deadline = this.#deadlines.begin(progress)
    let reply: WireReply
    try {
      const task: WireTask = { block, columnsBuffer, progress }
      reply = (await pool.run(task, deadline)) as WireReply
    } catch (thrown) {
      if (asError(thrown).name === 'DataCloneError') throw thrown
      throw this.#lost(block, progress, deadline.aborted, asError(thrown))
    } finally {
      this.#deadlines.end(deadline)
    }
    const prepared = preparedOf(reply)
    const { byteLength } = prepared.chunks.offset.buffer
    if (byteLength !== columnsBuffer.byteLength) {
      sharedBuffers.give(columnsBuffer)
      const share = (columnsSlack * byteLength) / Math.max(1, block.bytes.byteLength)
      this.#columnsShare = Math.min(columnsShareMax, Math.max(this.#columnsShare, share))
    }
    return prepared
  }

  #lost(block: Block, progress: Int32Array, timedOut: boolean, thrown: Error): WorkerLostError {
    const { number, shard } = block
    const cause = timedOut
      ? new Error(`no result within ${this.#options.blockMsMax} ms (workers.blockMsMax)`, { cause: thrown })
      : thrown
    const at = progressOf(progress)
    const where = at === 'started' ? ', before its first document: does every module of prepare.filters load?' : ''
    return new WorkerLostError(
      timedOut
        ? `The worker thread gave ${cause.message} for block ${number} of ${shard}${where}`
        : `The worker thread died on block ${number} of ${shard}: ${cause.message}`,
      { cause, details: { block: number, shard, timedOut, document: typeof at === 'number' ? at : null } },
    )
  }

  #countLost(error: WorkerLostError, { document, reason, detail }: LostRecord): void {
    this.#lostRecords++
    const { lostRecordsMax, onEvent } = this.#options
    const { block, shard } = error.details
    onEvent?.(`document ${document} of block ${block} of ${shard} is rejected (${reason}): ${detail}`)
    if (this.#lostRecords <= lostRecordsMax) return
    throw new WorkerLostError(
      `${this.#lostRecords} records each crashed or blocked the worker thread that prepared them, the last with: ${error.message}. ` +
        'Look at their rejects and at prepare.filters; if the records are valid, raise workers.heapBytesMax, ' +
        'workers.blockMsMax or workers.lostRecordsMax.',
      { cause: error, details: { lostRecords: this.#lostRecords } },
    )
  }
}

type SharedBlock = Block & { readonly bytes: Uint8Array<SharedArrayBuffer> }

function inSharedBuffer(block: Block): SharedBlock {
  const { bytes } = block
  return isShared(bytes) ? { ...block, bytes } : { ...block, bytes: sharedBuffers.copyOf(bytes) }
}

function isShared(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes.buffer instanceof SharedArrayBuffer
}
