/** The threads that have the tables of a divided index: each has some of them, and all search for the rows of each block. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { fromWire, type WireError } from '../core/wire-error.js'
import type { Findings, RowsToInsert, RowsToProbe, TablesOptions } from './band-tables.js'
import type { RowsToName as NamedRows } from './block-ids.js'
import type { DecidePlan } from './plan.js'
import { threadLost } from './thread-lost.js'

/** Rows whose ids the threads hash, to `bytes`, 16 a row: each those of some rows. */
export interface RowsToName extends NamedRows {
  readonly bytes: Uint8Array
}

/** One reply each, in order. */
export interface ToIndexThread {
  /** Of the blocks that were decided on since the last message, in order. */
  readonly inserts: readonly RowsToInsert[]
  readonly probe: RowsToProbe
  /** A thread hashes ids of some of the rows. */
  readonly name: RowsToName | null
}

/** Of a thread and all those after it: what each found, and the bytes of their tables. */
export type FromIndexThread =
  | { readonly findings: readonly Findings[]; readonly memoryBytes: number }
  | { readonly error: WireError }

export interface IndexThreadData {
  readonly tables: TablesOptions
  /** Which share of the ids it hashes. */
  readonly place: number
  readonly threads: number
  /** Ports of the threads before and after; null for the first and for the last. */
  readonly before: MessagePort | null
  readonly after: MessagePort | null
}

interface Waiting {
  readonly resolve: (findings: readonly Findings[]) => void
  readonly reject: (error: Error) => void
}

export class IndexThreads {
  /** The one that messages are sent to; it passes them on. */
  readonly #first: Worker
  readonly #waiting: Waiting[] = []
  #memoryBytes = 0
  #failure: Error | null = null

  /** @param threads at most one per table is started */
  constructor(plan: DecidePlan, threads: number) {
    const { bands, rows } = plan.banding
    const [minima, ngram] = plan.near === false ? [0, 0] : [plan.near.minima, plan.near.ngram]
    const tables = bands + (plan.exact ? 1 : 0)
    const count = Math.min(threads, tables)
    const from = (place: number) => Math.floor((place * tables) / count)
    const channels = Array.from({ length: count - 1 }, () => new MessageChannel())
    const workers = Array.from({ length: count }, (_, place) => {
      const own = { firstTable: from(place), tables: from(place + 1) - from(place) }
      const [before, after] = [channels[place - 1]?.port2 ?? null, channels[place]?.port1 ?? null]
      return this.#start({ tables: { ...own, bands, rows, minima, ngram }, place, threads: count, before, after })
    })
    this.#first = workers[0] as Worker
    this.#first.on('message', (reply: FromIndexThread) => this.#receive(reply))
  }

  /** Bytes of all tables. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  /**
   * Returns what each thread found, in the order of the tables.
   *
   * @throws {WorkerLostError} a thread died
   */
  probe(message: ToIndexThread): Promise<readonly Findings[]> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#first.postMessage(message)
      this.#waiting.push({ resolve, reject })
    })
  }

  #start(data: IndexThreadData): Worker {
    const transferList = [data.before, data.after].filter((port) => port !== null)
    const worker = new Worker(new URL('./index-thread.js', import.meta.url), {
      execArgv: [],
      workerData: data,
      transferList,
      name: 'dedup-index',
    })
    worker.on('error', (error) => this.#fail(threadLost(error)))
    worker.on('exit', (code) => this.#fail(threadLost(new Error(`exit code ${code}`))))
    return worker
  }

  #receive(reply: FromIndexThread): void {
    if ('error' in reply) {
      this.#fail(fromWire(reply.error))
      return
    }
    this.#memoryBytes = reply.memoryBytes
    this.#waiting.shift()?.resolve(reply.findings)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}
