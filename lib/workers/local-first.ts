/**
 * A pool that prepares the first blocks in the calling thread: a small input is finished before a thread would have started.
 * Only for plans without custom filters: a record that crashed or blocked the calling thread would end the command.
 */
import { sharedBuffers } from '../core/shared-buffers.js'
import { ContractError } from '../errors.js'
import type { Block, PreparedBlock } from '../text/block.js'
import type { LostRecord } from './bisect.js'
import type { WorkerPool, WorkerPoolOptions } from './pool.js'
import { threadCount } from './thread-counts.js'

interface LocalFirstOptions extends WorkerPoolOptions {
  /** Bytes of blocks that the calling thread prepares before threads are started; 0 starts them now. */
  readonly localBytesMax: number
  /** A first block of so many bytes shows that more will follow: threads start while it is prepared. Never by default. */
  readonly fullBlockBytes?: number
}

export function localFirstPool(options: LocalFirstOptions): WorkerPool {
  return new LocalFirstPool(options)
}

class LocalFirstPool implements WorkerPool {
  readonly threads: number
  readonly #options: LocalFirstOptions
  #local: Promise<(block: Block) => PreparedBlock> | null = null
  #localBytes = 0
  #pool: Promise<WorkerPool> | null = null
  #closed = false

  constructor(options: LocalFirstOptions) {
    if (options.plan.filters.length > 0) throw new ContractError('custom filters need a thread of their own')
    this.threads = threadCount(options.threads)
    this.#options = options
    if (options.localBytesMax === 0) this.#startEarly()
  }

  async prepare(block: Block, lost: readonly LostRecord[] = [], keepsBytes = false): Promise<PreparedBlock> {
    if (this.#closed) throw new ContractError('the worker pool is closed: no block can be prepared')
    const { bytes } = block
    const localBytes = this.#localBytes + bytes.byteLength
    if (this.#pool !== null || lost.length > 0 || localBytes > this.#options.localBytesMax) {
      return (await this.#start()).prepare(block, lost, keepsBytes)
    }
    this.#localBytes = localBytes
    if (bytes.byteLength >= (this.#options.fullBlockBytes ?? Number.POSITIVE_INFINITY)) this.#startEarly()
    this.#local ??= this.#openLocal()
    const prepared = (await this.#local)(block)
    if (!keepsBytes && bytes.buffer instanceof SharedArrayBuffer) sharedBuffers.give(bytes.buffer)
    return prepared
  }

  async close(): Promise<void> {
    this.#closed = true
    await (await this.#pool?.catch(() => null))?.close() // a failed start was thrown by `prepare`
  }

  async #openLocal(): Promise<(block: Block) => PreparedBlock> {
    const { createPreparer, prepareBlock } = await import('../text/prepare.js')
    const preparer = await createPreparer(this.#options.plan)
    return (block) => prepareBlock(block, preparer)
  }

  #startEarly(): void {
    this.#start().catch(() => undefined) // reported to the first block that they get
  }

  #start(): Promise<WorkerPool> {
    this.#pool ??= import('./pool.js').then(({ workerPool }) => workerPool(this.#options))
    return this.#pool
  }
}
