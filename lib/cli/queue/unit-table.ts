/** Units and their states as lines of text. */

import { count } from '../../language/count.js'
import { duration } from '../../language/duration.js'
import { grouped } from '../../language/grouped.js'
import { say, translated } from '../../language/say.js'
import { type UnitState, type UnitStatus, unitStates } from '../../queue/unit-states.js'
import { pc } from '../terminal/colors.js'

/** States of `unitStates` in words; the keys of their translations. */
const stateWords: Readonly<Record<UnitState, string>> = {
  done: 'done',
  'in-hand': 'in hand',
  waiting: 'waiting',
  open: 'open',
  failed: 'failed',
  'set-aside': 'set aside',
}

/** States that are listed without --all. */
const shownStates: ReadonlySet<UnitState> = new Set(['in-hand', 'failed', 'set-aside'])

export function unitTable(units: readonly UnitStatus[], all: boolean, now = Date.now()): string {
  const shown = units.filter(({ state }) => all || shownStates.has(state))
  const totals = unitStates.flatMap((state) => {
    const found = units.filter((unit) => unit.state === state).length
    return found === 0 ? [] : [`${translated(stateWords[state])} ${grouped(found)}`]
  })
  const width = Math.max(0, ...shown.map(({ state }) => translated(stateWords[state]).length))
  return [
    ...shown.map((unit) => unitLine(unit, width, now)),
    [count(units.length, 'unit'), ...totals].join(' · '),
  ].join('\n')
}

function unitLine({ id, state, candidates, failures, since }: UnitStatus, width: number, now: number): string {
  const word = translated(stateWords[state]).padEnd(width)
  const facts = [
    count(candidates, 'candidate'),
    ...(since === null ? [] : [say`for ${duration((now - since) / 1000)}`]),
    ...Object.entries(failures).map(([code, times]) => `${code} × ${times}`),
  ]
  return `${state === 'set-aside' ? pc.red(word) : word}  ${id}  ${facts.join(' · ')}`
}
