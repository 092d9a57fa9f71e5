/** A queue that is opened again after trouble: operations are repeated until they succeed or a time limit has passed. */
import { asError } from '../caught-error.js'
import { AbortedError, KunStreamError, QueueError } from '../errors.js'
import { say } from '../language/say.js'
import { queueError } from './connection.js'
import { pause } from './pause.js'
import type { QueueAddress } from './queue-address.js'
import type { UnitQueue } from './unit-queue.js'

const retryMsMin = 250
const retryMsMax = 5_000

interface QueueSessionOptions {
  readonly address: QueueAddress
  readonly open: () => Promise<UnitQueue>
  /** Longest time without a queue before `call` gives up. */
  readonly waitMsMax: number
  /** Called once when trouble begins and once, with null, when it is over. */
  readonly onTrouble?: (error: Error | null) => void
}

export class QueueSession {
  readonly #options: QueueSessionOptions
  #queue: UnitQueue | null = null

  constructor(options: QueueSessionOptions) {
    this.#options = options
  }

  /**
   * Runs an operation. It may run more than once, also after a first time whose response was lost.
   *
   * @param waitMsMax replaces the session's
   * @throws {QueueAccessError} the server refused the operation
   * @throws {QueueError} the queue could not be reached within the limit, or before the signal was aborted
   * @throws {AbortedError} the signal was aborted while the queue was opened
   */
  async call<T>(
    work: (queue: UnitQueue) => Promise<T>,
    { signal, waitMsMax = this.#options.waitMsMax }: { signal?: AbortSignal | undefined; waitMsMax?: number } = {},
  ): Promise<T> {
    const start = performance.now()
    for (let failures = 0; ; failures++) {
      try {
        this.#queue ??= await this.#opened(signal)
        const result = await work(this.#queue)
        if (failures > 0) this.#options.onTrouble?.(null)
        return result
      } catch (error) {
        await this.close()
        const failure = error instanceof KunStreamError ? error : queueError(this.#options.address, asError(error))
        if (!(failure instanceof QueueError)) throw failure
        if (failures === 0) this.#options.onTrouble?.(failure)
        const waitMs = Math.min(retryMsMin * 2 ** failures, retryMsMax)
        if (performance.now() - start + waitMs > waitMsMax || signal?.aborted) throw failure
        await pause(waitMs, signal)
        if (signal?.aborted) throw failure
      }
    }
  }

  /** Opens the queue, for as long as the signal is not aborted meanwhile: a server may not respond for many seconds. */
  async #opened(signal: AbortSignal | undefined): Promise<UnitQueue> {
    const opening = this.#options.open()
    if (signal === undefined || signal.aborted) return opening
    let stop = (): void => undefined
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(new AbortedError(say`stopped`))
      signal.addEventListener('abort', stop)
    })
    try {
      return await Promise.race([opening, stopped])
    } catch (error) {
      if (error instanceof AbortedError) {
        // Closes the queue if it opens later; a failure to open it does not matter then.
        opening.then((queue) => queue.close()).catch(() => undefined) // as above
      }
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async close(): Promise<void> {
    const queue = this.#queue
    this.#queue = null
    await queue?.close()
  }
}
