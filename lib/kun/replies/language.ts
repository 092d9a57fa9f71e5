/** Measures of a text: its share of Han characters, and its number of characters. */
import { isIdeograph, isLatin } from '../../text/characters.js'

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

function isHan(code: number): boolean {
  return isIdeograph(code) || (code >= 0x20000 && code <= 0x3134f)
}

function isLetter(code: number, character: string): boolean {
  if (code < 0x80) return isLatin(code)
  return /\p{L}/u.test(character)
}
