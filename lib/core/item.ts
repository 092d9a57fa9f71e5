/** What travels along an edge: a value with its mark, or one that is settled and only keeps its place in the order. */
import type { Mark } from './ledger.js'

/** A value on its way through a graph, with its mark. */
export interface Item {
  readonly mark: Mark
  readonly value: unknown
  /** Set once a stage dropped or failed it: later stages pass it on untouched. */
  readonly settlement: Settlement | null
}

/**
 * How a value ended before the sink: which stage dropped or failed it, and why. It goes on to the sink in order.
 */
export interface Settlement {
  /** Name of the stage. */
  readonly stage: string
  readonly kind: 'dropped' | 'failed'
  /** The drop's word, or the error's code. */
  readonly reason: string
  readonly detail: string
  readonly error: Error | null
}

/** Items an edge moves at once. Larger gains nothing, smaller costs: reference figures are for 256. */
export const edgeBatchMax = 256
