/**
 * The middle one of the values; of an even number of them the upper.
 *
 * @param ofNothing what stands for no values; NaN by default
 */
export function median(values: readonly number[], ofNothing = Number.NaN): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? ofNothing
}
