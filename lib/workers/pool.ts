/**
 * The worker threads: blocks in, columns out, both in memory that the threads share. Owns threads and what is done when
 * one dies; what happens to a block is lib/text, how many are under way is the caller's window.
 */
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { z } from 'zod'
import { unpinned } from '../core/option-meta.js'
import { sharedBuffers } from '../core/shared-buffers.js'
import { AbortedError, ContractError, WorkerLostError } from '../errors.js'
import type { Block, PreparedBlock } from '../text/block.js'
import type { PreparePlan } from '../text/plan.js'
import { type LostRecord, prepareInParts } from './bisect.js'
import { fromWire, newProgress, progressOf, type WireReply, type WireTask } from './wire.js'

export { type LostRecord, lostReasons } from './bisect.js'

export const workersOptions = z.strictObject({
  threads: z
    .union([z.int().min(1).max(1024), z.literal('auto')])
    .default('auto')
    .meta(unpinned('Worker threads; auto is one fewer than there are cores, at least one')),
  // Columns lie outside of this heap.
  heapBytesMax: z
    .int()
    .min(32 * 2 ** 20)
    .default(512 * 2 ** 20)
    .meta(unpinned("Old space of a thread's heap; a thread that needs more crashes and its record is rejected")),
  lostRecordsMax: z.int().min(0).default(100).meta(unpinned('Records that may crash a thread before the run stops')),
  blockMsMax: z
    .int()
    .min(1)
    .max(86_400_000)
    .default(60_000)
    .meta(unpinned('Time limit of a thread for a block, then for each record alone, which is rejected after it')),
})

export type WorkersOptions = z.output<typeof workersOptions>

export interface WorkerPoolOptions extends Partial<WorkersOptions> {
  readonly plan: PreparePlan
  /** Reports each record that is given up, and each block that a thread was stopped on. */
  readonly onEvent?: (message: string) => void
}

export interface WorkerPool {
  readonly threads: number
  /**
   * Prepares a block in a thread. `block.bytes` are the pool's from then on: a shared buffer is given back, to be filled
   * again, once the block is prepared. The columns are views of one shared buffer: `releaseColumns` gives it back.
   *
   * A block whose thread died, or took longer than `blockMsMax`, is prepared again alone in a fresh one, in parts, until what
   * does it is one record, which becomes a reject 'worker-lost' or 'worker-timeout': its bytes outlive the thread.
   *
   * @param lost records that took their thread along in an earlier run: rejects again, and not tried
   * @throws {CustomFilterError} a filter of the user's own threw
   * @throws {WorkerLostError} threads die whatever they are given, or took more than `lostRecordsMax` records along
   */
  prepare(block: Block, lost?: readonly LostRecord[]): Promise<PreparedBlock>
  /** Lets go of the threads at once; what is under way is rejected with AbortedError. */
  close(): Promise<void>
}

/**
 * Three semi-spaces of 8 MiB in place of V8's 16: what a block leaves dies before the next one, so that it costs no time
 * (measured), and a thread's heap comes to its full size of 35 MiB, in place of 60, ten times as soon.
 */
const maxYoungGenerationSizeMb = 24

export function workerPool(options: WorkerPoolOptions): WorkerPool {
  const filled = { ...workersOptions.parse({}), ...options }
  const { plan, threads: asked, heapBytesMax } = filled
  const threads = threadCount(asked)
  const start = (count: number) =>
    new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      minThreads: count,
      maxThreads: count,
      concurrentTasksPerWorker: 1,
      workerData: { plan },
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytesMax / 2 ** 20), maxYoungGenerationSizeMb },
    })
  return new PiscinaPool(threads, start, filled)
}

/** Returns the number of threads: 'auto', the default, is one fewer than there are cores, at least one. */
export function threadCount(threads: WorkersOptions['threads'] = 'auto'): number {
  return threads === 'auto' ? Math.max(1, availableParallelism() - 1) : threads
}

/** Room for a block's columns over its bytes, to begin with: texts, and what a chunk of 500 characters has besides. */
const columnsShareMin = 1.25
/** The most: short texts have more besides than text. What does not fit gets a buffer of its own. */
const columnsShareMax = 8
const columnsSlack = 1.125

class PiscinaPool implements WorkerPool {
  private readonly pool: Piscina
  /** One thread apart for what killed another; started when first needed. */
  private ward: Piscina | undefined
  /** Suspects are served one after the other. */
  private wardFree: Promise<unknown> = Promise.resolve()
  private lostRecords = 0
  /** As large as blocks so far needed it. */
  private columnsShare = columnsShareMin
  private closed = false

  constructor(
    readonly threads: number,
    private readonly start: (threads: number) => Piscina,
    private readonly options: Pick<WorkersOptions, 'lostRecordsMax' | 'blockMsMax'> &
      Pick<WorkerPoolOptions, 'onEvent'>,
  ) {
    this.pool = start(threads)
    endWhenEmpty(this.pool)
  }

  async prepare(block: Block, lost: readonly LostRecord[] = []): Promise<PreparedBlock> {
    if (this.closed) throw new ContractError('The worker pool is closed: no block can be prepared.')
    const shared = inSharedBuffer(block)
    const prepared = await (lost.length > 0 ? this.prepareApart(shared, lost) : this.prepareShared(shared))
    sharedBuffers.give(shared.bytes.buffer)
    return prepared
  }

