/** Filters on repetition, which ../repetition.ts measures. */
import { CharacterClass, isIdeograph } from '../characters.js'
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
export function keywordStuffing(text: CleanText, shareMax: number): string | null {
  const { codes, length } = text
  if (length > stuffedCharsMax || isVerse(text)) return null
  counters.fill(0)
  const grams = Math.max(0, length - 3)
  for (let at = 0; at < grams; at++) {
    const hash = gramHash(codes, at)
    hashes[at] = hash
    counters[hash] = (counters[hash] as number) + 1
  }
  let repeated = 0
  for (let at = 0; at < grams; at++) if ((counters[hashes[at] as number] as number) >= stuffedTimes) repeated++
  return over(repeated, grams, shareMax, 'in a keyword that is repeated') ?? sameClauses(text, shareMax)
}

/** Limits clauses of which the first or the last 3 ideographs are the same, from `sameClausesMin` on. */
function sameClauses({ codes, length }: CleanText, shareMax: number): string | null {
  starts.fill(0)
  ends.fill(0)
  let [clauses, most, run] = [0, 0, 0]
  for (let at = 0; at <= length; at++) {
    if (at < length && isIdeograph(codes[at] as number)) {
      run++
      continue
    }
    if (run > edgeChars) {
      const first = edgeHash(codes, at - run)
      const last = edgeHash(codes, at - edgeChars)
      starts[first] = (starts[first] as number) + 1
      ends[last] = (ends[last] as number) + 1
      most = Math.max(most, starts[first] as number, ends[last] as number)
    }
    if (run > 0) clauses++
    run = 0
  }
  const bound = (1 + shareMax) / edgeBoundDivisor
  return most < sameClausesMin ? null : over(most, clauses, bound, 'of the clauses have the same keyword')
}

const edgeChars = 3
const sameClausesMin = 5
/** A limit of .4 is .5 for clauses. */
const edgeBoundDivisor = 2.8

/** Longest text that is measured: in a longer one, repetition shows in longer n-grams. */
const stuffedCharsMax = 600
const stuffedTimes = 4
/** Counters by hash; cleared for each text. */
const counters = new Uint16Array(4096)
const starts = new Uint16Array(4096)
const ends = new Uint16Array(4096)
const hashes = new Uint16Array(stuffedCharsMax)

function gramHash(codes: Uint16Array, at: number): number {
  const first = Math.imul((codes[at] as number) | ((codes[at + 1] as number) << 16), 0x9e3779b1)
  const second = Math.imul((codes[at + 2] as number) | ((codes[at + 3] as number) << 16), 0x85ebca77)
  return ((first ^ (second >>> 7)) >>> 11) & 4095
}

function edgeHash(codes: Uint16Array, at: number): number {
  const pair = Math.imul((codes[at] as number) | ((codes[at + 1] as number) << 16), 0x9e3779b1)
  return ((pair ^ Math.imul(codes[at + 2] as number, 0x85ebca77)) >>> 11) & 4095
}

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
