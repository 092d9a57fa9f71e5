/** What the queue needs of a run that is divided into units (lib/units). The store holds the truth; the queue assigns. */

export interface QueuedUnit {
  /** Also the id of its job. */
  readonly id: string
  /** Number of its cut, from 0: the order in which units are assigned. */
  readonly cut: number
}

export interface QueuedRun {
  /** Units planned so far, in order of the cut. */
  planned(): AsyncIterable<QueuedUnit>
  /** Whether preparing is over: no unit will be added to the plan. Asked before `planned()`. */
  isComplete(): Promise<boolean>
  /** Whether the unit has a result; asked by name. */
  isDone(id: string): Promise<boolean>
  /** Ids of units with a result, from a listing: a recent one may be missing. */
  listDone(): AsyncIterable<string>
  /** Number of failed attempts of a unit. */
  failedAttempts(id: string): Promise<number>
  /** Number of failed attempts of every unit that has any, from a listing. */
  listFailedAttempts(): Promise<ReadonlyMap<string, number>>
}

/** Generates units; at most one at a time. */
export interface UnitGenerator {
  /** Throws if the unit failed; its failure is then in the store. An abort stores the replies received and throws. */
  generate(id: string, signal?: AbortSignal): Promise<'committed' | 'already'>
}

/** Failed attempts after which a unit is set aside. */
export const attemptsMax = 3
