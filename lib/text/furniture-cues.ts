/**
 * Finds out cheaply which lines of a text may be furniture, or end in it, so that few texts of prose are examined: the
 * kernel looks for phrases in the lines that are short, and at the end of a long one, and looks the first word of each line up.
 */
import { cuePhrases, edgeLabels, labels, lineWords, listHeadings, menuWords } from './boilerplate.js'
import { CharacterClass, type ClassCounts } from './characters.js'
import { PhraseHits, PhraseIndex } from './phrase-index.js'
import type { TextMemory } from './text-memory.js'

/** Bars between the words of a menu. */
const barsMin = 2

/** The text in the memory, scanned. */
interface ScannedText {
  readonly length: number
  readonly lines: number
  readonly counts: ClassCounts
}

/** Looks for the cues of one text at a time. */
export class FurnitureCues {
  readonly #memory: TextMemory
  readonly #phrases: PhraseHits
  readonly #opening: PhraseHits
  /** Address of the marks of the phrases. */
  readonly #marks: number
  count = 0

  /** @param memory of the texts */
  constructor(memory: TextMemory) {
    this.#memory = memory
    const phrases = PhraseIndex.of(cuePhrases)
    this.#phrases = new PhraseHits(memory, phrases)
    const marks = phrases.marks()
    this.#marks = memory.allocate(marks.length)
    new Uint8Array(memory.buffer, this.#marks, marks.length).set(marks)
    const opening = new Set([...menuWords, ...lineWords, ...listHeadings, ...labels, ...edgeLabels])
    this.#opening = new PhraseHits(memory, PhraseIndex.of([...opening]))
  }

  /** Numbers of the lines that were found. */
  get lines(): Int32Array {
    return this.#memory.suspects.view
  }

  /** Finds the lines that may be furniture, each with its indentation. Returns whether any line may be without it. */
  find({ counts, length, lines }: ScannedText): boolean {
    const { kernel, codes, lineStart, hits, suspects } = this.#memory
    const [phrases, opening] = [this.#phrases, this.#opening]
    suspects.reserve(lines)
    const found = kernel.suspects(
      codes.base,
      length,
      lineStart.base,
      lines,
      counts[CharacterClass.asciiPunctuation] + counts[CharacterClass.symbol] >= barsMin,
      this.#marks,
      phrases.bits,
      phrases.slots,
      phrases.mask,
      opening.bits,
      opening.slots,
      opening.mask,
      hits.base,
      suspects.base,
    )
    this.count = found >> 1
    return (found & 1) === 1
  }
}