  private async prepareShared(block: SharedBlock): Promise<PreparedBlock> {
    try {
      return await this.run(this.pool, block)
    } catch (error) {
      if (this.closed) throw new AbortedError('The worker pool was closed under a block.', { cause: error })
      if (!(error instanceof WorkerLostError)) throw error
      const { document } = error.details
      return this.prepareApart(block, [], typeof document === 'number' ? document : null)
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.all([this.pool.destroy(), this.ward?.destroy()])
  }

  private prepareApart(
    block: Block,
    known: readonly LostRecord[] = [],
    suspect: number | null = null,
  ): Promise<PreparedBlock> {
    const turn = this.wardFree.then(() => {
      if (this.ward === undefined) {
        this.ward = this.start(1)
        endWhenEmpty(this.ward)
      }
      const ward = this.ward
      return prepareInParts(
        block,
        (part) => this.run(ward, part),
        (error, record) => this.countLost(error, record),
        known,
        suspect,
      )
    })
    this.wardFree = turn.catch(() => undefined) // whoever awaits the turn gets it; the next one has its own
    return turn
  }

  /** @throws {WorkerLostError} the thread died before it answered */
  private async run(pool: Piscina, block: Block): Promise<PreparedBlock> {
    const room = sharedBuffers.take(Math.ceil(block.bytes.byteLength * this.columnsShare))
    const progress = newProgress()
    const deadline = new Deadline(progress, this.options.blockMsMax)
    let reply: WireReply
    try {
      reply = (await pool.run({ block, room, progress } satisfies WireTask, { signal: deadline.signal })) as WireReply
    } catch (thrown) {
      if ((thrown as Error).name === 'DataCloneError') throw thrown
      throw this.lost(block, progress, deadline, thrown as Error)
    } finally {
      deadline.clear()
    }
    if ('error' in reply) throw fromWire(reply.error)
    const { byteLength } = reply.prepared.chunks.offset.buffer
    if (byteLength !== room.byteLength) {
      sharedBuffers.give(room)
      const share = (columnsSlack * byteLength) / Math.max(1, block.bytes.byteLength)
      this.columnsShare = Math.min(columnsShareMax, Math.max(this.columnsShare, share))
    }
    return reply.prepared
  }

  private lost(block: Block, progress: Int32Array, deadline: Deadline, thrown: Error): WorkerLostError {
    const { number, shard } = block
    const timedOut = deadline.signal.aborted
    const cause = timedOut
      ? new Error(`no result within ${this.options.blockMsMax} ms (workers.blockMsMax)`, { cause: thrown })
      : thrown
    const at = progressOf(progress)
    const where = at === 'started' ? ', and came to no document: does every module of prepare.filters load?' : ''
    return new WorkerLostError(
      timedOut
        ? `The worker thread gave ${cause.message} for block ${number} of ${shard}${where}`
        : `The worker thread died on block ${number} of ${shard}: ${cause.message}`,
      { cause, details: { block: number, shard, timedOut, document: typeof at === 'number' ? at : null } },
    )
  }

  private countLost(error: WorkerLostError, { document, reason, detail }: LostRecord): void {
    this.lostRecords++
    const { lostRecordsMax, onEvent } = this.options
    const { block, shard } = error.details
    onEvent?.(`document ${document} of block ${block} of ${shard} is rejected (${reason}): ${detail}`)
    if (this.lostRecords <= lostRecordsMax) return
    throw new WorkerLostError(
      `${this.lostRecords} records each killed or blocked the worker thread that prepared them, the last with: ${error.message}. ` +
        'Look at their rejects and at prepare.filters; raise workers.heapBytesMax, workers.blockMsMax or ' +
        'workers.lostRecordsMax where the records are as they should be.',
      { cause: error, details: { lostRecords: this.lostRecords } },
    )
  }
}

const ticksPerDeadline = 20

/**
 * Aborts a task that a thread worked on for `msMax`. Time counts in ticks from when the task started: neither its wait in
 * the queue nor the time that the whole process was suspended is held against it.
 */
class Deadline {
  readonly #abort = new AbortController()
  readonly #timer: NodeJS.Timeout
  #ticks = 0

  constructor(progress: Int32Array, msMax: number) {
    this.#timer = setInterval(() => {
      if (progressOf(progress) !== 'queued' && ++this.#ticks >= ticksPerDeadline) this.#abort.abort()
    }, msMax / ticksPerDeadline).unref()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  clear(): void {
    clearInterval(this.#timer)
  }
}

/**
 * A thread that dies between blocks takes nothing along, and Piscina replaces it, but not one that dies as it starts:
 * with none left, what is queued would wait for ever. Ending the pool rejects it.
 */
function endWhenEmpty(pool: Piscina): void {
  pool.on('error', () => {
    if (pool.threads.length === 0) void pool.destroy()
  })
}

type SharedBlock = Block & { readonly bytes: Uint8Array<SharedArrayBuffer> }

function inSharedBuffer(block: Block): SharedBlock {
  const { bytes } = block
  return isShared(bytes) ? { ...block, bytes } : { ...block, bytes: sharedBuffers.copyOf(bytes) }
}

function isShared(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes.buffer instanceof SharedArrayBuffer
}
