/** Measures of a text: its share of Han characters, and its number of characters. */
import { isHangulSyllable, isIdeograph, isLatin } from '../../text/characters.js'

/** Returns the share of Han characters among all letters, 0 to 1; 0 without letters. Linear in the text's length. */
export function hanShare(text: string): number {
  let han = 0
  let letters = 0
  for (const character of text) {
    const code = character.codePointAt(0) as number
    if (isHan(code)) {
      han++
      letters++
    } else if (isLetter(code, character)) letters++
  }
  return letters === 0 ? 0 : han / letters
}

/** Returns the number of code points. */
export function characters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** Kana and hangul among these and Han, 0 to 1: Japanese has Han too, so that `hanShare` alone does not show it. */
export function kanaShare(text: string): number {
  let other = 0
  let han = 0
  for (const character of text) {
    const code = character.codePointAt(0) as number
    if (isHan(code)) han++
    else if ((code >= 0x3041 && code <= 0x30ff && code !== 0x30fb) || isHangulSyllable(code)) other++
  }
  return other === 0 ? 0 : other / (other + han)
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

function isLetter(code: number, character: string): boolean {
  if (code < 0x80) return isLatin(code)
  return /\p{L}/u.test(character)
}
