/**
 * Finds characters that do not occur in text, but in replies after a tokenizer or transport error or an attack: U+FFFD,
 * controls, halves of surrogate pairs, bidirectional and zero-width controls, noncharacters.
 */

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

/** Returns the first such character in the form 'U+FFFD', or null. Linear in the text's length. */
export function damagedCharacter(text: string): string | null {
  if (!suspect.test(text)) return null
  const found = damage.exec(text)
  if (found === null) return null
  return `U+${(found[0].codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`
}
