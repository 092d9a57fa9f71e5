/** A clock that runs faster than the machine's: back-offs and outages of minutes pass in moments, in the same order. */
import type { Clock } from '../../lib/core/types.js'
import { systemClock } from '../../lib/llm/clock.js'

export function fastClock(speed: number): Clock {
  return {
    now: () => performance.now() * speed,
    sleep: (waitMs, signal) => systemClock.sleep(waitMs / speed, signal),
  }
}
