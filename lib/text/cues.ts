/**
 * Measures how much of a text is of the kinds that vocabulary/ describes: gambling, advertising and so on. First every
 * second or third position is looked up for strong cues alone; few texts have enough of them for the full count.
 */
import type { CleanText } from './clean.js'
import { contactNumbers } from './contact-numbers.js'
import { type IndexedPhrase, PhraseHits, PhraseIndex, pairHash } from './phrase-index.js'
import type { TextMemory } from './text-memory.js'
import { adult } from './vocabulary/adult.js'
import { advertising } from './vocabulary/advertising.js'
import { forum } from './vocabulary/forum.js'
import { gambling } from './vocabulary/gambling.js'
import { spun } from './vocabulary/spun.js'
import { cuesOf, strongWeight } from './vocabulary/vocabulary.js'

const vocabularies = [gambling, adult, advertising, spun, forum]

export type VocabularyName = 'gambling' | 'adult' | 'advertising' | 'spun' | 'forum'

/** Cues of one vocabulary in a text. */
interface CueFigures {
  /** Sum of the weights of strong cues; a cue counts `occurrencesMax` times at most. */
  readonly strong: number
  /** The same of weak cues. */
  readonly weak: number
  /** The same of counter-cues, positive. */
  readonly counter: number
  /** Number of different strong cues, and of different cues in all but counter-cues. */
  readonly strongKinds: number
  readonly kinds: number
}

type Cues = Readonly<Record<VocabularyName, CueFigures>>

/** Returns the cues of a text, or null if there are too few strong ones for any filter. */
export type CueMeter = (text: CleanText) => Cues | null

/** Code units in which the cues are summed: density is per so many. */
export const cueSpanChars = 300

/**
 * Weight of the cues per `cueSpanChars` code units; in a shorter text, in all. Weak cues count at most as much as
 * strong ones. 0 if there are too few different ones: a single word never decides.
 */
export function cueScore(figures: CueFigures, chars: number): number {
  const { strong, weak, counter, strongKinds, kinds } = figures
  if (strongKinds < strongKindsMin || kinds < kindsMin) return 0
  return (strong + Math.min(weak, strong) - counter) / Math.max(1, chars / cueSpanChars)
}

const strongKindsMin = 2
const kindsMin = 3
/** Texts from so many code units are looked at at every third position, which finds fewer of their many cues. */
const sparseCharsMin = 600
/** Strong weight that the first look must find: so much, and so much more per `cueSpanChars`. */
const suspicion = 2
const suspicionPerSpan = 0.7

class MutableFigures implements CueFigures {
  strong = 0
  weak = 0
  counter = 0
  strongKinds = 0
  kinds = 0

  clear(): void {
    this.strong = this.weak = this.counter = this.strongKinds = this.kinds = 0
  }

  add(weight: number, isFirst: boolean): void {
    if (weight < 0) this.counter -= weight
    else if (weight >= strongWeight) this.strong += weight
    else this.weak += weight
    if (!isFirst || weight < 0) return
    this.kinds++
    if (weight >= strongWeight) this.strongKinds++
  }
}

/** @param memory of the cleaner whose texts are measured */
export function createCueMeter(memory: TextMemory): CueMeter {
  const { phrases, weights } = collectCues()
  const strongest = phrases.map(({ number }) => Math.max(...weightsOf(weights, number)))
  const strongPhrases = phrases.filter(({ number }) => (strongest[number] as number) >= strongWeight)
  const first = new PhraseIndex(strongPhrases, 2)
  const firstHits = new PhraseHits(memory, first)
  const all = new PhraseIndex(phrases)
  const seen = new Uint16Array(phrases.length)
  const figures = vocabularies.map(() => new MutableFigures())
  const cues = Object.fromEntries(vocabularies.map(({ name }, index) => [name, figures[index]])) as unknown as Cues
  return (text) => {
    const { codes, length } = text
    if (!isSuspect(codes, length, first, strongest, firstHits.find(0, length, stepOf(length)), memory.hits.view))
      return null
    for (const figure of figures) figure.clear()
    seen.fill(0)
    const occurrencesMax = 2 + Math.floor(length / (2 * cueSpanChars))
    for (let at = 0; at + 1 < length; at++) {
      const hash = pairHash(codes[at] as number, codes[at + 1] as number)
      if ((((all.bits[hash >>> 5] as number) >>> (hash & 31)) & 1) === 0) continue
      const found = all.longestAt(codes, at, length)
      if (found === null) continue
      at += found.codes.length - 1
      const times = (seen[found.number] as number) + 1
      seen[found.number] = times
      if (times > occurrencesMax) continue
      for (let index = 0; index < figures.length; index++) {
        const weight = weights[found.number * figures.length + index] as number
        if (weight !== 0) figures[index]?.add(weight, times === 1)
      }
    }
    const numbers = contactNumbers(text)
    const advertisingFigures = figures[advertisingIndex] as MutableFigures
    for (let index = 0; index < Math.min(numbers, 2); index++) advertisingFigures.add(strongWeight, index === 0)
    return cues
  }
}

const advertisingIndex = vocabularies.indexOf(advertising)

/** Distance of the positions that are looked at first, in code units. */
function stepOf(length: number): number {
  return length < cueSpanChars ? 1 : length < sparseCharsMin ? 2 : 3
}

/** Whether strong cues at every second or third position weigh enough for the full count. */
function isSuspect(
  codes: Uint16Array,
  length: number,
  index: PhraseIndex,
  strongest: readonly number[],
  hitCount: number,
  hits: Int32Array,
): boolean {
  const enough = suspicion + (suspicionPerSpan * length) / cueSpanChars
  let weight = 0
  for (let hit = 0; hit < hitCount; hit++) {
    const found = index.covers(codes, hits[hit] as number, length)
    if (found === null) continue
    weight += strongest[found.number] as number
    if (weight >= enough) return true
  }
  return false
}

/** The cues of all vocabularies, each once, and the weight of cue `c` in vocabulary `v` at c × vocabularies + v. */
function collectCues(): { phrases: IndexedPhrase[]; weights: Int8Array } {
  const numbers = new Map<string, number>()
  for (const vocabulary of vocabularies) {
    for (const { phrase } of cuesOf(vocabulary)) if (!numbers.has(phrase)) numbers.set(phrase, numbers.size)
  }
  const weights = new Int8Array(numbers.size * vocabularies.length)
  vocabularies.forEach((vocabulary, index) => {
    for (const { phrase, weight } of cuesOf(vocabulary)) {
      weights[(numbers.get(phrase) as number) * vocabularies.length + index] = weight
    }
  })
  const phrases = [...numbers].map(([phrase, number]) => ({
    codes: Uint16Array.from(phrase, (character) => character.charCodeAt(0)),
    number,
  }))
  return { phrases, weights }
}

function weightsOf(weights: Int8Array, number: number): Int8Array {
  return weights.subarray(number * vocabularies.length, (number + 1) * vocabularies.length)
}
