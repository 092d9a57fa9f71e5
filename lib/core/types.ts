/**
 * The words the engine is built from. It knows no text, no Hub and no model:
 * values are opaque, positions are numbers, and what a stage may do to a value is an Outcome.
 */

/** What became of one value. A value may not vanish: `emit: []` throws, a drop has a reason. */
export type Outcome<Out> = Emitted<Out> | Dropped | Failed

/** It goes on, as one value or several. */
export interface Emitted<Out> {
  /** One or more values, in order. More than one, or an output unit, makes the stage a splitting one. */
  readonly emit: readonly (Out | Child<Out>)[]
}

/** It ends here, as a reject, and is counted under its reason. Nothing is wrong. */
export interface Dropped {
  /** A stable word, the key of a counter: 'too-short', 'near-duplicate'. */
  readonly drop: string
  /** What the reject says besides: figures, the other document's id. JSON-safe. */
  readonly detail?: string
}

/** It ends here, as a reject under the error's code. An error that must stop the run is thrown instead. */
export interface Failed {
  readonly fail: Error
}

/** A child of a splitting stage that is dropped as it is born: it keeps its place in the order and its count. */
export class Child<Out> {
  constructor(
    readonly value: Out,
    readonly outcome: Dropped | Failed,
  ) {}
}

/**
 * One step of a graph. It sees values, never marks, so it cannot lose an acknowledgement.
 *
 * Shape: In[n] → Outcome<Out>[n], same order.
 */
export interface Stage<In, Out> {
  readonly name: string
  /** The unit of what it emits ('chunk', 'pair'), when it differs from what it takes. */
  readonly unit?: string
  /** Values a call of `process` may get; 1 by default. */
  readonly batchMax?: number
  /** Calls of `process` under way at once; 1 by default, which also keeps the order. */
  readonly inFlightMax?: number
  /** A property, not a method: so that a stage with the wrong input type does not compile. */
  readonly process: (
    values: readonly In[],
    context: StageContext,
  ) => readonly Outcome<Out>[] | Promise<readonly Outcome<Out>[]>
  /** Called once, after the last value or on abort. */
  readonly close?: () => Promise<void> | void
}

/** What a stage is told besides the values. */
export interface StageContext {
  /** Aborted when the run ends early: a call that waits should listen to it. */
  readonly signal: AbortSignal
  /** Where each value stands in the input, for queue order: [block, record, …]. */
  readonly positions: readonly Position[]
}

/** The place of a value in the input: block number, then the ordinal among its siblings at each split. */
export type Position = readonly number[]

/** −1, 0 or 1: by block, then by each ordinal; a prefix comes before what it holds. */
export function comparePositions(a: Position, b: Position): number {
  const depth = Math.min(a.length, b.length)
  for (let level = 0; level < depth; level++) {
    const difference = (a[level] as number) - (b[level] as number)
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  return Math.sign(a.length - b.length)
}

/** Time, given from outside: what waits can be tested without waiting. */
export interface Clock {
  /** Milliseconds from any fixed origin, never going back. */
  now(): number
  /** Resolves after `waitMs`; rejects with the signal's reason when aborted. */
  sleep(waitMs: number, signal?: AbortSignal): Promise<void>
}
