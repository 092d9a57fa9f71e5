/**
 * Types of a run that is divided into units. A unit is what one cut of the run is made from: its records after dedup.
 * Any process may generate any unit, at any time and several times; the first result that is committed counts.
 */
import type { ObjectStore } from '../objects/object-store.js'

/** A unit as the plan names it. */
export interface PlannedUnit {
  /** `{cut}-{hash}`: the number of the cut in six digits, and a hash of its records and of the run. */
  readonly id: string
  /** Number of the cut, from 0. */
  readonly cut: number
  /** Records for the model stages; 0 for a cut of rejects only. */
  readonly candidates: number
}

/** An attempt at a unit that ended without a result. */
export interface UnitFailure {
  readonly attempt: string
  /** Code of the error, such as KUN_SERVER. */
  readonly code: string
  readonly message: string
}

/** A run that is divided into units, in a directory or a bucket. */
export interface UnitRun {
  readonly store: ObjectStore
  /** Yields the units planned so far, in order of the cut; waits for nothing. */
  planned(): AsyncIterable<PlannedUnit>
  /** Returns whether the plan is complete. */
  isComplete(): Promise<boolean>
  /** Returns whether a unit has a result; asked by name. */
  isDone(id: string): Promise<boolean>
  /** Opens the model servers once for many units. */
  openWorker(options: UnitWorkerOptions): Promise<UnitWorker>
  /** Returns the failed attempts of a unit. */
  failures(id: string): Promise<readonly UnitFailure[]>
  /**
   * Stores the decision to reject a record, which `generate` reads like a reply. The first decision of a record counts.
   *
   * @param record id of the candidate
   * @param reason a reject reason: 'worker-lost' or 'unit-poison'
   */
  decideRecord(id: string, record: string, reason: string): Promise<void>
  /** As `decideRecord`, for many records of one unit. */
  decideRecords(id: string, records: readonly string[], reason: string): Promise<void>
  /** Returns the ids of the candidates of a unit that no decision drops, in input order. */
  candidates(id: string): Promise<readonly string[]>
  close(): Promise<void>
}

/** Options for `UnitRun.openWorker`. */
export interface UnitWorkerOptions {
  /** Stops the worker: no request is sent after it, replies of requests in flight are stored. */
  readonly signal: AbortSignal
  /** Addresses by the recipe's name of the model, in place of those of the recipe. */
  readonly endpoints?: Readonly<Record<string, readonly string[]>>
  /** Receives messages for the user. */
  readonly onEvent?: (message: string) => void
}

/** Generates units, one after the other or a few concurrently. */
export interface UnitWorker {
  /**
   * Generates a unit and commits its result.
   *
   * @param signal ends this unit only
   * @returns 'committed': this result counts · 'already': another one was there, before or first
   * @throws the failure of the attempt, which is stored under failed/ before
   */
  generate(id: string, signal?: AbortSignal): Promise<'committed' | 'already'>
  /**
   * Makes an attempt at some candidates of a unit, without a result. The replies are kept for later attempts.
   *
   * @throws the failure of the attempt, which is not stored
   */
  tryRecords(id: string, records: ReadonlySet<string>): Promise<void>
  close(): Promise<void>
}
