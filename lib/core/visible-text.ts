/** Escapes characters that are invisible, control a terminal or change the direction of a line. */

/** Control characters except tab and line feed, direction marks, separators, byte order mark, lone surrogates. */
const hidden = /(?![\t\n])\p{Cc}|[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu

/** Example: 'a\x1b[31mb' → 'a\\u001b[31mb'. In the strings of a JSON text it means the same as before. */
export function visibleText(text: string): string {
  return text.replaceAll(hidden, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
