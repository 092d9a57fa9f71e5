/**
 * Computes the sha256 of a stream. A large one is hashed in a thread (hash-thread.ts), so that the main thread only
 * copies the bytes.
 */
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { errorMessage } from '../caught-error.js'
import { WorkerLostError } from '../errors.js'
import { say } from '../language/say.js'

interface StreamHash {
  /** Adds a chunk, which may be modified afterwards. Await a returned promise before the next call. */
  update(chunk: Uint8Array): Promise<void> | null
  /** Returns the hash in hexadecimal. */
  digest(): Promise<string>
  /** Terminates the thread. */
  close(): Promise<void>
}

interface StreamHashOptions {
  /** Size of the stream. */
  readonly sizeBytes: number
  readonly signal: AbortSignal
  /** Smaller streams are hashed on the calling thread. */
  readonly threadFromBytes?: number
}

/** Starting a thread takes 32 ms of processor time, hashing this many bytes 45 ms. */
export const hashThreadFromBytes = 64 * 1024 * 1024
/** Threads of this process, as many as shards are open by default; further streams are hashed on the calling thread. */
export const hashThreadsMax = 4

let threads = 0

/** Returns the number of running hash threads. */
export function hashThreads(): number {
  return threads
}

export function streamHash(options: StreamHashOptions): StreamHash {
  const { sizeBytes, threadFromBytes = hashThreadFromBytes } = options
  return sizeBytes >= threadFromBytes && threads < hashThreadsMax ? new HashThread(options.signal) : sameThreadHash()
}

function sameThreadHash(): StreamHash {
  const hash = createHash('sha256')
  return {
    update(chunk) {
      hash.update(chunk)
      return null
    },
    digest: async () => hash.digest('hex'),
    async close() {},
  }
}

/** A batch whose first `lengthBytes` are to be hashed, or the end of the stream. */
export type HashRequest = { readonly batch: Uint8Array<ArrayBuffer>; readonly lengthBytes: number } | 'digest'
/** One reply per request, in order: the batch, to be reused, or the digest. */
export type HashReply = Uint8Array<ArrayBuffer> | string

/** Large enough that the cost of messages is negligible, small enough to stay in the processor cache. */
const batchBytes = 512 * 1024
/** Batches of a stream that may be queued for hashing: 4 MiB. */
const batchesMax = 8

/** Copies chunks into batches that are transferred to the thread and back. Copying takes a tenth of the time of hashing. */
class HashThread implements StreamHash {
  readonly #worker: Worker
  readonly #onAbort = () => void this.#worker.terminate()
  /** Batches that were returned by the thread. */
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
    this.#worker.on('message', (reply: HashReply) => this.#onReply(reply))
    this.#worker.once('error', (error) => this.#fail(error))
    this.#worker.once('exit', () => {
      threads--
      this.#fail(new Error('it has exited'))
    })
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  update(chunk: Uint8Array): Promise<void> | null {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const at = this.#copy(chunk, 0)
    return at < chunk.length ? this.#copyRest(chunk, at) : null
  }

  async #copyRest(chunk: Uint8Array, start: number): Promise<void> {
    for (let at = start; at < chunk.length; at = this.#copy(chunk, at)) await this.#nextReply()
  }

  /** Copies from `start` while a batch is available; returns the offset of the first byte that was not copied. */
  #copy(chunk: Uint8Array, start: number): number {
    let at = start
    while (at < chunk.length) {
      this.#batch ??= this.#nextBatch()
      if (this.#batch === null) return at
      const part = chunk.subarray(at, at + batchBytes - this.#filledBytes)
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
    this.#post({ batch, lengthBytes: this.#filledBytes }, [batch.buffer])
    this.#batch = null
    this.#filledBytes = 0
  }

  #post(request: HashRequest, moved: ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, moved)
  }

  async digest(): Promise<string> {
    if (this.#batch !== null) this.#send(this.#batch)
    this.#post('digest')
    while (this.#digest === null) await this.#nextReply()
    return this.#digest
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort)
    await this.#worker.terminate()
  }

  #nextReply(): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  #onReply(reply: HashReply): void {
    if (typeof reply === 'string') this.#digest = reply
    else this.#empty.push(reply)
    this.#waiting?.resolve()
  }

  #fail(cause: unknown): void {
    if (this.#failure !== null) return
    this.#failure = this.#signal.aborted
      ? this.#signal.reason
      : new WorkerLostError(
          say`the thread that computes the sha256 of a shard was lost: ${errorMessage(cause)}. Run the
            same command again`,
          { cause },
        )
    this.#waiting?.reject(this.#failure)
  }
}
