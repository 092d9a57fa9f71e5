/**
 * Reads a run directory for the pages in a thread of its own: decoding Parquet does not delay a run in this process, and
 * a decoder that a damaged file keeps busy can be terminated. This file contains both sides: each task gets one reply.
 */
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { CorruptFileError, SystemError } from '../errors.js'
import { say } from '../language/say.js'
import { fromWire, toWire, type WireError } from '../workers/wire.js'
import { type ReviewSample, readReviewSample } from './review-sample.js'
import { readRunView } from './run-view.js'
import { searchRun } from './search.js'
import type { RunView, SearchQuery, SearchResult } from './view.js'

/** Time of one task. */
const taskMsMax = 60_000
/** Tasks that wait or run. */
const tasksMax = 16

type Task =
  | { readonly kind: 'view' }
  | { readonly kind: 'search'; readonly query: SearchQuery }
  | { readonly kind: 'sample'; readonly count: number; readonly seed: number }
interface Results {
  readonly view: RunView
  readonly search: SearchResult
  readonly sample: ReviewSample
}
type Reply<Result> = { readonly value: Result } | { readonly error: WireError }

interface ThreadData {
  readonly pagesOf: string
}

/** Reads one directory; tasks run one after the other. `close` it when done. */
export class RunReader {
  readonly directory: string
  #worker: Worker | null = null
  #last: Promise<unknown> = Promise.resolve()
  #tasks = 0
  #isClosed = false

  constructor(directory: string) {
    this.directory = directory
  }

  view(): Promise<RunView> {
    return this.#add<'view'>({ kind: 'view' })
  }

  search(query: SearchQuery): Promise<SearchResult> {
    return this.#add<'search'>({ kind: 'search', query })
  }

  sample(count: number, seed: number): Promise<ReviewSample> {
    return this.#add<'sample'>({ kind: 'sample', count, seed })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }

  #add<Kind extends Task['kind']>(task: Extract<Task, { kind: Kind }>): Promise<Results[Kind]> {
    if (this.#tasks >= tasksMax)
      return Promise.reject(new SystemError(say`the pages ask for more than can be read; wait`))
    this.#tasks++
    const done = this.#last
      .catch(() => undefined) // reported to the caller of that task
      .then(() => this.#run<Results[Kind]>(task))
      .finally(() => {
        this.#tasks--
      })
    this.#last = done
    return done
  }

  async #run<Result>(task: Task): Promise<Result> {
    if (this.#isClosed) throw new SystemError(say`the thread that reads the run ended`)
    this.#worker ??= this.#start()
    const reply = await this.#reply<Result>(this.#worker, task)
    if ('error' in reply) throw fromWire(reply.error)
    return reply.value
  }

  #start(): Worker {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { pagesOf: this.directory } satisfies ThreadData,
      execArgv: [],
    })
    // One that ends between two tasks is not given another one.
    const forget = (): void => {
      if (this.#worker === worker) this.#worker = null
    }
    worker.on('error', forget).on('exit', forget)
    worker.unref()
    return worker
  }

  #reply<Result>(worker: Worker, task: Task): Promise<Reply<Result>> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer)
        // Its own listeners only: `terminate` waits for 'exit' too.
        worker.off('message', onReply).off('error', lost).off('exit', onExit)
        end()
      }
      const onReply = (reply: Reply<Result>): void => settle(() => resolve(reply))
      const lost = (error: unknown): void =>
        settle(() => {
          if (this.#worker === worker) this.#worker = null
          void worker.terminate()
          reject(error)
        })
      const onExit = (): void => lost(new SystemError(say`the thread that reads the run ended`))
      const timer = setTimeout(() => {
        const seconds = taskMsMax / 1000
        lost(
          new CorruptFileError(
            say`${this.directory} could not be read in ${seconds} s; check it with kun-stream verify`,
          ),
        )
      }, taskMsMax).unref()
      worker.on('message', onReply).on('error', lost).on('exit', onExit)
      worker.postMessage(task)
    })
  }
}

function serve(port: MessagePort, directory: string): void {
  port.on('message', (task: Task) => {
    done(directory, task).then(
      (value) => port.postMessage({ value } satisfies Reply<unknown>),
      (error: unknown) => port.postMessage({ error: toWire(error) } satisfies Reply<unknown>),
    )
  })
}

function done(directory: string, task: Task): Promise<unknown> {
  if (task.kind === 'view') return readRunView(directory)
  if (task.kind === 'search') return searchRun(directory, task.query)
  return readReviewSample(directory, task.count, task.seed)
}

function isThreadData(data: unknown): data is ThreadData {
  return typeof data === 'object' && data !== null && 'pagesOf' in data
}

if (!isMainThread && parentPort !== null && isThreadData(workerData)) serve(parentPort, workerData.pagesOf)
