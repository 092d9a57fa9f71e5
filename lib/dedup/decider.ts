/** Runs a BlockDecider in a thread of its own, or in this one. */
import { Worker } from 'node:worker_threads'
import { asError } from '../caught-error.js'
import { fromWire } from '../core/wire-error.js'
import { AbortedError, WorkerLostError } from '../errors.js'
import { BlockDecider, type DecidedBlock, type IndexFigures } from './block-decider.js'
import { LocalFrames } from './block-frames.js'
import type { BlockToDecide } from './block-rows.js'
import type { ReadText } from './candidate-settler.js'
import type { TextsPath } from './kept-texts.js'
import type { DecidePlan, LogLengths } from './plan.js'
import { threadLost } from './thread-lost.js'
import type { FromThread, ThreadData, ToThread } from './thread-messages.js'

/** Decides on blocks in the order of the calls. After a failure the index has rows that the logs lack. */
export interface Decider {
  readonly figures: IndexFigures
  /** Adds the documents of a frame of a dedup log. The promise limits the frames that wait. */
  restore(payload: Uint8Array): void | Promise<void>
  /**
   * Sets the lengths of both logs; call it once, after `restore`.
   *
   * @param texts logs that another thread may read by itself; null if it must use `readText`
   */
  begin(lengths: LogLengths, texts: readonly TextsPath[] | null): Promise<void>
  /** @param written lengths of the logs that are written: memory of their frames is reused */
  decide(block: BlockToDecide, written: LogLengths): Promise<DecidedBlock>
  close(): Promise<void>
}

/** @param threads 0 decides in the calling thread, 1 in another one, 2 encodes what the logs get in a third, more divide the tables */
export function openDecider(plan: DecidePlan, threads: number, readText: ReadText): Decider {
  return threads === 0 ? new LocalDecider(plan, readText) : new ThreadDecider(plan, threads, readText)
}

class LocalDecider implements Decider {
  readonly #decider: BlockDecider
  /** Settles when the blocks so far are decided: a block may wait for a text. */
  #done: Promise<unknown> = Promise.resolve()

  constructor(plan: DecidePlan, readText: ReadText) {
    this.#decider = new BlockDecider(plan, new LocalFrames(plan), readText)
  }

  get figures(): IndexFigures {
    return this.#decider.figures
  }

  restore(payload: Uint8Array): void {
    this.#decider.restore(payload)
  }

  async begin(lengths: LogLengths): Promise<void> {
    this.#decider.begin(lengths)
  }

  decide(block: BlockToDecide, written: LogLengths): Promise<DecidedBlock> {
    const decided = this.#done.then(async () => {
      this.#decider.written(written)
      return (await this.#decider.decide(block)).done
    })
    this.#done = decided // a failure is that of all later blocks
    return decided
  }

  async close(): Promise<void> {
    // Its memory is released with it.
  }
}

/** Bytes of frames that are sent to the thread before it has added them. */
const restoreBytesMax = 8 * 1024 * 1024

type Reply = Extract<FromThread, { readonly figures: unknown } | { readonly decided: unknown }>

class ThreadDecider implements Decider {
  figures: IndexFigures = { documents: 0, memoryBytes: 0 }
  readonly #plan: DecidePlan
  readonly #threads: number
  readonly #readText: ReadText
  #worker: Worker | null = null
  /** Requests without a reply, oldest first. */
  readonly #waiting: { readonly resolve: (reply: Reply) => void; readonly reject: (error: Error) => void }[] = []
  #failure: Error | null = null
  #frames: Uint8Array[] = []
  #framesBytes = 0

  constructor(plan: DecidePlan, threads: number, readText: ReadText) {
    this.#plan = plan
    this.#threads = threads
    this.#readText = readText
  }

  restore(payload: Uint8Array): void | Promise<void> {
    this.#frames.push(Uint8Array.prototype.slice.call(payload))
    this.#framesBytes += payload.length
    if (this.#framesBytes >= restoreBytesMax) return this.#sendFrames()
  }

  async begin(lengths: LogLengths, texts: readonly TextsPath[] | null): Promise<void> {
    const isNew = this.#frames.length === 0 && this.#worker === null
    if (!isNew) await this.#sendFrames()
    const begun = this.#request({ begin: lengths, texts })
    // Nothing waits for the start of a thread whose index is empty; its failure is that of the first block.
    if (isNew) begun.catch(() => undefined)
    else await begun
  }

  async decide(block: BlockToDecide, written: LogLengths): Promise<DecidedBlock> {
    const reply = await this.#request({ decide: block, written })
    if (!('decided' in reply)) throw new WorkerLostError('the dedup thread sent a reply to another request')
    this.figures = reply.decided.figures
    return reply.decided
  }

  async close(): Promise<void> {
    this.#fail(new AbortedError('the deduplicator was closed while it decided on a block'))
    // Keeps the process alive until the thread has ended: from a failure on, nothing calls `unref`.
    await this.#worker?.terminate()
  }

  async #sendFrames(): Promise<void> {
    const frames = this.#frames
    this.#frames = []
    this.#framesBytes = 0
    const reply = await this.#request({ restore: frames })
    if ('figures' in reply) this.figures = reply.figures
  }

  #request(message: ToThread): Promise<Reply> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const worker = this.#worker ?? this.#start()
    return new Promise((resolve, reject) => {
      worker.postMessage(message)
      this.#waiting.push({ resolve, reject })
      worker.ref()
    })
  }

  #start(): Worker {
    const worker = new Worker(new URL('./dedup-thread.js', import.meta.url), {
      execArgv: [],
      workerData: { plan: this.#plan, threads: this.#threads } satisfies ThreadData,
      name: 'dedup',
    })
    worker.on('message', (message: FromThread) => this.#receive(message, worker))
    worker.on('error', (error) => this.#fail(threadLost(error)))
    worker.on('exit', (code) => this.#fail(threadLost(new Error(`exit code ${code}`))))
    this.#worker = worker
    return worker
  }

  #receive(message: FromThread, worker: Worker): void {
    if (this.#failure !== null) return
    if ('read' in message) {
      void this.#read(message.read, worker)
      return
    }
    if ('error' in message) {
      this.#fail(fromWire(message.error))
      return
    }
    this.#waiting.shift()?.resolve(message)
    if (this.#waiting.length === 0) worker.unref()
  }

  async #read({ document, offset }: { readonly document: number; readonly offset: number }, worker: Worker) {
    try {
      worker.postMessage({ text: await this.#readText(document, offset) } satisfies ToThread)
    } catch (error) {
      this.#fail(asError(error))
    }
  }

  /** Rejects all requests: after a failure the index has rows that the logs lack. The first failure counts. */
  #fail(error: Error): void {
    if (this.#failure !== null) return
    this.#failure = error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
    this.#worker?.unref()
  }
}
