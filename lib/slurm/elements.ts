/** Divides units into elements of arrays: units by a time budget, elements by the size of an array. Pure. */

/** An array as it is submitted: its element i runs the units of `elements[i]`. */
interface ArrayPlan {
  /** Units of each element, by id. */
  readonly elements: readonly (readonly string[])[]
  /** Elements that run concurrently; null without a limit. */
  readonly parallel: number | null
}

/** Time that an element should take, by default. */
export const elementMinutesDefault = 60

interface DivisionOptions {
  readonly unitsPerElement: number
  /** Elements in one array, at most. */
  readonly arrayMax: number
  /** Elements of all arrays that run concurrently, at most; null without a limit. */
  readonly parallel: number | null
}

/** Returns the units that fit into a time, at least one. */
export function unitsInTime(elementSeconds: number, unitSeconds: number): number {
  return unitSeconds > 0 ? Math.max(1, Math.floor(elementSeconds / unitSeconds)) : 1
}

/**
 * Divides units, in the order of their cuts.
 *
 * No array depends on another one. Elements are dealt to the arrays in turn, so that all arrays begin with the oldest cuts
 * and end together; each has its share of `parallel`, so that the sum is not exceeded. With a limit lower than the number of
 * arrays, elements get more units, and the arrays are fewer.
 */
export function divideUnits(ids: readonly string[], options: DivisionOptions): ArrayPlan[] {
  const { arrayMax, parallel } = options
  const arraysMax = parallel ?? Number.POSITIVE_INFINITY
  const least = Math.ceil(ids.length / (arrayMax * arraysMax))
  const perElement = Math.max(options.unitsPerElement, least)
  const elements: string[][] = []
  for (let from = 0; from < ids.length; from += perElement) elements.push(ids.slice(from, from + perElement))
  const arrays = Math.ceil(elements.length / arrayMax)
  return Array.from({ length: arrays }, (_, place) => ({
    elements: elements.filter((_element, index) => index % arrays === place),
    parallel: parallel === null ? null : Math.floor(parallel / arrays) + (place < parallel % arrays ? 1 : 0),
  }))
}
