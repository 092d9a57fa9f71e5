/**
 * Threads of this process that encode row groups. A thread takes one group at a time; a group waits for a free one, so that
 * at most one group for each thread is in memory beside those that collect rows. Threads start on demand, do not keep the
 * process alive, and end after a time without work.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { errorMessage } from '../../caught-error.js'
import { WorkerLostError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { EncodedGroup, GroupOptions } from './encode-group.js'

/** Threads at most: with more, the thread that fills row groups is the bottleneck. */
const threadsMax = Math.max(1, Math.min(4, availableParallelism() - 1))
/** Time without work after which a thread ends, ms: starting one takes about 60 ms. */
const idleMsMax = 5000

export class GroupThreads {
  readonly #zstdLevel: number
  readonly #idleMs: number
  readonly #idle: GroupThread[] = []
  #threads = 0
  readonly #waiting: ((thread: GroupThread) => void)[] = []

  constructor(zstdLevel: number, idleMs = idleMsMax) {
    this.#zstdLevel = zstdLevel
    this.#idleMs = idleMs
  }

  /** Resolves once a thread has taken the group; `encoded` then settles with the result. */
  async encode(options: GroupOptions): Promise<{ readonly encoded: Promise<EncodedGroup> }> {
    const thread = await this.#takeThread()
    const encoded = thread.encode(options)
    // The caller may stop before it asks for the result.
    void encoded.catch(() => undefined).then(() => this.#release(thread))
    return { encoded }
  }

  async #takeThread(): Promise<GroupThread> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#threads === threadsMax) return await new Promise((resolve) => this.#waiting.push(resolve))
    return this.#start()
  }

  #start(): GroupThread {
    this.#threads++
    return new GroupThread(this.#zstdLevel, (thread) => {
      this.#threads--
      const place = this.#idle.indexOf(thread)
      if (place >= 0) this.#idle.splice(place, 1)
    })
  }

  #release(thread: GroupThread): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next(thread.isLost ? this.#start() : thread)
    else if (!thread.isLost) {
      this.#idle.push(thread)
      thread.endAfter(this.#idleMs)
    }
  }
}

class GroupThread {
  readonly #worker: Worker
  #task: { resolve(encoded: EncodedGroup): void; reject(error: unknown): void } | null = null
  #timer: NodeJS.Timeout | undefined
  #onEnd: (() => void) | null
  #failure: WorkerLostError | null = null

  /** @param onEnd called once, when the thread takes no group any more: before it ends for want of work, or when it is lost */
  constructor(zstdLevel: number, onEnd: (thread: GroupThread) => void) {
    this.#onEnd = () => onEnd(this)
    this.#worker = new Worker(new URL('./group-thread.js', import.meta.url), {
      execArgv: [],
      workerData: { zstdLevel },
    })
    this.#worker.on('message', (encoded: EncodedGroup) => {
      const task = this.#task
      this.#task = null
      this.#worker.unref()
      task?.resolve(encoded)
    })
    this.#worker.once('error', (error) => this.#fail(error))
    this.#worker.once('exit', () => {
      this.#fail(new Error('it has exited'))
      this.#leave()
    })
  }

  get isLost(): boolean {
    return this.#failure !== null
  }

  encode(options: GroupOptions): Promise<EncodedGroup> {
    clearTimeout(this.#timer)
    this.#worker.ref()
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure)
      this.#task = { resolve, reject }
      this.#worker.postMessage(options)
    })
  }

  endAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      // Not in a moment when the thread exits: until then it would be given groups, which are lost with it.
      this.#leave()
      void this.#worker.terminate()
    }, ms).unref()
  }

  #leave(): void {
    this.#onEnd?.()
    this.#onEnd = null
  }

  #fail(cause: unknown): void {
    this.#failure ??= new WorkerLostError(
      say`the thread that encodes Parquet was lost: ${errorMessage(cause)}. Run the same command again`,
      { cause },
    )
    this.#task?.reject(this.#failure)
    this.#task = null
  }
}
