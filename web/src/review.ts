/** State of the page of reviews: which pair is shown, what was decided, and saving. It outlives a change of language. */
import { useEffect, useState } from 'preact/hooks'
import type { ReviewSummary, ReviewWork, Verdict } from '../../lib/pages/view.js'
import { posted, requested } from './live.js'

/** A decision as the page holds and sends it. */
export interface Decision {
  readonly verdict: Verdict | null
  readonly instruction?: string
  readonly output?: string
}

interface ReviewState {
  readonly work: ReviewWork | null
  readonly summary: ReviewSummary | null
  readonly at: number
  readonly decisions: ReadonlyMap<string, Decision>
  /** What undo restores, the last one first. */
  readonly history: readonly { readonly at: number; readonly before: Decision }[]
  readonly editing: boolean
  /** Decisions that the server has not confirmed. */
  readonly unsaved: number
  /** Error of the server; ''. */
  readonly problem: string
}

const undecided: Decision = { verdict: null }

let state: ReviewState = {
  work: null,
  summary: null,
  at: 0,
  decisions: new Map(),
  history: [],
  editing: false,
  unsaved: 0,
  problem: '',
}
let changed: () => void = () => undefined
let lastSave: Promise<unknown> = Promise.resolve()

function update(change: Partial<ReviewState>): void {
  state = { ...state, ...change }
  changed()
}

export function useReview(): ReviewState {
  const [, render] = useState({})
  useEffect(() => {
    changed = () => render({})
    if (state.work === null) load()
    return () => {
      changed = () => undefined
    }
  }, [])
  return state
}

/** The state at this moment: a key may arrive before the page is drawn anew. */
export function reviewNow(): ReviewState {
  return state
}

function load(): void {
  requested<ReviewWork>('work').then(
    (work) => {
      const decisions = new Map(work.reviews.map(({ id, ...decision }): [string, Decision] => [id, decision]))
      const first = work.pairs.findIndex(({ id }) => !decisions.has(id))
      update({ work, summary: work.summary, decisions, at: Math.max(0, first), problem: '' })
    },
    (error: Error) => update({ problem: error.message }),
  )
}

export function decisionAt(at: number): Decision {
  const pair = state.work?.pairs[at]
  return (pair === undefined ? undefined : state.decisions.get(pair.id)) ?? undecided
}

export function move(by: number): void {
  const last = (state.work?.pairs.length ?? 1) - 1
  update({ at: Math.max(0, Math.min(last, state.at + by)), editing: false })
}

export function edit(editing: boolean): void {
  update({ editing })
}

/** Decides about the pair that is shown, and shows the next one. */
export function decide(decision: Decision): void {
  const { at, history } = state
  update({ history: [{ at, before: decisionAt(at) }, ...history] })
  save(at, decision)
  move(1)
}

/** Restores what the last decision replaced, and shows its pair. */
export function undo(): void {
  const [last, ...history] = state.history
  if (last === undefined) return
  update({ history, at: last.at, editing: false })
  save(last.at, last.before)
}

function save(at: number, decision: Decision): void {
  const id = state.work?.pairs[at]?.id
  if (id === undefined) return
  const { verdict, instruction, output } = decision
  const before = decisionAt(at)
  set(id, decision)
  update({ unsaved: state.unsaved + 1 })
  // One after the other: the last line of a pair counts.
  lastSave = lastSave
    .then(() => posted<ReviewSummary>('save', { id, verdict, instruction, output }))
    .then(
      (summary) => update({ summary, problem: '', unsaved: state.unsaved - 1 }),
      (error: Error) => {
        // What is shown is what is saved.
        set(id, before)
        update({ problem: error.message, at, unsaved: state.unsaved - 1 })
      },
    )
}

function set(id: string, decision: Decision): void {
  const decisions = new Map(state.decisions)
  if (decision.verdict === null) decisions.delete(id)
  else decisions.set(id, decision)
  update({ decisions })
}
