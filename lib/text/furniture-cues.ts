/**
 * Finds out cheaply which lines of a text may be furniture, or end in it, so that few texts of prose are examined: the
 * kernel looks for phrases in the whole text, and only the first word of each line is looked up here.
 */
import { cuePhrases, edgeLabels, labels, lineWords, listHeadings, menuWords } from './boilerplate.js'
import { CharacterClass, type ClassCounts } from './characters.js'
import { firstVisible, lineEndOf, type TextLines } from './code-lines.js'
import { furnitureCharsMax } from './furniture-lines.js'
import { PhraseHits, PhraseIndex } from './phrase-index.js'
import type { TextMemory } from './text-memory.js'

/** Code units at the end of a long line in which a cue counts. */
const tailChars = 48
/** Marks at the start of a line that are skipped. */
const marksMax = 4
/** Bars between the words of a menu. */
const barsMin = 2

/** A scanned text. */
interface ScannedText extends TextLines {
  readonly counts: ClassCounts
}

/** Looks for the cues of one text at a time. */
export class FurnitureCues {
  readonly #memory: TextMemory
  readonly #phrases: PhraseHits
  readonly #opening = PhraseIndex.of([
    ...new Set([...menuWords, ...lineWords, ...listHeadings, ...labels, ...edgeLabels]),
  ])
  /** Phrases of the text, and the first of them that is not before the line. */
  #count = 0
  #next = 0
  #mayHaveBars = false
  /** Numbers of the lines that were found. */
  lines = new Int32Array(64)
  count = 0

  /** @param memory of the texts */
  constructor(memory: TextMemory) {
    this.#memory = memory
    this.#phrases = new PhraseHits(memory, PhraseIndex.of(cuePhrases))
  }

  /** Finds the lines that may be furniture, each with its indentation. Returns whether any line may be without it. */
  find(text: ScannedText): boolean {
    const { codes, counts, lines, lineStart, length } = text
    if (lines > this.lines.length) this.lines = new Int32Array(2 * lines)
    let count = 0
    let any = false
    this.#count = this.#phrases.find(length, 1)
    this.#next = 0
    this.#mayHaveBars = counts[CharacterClass.asciiPunctuation] + counts[CharacterClass.symbol] >= barsMin
    for (let line = 0; line < lines; line++) {
      const start = lineStart[line] as number
      const end = lineEndOf(text, line)
      const visible = firstVisible(codes, start)
      this.#skipTo(start)
      const isCue = this.#isCue(codes, start, end)
      if (isCue) this.lines[count++] = line
      any ||= visible === start ? isCue : this.#isCue(codes, visible, end)
    }
    this.count = count
    return any
  }

  #skipTo(start: number): void {
    const places = this.#memory.hits.view
    while (this.#next < this.#count && (places[this.#next] as number) < start) this.#next++
  }

  #isCue(codes: Uint16Array, start: number, end: number): boolean {
    if (end - start > furnitureCharsMax) return this.#contains(codes, end - tailChars, end)
    return opensWith(this.#opening, codes, start, end) || this.#contains(codes, start, end)
  }

  /** No phrase contains a line end, so that one that begins in the line ends in it. */
  #contains(codes: Uint16Array, start: number, end: number): boolean {
    const places = this.#memory.hits.view
    let phrase = this.#next
    while (phrase < this.#count && (places[phrase] as number) < start) phrase++
    if (phrase < this.#count && (places[phrase] as number) < end) return true
    return this.#mayHaveBars && hasBars(codes, start, end)
  }
}

/** Whether the line has two bars or more. */
function hasBars(codes: Uint16Array, start: number, end: number): boolean {
  let bars = 0
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    if ((code === 0x7c || code === 0xff5c || code === 0x2502) && ++bars === barsMin) return true
  }
  return false
}

/** Whether a word of a menu or a label is first in the line, with something else than a letter behind it. */
function opensWith(index: PhraseIndex, codes: Uint16Array, start: number, end: number): boolean {
  let at = start
  while (at < end && at - start < marksMax && isMark(codes[at] as number)) at++
  if (at + 1 >= end) return false
  const found = index.longestAt(codes, at, end)
  if (found === null) return false
  const after = at + found.length
  return after >= end || !isLetter(codes[after] as number)
}

function isMark(code: number): boolean {
  return (
    code < 0x30 ||
    (code > 0x39 && code < 0x41) ||
    (code > 0x5a && code < 0x61) ||
    (code >= 0x2000 && code <= 0x303f) ||
    (code >= 0xff00 && code <= 0xff0f)
  )
}

function isLetter(code: number): boolean {
  return (
    (code >= 0x41 && code <= 0x7a && code !== 0x5b && code !== 0x5d && code !== 0x5f) ||
    (code >= 0x3400 && code <= 0x9fff)
  )
}
