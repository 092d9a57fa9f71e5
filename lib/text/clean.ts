/**
 * Cleans a text and collects the data for filters and chunker.
 *
 * One pass over its code units (text-scanner.ts): NFC, ordinary letters and digits for full-width ones, no invisible
 * characters, runs of blanks and line ends collapsed; ends of sentences and lines; number of characters of each class.
 * Punctuation is not changed. The pass also notes whether the text may have markup (markup.ts), indentation that means
 * something (layout.ts) or page furniture (furniture.ts); such a text is changed and scanned again. Prose takes one pass.
 *
 * The result is in buffers that the next call overwrites.
 */

import { AsideList, type Asides, findAsides } from './asides.js'
import {
  CharacterClass,
  type CharacterTables,
  type ClassCounts,
  characterTables,
  classCounts,
  composeText,
  isIdeographHigh,
} from './characters.js'
import { codesToString } from './code-units.js'
import { FurnitureCutter, type Suspects } from './furniture.js'
import { FurnitureCues } from './furniture-cues.js'
import { indentedLines } from './layout.js'
import { withoutMarkup } from './markup.js'
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
  readonly counts: ClassCounts
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
  readonly proseCounts: ClassCounts
  /** Code units of the lines, and of the ends of lines, that were cut as page furniture. */
  readonly furnitureChars: number
  /** The start of the text before the cut, for a reject; null if nothing was cut. */
  readonly beforeCut: string | null
  /** Number of lines that ended in a call to read the rest elsewhere, which was cut. */
  readonly teasers: number
}

/** Cleans a string, or code units. @param isTitle leaves page furniture, and removes all indentation */
export type Cleaner = (text: string | Uint16Array, isTitle?: boolean) => CleanText

/** @param memory holds the texts; a text given as code units may be in it too */
export function createCleaner(memory: TextMemory = new TextMemory()): Cleaner {
  const tables = characterTables()
  const furnitureCues = new FurnitureCues(memory)
  const scanner = new TextScanner(memory, tables)
  const cleaned = new Cleaned(scanner, tables)
  const cutter = new FurnitureCutter()
  const cutFurniture = (suspects: Suspects) => {
    const kept = cutter.cut(scanner, suspects)
    if (kept !== null) scanText(scanner, tables, kept, false)
    cleaned.cut(cutter)
  }
  return (text, isTitle = false) => {
    scanText(scanner, tables, text, isTitle)
    if (scanner.hasMarkupCue) {
      const marked = codesToString(scanner.source, 0, scanner.source.length)
      const plain = withoutMarkup(marked)
      if (plain !== marked) scanText(scanner, tables, plain, isTitle)
    }
    cleaned.clear()
    if (!isTitle) {
      const isSuspect = furnitureCues.find(scanner)
      if (isSuspect || startsTwice(scanner)) cutFurniture(isSuspect ? furnitureCues : noSuspects)
    }
    cleaned.measure()
    return cleaned
  }
}

/** Scans a text; again where it must be composed first, and where indentation is kept. */
function scanText(scanner: TextScanner, tables: CharacterTables, text: string | Uint16Array, isTitle: boolean): void {
  const opened = scanner.open(text, tables.classes)
  if (!scanner.scan()) {
    const plain = typeof opened === 'string' ? opened : codesToString(opened, 0, opened.length)
    scanner.open(composeText(plain), tables.settledClasses)
    scanner.scan()
  }
  if (isTitle || scanner.indents === 0) return
  const hasCode = mayHaveAsides(scanner)
  if (!hasCode && scanner.length > shortLineChars * scanner.lines) return
  const indented = indentedLines(scanner, hasCode)
  if (indented !== null) scanner.scanIndented(indented)
}

/** Mean length of lines, in code units, up to which they may be verses or a list. */
const shortLineChars = 40

/** Whether the second line starts as the first does, for as many code units as `doubledChars`. */
function startsTwice({ codes, lines, lineStart }: TextScanner): boolean {
  if (lines < 3) return false
  const second = lineStart[1] as number
  if (second < doubledChars) return false
  for (let at = 0; at < doubledChars; at++) if (codes[at] !== codes[second + at]) return false
  return true
}

const doubledChars = 4

const noSuspects: Suspects = { count: 0, lines: new Int32Array(0) }

/** The text of the last scan with the figures that need the whole of it. */
class Cleaned implements CleanText {
  readonly asides = new AsideList()
  readonly asideChars = new Int32Array(3)
  readonly proseCounts = classCounts()
  proseLength = 0
  furnitureChars = 0
  teasers = 0
  boilerplateChars = 0
  beforeCut: string | null = null
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

  clear(): void {
    this.furnitureChars = this.teasers = this.boilerplateChars = 0
    this.beforeCut = null
  }

  cut({ chars, teasers, boilerplateChars, beforeCut }: FurnitureCutter): void {
    this.beforeCut = beforeCut
    this.furnitureChars = chars
    this.teasers = teasers
    this.boilerplateChars = boilerplateChars
  }

  measure(): void {
    const { counts, length } = this.#scanner
    this.proseCounts.set(counts)
    this.proseLength = length
    this.asideChars.fill(0)
    this.asides.clear()
    if (!mayHaveAsides(this.#scanner)) return
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

function mayHaveAsides({ counts, length, urlChars }: TextScanner): boolean {
  const { asciiPunctuation, symbol, colon } = CharacterClass
  const marks = counts[asciiPunctuation] + counts[symbol] + counts[colon]
  return urlChars > 0 || asideMarksShare * marks >= length
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

/** Returns a cleaned title as a string. */
export function cleanString(cleaner: Cleaner, text: string): string {
  const { codes, length } = cleaner(text, true)
  return codesToString(codes, 0, length)
}
