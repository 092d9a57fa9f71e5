/**
 * The threads of a Piscina, each with a port of its own while there is work: Piscina starts, replaces and terminates them,
 * and tasks do not pass through it. Its queue, balancer and resources of each task took a fifth of the main thread's time.
 * A thread without work is given back to Piscina, so that a pool that nobody uses keeps no process alive.
 */
import { once } from 'node:events'
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
  idleSinceMs: number
}

/** Time without a task after which a thread is given back. */
const idleMsMax = 100

/** Works on one task at a time in each thread. The threads serve their ports until these are closed. */
export class Threads {
  readonly #pool: Piscina
  readonly #threads = new Set<Thread>()
  /** Threads without a task. Those that are still being loaded are among them: a task waits in the port. */
  readonly #idle: Thread[] = []
  readonly #queue: Task[] = []
  /** Threads that Piscina has: they get a port when there is work. */
  #given = 0
  #idleTimer: NodeJS.Timeout | null = null
  /** Each settles when a port is closed, which is some time after it was told to. */
  readonly #closed = new Set<Promise<unknown>>()
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
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    for (const thread of [...this.#threads]) this.#remove(thread, terminated())
    for (const { reject } of this.#queue.splice(0)) reject(terminated())
    await Promise.all([this.#pool.destroy(), ...this.#closed])
  }

  #start(): void {
    const { port1: port, port2 } = new MessageChannel()
    const thread: Thread = { port, stop: new AbortController(), task: null, idleSinceMs: 0 }
    port.on('message', (reply: unknown) => this.#receive(thread, reply))
    // From the start: the port of a thread that dies closes by itself.
    const closed = once(port, 'close').finally(() => this.#closed.delete(closed))
    this.#closed.add(closed)
    const { signal } = thread.stop
    this.#pool.run(port2, { transferList: [port2], signal }).then(
      () => this.#died(thread, terminated()),
      (error: unknown) => this.#died(thread, asError(error)),
    )
    this.#threads.add(thread)
    this.#rest(thread)
  }

  #rest(thread: Thread): void {
    thread.idleSinceMs = performance.now()
    this.#idle.push(thread)
    if (this.#queue.length === 0) this.#idleTimer ??= setTimeout(() => this.#giveBack(), idleMsMax)
  }

  /** Closes the ports of the threads that had no task for a while. The one that rested last is at the end. */
  #giveBack(): void {
    this.#idleTimer = null
    const since = performance.now() - idleMsMax
    while (this.#idle[0] !== undefined && this.#idle[0].idleSinceMs <= since) {
      this.#remove(this.#idle[0], terminated())
      this.#given++
    }
    if (this.#idle.length > 0) this.#idleTimer = setTimeout(() => this.#giveBack(), idleMsMax)
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      if (this.#idle.length === 0 && this.#given > 0) {
        this.#given--
        this.#start()
      }
      const thread = this.#idle.pop()
      if (thread === undefined) return
      const task = this.#queue.shift() as Task
      try {
        thread.port.postMessage(task.message)
      } catch (error) {
        this.#rest(thread)
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
    this.#rest(thread)
    task.resolve(reply)
    this.#dispatch()
  }

  #died(thread: Thread, error: Error): void {
    if (!this.#isClosed && this.#pool.threads.length === 0) void this.close()
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
