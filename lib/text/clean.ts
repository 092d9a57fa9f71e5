/**
 * Cleans a text in one pass over its code units and collects the data for filters and chunker: NFC, ordinary letters
 * and digits for full-width ones, no invisible characters, runs of blanks and line ends collapsed; ends of sentences
 * and lines; number of characters of each class. Punctuation is not changed.
 *
 * The result is in buffers that the next call overwrites.
 */
import { Buffer } from 'node:buffer'
import { AsideList, type Asides, findAsides } from './asides.js'
import { boilerplatePhrases, phraseFinder } from './boilerplate.js'
import {
  CharacterClass,
  type CharacterTables,
  characterClassCount,
  characterTables,
  composeText,
  isIdeographHigh,
} from './characters.js'
import { TextMemory } from './text-memory.js'
import { TextScanner } from './text-scanner.js'
import type { Units } from './units.js'

/** A cleaned text and its figures. */
export interface CleanText {
  /** View of the text's memory: take it at each use, because growing the memory detaches earlier views. */
  readonly codes: Uint16Array
  readonly length: number
  readonly units: Units
  /** Number of lines that are not blank, and the start of each. */
  readonly lines: number
  readonly lineStart: Int32Array
  /** Code units of each CharacterClass except `han`, which is the rest. */
  readonly counts: Int32Array
  /** Code units inside URLs. */
  readonly urlChars: number
  /** Code units in boilerplate lines that were kept. */
  readonly boilerplateChars: number
  /** Code, mathematics and links in the text; empty where a look at the marks shows that there is little of it. */
  readonly asides: Asides
  /** Code units of asides, by AsideKind. */
  readonly asideChars: Int32Array
  /** `length` and `counts` without the code units other than Han of the asides: those of which shares are measured. */
  readonly proseLength: number
  readonly proseCounts: Int32Array
  /** Code units of the lines, and of the ends of lines, that were cut as page furniture. */
  readonly furnitureChars: number
  /** Number of lines that ended in a call to read the rest elsewhere, which was cut. */
  readonly teasers: number
}

/** Cleans a string, or code units. */
export type Cleaner = (text: string | Uint16Array) => CleanText

/** @param memory holds the texts; a text given as code units may be in it too */
export function createCleaner(memory: TextMemory = new TextMemory()): Cleaner {
  const tables = characterTables()
  const scanner = new TextScanner(memory, tables, phraseFinder(boilerplatePhrases))
  const cleaned = new Cleaned(scanner, tables)
  return (text) => {
    scanner.open(text, tables.classes)
    if (!scanner.scan()) {
      scanner.open(
        composeText(typeof text === 'string' ? text : codesToString(text, 0, text.length)),
        tables.settledClasses,
      )
      scanner.scan()
    }
    cleaned.measure()
    return cleaned
  }
}

/** The text of the last scan with the figures that need the whole of it. */
class Cleaned implements CleanText {
  readonly asides = new AsideList()
  readonly asideChars = new Int32Array(3)
  readonly proseCounts = new Int32Array(characterClassCount)
  proseLength = 0
  furnitureChars = 0
  teasers = 0
  readonly #scanner: TextScanner
  readonly #tables: CharacterTables

  constructor(scanner: TextScanner, tables: CharacterTables) {
    this.#scanner = scanner
    this.#tables = tables
  }

  get codes() {
    return this.#scanner.codes
  }
  get length() {
    return this.#scanner.length
  }
  get units() {
    return this.#scanner.units
  }
  get lines() {
    return this.#scanner.lines
  }
  get lineStart() {
    return this.#scanner.lineStart
  }
  get counts() {
    return this.#scanner.counts
  }
  get urlChars() {
    return this.#scanner.urlChars
  }
  get boilerplateChars() {
    return this.#scanner.boilerplateChars
  }

  measure(): void {
    const { counts, length, urlChars } = this.#scanner
    this.proseCounts.set(counts)
    this.proseLength = length
    this.asideChars.fill(0)
    this.asides.clear()
    const marks = (counts[CharacterClass.asciiPunctuation] as number) + (counts[CharacterClass.symbol] as number)
    if (urlChars === 0 && asideMarksShare * marks < length) return
    findAsides(this.#scanner, this.#tables.settledClasses, this.asides)
    for (let aside = 0; aside < this.asides.count; aside++) this.#exclude(aside)
  }

  #exclude(aside: number): void {
    const { codes } = this.#scanner
    const { settledClasses } = this.#tables
    const [start, end] = [this.asides.start[aside] as number, this.asides.end[aside] as number]
    ;(this.asideChars[this.asides.kind[aside] as number] as number) += end - start
    for (let at = start; at < end; at++) {
      const kind = countedAs(codes[at] as number, codes[at - 1] as number, settledClasses)
      if (kind === CharacterClass.han) continue
      // The last dot of a sentence was counted as its end.
      const counted = kind === CharacterClass.dot && this.proseCounts[kind] === 0 ? CharacterClass.sentenceEnd : kind
      ;(this.proseCounts[counted] as number)--
      this.proseLength--
    }
  }
}

/** Asides are looked for where marks and symbols are at least one code unit in this many. */
const asideMarksShare = 50

/** Returns the class as which the scanner counts a code unit: half of a pair as `symbol`, or as `han`. */
function countedAs(code: number, before: number, classes: Uint8Array): number {
  const kind = classes[code] as number
  if (kind !== CharacterClass.highSurrogate && kind !== CharacterClass.lowSurrogate) return kind
  const high = kind === CharacterClass.highSurrogate ? code : before
  return isIdeographHigh(high) ? CharacterClass.han : CharacterClass.symbol
}

/** Returns the cleaned text as a string: for titles. */
export function cleanString(cleaner: Cleaner, text: string): string {
  const { codes, length } = cleaner(text)
  return codesToString(codes, 0, length)
}

export function codesToString(codes: Uint16Array, start: number, end: number): string {
  return Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength).toString('utf16le', 2 * start, 2 * end)
}
