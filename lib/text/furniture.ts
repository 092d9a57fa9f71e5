/**
 * Cuts the furniture of a page out of its text: lines that are none of it, lists of other pages, calls at the ends of lines, a
 * title that is said twice. furniture-lines.ts judges a line by itself, line-tails.ts its end; this file decides by the
 * lines around. Fenced code stays.
 *
 * What is cut now would not make another line cut next time: cutting twice is cutting once.
 */

import { boilerplateLineCharsMax, boilerplatePhrases } from './boilerplate.js'
import { CharacterClass } from './characters.js'
import { lineEndOf, type TextLines } from './code-lines.js'
import { codesOf, codesToString } from './code-units.js'
import { isItem, judgeLine, type LineVerdict } from './furniture-lines.js'
import { tailOf } from './line-tails.js'
import { PhraseIndex } from './phrase-index.js'
import { repeatsTitle } from './titles.js'

export interface WithoutFurniture {
  /** The text with line ends as they were. */
  readonly text: string
  /** Code units that were cut, with a line end for each line. */
  readonly chars: number
  /** Lines that ended in a call to read the rest elsewhere. */
  readonly teasers: number
  /** Code units of short lines that were kept although they contain a phrase of furniture. */
  readonly boilerplateChars: number
}

/** Lines at either end of a text among and before which its head and foot are. */
const edgeLines = 5
/** Neighbouring lines that are menu words. */
const menuRunMin = 3
/** Tails of one line. */
const tailsMax = 4

interface Line {
  text: string
  /** Null: no suspect; text, or an item of a list. */
  verdict: LineVerdict | null
  /** Blank, or in fenced code. */
  readonly fixed: boolean
}

/**
 * @param text clean: no blanks at line ends, blanks in a run are one
 * @param suspects lines that may be furniture or end in it (furniture-cues.ts): numbers among those that are not blank
 */
export function withoutFurniture(text: string, suspects: readonly number[]): WithoutFurniture {
  const lines: Line[] = []
  const judge = createJudge()
  let teasers = 0
  let fenced = false
  let number = -1
  let next = 0
  for (const line of text.split('\n')) {
    const isFence = line.startsWith('```') || line.startsWith('~~~')
    if (isFence) fenced = !fenced
    const fixed = fenced || isFence || line === ''
    if (line !== '') number++
    const isSuspect = line !== '' && suspects[next] === number
    if (isSuspect) next++
    if (fixed || !isSuspect) {
      lines.push({ text: line, verdict: null, fixed })
      continue
    }
    const judged = judge(line)
    teasers += judged.teasers
    lines.push({ text: judged.text, verdict: judged.verdict, fixed })
  }
  const judged = lines.filter(({ text: line }) => line !== '')
  teasers += cutOffers(judged)
  cutTogether(judged)
  const kept = lines.filter(({ verdict }) => verdict !== 'cut')
  const joined = kept.map((line) => line.text).join('\n')
  const boilerplateChars = kept.reduce((sum, line) => sum + (isBoilerplate(line) ? line.text.length : 0), 0)
  return { text: joined, chars: text.length - joined.length, teasers, boilerplateChars }
}

/**
 * Decides a text of which nothing is cut by its suspects alone, as nearly all prose can be: returns its
 * `boilerplateChars`; null if something is cut, or if it takes more than the suspects to know.
 *
 * @param suspects as for `withoutFurniture`
 */
export function boilerplateUncut(text: ScannedText, suspects: readonly number[]): number | null {
  if ((suspects.length > 0 && mayHaveFences(text)) || mayDoubleTitle(text)) return null
  const judge = createJudge()
  let boilerplateChars = 0
  for (const number of suspects) {
    const line = codesToString(text.codes, text.lineStart[number] as number, lineEndOf(text, number))
    const { text: kept, verdict } = judge(line)
    if (kept !== line || (verdict !== 'keep' && verdict !== 'item')) return null
    if (line.length <= boilerplateLineCharsMax && hasBoilerplate(line)) boilerplateChars += line.length
  }
  return boilerplateChars
}

/** A scanned text. */
interface ScannedText extends TextLines {
  readonly counts: Int32Array
}

function mayHaveFences({ codes, lines, lineStart, counts }: ScannedText): boolean {
  if ((counts[CharacterClass.asciiPunctuation] as number) < fenceChars) return false
  for (let line = 0; line < lines; line++) {
    const mark = codes[lineStart[line] as number]
    if (mark === 0x60 || mark === 0x7e) return true
  }
  return false
}

const fenceChars = 3

/** Whether one of the first two lines starts with the other, and a text follows. */
function mayDoubleTitle(text: ScannedText): boolean {
  if (text.lines < 3 || lineEndOf(text, 2) - (text.lineStart[2] as number) < textCharsMin) return false
  const second = text.lineStart[1] as number
  const shorter = Math.min(lineEndOf(text, 0), lineEndOf(text, 1) - second)
  for (let at = 0; at < shorter; at++) if (text.codes[at] !== text.codes[second + at]) return false
  return true
}

/** The phrases are cues, so that only a suspect can have one. */
function isBoilerplate({ text, verdict, fixed }: Line): boolean {
  return verdict !== null && !fixed && text.length <= boilerplateLineCharsMax && hasBoilerplate(text)
}

