/**
 * What flows through the LLM stages: a candidate (a chunk that survived dedup) and the pairs made from it.
 * Queues, replies and retries belong to lib/llm; the graph that joins the stages to pipeline.ts.
 */

import type { Outcome, Position } from '../core/types.js'
import type { Cell } from '../parquet/columns.js'

/** A chunk that goes to the label model. */
export interface Candidate {
  /** Public id of the chunk: `recordId` without a variant. */
  readonly id: string
  readonly split: string
  readonly shard: string
  readonly offset: number
  readonly chunk: number
  readonly key: string
  readonly title: string
  readonly text: string
  readonly tokens: number
}

/** One instruction for one candidate, and what later stages found. A stage never alters a pair, it makes a new one. */
export interface Pair {
  readonly candidate: Candidate
  /** From 0: which of the label stage's variants. */
  readonly variant: number
  /** Public id of the pair: `recordId` with the variant. */
  readonly id: string
  /** '' where the label stage got none. */
  readonly instruction: string
  /** Which attempt of the label call gave the instruction; −1 where it ended in a verdict. */
  readonly labelAttempt: number
  /** 0 to 1; null before the score stage. */
  readonly score: number | null
  /** Which way of reading gave the score; null before the score stage. */
  readonly scoreKind: ScoreKind | null
  /** Probability that the judge put on the two labels together; null without log-probabilities. */
  readonly scoreMass: number | null
  /** null before the polish stage; a dataset without that stage has the raw text as its output. */
  readonly output: string | null
  /** Columns that a stage of one's own adds. */
  readonly extra: Readonly<Record<string, Cell>>
}

/** 'logprob': from the probabilities of both labels · 'rule': has 【好】 and not 【差】, so 1 or 0. */
export type ScoreKind = 'logprob' | 'rule'

/** What became of one value of an LLM stage. Rejects only where the whole run must stop (abort, outage, a bug). */
export type StageResult<Out> = Outcome<Out>

export interface StageCall {
  /** Where the value stands in the input, for the order of service. */
  readonly position: Position
  readonly signal: AbortSignal
}

/** One LLM stage: pure but for the model it asks. */
export interface KunStage<In, Out> {
  readonly name: 'label' | 'score' | 'polish'
  /** Later stages are served first: 0 label, 1 score, 2 polish. */
  readonly stageOrder: number
  /** `name@version` of its template, for the `prompt_version` column. */
  readonly promptVersion: string
  /** How it asks, where the server's capabilities decided that: for people. */
  readonly form?: string
  readonly run: (input: In, call: StageCall) => Promise<StageResult<Out>>
}
