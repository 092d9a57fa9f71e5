/**
 * Does a text start with, or end in, one unit over and over? Linear in its length, whatever it holds:
 * the published scripts compare every unit with every place, which takes minutes on a long loop.
 */

/** More than this many times in a row is a loop. Source: COIG-Kun's output filter. */
const repetitionsMax = 5

/**
 * The unit that the text starts with more than `repetitionsMax` times in a row, or null.
 *
 * Example: '哈哈哈哈哈哈，' → '哈' (six times); '好好学习' → null.
 * Time and memory are linear: an array of the longest match with the text's own start at every place (Z function).
 */
export function repeatedStart(text: string): string | null {
  const start = text.length - text.trimStart().length
  const period = repeatedPeriod(text.length - start, (index) => text.charCodeAt(start + index), 1)
  return period === 0 ? null : text.slice(start, start + period)
}

/**
 * The unit that the text ends in more than `repetitionsMax` times in a row, over at least `charsMin` characters,
 * or null. The bound leaves '……' and '！！！！！！' alone.
 */
export function repeatedEnd(text: string, charsMin = repeatedEndCharsMin): string | null {
  const end = text.trimEnd().length
  const period = repeatedPeriod(end, (index) => text.charCodeAt(end - 1 - index), charsMin)
  return period === 0 ? null : text.slice(end - period, end)
}

/** Three lines of forty characters: a table may repeat a short cell, an answer does not. */
const repeatedEndCharsMin = 120

/** Length of the shortest unit u with u × (repetitionsMax + 1) at the start, over `charsMin` or more; 0 if there is none. */
function repeatedPeriod(length: number, at: (index: number) => number, charsMin: number): number {
  if (length < repetitionsMax + 1) return 0
  // match[i]: how far the text from i agrees with its own start; [left, right) is the match that reaches furthest.
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
  // A match of 5 units at distance one unit means that 6 stand in a row.
  for (let period = 1; period * (repetitionsMax + 1) <= length; period++) {
    const repeated = match[period] as number
    if (repeated >= period * repetitionsMax && repeated + period >= charsMin) return period
  }
  return 0
}
