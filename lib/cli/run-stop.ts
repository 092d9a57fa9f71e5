/**
 * Handles stop signals at each stage of a run. Before the start: the run does not start. During the run: no new request
 * is sent, and those in flight are completed; a second signal aborts them. After the run: the copies to the mirror and
 * the Hub are aborted.
 */
import type { EventLog } from '../core/event-log.js'
import { AbortedError } from '../errors.js'
import { say } from '../language/say.js'
import type { KunRun } from '../run/run.js'
import { onStopSignal, type StopSignal } from './terminal/stop-signals.js'

/** Maximum wait for a run that is being opened to close and release its directory. */
const openingWaitMsMax = 3_000

export class RunStop {
  readonly #print: (message: string) => void
  readonly #beforeRun = new AbortController()
  readonly #giveUp = new AbortController()
  readonly #release: () => void
  #run: KunRun | null = null
  #longestSeconds = 0
  #ended = false
  #signals = 0

  constructor(print: (message: string) => void, log: EventLog) {
    this.#print = print
    this.#release = onStopSignal((signal, number) => {
      log.warn('stop-signal', { signal, number })
      this.#handle(signal)
    })
  }

  /** Cancels the work after the run: mirror and publish. */
  get giveUp(): AbortSignal {
    return this.#giveUp.signal
  }

  /** Waits for work that precedes the run. @throws {AbortedError} a signal was received before it was done */
  async before<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined) // after a signal its result is not awaited
    if (this.#beforeRun.signal.aborted) throw this.#beforeRun.signal.reason
    let abort: () => void = () => undefined
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(this.#beforeRun.signal.reason)
      this.#beforeRun.signal.addEventListener('abort', abort)
    })
    try {
      return await Promise.race([work, aborted])
    } finally {
      this.#beforeRun.signal.removeEventListener('abort', abort)
    }
  }

  /** Like `before`, for the run itself: a run that opens after the signal is aborted. */
  async opening(starting: Promise<KunRun>): Promise<KunRun> {
    try {
      return await this.before(starting)
    } catch (error) {
      if (error !== this.#beforeRun.signal.reason) throw error
      const closed = starting.then(async (run) => {
        run.abort(error as AbortedError)
        await run.done
      })
      let timer: NodeJS.Timeout | undefined
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, openingWaitMsMax)
      })
      await Promise.race([closed.catch(() => undefined), timeout]) // the error of the signal is thrown instead
      clearTimeout(timer)
      throw error
    }
  }

  /** Registers the run, which signals now stop. @param longestMs time limit of a request, for the message */
  started(run: KunRun, longestMs: number): void {
    this.#run = run
    this.#longestSeconds = longestMs / 1000
  }

  /** Marks the run as ended; the next signal cancels the remaining work. */
  runEnded(): void {
    this.#ended = true
    if (this.#signals > 1) this.#giveUp.abort(new AbortedError(say`stopped immediately`))
  }

  close(): void {
    this.#release()
  }

  #handle(signal: StopSignal): void {
    this.#signals++
    if (this.#ended) {
      this.#print(say`${signal}: no longer waiting for the mirror and the Hub`)
      this.#giveUp.abort(new AbortedError(say`stopped while publishing`))
    } else if (this.#run === null) {
      this.#beforeRun.abort(new AbortedError(say`stopped by ${signal} before the run started`))
    } else if (this.#signals > 1) {
      this.#run.abort(new AbortedError(say`stopped immediately`))
    } else {
      this.#print(
        say`${signal}: waiting for the requests in flight, at most ${this.#longestSeconds} s; a second signal stops immediately`,
      )
      this.#run.stop(new AbortedError(say`stopped`)).catch((error: Error) => this.#print(error.message))
    }
  }
}