function hasBoilerplate(line: string): boolean {
  const codes = codesOf(line)
  for (let at = 0; at + 1 < codes.length; at++) if (boilerplate.longestAt(codes, at, codes.length) !== null) return true
  return false
}

const boilerplate = PhraseIndex.of(boilerplatePhrases)

interface Judged {
  readonly text: string
  readonly verdict: LineVerdict
  readonly teasers: number
}

/** Returns a function that judges a line and takes its tails off; lines of a page repeat, and are judged once. */
function createJudge(): (line: string) => Judged {
  const known = new Map<string, Judged>()
  return (line) => {
    let judged = known.get(line)
    if (judged === undefined) {
      judged = judgeWithTails(line)
      if (known.size < knownLinesMax) known.set(line, judged)
    }
    return judged
  }
}

/** Different lines of one text that are remembered. */
const knownLinesMax = 4096

function judgeWithTails(line: string): Judged {
  const verdict = judgeLine(line)
  if (verdict === 'cut' || verdict === 'more') return { text: line, verdict, teasers: 0 }
  let text = line
  let teasers = 0
  for (let count = 0; count < tailsMax; count++) {
    const tail = tailOf(text)
    if (tail === null || tail.chars === 0) break
    text = text.slice(0, text.length - tail.chars)
    if (tail.isTeaser) teasers++
  }
  return { text, verdict: text === line ? verdict : judgeLine(text), teasers }
}

/** Cuts lines that offer the rest of a text. Returns how many of them follow a line that breaks off. */
function cutOffers(lines: readonly Line[]): number {
  let teasers = 0
  let before = ''
  for (const line of lines) {
    if (line.verdict === 'more') {
      line.verdict = 'cut'
      if (before.length >= brokenCharsMin && breaksOff.test(before)) teasers++
    }
    if (line.verdict !== 'cut') before = line.text
  }
  return teasers
}

/** Shortest line that breaks off; a shorter one is a heading. */
const brokenCharsMin = 20
/** Dots, a comma, or no mark at the end. */
const breaksOff = /(?:…|\.{3}|[^。！？!?”」』）)；;：:])$/

/** Cuts what the lines around decide, until no cut brings other lines together. */
function cutTogether(lines: readonly Line[]): void {
  let left = lines
  for (let round = 0; round < roundsMax; round++) {
    cutLists(left)
    cutEdges(left)
    cutMenus(left)
    cutDoubledTitle(left)
    const next = left.filter(({ verdict }) => verdict !== 'cut')
    if (next.length === left.length) return
    left = next
  }
}

/** Rounds of cuts; a page rarely needs three. */
const roundsMax = 6

/** Cuts runs of menu words. Lines that are cut do not interrupt a run. */
function cutMenus(lines: readonly Line[]): void {
  let run: Line[] = []
  const close = () => {
    if (run.length >= menuRunMin) for (const line of run) line.verdict = 'cut'
    run = []
  }
  for (const line of lines) {
    if (line.verdict === 'word') run.push(line)
    else if (line.verdict !== 'cut') close()
  }
  close()
}

/** Cuts headings of lists of other pages, and the titles behind them but the last before a text: it may be its own. */
function cutLists(lines: readonly Line[]): void {
  for (let index = 0; index < lines.length; index++) {
    const heading = lines[index] as Line
    if (heading.verdict !== 'heading') continue
    heading.verdict = 'cut'
    const items: Line[] = []
    let next = index + 1
    for (; next < lines.length; next++) {
      const line = lines[next] as Line
      if (line.fixed || line.verdict === 'keep' || line.verdict === 'heading') break
      if (line.verdict === null && !isItem(line.text)) break
      if (line.verdict !== 'cut') items.push(line)
    }
    if (next < lines.length && (lines[next] as Line).verdict !== 'heading') items.pop()
    for (const line of items) line.verdict = 'cut'
    index = next - 1
  }
}

/** Cuts lines with the labels of a text's own head and foot that have fewer than `edgeLines` others on one side. */
function cutEdges(lines: readonly Line[]): void {
  for (const fromEdge of [lines, lines.toReversed()]) {
    let others = 0
    for (const line of fromEdge) {
      if (line.verdict === 'edge') line.verdict = 'cut'
      else if (line.verdict !== 'cut') others++
      if (others === edgeLines) break
    }
  }
}

/** Cuts the first line if the second says it again, with or without the name of the site. */
function cutDoubledTitle(lines: readonly Line[]): void {
  const [first, second, third] = firstLeft(lines)
  if (first === undefined || second === undefined || third === undefined || first.fixed || second.fixed) return
  // Verses are repeated as well: a title has a text behind it.
  if (third.text.length < textCharsMin) return
  if (/[。！；，]$/.test(second.text)) return
  if (repeatsTitle(first.text, second.text)) first.verdict = 'cut'
  else if (repeatsTitle(second.text, first.text)) second.verdict = 'cut'
}

const textCharsMin = 40

/** Returns the first three lines that are not cut. */
function firstLeft(lines: readonly Line[]): Line[] {
  const left: Line[] = []
  for (let index = 0; index < lines.length && left.length < 3; index++) {
    const line = lines[index] as Line
    if (line.verdict !== 'cut') left.push(line)
  }
  return left
}
