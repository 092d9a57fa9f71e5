/**
 * Values of the model stages: candidates (chunks that are not duplicates), and the pairs made from them.
 */

import { Child, type Dropped, type Outcome, type Position } from '../core/types.js'
import type { Column } from '../parquet/columns.js'
import type { PersonalCounts } from '../text/personal/kinds.js'

/** A value that a stage found about a record: a cell of the column that it declares. JSON-safe. */
export type StageCell = string | number | boolean | null
/** Cells by the name of their column. */
export type StageCells = Readonly<Record<string, StageCell>>

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
  /** Heading above the chunk in its document; '' if it begins with one or has none. */
  readonly heading: string
  readonly text: string
  readonly tokens: number
  /** Cells of the stages that it has passed. */
  readonly columns: StageCells
  /** Returns a copy with other cells, for a class; a plain object needs none. */
  readonly withColumns?: (columns: StageCells) => Candidate
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
  /** Answer of an extracted exam, later that of the polish stage; a row without either has the raw text. */
  readonly output: string | null
  /** Cells of the stages that the pair and its candidate have passed: grades, shares, columns of the recipe. */
  readonly columns: StageCells
  /** Personal data that was masked in its instruction and output, for the account. */
  readonly personal?: { readonly instruction?: PersonalCounts; readonly output?: PersonalCounts }
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
  /** A built-in stage, or the name of a column of the recipe. */
  readonly name: string
  /** Stages with a higher number are served first (stage-ranks.ts). */
  readonly stageOrder: number
  /** `name@version` of its template, for the `prompt_version` column. */
  readonly promptVersion: string
  /** Form of its requests if the server's capabilities decided it; shown at the start of a run. */
  readonly form?: string
  /** Columns that it adds to the rows; their cells are in `columns` of the values that it emits. */
  readonly columns: readonly Column[]
  /** Rejects only if the whole run must stop (abort, outage, a bug). */
  readonly run: (input: In, call: StageCall) => Promise<Outcome<Out>>
}

/** Returns the value with more cells. */
export function withCells<Value extends Candidate | Pair>(value: Value, cells: StageCells): Value {
  const columns = { ...value.columns, ...cells }
  return 'withColumns' in value ? (value.withColumns?.(columns) as Value) : { ...value, columns }
}

/** Drops a value that a stage changed: the reject shows the change. */
export function droppedWith<Value extends Candidate | Pair>(value: Value, dropped: Dropped): Outcome<Value> {
  return { emit: [new Child(value, dropped)] }
}
