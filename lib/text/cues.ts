/**
 * Measures how much of a text is of the kinds that vocabulary/ describes: gambling, advertising and so on. First every
 * second or third position is looked up for strong cues alone; few texts have enough of them for the full count.
 */
import type { CleanText } from './clean.js'
import { contactNumbers } from './contact-numbers.js'
import { type IndexedPhrase, PhraseHits, PhraseIndex } from './phrase-index.js'
import type { TextMemory } from './text-memory.js'
import { adult } from './vocabulary/adult.js'
import { advertising } from './vocabulary/advertising.js'
import { forum } from './vocabulary/forum.js'
import { gambling } from './vocabulary/gambling.js'
import { spun } from './vocabulary/spun.js'
import { cuesOf, strongWeight, type Vocabulary } from './vocabulary/vocabulary.js'

const vocabularyNames = ['gambling', 'adult', 'advertising', 'spun', 'forum'] as const

export type VocabularyName = (typeof vocabularyNames)[number]

const vocabularyOf: Readonly<Record<VocabularyName, Vocabulary>> = { gambling, adult, advertising, spun, forum }
const vocabularies = vocabularyNames.map((name) => vocabularyOf[name])

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
  const strongest = strongestOf(weights, phrases.length)
  const strongPhrases = phrases.filter(({ number }) => (strongest[number] as number) >= strongWeight)
  const strongHits = new PhraseHits(memory, new PhraseIndex(strongPhrases, 2))
  // Made when a text first needs it, which few texts of prose do.
  let allHits: PhraseHits | null = null
  const lengths = Int32Array.from(phrases, ({ text }) => text.length)
  const seen = new Uint16Array(phrases.length)
  const cues = createFigures()
  const figures = vocabularyNames.map((name) => cues[name])
  return (text) => {
    const { length } = text
    if (!isSuspect(length, strongest, strongHits.find(length, stepOf(length)), memory)) return null
    for (const figure of figures) figure.clear()
    seen.fill(0)
    const occurrencesMax = 2 + Math.floor(length / (2 * cueSpanChars))
    allHits ??= new PhraseHits(memory, new PhraseIndex(phrases))
    const count = allHits.find(length, 1)
    const [places, numbers] = [memory.hits.view, memory.marks.view]
    let end = 0
    for (let hit = 0; hit < count; hit++) {
      const number = numbers[hit] as number
      if ((places[hit] as number) < end) continue
      end = (places[hit] as number) + (lengths[number] as number)
      const times = (seen[number] as number) + 1
      seen[number] = times
      if (times > occurrencesMax) continue
      for (let index = 0; index < figures.length; index++) {
        const weight = weights[number * figures.length + index] as number
        if (weight !== 0) figures[index]?.add(weight, times === 1)
      }
    }
    const contacts = Math.min(contactNumbers(text), 2)
    for (let index = 0; index < contacts; index++) cues.advertising.add(strongWeight, index === 0)
    return cues
  }
}

function createFigures(): Record<VocabularyName, MutableFigures> {
  return {
    gambling: new MutableFigures(),
    adult: new MutableFigures(),
    advertising: new MutableFigures(),
    spun: new MutableFigures(),
    forum: new MutableFigures(),
  }
}

/** Distance of the positions that are looked at first, in code units. */
function stepOf(length: number): number {
  return length < cueSpanChars ? 1 : length < sparseCharsMin ? 2 : 3
}

/** Whether strong cues at every second or third position weigh enough for the full count. */
function isSuspect(length: number, strongest: Int32Array, count: number, { marks }: TextMemory): boolean {
  const enough = suspicion + (suspicionPerSpan * length) / cueSpanChars
  const numbers = marks.view
  let weight = 0
  for (let hit = 0; hit < count && weight < enough; hit++) weight += strongest[numbers[hit] as number] as number
  return weight >= enough
}

/** The cues of all vocabularies, each once, and the weight of cue `c` in vocabulary `v` at c × vocabularies + v. */
function collectCues(): { phrases: IndexedPhrase[]; weights: Int8Array } {
  const cues = vocabularies.map(cuesOf)
  const numbers = new Map<string, number>()
  for (const ofOne of cues) {
    for (const { phrase } of ofOne) if (!numbers.has(phrase)) numbers.set(phrase, numbers.size)
  }
  const weights = new Int8Array(numbers.size * vocabularies.length)
  cues.forEach((ofOne, index) => {
    for (const { phrase, weight } of ofOne) {
      weights[(numbers.get(phrase) as number) * vocabularies.length + index] = weight
    }
  })
  const phrases: IndexedPhrase[] = []
  for (const [phrase, number] of numbers) phrases.push({ text: phrase, number })
  return { phrases, weights }
}

/** Returns the largest weight of each phrase in any vocabulary. */
function strongestOf(weights: Int8Array, phrases: number): Int32Array {
  const strongest = new Int32Array(phrases)
  for (let number = 0; number < phrases; number++) {
    let largest = Number.NEGATIVE_INFINITY
    for (let index = 0; index < vocabularies.length; index++) {
      largest = Math.max(largest, weights[number * vocabularies.length + index] as number)
    }
    strongest[number] = largest
  }
  return strongest
}
