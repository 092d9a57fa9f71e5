/** A clock that runs faster than the machine's: back-offs and outages of minutes pass in moments, in the same order. */

import { systemClock } from '../../lib/core/clock.js'
import type { Clock } from '../../lib/core/types.js'

export function fastClock(speed: number): Clock {
  return {
    now: () => performance.now() * speed,
    sleep: (waitMs, signal) => systemClock.sleep(waitMs / speed, signal),
  }
}
