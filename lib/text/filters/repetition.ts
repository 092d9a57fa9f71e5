/** Filters on repetition, which ../repetition.ts measures. */
import { CharacterClass } from '../characters.js'
import type { CleanText } from '../clean.js'
import type { RepetitionMeter } from '../repetition.js'
import { over, percent } from './composition.js'

/** Limits lines that occur earlier. Songs repeat their refrain: twice the limit for verses. */
export function repeatedLines(text: CleanText, shareMax: number, meter: RepetitionMeter): string | null {
  const bound = isVerse(text) ? Math.min(1, shareMax * 2) : shareMax
  if (meter.lineShareAtMost(text) <= bound) return null
  return above(meter.exact(text).lineShare, bound, 'in repeated lines')
}

/** Limits n-grams that occur more than once. In verses only those beyond a refrain that fills most of the song. */
export function repeatedNgrams(text: CleanText, shareMax: number, meter: RepetitionMeter): string | null {
  const bound = isVerse(text) ? 1 - (1 - shareMax) * verseFreedom : shareMax
  if (meter.gramShareAtMost(text) <= bound) return null
  return above(meter.exact(text).gramShare, bound, 'repeated n-grams')
}

/** A limit of .5 is .9 for verses. */
const verseFreedom = 0.2

/**
 * Limits 4-grams that occur 4 times or more, and clauses that begin or end with the same characters: a keyword in every
 * sentence, and nothing else to say.
 */
export function keywordStuffing(text: CleanText, shareMax: number, meter: RepetitionMeter): string | null {
  const { length } = text
  if (length > stuffedCharsMax || isVerse(text)) return null
  const grams = Math.max(0, length - 3)
  if (meter.frequentGramsAtMost(text, stuffedTimes) / Math.max(1, grams) > shareMax) {
    const frequent = meter.frequentGrams(text, stuffedTimes)
    const rejection = over(frequent, grams, shareMax, 'in a keyword that is repeated')
    if (rejection !== null) return rejection
  }
  return sameClauses(text, shareMax, meter)
}

/** Limits clauses of which the first or the last 3 ideographs are the same, from `sameClausesMin` on. */
function sameClauses(text: CleanText, shareMax: number, meter: RepetitionMeter): string | null {
  const most = meter.sameEdges(text)
  if (most < sameClausesMin) return null
  return over(most, meter.clauses(), (1 + shareMax) / edgeBoundDivisor, 'of the clauses have the same keyword')
}

const sameClausesMin = 5
/** A limit of .4 is .5 for clauses. */
const edgeBoundDivisor = 2.8

/** Longest text that is measured: in a longer one, repetition shows in longer n-grams. */
const stuffedCharsMax = 600
const stuffedTimes = 4

/** Whether the text is a song or a poem: 6 lines or more of 16 characters at most on average, of ideographs alone. */
function isVerse({ lines, length, counts }: CleanText): boolean {
  if (lines < verseLinesMin || length > lines * verseLineChars) return false
  const others =
    counts[CharacterClass.latin] +
    counts[CharacterClass.digit] +
    counts[CharacterClass.symbol] +
    counts[CharacterClass.asciiPunctuation]
  return others * 20 <= length
}

const verseLinesMin = 6
const verseLineChars = 17

function above(share: number, shareMax: number, what: string): string | null {
  return share > shareMax ? `${percent(share)} ${what} of at most ${percent(shareMax)}` : null
}
