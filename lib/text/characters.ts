/**
 * Character class of every UTF-16 code unit, as one table look-up for the cleaner. The tables are built once per thread from
 * Unicode properties; text-scanner.ts decides what happens to each class.
 */
import { Buffer } from 'node:buffer'

export const CharacterClass = {
  /** Han, kept unchanged; the hot loop skips it. */
  han: 0,
  latin: 1,
  digit: 2,
  asciiPunctuation: 3,
  widePunctuation: 4,
  /** 。！？… and their ASCII forms. */
  sentenceEnd: 5,
  /** Closes a quotation or a bracket: belongs to the sentence before it. */
  closer: 6,
  blank: 7,
  newline: 8,
  /** Control, zero-width, byte order mark, bidirectional control: removed. */
  dropped: 9,
  /** Replaced by one other code unit: full-width letters and digits, Kangxi radicals. */
  replaced: 10,
  /** May change under NFC, or expands: the whole text is composed first. */
  composed: 11,
  highSurrogate: 12,
  lowSurrogate: 13,
  otherLetter: 14,
  symbol: 15,
  colon: 16,
  letterW: 17,
  dot: 18,
  quote: 19,
} as const

const characterClassCount = 20

/** A count for each CharacterClass. */
export type ClassCounts = Int32Array & { [Class in (typeof CharacterClass)[keyof typeof CharacterClass]]: number }

/** Returns counts of 0. */
export function classCounts(): ClassCounts {
  return new Int32Array(characterClassCount) as ClassCounts
}

export interface CharacterTables {
  readonly classes: Uint8Array
  /** Replacements of the code units of class `replaced`. */
  readonly replacements: Uint16Array
  /** The same as `classes` without `composed`: for texts that are composed already. */
  readonly settledClasses: Uint8Array
}

/** Returns the tables of this thread. Made at the first call and shared: callers must not write to them. */
export function characterTables(): CharacterTables {
  tables ??= makeTables()
  return tables
}

let tables: CharacterTables | null = null

function makeTables(): CharacterTables {
  const classes = new Uint8Array(65_536)
  const replacements = new Uint16Array(65_536)
  classify(classes)
  for (const [first, last] of replacedRanges) {
    for (let code = first; code <= last; code++) {
      const replacement = replacementOf(code)
      if (replacement === null) continue
      classes[code] = CharacterClass.replaced
      replacements[code] = replacement
    }
  }
  const settledClasses = classes.slice()
  const { composed, otherLetter } = CharacterClass
  for (let at = classes.indexOf(composed); at >= 0; at = classes.indexOf(composed, at + 1))
    settledClasses[at] = otherLetter
  return { classes, replacements, settledClasses }
}

/**
 * Returns the text in NFC. Before, everything that could separate two characters that compose, or change one of them, is
 * resolved: lone surrogates and invisible characters are removed, single characters replaced, ligatures (ﬁ) expanded.
 * NFC maps compatibility ideographs (U+F900 …, U+2F800 …) to the unified ones.
 */
export function composeText(text: string): string {
  const plain = text
    .replace(/\p{Cs}/gu, '')
    .replace(invisible, '')
    .replace(/[\u2e80-\u2fd5\uff10-\uff5a]/g, (character) => {
      const replacement = replacementOf(character.charCodeAt(0))
      return replacement === null ? character : String.fromCharCode(replacement)
    })
  return withoutLigatures(plain).normalize('NFC')
}

function withoutLigatures(text: string): string {
  let plain = text
  for (let code = 0xfb00; code <= 0xfb06; code++) {
    const ligature = String.fromCharCode(code)
    if (plain.includes(ligature)) plain = plain.replaceAll(ligature, ligature.normalize('NFKC'))
  }
  return plain
}

/** Whether a pair with this high surrogate can change under NFC: Brahmic marks, musical symbols, compatibility ideographs. */
export function astralMayCompose(high: number): boolean {
  return high === 0xd87e || high === 0xd834 || (high >= 0xd804 && high <= 0xd806)
}

export function isLatin(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
}

/** Whether the code unit is in one of the two large blocks of unified ideographs of the BMP. */
export function isIdeograph(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf)
}

/** Whether a pair with this high surrogate is an ideograph of the supplementary planes. */
export function isIdeographHigh(high: number): boolean {
  return high >= 0xd840 && high <= 0xd8bf
}

export function isHangulSyllable(code: number): boolean {
  return code >= 0xac00 && code <= 0xd7a3
}

export function isPrivateUse(code: number): boolean {
  return code >= 0xe000 && code <= 0xf8ff
}

export function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

/** Controls (except line ends and tab), soft hyphen, zero-width and bidirectional controls, BOM, noncharacters. */
const invisible =
  /(?![\t-\r\x85])\p{Cc}|[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff]/gu
const sentenceEnds = new Set([...'。！？!?｡…'].map((character) => character.charCodeAt(0)))
const closers = new Set([...'”’」』）)】》〉〕］］』｝]}'].map((character) => character.charCodeAt(0)))

/**
 * Writes the class of every code unit; a later rule overrides an earlier one. Properties are looked up in one string of all
 * code units, a range at a time: a look-up for each took 20 ms of the start of a thread.
 */
