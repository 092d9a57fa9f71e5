/**
 * Reads blocks in the calling thread or in one of its own: the same blocks in the same order. The thread decompresses,
 * cuts and hashes; for shards that are all files on disk, since clients of the Hub and of S3 belong to the calling thread.
 */
import { Worker } from 'node:worker_threads'
import { asError } from '../caught-error.js'
import { sharedBuffers } from '../core/shared-buffers.js'
import { fromWire } from '../core/wire-error.js'
import { AbortedError, WorkerLostError } from '../errors.js'
import { say } from '../language/say.js'
import { type BlocksOptions, blocks, type SourceBlock, type SourceCursor, toBlock } from './blocks.js'
import {
  type BlockData,
  costOf,
  type FromReading,
  type ReadingData,
  type ShardData,
  type ToReading,
} from './reading-messages.js'
import type { Shard } from './shard.js'
import type { ShardRead } from './shard-reading.js'

export interface ReadBlocksOptions extends Omit<BlocksOptions, 'shared'> {
  /** Reads in a thread of its own where the shards allow it; the calling thread by default. */
  readonly thread?: boolean
}

/** Bytes of blocks that the thread is ahead, besides those that it reads ahead in each open shard; at least one block. */
const aheadBytesMax = 16 * 2 ** 20
/** Bytes of blocks taken for which credit is returned together: fewer messages, and more blocks in each reply. */
const creditBytes = aheadBytesMax / 2
/** Time limit for the thread to close its files before it is terminated. */
const stopMsMax = 5000

/**
 * Yields the blocks of the shards as `blocks` does, in shared memory: the caller releases it.
 *
 * @throws what `blocks` throws · {WorkerLostError} the thread died
 */
export function readBlocks(
  shards: readonly Shard[],
  { thread = false, ...options }: ReadBlocksOptions,
  from?: SourceCursor,
  before?: readonly ShardRead[],
): AsyncGenerator<SourceBlock, void, undefined> {
  const data = thread ? dataOf(shards) : null
  if (data === null) return blocks(shards, { ...options, shared: true }, from, before)
  return inThread(shards, data, options, from, before)
}

/** Returns what a thread needs of the shards; null if it could not read one of them. */
function dataOf(shards: readonly Shard[]): ShardData[] | null {
  const data: ShardData[] = []
  for (const shard of shards) {
    const { split, path, sizeBytes, version, mapping, format, reject, removed = false } = shard
    const isRead = reject == null && !removed
    const file = shard.local?.() ?? null
    if (isRead && file === null) return null
    data.push({
      ...{ split, path, sizeBytes, version, mapping, removed, file: isRead ? file : null },
      ...(format !== undefined && { format }),
      ...(reject != null && { reject }),
    })
  }
  return data
}

