/** The machine's own clock. What waits takes a Clock from outside, so that it can be tested without waiting. */
import type { Clock } from './types.js'

/** Monotonic; a sleep that is aborted leaves neither timer nor listener behind. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep(waitMs, signal) {
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
      signal?.addEventListener('abort', abort, { once: true })
    })
  },
}
