/**
 * Time limits of the tasks of a pool, counted by one timer for all of them: a timer and an AbortSignal for each task took a
 * twentieth of the time of the main thread.
 */
import { progressOf } from './wire.js'

const ticksPerDeadline = 20

/** The time that a thread may take for a task. */
export class Deadline {
  aborted = false
  ticks = 0
  /** Ends the task; set once a thread has it. */
  onAbort: () => void = () => undefined

  constructor(readonly progress: Int32Array) {}

  abort(): void {
    this.aborted = true
    this.onAbort()
  }
}

/**
 * Aborts each task that a thread has worked on for `msMax`. Time is counted in ticks while a task runs, which excludes its
 * wait in the queue and time in which the process was suspended; it is exact to one tick, a twentieth of it.
 */
export class Deadlines {
  readonly #running = new Set<Deadline>()
  readonly #timer: NodeJS.Timeout

  constructor(msMax: number) {
    this.#timer = setInterval(() => this.#tick(), msMax / ticksPerDeadline).unref()
  }

  begin(progress: Int32Array): Deadline {
    const deadline = new Deadline(progress)
    this.#running.add(deadline)
    return deadline
  }

  end(deadline: Deadline): void {
    this.#running.delete(deadline)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    for (const deadline of [...this.#running]) {
      if (progressOf(deadline.progress) !== 'queued' && ++deadline.ticks >= ticksPerDeadline) deadline.abort()
    }
  }
}