async function* inThread(
  shards: readonly Shard[],
  data: readonly ShardData[],
  { signal, ...options }: ReadBlocksOptions,
  from: SourceCursor | undefined,
  before: readonly ShardRead[] | undefined,
): AsyncGenerator<SourceBlock, void, undefined> {
  const thread = new ReadingThread({
    ...{ shards: data, from, before, aheadBytesMax },
    options: { ...options, shared: true },
  })
  const onAbort = (): void => thread.interrupt()
  signal?.addEventListener('abort', onAbort, { once: true })
  let at = from?.nextShard ?? 0
  try {
    for (;;) {
      if (signal?.aborted) thread.interrupt()
      const block = await thread.next()
      if (signal?.aborted) {
        throw new AbortedError(say`reading ${shards[at]?.path ?? '-'} was stopped`, { cause: signal.reason })
      }
      if (block === null) return
      at = block.shard
      yield sourceBlockOf(block, shards[at] as Shard)
      thread.taken(block)
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await thread.close()
  }
}

function sourceBlockOf({ number, raw, cursor, reads, storedBytes }: BlockData, shard: Shard): SourceBlock {
  return { block: toBlock(number, shard, { ...raw, next: null }), cursor, reads, storedBytes }
}

class ReadingThread {
  readonly #worker: Worker
  readonly #exited: Promise<void>
  /** Blocks that have arrived, from `#at` on. */
  #ready: BlockData[] = []
  #at = 0
  #end: FromReading['end'] = null
  #failure: Error | null = null
  #interrupted = false
  #wake: () => void = () => undefined
  #takenBytes = 0
  /** Number of buffers of each size that the thread has sent and did not get back. */
  readonly #lent = new Map<number, number>()

  constructor(data: ReadingData) {
    this.#worker = new Worker(new URL('./reading-thread.js', import.meta.url), {
      execArgv: [],
      workerData: data,
      name: 'read',
    })
    this.#worker.on('message', (message: FromReading) => this.#receive(message))
    this.#worker.on('error', (error) => this.#fail(asError(error)))
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        if (this.#end === null) this.#fail(new Error(`exit code ${code}`))
        resolve()
      })
    })
    // A generator that is abandoned keeps no process alive.
    this.#worker.unref()
  }

  /**
   * Returns the next block; null at the end, or after `interrupt`.
   *
   * @throws the error of the thread, after the blocks before it
   */
  async next(): Promise<BlockData | null> {
    while (this.#at === this.#ready.length && this.#end === null && this.#failure === null && !this.#interrupted) {
      this.#worker.ref()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#worker.unref()
    }
    if (this.#interrupted) return null
    const block = this.#ready[this.#at]
    if (block !== undefined) {
      this.#at++
      if (this.#at === this.#ready.length) [this.#ready, this.#at] = [[], 0]
      return block
    }
    if (this.#failure !== null) throw this.#failure
    if (this.#end !== null && this.#end !== 'end') throw fromWire(this.#end)
    return null
  }

  /** Lets a call of `next` that waits, and all later ones, return null. */
  interrupt(): void {
    this.#interrupted = true
    this.#wake()
  }

  /** Returns credit for a block, and the memory that was released meanwhile. */
  taken(block: BlockData): void {
    this.#takenBytes += costOf(block)
    if (this.#takenBytes < creditBytes || this.#end !== null) return
    this.#send({ credit: this.#takenBytes, buffers: this.#released() })
    this.#takenBytes = 0
  }

  /** Ends the thread, and releases the blocks that were not taken. */
  async close(): Promise<void> {
    this.#worker.ref()
    this.#send({ stop: true })
    const late = setTimeout(() => void this.#worker.terminate(), stopMsMax)
    await this.#exited
    clearTimeout(late)
    for (const { raw } of this.#ready.splice(this.#at)) {
      if (raw.bytes.buffer instanceof SharedArrayBuffer) sharedBuffers.give(raw.bytes.buffer)
    }
  }

  #send(message: ToReading): void {
    this.#worker.postMessage(message)
  }

  #receive({ blocks: arrived, end }: FromReading): void {
    for (const block of arrived) {
      this.#ready.push(block)
      const { buffer } = block.raw.bytes
      if (buffer instanceof SharedArrayBuffer) {
        this.#lent.set(buffer.byteLength, (this.#lent.get(buffer.byteLength) ?? 0) + 1)
      }
    }
    this.#end = end
    this.#wake()
  }

  #released(): SharedArrayBuffer[] {
    const buffers: SharedArrayBuffer[] = []
    for (const [size, lent] of this.#lent) {
      let left = lent
      for (; left > 0; left--) {
        const buffer = sharedBuffers.takeSpare(size)
        if (buffer === null) break
        buffers.push(buffer)
      }
      if (left > 0) this.#lent.set(size, left)
      else this.#lent.delete(size)
    }
    return buffers
  }

  #fail(cause: Error): void {
    this.#failure ??= new WorkerLostError(
      say`the thread that reads the shards died: ${cause.message}. Start the same run again: it resumes.`,
      { cause },
    )
    this.#wake()
  }
}
