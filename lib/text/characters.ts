/**
 * Character class of every UTF-16 code unit, as one table look-up for the cleaner. The tables are built once per thread from
 * Unicode properties; text-scanner.ts decides what happens to each class.
 */

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

export function characterTables(): CharacterTables {
  const classes = new Uint8Array(65_536)
  const replacements = new Uint16Array(65_536)
  for (let code = 0; code < 65_536; code++) classes[code] = classOf(code)
  for (let code = 0; code < 65_536; code++) {
    const replacement = replacementOf(code)
    if (replacement === null) continue
    classes[code] = CharacterClass.replaced
    replacements[code] = replacement
  }
  const settledClasses = classes.map((value) =>
    value === CharacterClass.composed ? CharacterClass.otherLetter : value,
  )
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
const space = /^\p{Zs}$/u
const han = /^\p{Script=Han}$/u
const letter = /^\p{L}$/u
const mark = /^\p{M}$/u
const number = /^\p{N}$/u
const punctuation = /^\p{P}$/u
const sentenceEnds = new Set([...'。！？!?｡…'].map((character) => character.charCodeAt(0)))
const closers = new Set([...'”’」』）)】》〉〕］］』｝]}'].map((character) => character.charCodeAt(0)))

function classOf(code: number): number {
  if (code < 0x80) return asciiClassOf(code)
  // No property look-up for the large blocks: saves 20 ms when a thread starts.
  if (isIdeograph(code)) return CharacterClass.han
  if (isHangulSyllable(code)) return CharacterClass.otherLetter
  if (isPrivateUse(code)) return CharacterClass.symbol
  if (code >= 0xd800 && code <= 0xdbff) return CharacterClass.highSurrogate
  if (code >= 0xdc00 && code <= 0xdfff) return CharacterClass.lowSurrogate
  if (code === 0x85 || code === 0x2028 || code === 0x2029) return CharacterClass.newline
  const character = String.fromCharCode(code)
  if (character.search(invisible) === 0) return CharacterClass.dropped
  if (space.test(character)) return CharacterClass.blank
  if (sentenceEnds.has(code)) return CharacterClass.sentenceEnd
  if (closers.has(code)) return CharacterClass.closer
  if (mayCompose(code, character)) return CharacterClass.composed
  if (han.test(character)) return letter.test(character) ? CharacterClass.han : CharacterClass.symbol
  if (letter.test(character) || mark.test(character)) return CharacterClass.otherLetter
  if (number.test(character)) return CharacterClass.symbol
  return punctuation.test(character) ? CharacterClass.widePunctuation : CharacterClass.symbol
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

/** Whether NFC changes the character or may compose it with the one before; also true for ligatures, which are expanded. */
function mayCompose(code: number, character: string): boolean {
  if (code >= 0xfe00 && code <= 0xfe0f) return false
  if (code >= 0xfb00 && code <= 0xfb06) return true
  const jamo = (code >= 0x1160 && code <= 0x1175) || (code >= 0x11a8 && code <= 0x11c2)
  return jamo || mark.test(character) || character.normalize('NFC') !== character
}

/** NFKC where the character looks the same: full-width letters and digits, radicals used instead of the ideograph. */
function replacementOf(code: number): number | null {
  const fullWidth =
    (code >= 0xff10 && code <= 0xff19) || (code >= 0xff21 && code <= 0xff3a) || (code >= 0xff41 && code <= 0xff5a)
  if (fullWidth) return code - 0xfee0
  if (code < 0x2e80 || code > 0x2fd5) return null
  const ideograph = String.fromCharCode(code).normalize('NFKC')
  return ideograph.length === 1 && ideograph.charCodeAt(0) !== code ? ideograph.charCodeAt(0) : null
}