function classify(classes: Uint8Array): void {
  const all = allUnits()
  const set = (pattern: RegExp, value: number): void => {
    for (const { 0: range, index } of all.matchAll(pattern)) classes.fill(value, index, index + range.length)
  }
  classes.fill(CharacterClass.symbol)
  set(/\p{P}+/gu, CharacterClass.widePunctuation)
  set(/[\p{L}\p{M}]+/gu, CharacterClass.otherLetter)
  set(/\p{Script=Han}+/gu, CharacterClass.symbol)
  set(/(?:(?=\p{L})\p{Script=Han})+/gu, CharacterClass.han)
  setComposed(classes, all)
  for (const code of closers) classes[code] = CharacterClass.closer
  for (const code of sentenceEnds) classes[code] = CharacterClass.sentenceEnd
  set(/\p{Zs}+/gu, CharacterClass.blank)
  set(invisible, CharacterClass.dropped)
  for (const code of [0x85, 0x2028, 0x2029]) classes[code] = CharacterClass.newline
  classes.fill(CharacterClass.highSurrogate, 0xd800, 0xdc00)
  classes.fill(CharacterClass.lowSurrogate, 0xdc00, 0xe000)
  classes.fill(CharacterClass.symbol, 0xe000, 0xf900) // private use
  classes.fill(CharacterClass.otherLetter, 0xac00, 0xd7a4) // Hangul
  classes.fill(CharacterClass.han, 0x3400, 0x4dc0)
  classes.fill(CharacterClass.han, 0x4e00, 0xa000)
  for (let code = 0; code < 0x80; code++) classes[code] = asciiClassOf(code)
}

/** Returns a string that has each code unit at its own index; U+0000 in place of surrogates. */
function allUnits(): string {
  const units = new Uint16Array(65_536)
  for (let code = 0; code < 65_536; code++) units[code] = code
  units.fill(0, 0xd800, 0xe000)
  return Buffer.from(units.buffer).toString('utf16le')
}

/**
 * Returns the code units first … end, each in a line of its own: a line end is not a letter, and nothing composes with it. U+0000
 * in place of surrogates and line ends.
 */
function unitLines(first: number, end: number): string {
  const units = new Uint16Array(2 * (end - first) - 1).fill(0x0a)
  for (let code = first; code < end; code++) {
    const isKept = code !== 0x0a && code !== 0x0d && !(code >= 0xd800 && code <= 0xdfff)
    units[2 * (code - first)] = isKept ? code : 0
  }
  return Buffer.from(units.buffer).toString('utf16le')
}

function asciiClassOf(code: number): number {
  const character = String.fromCharCode(code)
  if (code === 0x0a || code === 0x0d) return CharacterClass.newline
  if (code === 0x20 || code === 0x09 || code === 0x0b || code === 0x0c) return CharacterClass.blank
  if (code < 0x20 || code === 0x7f) return CharacterClass.dropped
  if (/\d/.test(character)) return CharacterClass.digit
  if (character === 'w' || character === 'W') return CharacterClass.letterW
  if (/[a-z]/i.test(character)) return CharacterClass.latin
  if (character === ':') return CharacterClass.colon
  if (character === '.') return CharacterClass.dot
  if (character === '"') return CharacterClass.quote
  if (sentenceEnds.has(code)) return CharacterClass.sentenceEnd
  if (closers.has(code)) return CharacterClass.closer
  return CharacterClass.asciiPunctuation
}

/** Characters that NFC changes or may compose with the one before; also ligatures, which are expanded. */
function setComposed(classes: Uint8Array, all: string): void {
  for (const { 0: marks, index } of all.matchAll(/\p{M}+/gu)) {
    for (let code = index; code < index + marks.length; code++) {
      if (code < 0xfe00 || code > 0xfe0f) classes[code] = CharacterClass.composed
    }
  }
  for (let from = 0; from < 0x10000; from += charactersPerCheck) {
    if (isIdeograph(from) || isHangulSyllable(from) || isPrivateUse(from)) continue
    const lines = unitLines(from, from + charactersPerCheck)
    const composed = lines.normalize('NFC')
    if (composed === lines) continue
    const before = lines.split('\n')
    composed.split('\n').forEach((character, index) => {
      if (character !== before[index]) classes[from + index] = CharacterClass.composed
    })
  }
  classes.fill(CharacterClass.composed, 0xfb00, 0xfb07)
  classes.fill(CharacterClass.composed, 0x1160, 0x1176)
  classes.fill(CharacterClass.composed, 0x11a8, 0x11c3)
}

const charactersPerCheck = 256

/** Code units that may be replaced: radicals, full-width forms. */
const replacedRanges = [
  [0x2e80, 0x2fd5],
  [0xff10, 0xff5a],
] as const

/** NFKC where the character looks the same: full-width letters and digits, radicals used instead of the ideograph. */
function replacementOf(code: number): number | null {
  const fullWidth =
    (code >= 0xff10 && code <= 0xff19) || (code >= 0xff21 && code <= 0xff3a) || (code >= 0xff41 && code <= 0xff5a)
  if (fullWidth) return code - 0xfee0
  if (code < 0x2e80 || code > 0x2fd5) return null
  const ideograph = String.fromCharCode(code).normalize('NFKC')
  return ideograph.length === 1 && ideograph.charCodeAt(0) !== code ? ideograph.charCodeAt(0) : null
}
