/**
 * Judges the lines of one text, with their tails taken off. Lines of a page repeat: each different one is judged once, where
 * lines that differ in their digits alone, such as counters and dates, are one.
 */
import { codesToString } from './code-units.js'
import { judgeLine, LineVerdict } from './furniture-lines.js'
import { tailOf } from './line-tails.js'

/** Tails of one line. */
const tailsMax = 4
/** Different lines of one text that are remembered. */
const knownLinesMax = 4096
/** Slots of the table of lines: twice as many as lines, and a power of two. */
const slotsMax = 2 * knownLinesMax
/** The number of a judgement that is not remembered. */
const scratch = knownLinesMax
/** 2^32 / golden ratio. */
const multiplier = 0x9e3779b1

export class LineJudge {
  /** By the number that `judge` returned: LineVerdict, code units of the tails, tails that call to read the rest. */
  readonly verdict = new Uint8Array(knownLinesMax + 1)
  readonly tailChars = new Int32Array(knownLinesMax + 1)
  readonly teasers = new Uint8Array(knownLinesMax + 1)
  /** Lines that were judged and not looked up, since the thread started: the work, for tests. */
  judged = 0
  readonly #start = new Int32Array(knownLinesMax)
  readonly #end = new Int32Array(knownLinesMax)
  /** Number of a line + 1; 0: free. */
  readonly #slots = new Uint16Array(slotsMax)
  #mask = 0
  #known = 0

  /** Forgets the lines of the text before. @param lines that will be judged at most */
  open(lines: number): void {
    this.#known = 0
    const slots = Math.min(slotsMax, 2 ** Math.ceil(Math.log2(2 * lines + 2)))
    this.#mask = slots - 1
    this.#slots.fill(0, 0, slots)
  }

  /** Returns the number of the judgement of codes[start … end), which is valid until the next call. */
  judge(codes: Uint16Array, start: number, end: number): number {
    const slots = this.#slots
    let slot = hashOf(codes, start, end) & this.#mask
    for (; slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const number = (slots[slot] as number) - 1
      if (isSame(codes, start, end, this.#start[number] as number, this.#end[number] as number)) return number
    }
    if (this.#known === knownLinesMax) return this.#judgeAs(scratch, codes, start, end)
    const number = this.#known++
    slots[slot] = number + 1
    this.#start[number] = start
    this.#end[number] = end
    return this.#judgeAs(number, codes, start, end)
  }

  #judgeAs(number: number, codes: Uint16Array, start: number, end: number): number {
    const line = codesToString(codes, start, end)
    let verdict = judgeLine(line)
    let text = line
    let teasers = 0
    if (verdict !== LineVerdict.cut && verdict !== LineVerdict.more) {
      for (let count = 0; count < tailsMax; count++) {
        const tail = tailOf(text)
        if (tail === null || tail.chars === 0) break
        text = text.slice(0, text.length - tail.chars)
        if (tail.isTeaser) teasers++
      }
      if (text !== line) verdict = judgeLine(text)
    }
    this.judged++
    this.verdict[number] = verdict
    this.tailChars[number] = line.length - text.length
    this.teasers[number] = teasers
    return number
  }
}

function hashOf(codes: Uint16Array, start: number, end: number): number {
  let hash = end - start
  for (let at = start; at < end; at++) {
    const code = codes[at] as number
    hash = Math.imul(hash ^ (isDigit(code) ? digit : code), multiplier)
  }
  return hash ^ (hash >>> 15)
}

/** Whether two lines are the same, or differ only in digits that no pattern tells apart. */
function isSame(codes: Uint16Array, start: number, end: number, otherStart: number, otherEnd: number): boolean {
  if (end - start !== otherEnd - otherStart) return false
  for (let at = start, other = otherStart; at < end; at++, other++) {
    const [one, two] = [codes[at] as number, codes[other] as number]
    if (one === two) continue
    if (!isDigit(one) || !isDigit(two) || (at > start && beforeOwnDigit.has(codes[at - 1] as number))) return false
  }
  return true
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Stands for every digit in a hash. */
const digit = 0x30
/** Characters behind which a pattern names one digit: 上1页, 下1页, GMT+8. All others take any digit. */
const beforeOwnDigit: ReadonlySet<number> = new Set([...'上下+'].map((mark) => mark.charCodeAt(0)))
