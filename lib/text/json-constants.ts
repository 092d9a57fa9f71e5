/**
 * NaN, Infinity and -Infinity, which Python's json.dumps writes although they are not valid JSON.
 */

const constants = /-?Infinity|NaN/g
const quote = '"'
const backslash = 0x5c

/**
 * Replaces each constant outside of strings with `{}` and blanks: that is neither a text nor an id, and every other character
 * keeps its position.
 */
export function withoutConstants(source: string): string {
  if (!/Infinity|NaN/.test(source)) return source
  let result = ''
  for (let at = 0; at < source.length; ) {
    const opening = source.indexOf(quote, at)
    const end = opening === -1 ? source.length : opening
    result += source.slice(at, end).replace(constants, (constant) => '{}'.padEnd(constant.length))
    at = opening === -1 ? source.length : endOfString(source, opening + 1)
    result += source.slice(end, at)
  }
  return result
}

/** Returns the position after the quote that ends the string; the end of the source if there is none. */
function endOfString(source: string, from: number): number {
  for (let at = from; ; ) {
    const found = source.indexOf(quote, at)
    if (found === -1) return source.length
    let run = found
    while (run > from && source.charCodeAt(run - 1) === backslash) run--
    if ((found - run) % 2 === 0) return found + 1
    at = found + 1
  }
}
