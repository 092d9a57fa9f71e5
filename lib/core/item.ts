/** Elements of an edge: a value with its mark, or a settled value that only keeps its place in the order. */
import type { Mark } from './ledger.js'

/** A value in a graph, with its mark. */
export interface Item {
  readonly mark: Mark
  readonly value: unknown
  /** Set once a stage dropped or failed the value: later stages pass it on unchanged. */
  readonly settlement: Settlement | null
}

/** Which stage dropped or failed a value, and why. It is passed to the sink in input order. */
export interface Settlement {
  /** Name of the stage. */
  readonly stage: string
  readonly kind: 'dropped' | 'failed'
  /** Reason of the drop, or the error's code. */
  readonly reason: string
  readonly detail: string
  readonly error: Error | null
}

/** Items per batch on an edge. Measured: larger batches are not faster, smaller ones are slower. */
export const edgeBatchMax = 256

/** Batches that wait on an edge. One being written and one being read keep both ends busy. */
export const edgeBatches = 2
