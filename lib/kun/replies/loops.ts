/**
 * Finds a unit that a text repeats at its start, at its end or in the middle. Linear in the length of the text; the published scripts
 * compare every unit with every place, which takes minutes on a long loop.
 */

/** Repetitions of a unit in a row that are not a loop. Source: COIG-Kun's output filter. */
const repetitionsMax = 5

/**
 * Returns the unit that the text starts with more than `repetitionsMax` times in a row, or null.
 *
 * Example: '哈哈哈哈哈哈，' → '哈' (six times); '好好学习' → null.
 * Uses the Z function: for each place the longest match with the start of the text.
 *
 * @param start where the text starts; after its leading blanks by default
 */
export function repeatedStart(text: string, start = text.length - text.trimStart().length): string | null {
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

/** Units that are looked for in the middle, code units; longer ones are whole sentences (said-twice.ts). */
const periodMax = 64
/** Characters of a loop in the middle: shorter ones are 哈哈哈, 叮当叮当; of Latin units also sequences and patterns. */
const loopCharsMin = 20
const latinLoopCharsMin = 80

/**
 * Returns a unit that the text repeats more than `repetitionsMax` times in a row anywhere, or null. Units without letters
 * are lines, blanks and numbers; units with | are rows of a table.
 *
 * A loop of a period is a run of places that are equal to the place one period before. As a run that counts has a least
 * length, most places are skipped: a place that is not equal ends all runs across it (as in the search of Boyer and Moore).
 */
export function repeatedAnywhere(text: string): string | null {
  for (let period = 1; period <= periodMax; period++) {
    const runMin = Math.max(period * repetitionsMax, loopCharsMin - period)
    let run = 0
    for (let at = period; at < text.length; at++) {
      if (run === 0) {
        at = nextRun(text, period, at, runMin)
        if (at === text.length) break
      }
      if (text.charCodeAt(at) !== text.charCodeAt(at - period)) {
        run = 0
        continue
      }
      run++
      if (run < period * repetitionsMax || run + period < loopCharsMin) continue
      const unit = text.slice(at - period + 1, at + 1)
      const isLoop = /\p{Script=Han}/u.test(unit) ? !unit.includes('|') : isLatinLoop(unit, run + period)
      if (isLoop) return unit
      if (run + period >= latinLoopCharsMin) run = 0
    }
  }
  return null
}

/** Returns where the next run of at least `runMin` places starts, from `start` on; the length of the text if there is none. */
function nextRun(text: string, period: number, start: number, runMin: number): number {
  let from = start
  while (from + runMin <= text.length) {
    let at = from + runMin - 1
    while (at >= from && text.charCodeAt(at) === text.charCodeAt(at - period)) at--
    if (at < from) return from
    from = at + 1
  }
  return text.length
}

/** Letters from which, and share of different pairs of letters below which, a short text only varies a few words. */
const monotonousLettersMin = 24
const monotonousCharsMax = 400
const differentPairsMin = 0.4

/** Whether a text of a few sentences consists of the same few words: 租房租房合同合同租房租房…. */
export function isMonotonous(text: string): boolean {
  const letters = text.slice(0, monotonousCharsMax).replace(/[^\p{L}]/gu, '')
  if (letters.length < monotonousLettersMin) return false
  const pairs = new Set<string>()
  for (let at = 0; at + 1 < letters.length; at++) pairs.add(letters.slice(at, at + 2))
  return pairs.size < differentPairsMin * (letters.length - 1)
}

function isLatinLoop(unit: string, chars: number): boolean {
  return chars >= latinLoopCharsMin && /\p{L}/u.test(unit) && !unit.includes('|')
}

/** Working memory of `repeatedPeriod`: an array for every reply would cost more than the search. */
let matches = new Int32Array(4096)

/** Returns the length of the shortest unit u with u × (repetitionsMax + 1) at the start, over `charsMin` or more, or 0. */
function repeatedPeriod(length: number, at: (index: number) => number, charsMin: number): number {
  if (length < repetitionsMax + 1) return 0
  // match[i]: length of the match of the text from i with its start; [left, right) is the match that ends last.
  if (matches.length < length) matches = new Int32Array(2 * length)
  const match = matches
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
