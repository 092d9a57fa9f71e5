/** The units of a run that is divided: a bar of their states, and figures. */
import type { UnitsView } from '../../../lib/pages/view.js'
import { digits, durationText, percent, say } from '../say.js'
import { type Figure, Figures } from './frame.js'

export function Units({ units }: { readonly units: UnitsView }) {
  const { planned, planComplete, done, begun, failed, setAside, rows, candidates, candidatesDone } = units
  const { workSeconds, unitsPerSecond, secondsLeft } = units
  const share = planned === 0 ? 0 : done / planned
  const inHand = begun ?? 0
  const parts = [
    { name: say`Done`, state: 'done', count: done },
    { name: say`Begun`, state: 'begun', count: inHand },
    { name: say`Waiting`, state: 'waiting', count: Math.max(0, planned - done - inHand) },
  ]
  const figures: Figure[] = [
    { name: say`Done`, value: `${digits(done)} / ${digits(planned)}`, note: say`${percent(share)} of the units` },
    { name: say`Begun`, value: begun === null ? '–' : digits(begun), note: say`in hand, or of a lost worker` },
    { name: say`Failed`, value: digits(failed), note: say`without a result` },
    { name: say`Set aside`, value: digits(setAside), note: setAside === 0 ? '' : 'kun-stream units ls' },
    { name: say`Rows`, value: digits(rows) },
    { name: say`Candidates`, value: `${digits(candidatesDone)} / ${digits(candidates)}` },
    {
      name: say`Units an hour`,
      value: unitsPerSecond === null ? '–' : (unitsPerSecond * 3600).toFixed(1),
      note: done === 0 ? '' : say`${durationText(workSeconds / done)} a unit`,
    },
    { name: say`Time left`, value: timeLeft(share, planComplete, secondsLeft) },
  ]
  return (
    <>
      <div class="units-bar" role="img" aria-label={parts.map(({ name, count }) => `${name}: ${count}`).join(', ')}>
        {parts.map(({ name, state, count }) => (
          <i key={state} class={`units-${state}`} style={{ flexGrow: count }} title={`${name}: ${digits(count)}`} />
        ))}
      </div>
      <Figures figures={figures} />
      {!planComplete && <p>{say`The plan is not complete: kun-stream prepare continues it.`}</p>}
      {planComplete && done === planned && <p>{say`Every unit is done: kun-stream assemble makes the dataset.`}</p>}
    </>
  )
}

function timeLeft(share: number, planComplete: boolean, secondsLeft: number | null): string {
  if (share === 1 && planComplete) return '0'
  return secondsLeft === null ? '–' : durationText(secondsLeft)
}
