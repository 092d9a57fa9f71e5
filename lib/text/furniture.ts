/**
 * Cuts the furniture of a page out of its text: lines that are none of it, lists of other pages, calls at the ends of lines, a
 * title that is said twice. furniture-lines.ts judges a line by itself, line-tails.ts its end; this file decides by the
 * lines around. Fenced code stays.
 *
 * What is cut now would not make another line cut next time: cutting twice is cutting once.
 *
 * Lines are columns of numbers: a page of a million short lines costs no object a line.
 */

import { boilerplateLineCharsMax, boilerplatePhrases } from './boilerplate.js'
import { lineEndOf, linesOf, type TextLines } from './code-lines.js'
import { codesToString } from './code-units.js'
import { isItemAt, LineVerdict } from './furniture-lines.js'
import { growArray } from './grow-array.js'
import { LineJudge } from './line-judge.js'
import { PhraseIndex } from './phrase-index.js'
import { repeatsTitle, titleCharsMax } from './titles.js'

/** Lines that may be furniture or end in it, by their numbers; furniture-cues.ts finds them. */
export interface Suspects {
  readonly count: number
  readonly lines: Int32Array
}

/** Lines at either end of a text among and before which its head and foot are. */
const edgeLines = 5
/** Neighbouring lines that are menu words. */
const menuRunMin = 3
/** Shortest line behind a doubled title. */
const textCharsMin = 40
/** Shortest line that breaks off; a shorter one is a heading. */
const brokenCharsMin = 20
/** Rounds of cuts; a page rarely needs three. */
const roundsMax = 6
/** Lines up to this many code units are moved faster by a loop than by a call. */
const shortLineChars = 32
const newline = 0x0a
const beforeCutCharsMax = 400

/** Cuts the furniture of one text at a time. */
export class FurnitureCutter {
  /** Code units that were cut, with a line end for each line. */
  chars = 0
  /** Lines that ended in a call to read the rest elsewhere. */
  teasers = 0
  /** Code units of short lines that were kept although they contain a phrase of furniture. */
  boilerplateChars = 0
  /** The start of the text before the cut, for a reject; null if nothing is cut. */
  beforeCut: string | null = null
  readonly #judge = new LineJudge()
  #codes: Uint16Array = new Uint16Array(0)
  #lines = 0
  #start = new Int32Array(64)
  /** Without the tails that are taken off. */
  #end = new Int32Array(64)
  #verdict = new Uint8Array(64)
  /** 1 for each line of fenced code. */
  #fenced = new Uint8Array(64)
  /** Lines that are not cut, in the round of cuts that is at work. */
  #left = new Int32Array(64)
  #leftCount = 0

  /**
   * Returns the text without its furniture, with line ends as they were; null if nothing is cut.
   *
   * @param text clean: no blanks at line ends, blanks in a run are one. Its code units are overwritten if it is cut.
   */
  cut(text: TextLines, suspects: Suspects): string | null {
    this.#open(text)
    if (!this.#judgeSuspects(text, suspects) || this.#mayDoubleTitle()) {
      this.#listLines()
      this.#cutOffers()
      this.#cutTogether()
      this.#countBoilerplate(suspects)
      const before = codesToString(text.codes, 0, Math.min(text.length, beforeCutCharsMax))
      const kept = this.#compact(text)
      this.chars = text.length - kept
      if (this.chars === 0) return null
      this.beforeCut = before
      return codesToString(text.codes, 0, kept)
    }
    this.#countBoilerplate(suspects)
    return null
  }

