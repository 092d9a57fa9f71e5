/** Measures of a text: its share of Han characters, and its number of characters. */
import { isHangulSyllable, isIdeograph, isLatin } from '../../text/characters.js'

/** Returns the share of Han characters among all letters, 0 to 1; 0 without letters. Linear in the text's length. */
export function hanShare(text: string): number {
  let han = 0
  let letters = 0
  for (let at = 0; at < text.length; at++) {
    const code = codeAt(text, at)
    if (code > 0xffff) at++
    if (isHan(code)) {
      han++
      letters++
    } else if (isLetter(code)) letters++
  }
  return letters === 0 ? 0 : han / letters
}

/** Returns the number of code points. */
export function characters(text: string): number {
  let count = text.length
  for (let at = 0; at < text.length; at++) {
    if (codeAt(text, at) <= 0xffff) continue
    count--
    at++
  }
  return count
}

/** Kana and hangul among these and Han, 0 to 1: Japanese has Han too, so that `hanShare` alone does not show it. */
export function kanaShare(text: string): number {
  let other = 0
  let han = 0
  for (let at = 0; at < text.length; at++) {
    const code = codeAt(text, at)
    if (code > 0xffff) at++
    if (isHan(code)) han++
    else if ((code >= 0x3041 && code <= 0x30ff && code !== 0x30fb) || isHangulSyllable(code)) other++
  }
  return other === 0 ? 0 : other / (other + han)
}

/** Returns the code point at an index. By index, not by an iterator, which makes a string of each character. */
function codeAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xd800 && code <= 0xdbff ? (text.codePointAt(at) as number) : code
}

/** Removes fenced blocks of code: their letters say nothing of the language of the text. */
export function withoutCodeBlocks(text: string): string {
  if (!text.includes('```')) return text
  return text
    .split('```')
    .filter((_, index) => index % 2 === 0)
    .join('\n')
}

function isHan(code: number): boolean {
  return isIdeograph(code) || (code >= 0x20000 && code <= 0x3134f)
}

function isLetter(code: number): boolean {
  if (code < 0x80) return isLatin(code)
  if (code > 0xffff) return letter.test(String.fromCodePoint(code))
  let kind = kinds[code]
  if (kind === 0) {
    kind = letter.test(String.fromCharCode(code)) ? isLetterKind : otherKind
    kinds[code] = kind
  }
  return kind === isLetterKind
}

const letter = /\p{L}/u

/** Whether a code unit is a letter, as far as it has occurred: 0 while unknown. */
const kinds = new Uint8Array(65_536)
const isLetterKind = 1
const otherKind = 2

/** A word of another language between Chinese ones, or two of its words: multilingual models write them. */
const stray =
  /(?<=\p{Script=Han})\s?([\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Thai}\p{Script=Hebrew}\p{Script=Hangul}\p{Script=Devanagari}]{1,24})\s?(?=\p{Script=Han})|(\p{Script=Cyrillic}{2,24}\s\p{Script=Cyrillic}{2,24}|\p{Script=Thai}{4,24}|\p{Script=Arabic}{3,24}|\p{Script=Hangul}{2,24}\s\p{Script=Hangul}{2,24})/u

/** Returns such a word that none of `known` contains, or null: 剪去弱枝и枯枝. */
export function strayWord(text: string, known: readonly string[]): string | null {
  const found = stray.exec(text)
  const word = found?.[1] ?? found?.[2]
  return word === undefined || known.some((each) => each.includes(word)) ? null : word
}
