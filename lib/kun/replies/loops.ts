/**
 * Finds a unit that a text repeats at its start or its end. Linear in the length of the text; the published scripts
 * compare every unit with every place, which takes minutes on a long loop.
 */

/** Repetitions of a unit in a row that are not a loop. Source: COIG-Kun's output filter. */
const repetitionsMax = 5

/**
 * Returns the unit that the text starts with more than `repetitionsMax` times in a row, or null.
 *
 * Example: '哈哈哈哈哈哈，' → '哈' (six times); '好好学习' → null.
 * Uses the Z function: for each place the longest match with the start of the text.
 */
export function repeatedStart(text: string): string | null {
  const start = text.length - text.trimStart().length
  const period = repeatedPeriod(text.length - start, (index) => text.charCodeAt(start + index), 1)
  return period === 0 ? null : text.slice(start, start + period)
}

/**
 * Returns the unit that the text ends with more than `repetitionsMax` times in a row, over at least `charsMin` characters,
 * or null. The bound ignores '……' and '！！！！！！'.
 */
export function repeatedEnd(text: string, charsMin = repeatedEndCharsMin): string | null {
  const end = text.trimEnd().length
  const period = repeatedPeriod(end, (index) => text.charCodeAt(end - 1 - index), charsMin)
  return period === 0 ? null : text.slice(end - period, end)
}

/** Three lines of forty characters: a valid table may repeat a short cell. */
const repeatedEndCharsMin = 120

/** Returns the length of the shortest unit u with u × (repetitionsMax + 1) at the start, over `charsMin` or more, or 0. */
function repeatedPeriod(length: number, at: (index: number) => number, charsMin: number): number {
  if (length < repetitionsMax + 1) return 0
  // match[i]: length of the match of the text from i with its start; [left, right) is the match that ends last.
  const match = new Int32Array(length)
  let left = 0
  let right = 0
  for (let i = 1; i < length; i++) {
    let reach = i < right ? Math.min(right - i, match[i - left] as number) : 0
    while (i + reach < length && at(reach) === at(i + reach)) reach++
    match[i] = reach
    if (i + reach > right) {
      left = i
      right = i + reach
    }
  }
  // A match of 5 units at a distance of one unit means 6 units in a row.
  for (let period = 1; period * (repetitionsMax + 1) <= length; period++) {
    const repeated = match[period] as number
    if (repeated >= period * repetitionsMax && repeated + period >= charsMin) return period
  }
  return 0
}
