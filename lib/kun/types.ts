/**
 * Values of the model stages: candidates (chunks that are not duplicates), and the pairs made from them.
 */

import type { Outcome, Position } from '../core/types.js'

/** A chunk for the label model. */
export interface Candidate {
  /** Public id of the chunk: `recordId` without a variant. */
  readonly id: string
  readonly split: string
  /** Name of the source in rows; the split if undefined. */
  readonly source?: string | undefined
  readonly shard: string
  readonly offset: number
  readonly chunk: number
  readonly key: string
  readonly title: string
  readonly text: string
  readonly tokens: number
}

/** One instruction for one candidate, and the results of later stages. Immutable. */
export interface Pair {
  readonly candidate: Candidate
  /** Number of the label stage's variant, from 0. */
  readonly variant: number
  /** Public id of the pair: `recordId` with the variant. */
  readonly id: string
  /** '' if the reply of the label stage has none. */
  readonly instruction: string
  /** Attempt of the label call that gave the instruction; −1 if it ended in a verdict. */
  readonly labelAttempt: number
  /** 0 to 1; null before the score stage. */
  readonly score: number | null
  /** How the score was read; null before the score stage. */
  readonly scoreKind: ScoreKind | null
  /** Sum of the probabilities of the two labels; null without log-probabilities. */
  readonly scoreMass: number | null
  /** Null before the polish stage; without that stage the output of a row is the raw text. */
  readonly output: string | null
}

/** 'logprob': from the probabilities of both labels · 'rule': has 【好】 and not 【差】, so 1 or 0. */
export type ScoreKind = 'logprob' | 'rule'

export interface StageCall {
  /** Position of the value in the input, for the order of service. */
  readonly position: Position
  readonly signal: AbortSignal
}

/** One model stage. Stateless; its only side effects are the calls of its model. */
export interface KunStage<In, Out> {
  readonly name: 'label' | 'score' | 'polish'
  /** Later stages are served first: 0 label, 1 score, 2 polish. */
  readonly stageOrder: number
  /** `name@version` of its template, for the `prompt_version` column. */
  readonly promptVersion: string
  /** Form of its requests if the server's capabilities decided it; shown at the start of a run. */
  readonly form?: string
  /** Rejects only if the whole run must stop (abort, outage, a bug). */
  readonly run: (input: In, call: StageCall) => Promise<Outcome<Out>>
}
