/**
 * The threads of a Piscina, each with a port of its own for the whole time: Piscina starts, replaces and terminates them,
 * and tasks do not pass through it. Its queue, balancer and resources of each task took a fifth of the main thread's time.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { asError } from '../caught-error.js'
import type { Deadline } from './deadlines.js'

interface Task {
  readonly message: unknown
  readonly deadline: Deadline
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: Error) => void
}

interface Thread {
  readonly port: MessagePort
  /** Aborted to terminate it. */
  readonly stop: AbortController
  task: Task | null
}

/** Works on one task at a time in each thread. The threads serve their ports until these are closed. */
export class Threads {
  readonly #pool: Piscina
  readonly #threads = new Set<Thread>()
  /** Threads without a task. Those that are still being loaded are among them: a task waits in the port. */
  readonly #idle: Thread[] = []
  readonly #queue: Task[] = []
  #isClosed = false

  /** @param pool of `count` threads, whose function serves the port that it gets */
  constructor(pool: Piscina, count: number) {
    this.#pool = pool
    // Piscina does not replace a thread that dies as it is loaded. With none left, tasks would wait forever.
    pool.on('error', () => {
      if (pool.threads.length === 0) void this.close()
    })
    for (let started = 0; started < count; started++) this.#start()
  }

  /**
   * Runs a task in the next thread that is free.
   *
   * @throws the error of the thread if it dies · DataCloneError if the task cannot be sent
   */
  run(message: unknown, deadline: Deadline): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(terminated())
    return new Promise((resolve, reject) => {
      this.#queue.push({ message, deadline, resolve, reject })
      this.#dispatch()
    })
  }

  /** Ends all threads; their tasks and those in the queue are rejected. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const thread of [...this.#threads]) this.#remove(thread, terminated())
    for (const { reject } of this.#queue.splice(0)) reject(terminated())
    await this.#pool.destroy()
  }

  #start(): void {
    const { port1: port, port2 } = new MessageChannel()
    const thread: Thread = { port, stop: new AbortController(), task: null }
    port.on('message', (reply: unknown) => this.#receive(thread, reply))
    const { signal } = thread.stop
    this.#pool.run(port2, { transferList: [port2], signal }).then(
      () => this.#died(thread, terminated()),
      (error: unknown) => this.#died(thread, asError(error)),
    )
    this.#threads.add(thread)
    this.#idle.push(thread)
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idle.pop()
      if (thread === undefined) return
      const task = this.#queue.shift() as Task
      try {
        thread.port.postMessage(task.message)
      } catch (error) {
        this.#idle.push(thread)
        task.reject(asError(error))
        continue
      }
      thread.task = task
      task.deadline.onAbort = () => thread.stop.abort()
    }
  }

  #receive(thread: Thread, reply: unknown): void {
    const { task } = thread
    if (task === null) return
    thread.task = null
    this.#idle.push(thread)
    task.resolve(reply)
    this.#dispatch()
  }

  #died(thread: Thread, error: Error): void {
    if (!this.#threads.has(thread)) return
    this.#remove(thread, error)
    if (this.#isClosed) return
    this.#start()
    this.#dispatch()
  }

  #remove(thread: Thread, error: Error): void {
    this.#threads.delete(thread)
    const at = this.#idle.indexOf(thread)
    if (at >= 0) this.#idle.splice(at, 1)
    thread.port.close()
    thread.task?.reject(error)
    thread.task = null
  }
}

function terminated(): Error {
  return new Error('Terminating worker thread')
}