  #open(scanned: TextLines): void {
    const text = linesOf(scanned)
    const { lines, codes, lineStart } = text
    this.#codes = codes
    this.#lines = lines
    this.chars = this.teasers = this.boilerplateChars = 0
    this.beforeCut = null
    if (lines > this.#start.length) {
      this.#start = new Int32Array(2 * lines)
      this.#end = new Int32Array(2 * lines)
      this.#verdict = new Uint8Array(2 * lines)
      this.#fenced = new Uint8Array(2 * lines)
      this.#left = growArray(this.#left, 2 * lines)
    }
    this.#verdict.fill(LineVerdict.none, 0, lines)
    let fence = false
    for (let line = 0; line < lines; line++) {
      const start = lineStart[line] as number
      this.#start[line] = start
      const end = lineEndOf(text, line)
      this.#end[line] = end
      const isFence = isFenceAt(codes, start, end)
      if (isFence) fence = !fence
      this.#fenced[line] = fence || isFence ? 1 : 0
    }
  }

  /** Judges the suspects and takes their tails off. Returns whether all are text as they are. */
  #judgeSuspects({ codes }: TextLines, { count, lines }: Suspects): boolean {
    const judge = this.#judge
    let isPlain = true
    for (let suspect = 0; suspect < count; suspect++) {
      const line = lines[suspect] as number
      if (this.#fenced[line] === 1) continue
      const number = judge.judge(codes, this.#start[line] as number, this.#end[line] as number)
      const verdict = judge.verdict[number] as number
      const tail = judge.tailChars[number] as number
      this.#verdict[line] = verdict
      ;(this.#end[line] as number) -= tail
      this.teasers += judge.teasers[number] as number
      if (verdict > LineVerdict.item || tail > 0) isPlain = false
    }
    return isPlain
  }

  /** Whether one of the first two lines starts with the other, and a text follows. */
  #mayDoubleTitle(): boolean {
    if (this.#lines < 3 || this.#length(2) < textCharsMin) return false
    return this.#startsAs(0, 1)
  }

  /** Whether one of two lines starts with the other. */
  #startsAs(first: number, second: number): boolean {
    const codes = this.#codes
    const shorter = Math.min(this.#length(first), this.#length(second))
    const [a, b] = [this.#start[first] as number, this.#start[second] as number]
    for (let at = 0; at < shorter; at++) if (codes[a + at] !== codes[b + at]) return false
    return true
  }

  #length(line: number): number {
    return (this.#end[line] as number) - (this.#start[line] as number)
  }

  #last(line: number): number {
    return this.#codes[(this.#end[line] as number) - 1] as number
  }

  /** Lists the lines that have something left, but not those that are cut. */
  #listLines(): void {
    let left = 0
    for (let line = 0; line < this.#lines; line++) if (this.#length(line) > 0) this.#left[left++] = line
    this.#leftCount = left
  }

  /** Cuts lines that offer the rest of a text; counts those that follow a line that breaks off. */
  #cutOffers(): void {
    let before = -1
    for (let index = 0; index < this.#leftCount; index++) {
      const line = this.#left[index] as number
      if (this.#verdict[line] === LineVerdict.more) {
        this.#verdict[line] = LineVerdict.cut
        if (before >= 0 && this.#breaksOff(before)) this.teasers++
      }
      if (this.#verdict[line] !== LineVerdict.cut) before = line
    }
  }

  /** Whether a line ends in dots, a comma, or no mark. */
  #breaksOff(line: number): boolean {
    return this.#length(line) >= brokenCharsMin && !lineEnds.has(this.#last(line))
  }

  /** Cuts what the lines around decide, until no cut brings other lines together. */
  #cutTogether(): void {
    for (let round = 0; round < roundsMax; round++) {
      this.#cutLists()
      this.#cutEdges()
      this.#cutMenus()
      this.#cutDoubledTitle()
      const before = this.#leftCount
      let left = 0
      for (let index = 0; index < before; index++) {
        const line = this.#left[index] as number
        if (this.#verdict[line] !== LineVerdict.cut) this.#left[left++] = line
      }
      this.#leftCount = left
      if (left === before) return
    }
  }

  /** Cuts headings of lists of other pages, and the titles behind them but the last before a text: it may be its own. */
  #cutLists(): void {
    const [left, verdict, count] = [this.#left, this.#verdict, this.#leftCount]
    for (let index = 0; index < count; index++) {
      if (verdict[left[index] as number] !== LineVerdict.heading) continue
      verdict[left[index] as number] = LineVerdict.cut
      let next = index + 1
      let last = -1
      for (; next < count && this.#isListed(left[next] as number); next++) {
        if (verdict[left[next] as number] !== LineVerdict.cut) last = next
      }
      const isBeforeText = next < count && verdict[left[next] as number] !== LineVerdict.heading
      for (let item = index + 1; item < next; item++) {
        if (!isBeforeText || item !== last) verdict[left[item] as number] = LineVerdict.cut
      }
      index = next - 1
    }
  }

  /** Whether a line belongs to the list above it. */
  #isListed(line: number): boolean {
    const verdict = this.#verdict[line]
    if (this.#fenced[line] === 1 || verdict === LineVerdict.keep || verdict === LineVerdict.heading) return false
    return verdict !== LineVerdict.none || isItemAt(this.#codes, this.#start[line] as number, this.#end[line] as number)
  }

  /** Cuts lines with the labels of a text's own head and foot that have fewer than `edgeLines` others on one side. */
  #cutEdges(): void {
    const [left, verdict, count] = [this.#left, this.#verdict, this.#leftCount]
    for (const [first, step] of [
      [0, 1],
      [count - 1, -1],
    ] as const) {
      let others = 0
      for (let index = first; index >= 0 && index < count && others < edgeLines; index += step) {
        const line = left[index] as number
        if (verdict[line] === LineVerdict.edge) verdict[line] = LineVerdict.cut
        else if (verdict[line] !== LineVerdict.cut) others++
      }
    }
  }

  /** Cuts runs of menu words. Lines that are cut do not interrupt a run. */
  #cutMenus(): void {
    const [left, verdict, count] = [this.#left, this.#verdict, this.#leftCount]
    let first = 0
    let words = 0
    for (let index = 0; index <= count; index++) {
      const kind = index < count ? verdict[left[index] as number] : LineVerdict.none
      if (kind === LineVerdict.word) {
        if (words++ === 0) first = index
      } else if (kind !== LineVerdict.cut) {
        for (let word = first; words >= menuRunMin && word < index; word++) {
          verdict[left[word] as number] = LineVerdict.cut
        }
        words = 0
      }
    }
  }

  /** Cuts the first line if the second says it again, with or without the name of the site. */
  #cutDoubledTitle(): void {
    const [first = -1, second = -1, third = -1] = this.#firstLeft()
    if (third < 0 || this.#fenced[first] === 1 || this.#fenced[second] === 1) return
    // Verses are repeated as well: a title has a text behind it.
    if (this.#length(third) < textCharsMin || titleEnds.has(this.#last(second))) return
    if (Math.max(this.#length(first), this.#length(second)) > 2 * titleCharsMax || !this.#startsAs(first, second))
      return
    const [one, other] = [this.#textOf(first), this.#textOf(second)]
    if (repeatsTitle(one, other)) this.#verdict[first] = LineVerdict.cut
    else if (repeatsTitle(other, one)) this.#verdict[second] = LineVerdict.cut
  }

  #textOf(line: number): string {
    return codesToString(this.#codes, this.#start[line] as number, this.#end[line] as number)
  }

  /** Returns the first three lines that are not cut. */
  #firstLeft(): number[] {
    const found: number[] = []
    for (let index = 0; index < this.#leftCount && found.length < 3; index++) {
      const line = this.#left[index] as number
      if (this.#verdict[line] !== LineVerdict.cut) found.push(line)
    }
    return found
  }

  /** The phrases are cues, so that only a suspect can have one. */
  #countBoilerplate({ count, lines }: Suspects): void {
    for (let suspect = 0; suspect < count; suspect++) {
      const line = lines[suspect] as number
      if (this.#fenced[line] === 1 || this.#verdict[line] === LineVerdict.cut) continue
      const length = this.#length(line)
      if (length <= boilerplateLineCharsMax && this.#hasBoilerplate(line)) this.boilerplateChars += length
    }
  }

  #hasBoilerplate(line: number): boolean {
    const end = this.#end[line] as number
    for (let at = this.#start[line] as number; at + 1 < end; at++) {
      if (boilerplate.longestAt(this.#codes, at, end) !== null) return true
    }
    return false
  }

  /** Moves the lines that are kept together, and the blank lines between all. Returns the length. */
  #compact({ codes }: TextLines): number {
    let kept = 0
    let isFirst = true
    const endLine = () => {
      if (!isFirst) codes[kept++] = newline
      isFirst = false
    }
    for (let line = 0; line < this.#lines; line++) {
      const start = this.#start[line] as number
      const isAfterBlank = start > 1 && codes[start - 2] === newline
      if (isAfterBlank) endLine()
      if (this.#verdict[line] === LineVerdict.cut) continue
      endLine()
      const chars = this.#length(line)
      if (kept !== start && chars > shortLineChars) codes.copyWithin(kept, start, start + chars)
      else if (kept !== start) for (let at = 0; at < chars; at++) codes[kept + at] = codes[start + at] as number
      kept += chars
    }
    return kept
  }
}

const lineEnds = marks('。！？!?”」』）)；;：:')
const titleEnds = marks('。！；，')

function marks(characters: string): ReadonlySet<number> {
  return new Set([...characters].map((character) => character.charCodeAt(0)))
}

const boilerplate = PhraseIndex.of(boilerplatePhrases)

function isFenceAt(codes: Uint16Array, start: number, end: number): boolean {
  const mark = codes[start]
  if (mark !== 0x60 && mark !== 0x7e) return false
  return end - start >= 3 && codes[start + 1] === mark && codes[start + 2] === mark
}
