/**
 * Finds characters that do not occur in text, but in replies after a tokenizer or transport error or an attack: U+FFFD,
 * controls, halves of surrogate pairs, bidirectional and zero-width controls, noncharacters.
 */

import { isIdeograph, isPrivateUse } from '../../text/characters.js'
import { HanSet, hanSets } from '../../text/han-sets.js'

/** Tab, line feed and carriage return are text. */
const controls = '[\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]'
const invisible = '[\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff0-\\uffff]'
/** A joiner is valid in an emoji, after a vowel sign and between Arabic letters. */
const joiner = '(?<![\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f\\p{M}\\p{Script=Arabic}])[\\u200c\\u200d]'
/** Tags are valid in a flag: after 🏴 and other tags. */
const tag = '(?<![\\u{1f3f4}\\u{e0020}-\\u{e007e}])[\\u{e0000}-\\u{e007f}]'

const damage = new RegExp([controls, invisible, '\\p{Cs}', '\\p{Noncharacter_Code_Point}', joiner, tag].join('|'), 'u')

/** Contains all of them: most texts have none, so that one pass decides. */
const suspect =
  /(?![\t\n\r])\p{Cc}|[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\uffff]|\p{Cs}|[\u{10000}-\u{10ffff}]/u

/** Shares of ideographs that text in the wrong character set has, and Chinese has not. */
const garbledShareMax = 0.12
const garbledMin = 3
/** UTF-8 read as Latin-1, the replacement character read as GBK, escapes that were not decoded. */
const wrongDecoding =
  /(?:[\u00c2-\u00ef][\u0080-\u00bf]){2}|(?:[\u00c3-\u00ef][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]{1,2}){3}|锟斤拷|烫烫烫|屯屯屯|(?:\\u[0-9a-f]{4}){3}|(?:&#\d{4,5};){3}|(?:<0x[0-9a-f]{2}>){2}|(?:%[e][4-9]%[0-9a-f]{2}%[0-9a-f]{2}){2}/iu

/** Returns what shows that the text was decoded with the wrong character set, or null. Not in quotes: 什么是“锟斤拷”？ */
export function garbled(text: string): string | null {
  const sets = hanSets()
  let han = 0
  let wrong = 0
  let rare = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isIdeograph(code) && !isPrivateUse(code)) continue
    han++
    if (sets[code] === HanSet.garbled) wrong++
    else if (sets[code] === HanSet.rare) rare++
  }
  const found = wrong + rare
  if (wrong > 0 && found >= garbledMin && found > garbledShareMax * han) return `${found} of ${han} ideographs`
  const decoding = wrongDecoding.exec(text)
  return decoding === null || /[“「"`]$/u.test(text.slice(0, decoding.index)) ? null : decoding[0]
}

/** Returns the first such character in the form 'U+FFFD', or null. Linear in the text's length. */
export function damagedCharacter(text: string): string | null {
  if (!suspect.test(text)) return null
  const found = damage.exec(text)
  if (found === null) return null
  return `U+${(found[0].codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`
}
