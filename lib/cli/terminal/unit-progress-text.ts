/** Progress of a run in units as lines of text. */

import { count } from '../../language/count.js'
import { duration } from '../../language/duration.js'
import { say } from '../../language/say.js'
import type { UnitProgress } from '../../report/unit-progress.js'

export function unitProgressLines(units: UnitProgress): string[] {
  const { planned, planComplete, done, begun, failed, failedAttempts, setAside, rows } = units
  const { workSeconds, unitsPerSecond, secondsLeft } = units
  const share = planned === 0 ? 100 : Math.floor((100 * done) / planned)
  const lines = [say`Units: ${done} of ${planned} are generated (${share} %), ${count(rows, 'row')}`]
  if (!planComplete) lines.push(say`  the plan is not complete: kun-stream prepare continues it`)
  if (failed > 0)
    lines.push(say`  ${count(failed, 'unit')} without a result: ${count(failedAttempts, 'attempt')} failed`)
  if (setAside > 0) lines.push(say`  ${count(setAside, 'unit')} set aside: kun-stream units ls`)
  if (begun !== null && begun > 0)
    lines.push(say`  ${count(begun, 'unit')} begun: in hand, or of a worker that was lost`)
  if (unitsPerSecond !== null && done < planned) {
    const rate = (unitsPerSecond * 3600).toFixed(1)
    const unitSeconds = duration(workSeconds / done)
    lines.push(
      secondsLeft === null
        ? say`  ${rate} units an hour, ${unitSeconds} a unit`
        : say`  ${rate} units an hour, ${unitSeconds} a unit, about ${duration(secondsLeft)} left`,
    )
  }
  return lines
}
