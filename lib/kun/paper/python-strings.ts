/** Finds the string literals of Python source without executing it: quotes, escapes, f-strings, implicit concatenation. */

/** Text, or a field of an f-string: the expression between its braces. */
export type StringPart = string | { readonly field: string }

export interface PythonString {
  readonly start: number
  readonly end: number
  readonly parts: readonly StringPart[]
}

/** Returns the string literals of a source in order; adjacent ones are one. Linear in the source's length. */
export function pythonStrings(source: string): PythonString[] {
  const found: PythonString[] = []
  let [depth, lastDepth] = [0, 0]
  let at = 0
  while (at < source.length) {
    const character = source.charAt(at)
    if (character === '#') {
      const end = source.indexOf('\n', at)
      at = end < 0 ? source.length : end
      continue
    }
    const word = /[\p{L}\p{N}_]*/uy
    word.lastIndex = at
    const name = word.exec(source)?.[0] ?? ''
    const quoteAt = at + name.length
    const quote = source.charAt(quoteAt)
    if ((quote === '"' || quote === "'") && /^(?:[rbuf]|rb|br|rf|fr)?$/i.test(name)) {
      const literal = literalAt(source, at, quoteAt, name.toLowerCase())
      const before = found.at(-1)
      const gap = before === undefined ? '' : source.slice(before.end, at)
      const joins = depth > 0 && lastDepth === depth ? /^\s*$/ : /^(?:[ \t]|\\\n)*$/
      if (before !== undefined && joins.test(gap)) {
        found[found.length - 1] = { start: before.start, end: literal.end, parts: [...before.parts, ...literal.parts] }
      } else found.push(literal)
      lastDepth = depth
      at = literal.end
      continue
    }
    if ('([{'.includes(character)) depth++
    if (')]}'.includes(character)) depth--
    at = Math.max(quoteAt, at + 1)
  }
  return found
}

function literalAt(source: string, start: number, quoteAt: number, prefix: string): PythonString {
  const quote = source.charAt(quoteAt)
  const marks = source.startsWith(quote.repeat(3), quoteAt) ? quote.repeat(3) : quote
  const [isRaw, isFormatted] = [prefix.includes('r'), prefix.includes('f')]
  const parts: StringPart[] = []
  let text = ''
  let at = quoteAt + marks.length
  while (at < source.length && !source.startsWith(marks, at)) {
    const character = source.charAt(at)
    if (character === '\\') {
      const escaped = isRaw ? { text: source.slice(at, at + 2), chars: 2 } : escapeAt(source, at)
      text += escaped.text
      at += escaped.chars
    } else if (isFormatted && (character === '{' || character === '}') && source.charAt(at + 1) === character) {
      text += character
      at += 2
    } else if (isFormatted && character === '{') {
      const close = source.indexOf('}', at)
      const end = close < 0 ? source.length : close
      parts.push(text, { field: source.slice(at + 1, end).trim() })
      text = ''
      at = end + 1
    } else {
      text += character
      at++
    }
  }
  return {
    start,
    end: Math.min(source.length, at + marks.length),
    parts: [...parts, text].filter((part) => part !== ''),
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  ...{ n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\n': '' },
  ...{ '\\': '\\', "'": "'", '"': '"' },
}

/** An unknown escape stays as it is, as in Python. */
function escapeAt(source: string, at: number): { readonly text: string; readonly chars: number } {
  const next = source.charAt(at + 1)
  const simple = Object.hasOwn(simpleEscapes, next) ? simpleEscapes[next] : undefined
  if (simple !== undefined) return { text: simple, chars: 2 }
  const pattern = /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([0-7]{1,3}))/iy
  pattern.lastIndex = at
  const match = pattern.exec(source)
  if (match === null) return { text: `\\${next}`, chars: 2 }
  const code =
    match[4] === undefined ? Number.parseInt(match[1] ?? match[2] ?? match[3] ?? '', 16) : Number.parseInt(match[4], 8)
  return { text: code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd', chars: match[0].length }
}
