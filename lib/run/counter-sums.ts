/** Adds the counters of a cut to those of the cuts before it: the sum is what one account of all of them counts. */

import { dictionary, ownValue } from '../core/dictionary.js'
import { isRecord } from '../core/objects.js'
import { ContractError } from '../errors.js'
import { addRowFigures, type WordOrder } from '../kun/row-figures.js'
import { type Counters, type SplitCounters, sortKeys } from './accounting.js'

/**
 * @param cut counters of an account of all words that began at zero
 * @param orders its `wordOrders`
 * @throws {ContractError} the splits differ
 */
export function addCounters(before: Counters, cut: Counters, orders: Readonly<Record<string, WordOrder>>): Counters {
  const splits = Object.entries(before).map(([split, own]) => {
    const more = ownValue(cut, split)
    if (more === undefined) throw new ContractError(`the counters of a cut have no split '${split}'`)
    const { figures, ...counts } = own
    const { figures: moreFigures, ...moreCounts } = more
    const sum = added(counts, moreCounts) as Omit<SplitCounters, 'figures'>
    return [split, { ...sum, figures: addRowFigures(figures, moreFigures, ownValue(orders, split) ?? {}) }] as const
  })
  return sortKeys(dictionary(splits))
}

/** Adds numbers at every depth; a key that one side lacks has the value of the other. */
function added(a: unknown, b: unknown): unknown {
  if (a === undefined) return b
  if (b === undefined) return a
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (!isRecord(a) || !isRecord(b)) throw new ContractError(`counters of two cuts differ in form: ${a} and ${b}`)
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return dictionary([...keys].map((key) => [key, added(ownValue(a, key), ownValue(b, key))] as const))
}
