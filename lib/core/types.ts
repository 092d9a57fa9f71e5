/**
 * Types that stages and sinks implement. The engine is independent of texts, the Hub and models: values are opaque,
 * positions are numbers, and a stage returns an Outcome for each value.
 */

/**
 * Result of a stage for one value. A value cannot vanish: `emit: []` throws, and a drop has a reason.
 *
 * `Settled` is the type of the values in `Child`: values that end here although they were emitted.
 */
export type Outcome<Out, Settled = Out> = Emitted<Out, Settled> | Dropped | Failed

/** The value continues, as one value or several. */
interface Emitted<Out, Settled = Out> {
  /** One or more values, in order. A stage that emits several declares the `unit` it emits. */
  readonly emit: readonly (Out | Child<Settled>)[]
}

/** The value ends here as a reject and is counted under its reason. This is not an error. */
export interface Dropped {
  /** A stable word, the key of a counter: 'too-short', 'near-duplicate'. */
  readonly drop: string
  /** Details for the reject: figures, the other document's id. JSON-safe. */
  readonly detail?: string
}

/** The value ends here as a reject under the error's code. An error that must stop the run is thrown instead. */
export interface Failed {
  readonly fail: Error
}

/** A value of a splitting stage that is dropped when it is emitted: it keeps its place in the order and its count. */
export class Child<Settled> {
  constructor(
    readonly value: Settled,
    readonly outcome: Dropped | Failed,
  ) {}
}

/**
 * One step of a graph. It receives values, never marks, so it cannot lose an acknowledgement.
 *
 * Shape: In[n] → Outcome<Out, Settled>[n], same order.
 */
export interface Stage<In, Out, Settled = Out> {
  readonly name: string
  /** Unit of the emitted values ('chunk', 'pair'), if it differs from that of the input. */
  readonly unit?: string
  /** Values that one call of `process` may receive; 1 by default. */
  readonly batchMax?: number
  /** Concurrent calls of `process`; 1 by default, which also keeps the order. */
  readonly inFlightMax?: number
  /** Whether values must arrive in input order; the graph then restores the order before this stage. */
  readonly ordered?: boolean
  /** A property, not a method: otherwise a stage with the wrong input type would compile. */
  readonly process: (
    values: readonly In[],
    context: StageContext,
  ) => readonly Outcome<Out, Settled>[] | Promise<readonly Outcome<Out, Settled>[]>
  /** Called once when the run is over, however it ended. */
  readonly close?: () => Promise<void> | void
}

/** Second argument of `process`. */
export interface StageContext {
  /** Aborted when the run ends early: a call that waits should listen to it. */
  readonly signal: AbortSignal
  /** Position of each value in the input, for queue order: [block, record, …]. */
  readonly positions: readonly Position[]
  /**
   * Calls `release` once everything made from value `index` has passed the sink; not called if the run is aborted.
   * Null if values leave the engine alive (`GraphBuilder.values`, `stageStream`): the stage then cannot know when they
   * are no longer used.
   */
  readonly hold: ((index: number, release: () => void) => void) | null
}

/** The place of a value in the input: block number, then the ordinal among its siblings at each split. */
export type Position = readonly number[]

/** Returns −1, 0 or 1: by block, then by each ordinal; a prefix precedes the positions that it contains. */
export function comparePositions(a: Position, b: Position): number {
  const depth = Math.min(a.length, b.length)
  for (let level = 0; level < depth; level++) {
    const difference = (a[level] as number) - (b[level] as number)
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  return Math.sign(a.length - b.length)
}

/** A source of time, passed in so that code that waits can be tested without waiting. */
export interface Clock {
  /** Milliseconds from any fixed origin, monotonic. */
  now(): number
  /** Resolves after `waitMs`; rejects with the signal's reason when aborted. */
  sleep(waitMs: number, signal?: AbortSignal): Promise<void>
}
