/**
 * NaN, Infinity and -Infinity as JSON values: Python's json.dumps writes them, JSON does not have them.
 */

const constants = /-?Infinity|NaN/g
const quote = '"'
const backslash = 0x5c

/**
 * The source with `{}` in place of each constant outside of strings, blanks behind it: neither a text nor an id, and every
 * other character keeps its place.
 */
export function withoutConstants(source: string): string {
  if (!/Infinity|NaN/.test(source)) return source
  let result = ''
  for (let at = 0; at < source.length; ) {
    const opening = source.indexOf(quote, at)
    const end = opening === -1 ? source.length : opening
    result += source.slice(at, end).replace(constants, (constant) => '{}'.padEnd(constant.length))
    at = opening === -1 ? source.length : behindString(source, opening + 1)
    result += source.slice(end, at)
  }
  return result
}

/** Behind the quote that ends the string; the end of the source where none does. */
function behindString(source: string, from: number): number {
  for (let at = from; ; ) {
    const found = source.indexOf(quote, at)
    if (found === -1) return source.length
    let run = found
    while (run > from && source.charCodeAt(run - 1) === backslash) run--
    if ((found - run) % 2 === 0) return found + 1
    at = found + 1
  }
}
