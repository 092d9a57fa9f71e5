/**
 * Judges lines, with their tails taken off. Lines of a page repeat, and so do those of the pages of a site: a judgement is
 * remembered, where lines that differ in their digits alone, such as counters and dates, are one.
 */
import { codesToString } from './code-units.js'
import { judgeLine, LineVerdict } from './furniture-lines.js'
import { tailOf } from './line-tails.js'

/** Tails of one line. */
const tailsMax = 4
/** Limits of what is remembered: lines, their code units together, and those of one line. At a limit all lines are removed. */
const knownLinesMax = 4096
const knownUnitsMax = 2 ** 17
const lineCharsMax = 400
/** Slots of the table of lines: a power of two. */
const slotCount = 2 * knownLinesMax
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
  readonly #units = new Uint16Array(knownUnitsMax)
  /** Number of a line + 1; 0: free. */
  readonly #slots = new Uint16Array(slotCount)
  #known = 0

  /** Returns the number of the judgement of codes[start … end), which is valid until the next call. */
  judge(codes: Uint16Array, start: number, end: number): number {
    const chars = end - start
    if (chars > lineCharsMax) return this.#judgeAs(scratch, codes, start, end)
    const [slots, units] = [this.#slots, this.#units]
    let slot = hashOf(codes, start, end) & (slotCount - 1)
    for (; slots[slot] !== 0; slot = (slot + 1) & (slotCount - 1)) {
      const number = (slots[slot] as number) - 1
      const known = this.#start[number] as number
      if ((this.#end[number] as number) - known === chars && isSame(codes, start, end, units, known)) return number
    }
    const from = this.#known === 0 ? 0 : (this.#end[this.#known - 1] as number)
    if (this.#known === knownLinesMax || from + chars > knownUnitsMax) {
      this.#known = 0
      slots.fill(0)
      return this.judge(codes, start, end)
    }
    const number = this.#known++
    slots[slot] = number + 1
    this.#start[number] = from
    this.#end[number] = from + chars
    units.set(codes.subarray(start, end), from)
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

/** Whether a line is the same as another of its length, or differs only in digits that no pattern tells apart. */
function isSame(codes: Uint16Array, start: number, end: number, others: Uint16Array, from: number): boolean {
  for (let at = start, other = from; at < end; at++, other++) {
    const [one, two] = [codes[at] as number, others[other] as number]
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
