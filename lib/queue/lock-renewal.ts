/** Renews the lock of the unit in hand, in a thread of its own. */
import { Worker } from 'node:worker_threads'
import type { QueueAddress } from './queue-address.js'

/** A main thread that does not run a timer for this long hangs; its lock is no longer renewed. */
const silenceMsMax = 600_000
const beatMs = 1_000

export interface LockThreadData {
  readonly address: QueueAddress
  readonly name: string
  readonly lockMs: number
  readonly silenceMsMax: number
  /** One 32-bit counter that the main thread increments. */
  readonly beats: SharedArrayBuffer
}

/** The lock to renew from now on; null for none. */
export type LockRequest = { readonly jobId: string; readonly token: string } | null

export interface LockReport {
  readonly jobId: string
  readonly state: 'ready' | 'renewed' | 'lost' | 'failed'
  readonly message?: string
}

export class LockRenewal {
  readonly #thread: Worker
  readonly #timer: NodeJS.Timeout

  private constructor(data: Omit<LockThreadData, 'silenceMsMax' | 'beats'>) {
    const beats = new SharedArrayBuffer(4)
    this.#thread = new Worker(new URL('./lock-thread.js', import.meta.url), {
      workerData: { ...data, silenceMsMax, beats } satisfies LockThreadData,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    })
    const beat = new Int32Array(beats)
    this.#timer = setInterval(() => Atomics.add(beat, 0, 1), beatMs)
    this.#timer.unref()
  }

  /**
   * Starts the thread.
   *
   * @param onReport receives the result of each renewal, and of a thread that ended: locks then expire
   */
  static async start(
    data: Omit<LockThreadData, 'silenceMsMax' | 'beats'>,
    onReport: (report: LockReport) => void,
  ): Promise<LockRenewal> {
    const renewal = new LockRenewal(data)
    const thread = renewal.#thread
    await new Promise<void>((resolve, reject) => {
      thread.on('message', (report: LockReport) => {
        if (report.state === 'ready') resolve()
        else onReport(report)
      })
      thread.on('error', (error) => {
        reject(error)
        onReport({ jobId: '', state: 'failed', message: error.message })
      })
    })
    thread.unref()
    return renewal
  }

  /** Renews the lock of this job, and no longer that of another. */
  hold(request: LockRequest): void {
    this.#thread.postMessage(request)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#thread.terminate()
  }
}
