/**
 * Finds personal data in a text: identity numbers, bank cards, telephone numbers, e-mail addresses, accounts of QQ and WeChat.
 *
 * Years, ISBNs, sums of money, order numbers, figures of formulas, addresses of pages, and published numbers (110, 12315,
 * 95588, 400-…) are not personal data. Linear in the text's length: everything that can be found contains four ASCII word
 * characters in a row, so that every fourth code unit is looked at, and only words that are hit are read.
 */
import { codesToString } from '../code-units.js'
import { accountAt, emailAt, namedAccountAt } from './accounts.js'
import type { PersonalItem } from './kinds.js'
import { personalNumberAt } from './numbers.js'

/** Word characters in a row that every item has. */
export const wordCharsMin = 4
/** Digits of the shortest number other than an account: a telephone number without area code. */
const numberDigitsMin = 7
/** Characters by which a number is extended to the left of the word that was hit. */
const extensionCharsMax = 24
/** Characters before an item in which the start of a URL is looked for. */
const urlCharsMax = 200

const digitFlag = 1
const wordFlag = 2
const joinFlag = 4
const accountFlag = 8

/** Flags of the code units below 0x80. */
const flags = new Uint8Array(128)
for (let code = 0x30; code <= 0x39; code++) flags[code] = digitFlag | wordFlag
for (let code = 0x41; code <= 0x5a; code++) flags[code] = flags[code + 0x20] = wordFlag
for (const character of '._-+%@') flags[character.charCodeAt(0)] = wordFlag
for (const character of '-.+() *') addFlag(character, joinFlag)
for (const character of ':vVxXqQdD') addFlag(character, accountFlag)
const at = 0x40
const wideAt = 0xff20

/**
 * Returns the items in the first `length` code units, in order, without overlaps.
 *
 * @param text these code units, if there is a string of them
 */
export function findPersonalData(codes: Uint16Array, length: number, text: string | null = null): PersonalItem[] {
  return new PersonalScan(codes, length, text).items()
}

class PersonalScan {
  readonly #codes: Uint16Array
  readonly #length: number
  readonly #items: PersonalItem[] = []
  /** Code units before it are read. */
  #done = 0
  #string: string | null

  constructor(codes: Uint16Array, length: number, text: string | null) {
    this.#codes = codes
    this.#length = length
    this.#string = text
  }

  items(): PersonalItem[] {
    const [codes, length] = [this.#codes, this.#length]
    for (let place = wordCharsMin - 1; place < length; place += wordCharsMin) {
      const code = codes[place] as number
      if (code >= 0x80 || ((flags[code] as number) & wordFlag) === 0 || place < this.#done) continue
      place = Math.max(place, this.#word(place) - 1)
    }
    return this.#items
  }

  get #text(): string {
    this.#string ??= codesToString(this.#codes, 0, this.#length)
    return this.#string
  }

  /** Reads the word around a place. Returns where reading continues. */
  #word(place: number): number {
    const [codes, length] = [this.#codes, this.#length]
    let start = place
    while (start > this.#done && this.#isWord(start - 1)) start--
    let end = place + 1
    while (end < length && this.#isWord(end)) end++
    let digits = false
    for (let each = start; each < end; each++) {
      const code = codes[each] as number
      if (code === at || code === wideAt) this.#email(each)
      else if (isDigit(code)) digits = true
    }
    this.#account(Math.max(start, this.#done), end)
    if (digits && start >= this.#done) end = Math.max(end, this.#number(start, end))
    this.#done = Math.max(this.#done, end)
    return this.#done
  }

  #isWord(place: number): boolean {
    const code = this.#codes[place] as number
    return code < 0x80 ? ((flags[code] as number) & wordFlag) !== 0 : code === wideAt
  }

  #email(place: number): void {
    const item = emailAt(this.#text, place, this.#done)
    if (item !== null) this.#add(item)
  }

  /** Reads an account that the word is, or names. Most words are decided by the character before them. */
  #account(start: number, end: number): void {
    if (end - start < 5) return
    if (this.#mayNameAccount(start)) {
      const named = namedAccountAt(this.#text, start)
      if (named !== null) {
        this.#add(named)
        return
      }
    }
    const before = this.#before(start)
    if (
      before !== 0 &&
      (before < 0x80 ? ((flags[before] as number) & accountFlag) !== 0 : wideAccountEnds.has(before))
    ) {
      const item = accountAt(this.#text, start)
      if (item !== null) this.#add(item)
    }
  }

  /** Whether a word begins like one that `namedAccountAt` finds: qq, vx or wx and a digit, or wxi. */
  #mayNameAccount(start: number): boolean {
    const codes = this.#codes
    const first = (codes[start] as number) | 0x20
    if (first !== 0x71 && first !== 0x76 && first !== 0x77) return false
    if (((codes[start + 1] as number) | 0x20) !== (first === 0x71 ? 0x71 : 0x78)) return false
    const third = codes[start + 2] as number
    return isDigit(third) || third === 0x69
  }

  /** Returns the last code unit before a place that is not a blank. */
  #before(place: number): number {
    const code = place > 0 ? (this.#codes[place - 1] as number) : 0
    return code === 0x20 && place > 1 ? (this.#codes[place - 2] as number) : code
  }

  /** Reads the numbers in the digits and separators around a word. Returns where they end. */
  #number(from: number, to: number): number {
    const [codes, length] = [this.#codes, this.#length]
    let start = from
    const first = Math.max(this.#done, from - extensionCharsMax)
    while (start > first && isNumeric(codes[start - 1] as number)) start--
    let end = to
    while (end < length && isNumeric(codes[end] as number)) end++
    let digits = 0
    for (let each = start; each < end; each++) if (isDigit(codes[each] as number) || codes[each] === 0x2a) digits++
    if (digits < numberDigitsMin) return end
    let before = start > 0 && isDigit(codes[start - 1] as number)
    for (let place = start; place < end; place++) {
      const digit = isDigit(codes[place] as number)
      if (digit && !before && place >= this.#done) {
        const item = personalNumberAt(this.#text, place)
        if (item !== null && item.start >= this.#done) {
          this.#add(item)
          place = item.end - 1
        }
      }
      before = isDigit(codes[place] as number)
    }
    return end
  }

  #add(item: PersonalItem): void {
    if (item.start < this.#done) return
    this.#done = item.end
    if (!this.#isInUrl(item.start)) this.#items.push(item)
  }

  #isInUrl(place: number): boolean {
    let start = place
    while (start > 0 && place - start < urlCharsMax && isUrlCode(this.#codes[start - 1] as number)) start--
    return /:\/\/|www\./.test(this.#text.slice(start, place))
  }
}

/** Last characters of the words before an account; those of ASCII have their flag. */
const wideAccountEnds = new Set([...'：号码是为信微薇群扣球鹅询服＝'].map((character) => character.charCodeAt(0)))

/** Adds a flag of an ASCII character. */
function addFlag(character: string, flag: number): void {
  const code = character.charCodeAt(0)
  flags[code] = (flags[code] as number) | flag
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isNumeric(code: number): boolean {
  return code < 0x80 ? ((flags[code] as number) & (digitFlag | joinFlag)) !== 0 : isWideJoin(code)
}

/** Full-width brackets, dashes and asterisks between the digits of a number: （）–—－·＊. */
function isWideJoin(code: number): boolean {
  if (code < 0xff00) return code === 0xb7 || code === 0x2013 || code === 0x2014
  return code === 0xff08 || code === 0xff09 || code === 0xff0a || code === 0xff0d
}

function isUrlCode(code: number): boolean {
  return code > 0x20 && code < 0x7f
}
