/**
 * sha256 of a shard while it streams: of a large one in a thread of its own, so that the main thread only copies.
 * The other side is hub-hash-thread.ts.
 */
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { WorkerLostError } from '../errors.js'

export interface StreamHash {
  /** Takes a piece, which may be altered once it is taken. What is returned is waited for before the next piece. */
  update(piece: Uint8Array): Promise<void> | null
  /** Hexadecimal. */
  digest(): Promise<string>
  /** Ends the thread, whatever is under way. */
  close(): Promise<void>
}

export interface StreamHashOptions {
  /** Bytes that are left to read. */
  readonly sizeBytes: number
  readonly signal: AbortSignal
  /** Smaller streams are hashed where they are read. */
  readonly threadFromBytes?: number
}

/** To start a thread takes 32 ms of processor time, to hash so many bytes 45. */
export const hashThreadFromBytes = 64 * 1024 * 1024
/** Threads at once in this process, as many as shards are open by default; further streams are hashed where they are read. */
export const hashThreadsMax = 4

let threads = 0

/** Hash threads that run now. */
export function hashThreads(): number {
  return threads
}

export function streamHash(options: StreamHashOptions): StreamHash {
  const { sizeBytes, threadFromBytes = hashThreadFromBytes } = options
  return sizeBytes >= threadFromBytes && threads < hashThreadsMax ? new HashThread(options.signal) : hashHere()
}

function hashHere(): StreamHash {
  const hash = createHash('sha256')
  return {
    update(piece) {
      hash.update(piece)
      return null
    },
    digest: async () => hash.digest('hex'),
    async close() {},
  }
}

/** A batch to hash, its first bytes, or the end. */
export type HashRequest = { readonly batch: Uint8Array<ArrayBuffer>; readonly lengthBytes: number } | 'digest'
/** One answer a request, in their order: the batch again, to be filled anew, or the digest. */
export type HashAnswer = Uint8Array<ArrayBuffer> | string

/** Large enough that a message a batch does not count, small enough to be in a cache still when the thread reads it. */
const batchBytes = 512 * 1024
/** Being filled or under way: what one stream may run ahead of its hash is 4 MiB. */
const batchesMax = 8

/** Pieces are copied into batches, which are moved to the thread and back: to copy takes a tenth of what hashing does. */
class HashThread implements StreamHash {
  readonly #worker: Worker
  readonly #onAbort = () => void this.#worker.terminate()
  /** Batches that came back. */
  readonly #empty: Uint8Array<ArrayBuffer>[] = []
  #made = 0
  #batch: Uint8Array<ArrayBuffer> | null = null
  #filledBytes = 0
  #digest: string | null = null
  #failure: unknown = null
  #waiting: { resolve(): void; reject(error: unknown): void } | null = null

  readonly #signal: AbortSignal

  constructor(signal: AbortSignal) {
    this.#signal = signal
    this.#worker = new Worker(new URL('./hash-thread.js', import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    })
    threads++
    this.#worker.on('message', (answer: HashAnswer) => this.#answered(answer))
    this.#worker.once('error', (error) => this.#fail(error))
    this.#worker.once('exit', () => {
      threads--
      this.#fail(new Error('it has ended'))
    })
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  update(piece: Uint8Array): Promise<void> | null {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const at = this.#take(piece, 0)
    return at < piece.length ? this.#takeRest(piece, at) : null
  }

  async #takeRest(piece: Uint8Array, start: number): Promise<void> {
    for (let at = start; at < piece.length; at = this.#take(piece, at)) await this.#answer()
  }

  /** Copies from `start` as far as there are batches. @returns the first byte that is left */
  #take(piece: Uint8Array, start: number): number {
    let at = start
    while (at < piece.length) {
      this.#batch ??= this.#nextBatch()
      if (this.#batch === null) return at
      const part = piece.subarray(at, at + batchBytes - this.#filledBytes)
      this.#batch.set(part, this.#filledBytes)
      this.#filledBytes += part.length
      at += part.length
      if (this.#filledBytes === batchBytes) this.#send(this.#batch)
    }
    return at
  }

  #nextBatch(): Uint8Array<ArrayBuffer> | null {
    const empty = this.#empty.pop()
    if (empty !== undefined || this.#made === batchesMax) return empty ?? null
    this.#made++
    return new Uint8Array(batchBytes)
  }

  #send(batch: Uint8Array<ArrayBuffer>): void {
    this.#ask({ batch, lengthBytes: this.#filledBytes }, [batch.buffer])
    this.#batch = null
    this.#filledBytes = 0
  }

  #ask(request: HashRequest, moved: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, moved)
  }

  async digest(): Promise<string> {
    if (this.#batch !== null) this.#send(this.#batch)
    this.#ask('digest')
    while (this.#digest === null) await this.#answer()
    return this.#digest
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort)
    await this.#worker.terminate()
  }

  /** Waits until something is answered. */
  #answer(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  #answered(answer: HashAnswer): void {
    if (typeof answer === 'string') this.#digest = answer
    else this.#empty.push(answer)
    this.#waiting?.resolve()
  }

  #fail(cause: unknown): void {
    if (this.#failure !== null) return
    this.#failure = this.#signal.aborted
      ? this.#signal.reason
      : new WorkerLostError(
          `The thread that makes the sha256 of a shard is lost: ${(cause as Error).message}. Run the same command again`,
          { cause },
        )
    this.#waiting?.reject(this.#failure)
  }
}
