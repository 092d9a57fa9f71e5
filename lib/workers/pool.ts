/**
 * The worker threads: blocks in, columns out, both in memory that the threads share. Owns threads and what is done when
 * one dies; what happens to a block is lib/text, how many are under way is the caller's window.
 */
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { z } from 'zod'
import { sharedBuffers } from '../core/shared-buffers.js'
import { AbortedError, ContractError, WorkerLostError } from '../errors.js'
import type { Block, PreparedBlock } from '../text/batch.js'
import type { PreparePlan } from '../text/plan.js'
import { type LostRecord, prepareInParts } from './bisect.js'
import { fromWire, type WireReply, type WireTask } from './wire.js'

export type { LostRecord } from './bisect.js'

export const workersOptions = z.strictObject({
  /** Threads; 'auto' is one fewer than there are cores, at least one. */
  threads: z.union([z.int().min(1).max(1024), z.literal('auto')]).default('auto'),
  /** Old space of a thread's JavaScript heap, in bytes; a thread that needs more is lost. Columns lie outside it. */
  heapBytesMax: z
    .int()
    .min(32 * 2 ** 20)
    .default(512 * 2 ** 20),
  /** Records that may be lost with their thread before the run is stopped. */
  lostRecordsMax: z.int().min(0).default(100),
})

export type WorkersOptions = z.output<typeof workersOptions>

export interface WorkerPoolOptions extends Partial<WorkersOptions> {
  readonly plan: PreparePlan
}

export interface WorkerPool {
  readonly threads: number
  /**
   * Prepares a block in a thread. `block.bytes` are the pool's from then on: a shared buffer is given back, to be filled
   * again, once the block is prepared. The columns are views of one shared buffer: `releaseColumns` gives it back.
   *
   * A block whose thread died is prepared again alone in a fresh one, and halved until what kills it is one record,
   * which becomes a reject 'worker-lost': its bytes outlive the thread.
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
  const { plan, threads: asked, heapBytesMax, lostRecordsMax } = { ...workersOptions.parse({}), ...options }
  const threads = asked === 'auto' ? Math.max(1, availableParallelism() - 1) : asked
  const start = (count: number) =>
    new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      minThreads: count,
      maxThreads: count,
      concurrentTasksPerWorker: 1,
      workerData: { plan },
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytesMax / 2 ** 20), maxYoungGenerationSizeMb },
    })
  return new PiscinaPool(threads, start, lostRecordsMax)
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
    private readonly lostRecordsMax: number,
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
      return this.prepareApart(block)
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.all([this.pool.destroy(), this.ward?.destroy()])
  }

  private prepareApart(block: Block, known: readonly LostRecord[] = []): Promise<PreparedBlock> {
    const turn = this.wardFree.then(() => {
      if (this.ward === undefined) {
        this.ward = this.start(1)
        endWhenEmpty(this.ward)
      }
      const ward = this.ward
      return prepareInParts(
        block,
        (part) => this.run(ward, part),
        (lost) => this.countLost(lost),
        known,
      )
    })
    this.wardFree = turn.catch(() => undefined) // whoever awaits the turn gets it; the next one has its own
    return turn
  }

  /** @throws {WorkerLostError} the thread died before it answered */
  private async run(pool: Piscina, block: Block): Promise<PreparedBlock> {
    const room = sharedBuffers.take(Math.ceil(block.bytes.byteLength * this.columnsShare))
    let reply: WireReply
    try {
      reply = (await pool.run({ block, room } satisfies WireTask)) as WireReply
    } catch (cause) {
      const error = cause as Error
      if (error.name === 'DataCloneError') throw cause
      throw new WorkerLostError(`The worker thread died on block ${block.number} of ${block.shard}: ${error.message}`, {
        cause,
        details: { block: block.number, shard: block.shard },
      })
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

  private countLost(error: WorkerLostError): void {
    this.lostRecords++
    if (this.lostRecords <= this.lostRecordsMax) return
    throw new WorkerLostError(
      `${this.lostRecords} records each killed the worker thread that prepared them, the last with: ${error.message}. ` +
        'Look at their rejects, raise workers.heapBytesMax, or raise workers.lostRecordsMax.',
      { cause: error, details: { lostRecords: this.lostRecords } },
    )
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
