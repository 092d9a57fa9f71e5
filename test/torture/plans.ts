/** Where the kills of one run fall: seeded, and spread so that each named place has its turn. */
import type { CommitStep } from '../../lib/storage/commit-steps.js'
import type { Random } from '../support/random.js'
import type { KillAt } from './child.js'

export type Plan = KillAt | { readonly instant: number }

/** In the order in which a commit takes them. */
export const commitSteps: readonly CommitStep[] = [
  'flush',
  'footer',
  'fsync-file',
  'rename',
  'fsync-directory',
  'manifest-write',
  'manifest-fsync',
]
const recoverySteps: readonly CommitStep[] = ['recover-delete', 'recover-cut', 'recover-fsync']
const whens = ['before', 'after'] as const

interface PhasePlanning {
  readonly random: Random
  readonly kills: number
  /** Of an uninterrupted phase. */
  readonly changes: number
}

/** A phase commits no cut: a third of the kills are instants, the others changes of files, of replies above all. */
export function planPhaseKills({ random, kills, changes }: PhasePlanning): Plan[] {
  const either = () => whens[random.between(0, 1)] as 'before' | 'after'
  const turns: readonly (() => Plan)[] = [
    () => ({ ending: '.log', when: either(), nth: random.between(1, 6) }),
    () => ({ instant: random.next() * 0.7 }),
    () => ({ ending: '', when: either(), nth: random.between(1, Math.ceil(changes * 0.6)) }),
    () => ({ ending: '.pack', when: either(), nth: 1 }),
    () => ({ instant: random.next() * 0.7 }),
    () => ({ ending: 'run.json', when: either(), nth: 1 }),
  ]
  return Array.from({ length: kills }, (_, turn) => (turns[turn % turns.length] as () => Plan)())
}

interface Planning {
  readonly random: Random
  readonly kills: number
  /** Which run it is: each begins and ends at other steps. */
  readonly round: number
  /** Of an uninterrupted run. */
  readonly changes: number
}

/**
 * First in the first cut, then here and there, in recovery too, at last in the last cut and between it and the end.
 * A few kills are half commits and recoveries, a quarter instants, a quarter changes of files.
 */
export function planKills({ random, kills, round, changes }: Planning): Plan[] {
  const places = commitSteps.flatMap((step) => whens.map((when) => ({ step, when })))
  const commit = (turn: number, cutsAhead: number): Plan => ({
    ...(places[(round * 5 + turn) % places.length] as (typeof places)[number]),
    cutsAhead,
  })
  const middle: Plan[][] = []
  for (let turn = 0; turn < kills; turn++) {
    const when = whens[random.between(0, 1)] as 'before' | 'after'
    middle.push(
      [commit(turn * 3 + 1, random.between(0, 1))],
      // Torn by the parent, so that there is something to cut; parts without a line are left by it as well.
      [
        { step: 'manifest-write', when: 'after', cutsAhead: 0 },
        { step: recoverySteps[(turn + round) % recoverySteps.length] as CommitStep, when, cutsAhead: 0 },
      ],
      [{ instant: random.next() * 0.5 }],
      [{ ending: '', when, nth: random.between(1, changes >> 1) }],
    )
  }
  const last: Plan[] = [
    commit(round * 3 + 2, Number.POSITIVE_INFINITY),
    { ending: 'stats.json.writing', when: 'after', nth: random.between(1, 3) },
    { ending: 'stats.json', when: whens[round % 2] as 'before' | 'after', nth: 1 },
  ]
  const first = commit(round * 3, 0)
  return [first, ...middle.flat().slice(0, Math.max(0, kills - 1 - last.length)), ...last].slice(0, kills)
}
