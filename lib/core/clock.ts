/** The system clock. Code that waits receives a Clock, so that it can be tested without waiting. */
import type { Clock } from './types.js'

/** Monotonic. An aborted sleep removes its timer and its listener. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (waitMs, signal) => sleeping(waitMs, signal, true),
}

/** Like `systemClock`, but its sleeps do not keep the process alive. */
export const backgroundClock: Clock = {
  now: () => performance.now(),
  sleep: (waitMs, signal) => sleeping(waitMs, signal, false),
}

function sleeping(waitMs: number, signal: AbortSignal | undefined, keepsAlive: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, waitMs)
    if (!keepsAlive) timer.unref()
    signal?.addEventListener('abort', abort, { once: true })
  })
}
