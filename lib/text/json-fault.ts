/**
 * Describes where a text stops being valid JSON. The messages of JSON.parse depend on the version of Node, but rejects must
 * be the same bytes on all versions. Used only for texts that JSON.parse rejected. Grammar: RFC 8259.
 */

interface JsonFault {
  /** Position of the first code unit that is not allowed. */
  readonly at: number
  /** Example: "expected a value, found '}'" */
  readonly what: string
}

/** Returns null if the text is valid JSON. Nesting uses memory, not the call stack. */
export function jsonFault(source: string): JsonFault | null {
  const scan = new Scan(source)
  let expected: Expected = 'a value'
  for (;;) {
    const char = scan.skipBlanks()
    if (char === undefined && expected === 'the end') return null
    const next: Expected | null = steps[expected](scan, char)
    if (scan.fault !== null) return scan.fault
    if (next === null) return { at: scan.at, what: `expected ${expected}, found ${shown(source, scan.at)}` }
    expected = next
  }
}

type Expected =
  | 'a value'
  | 'a value or ]'
  | 'a name in double quotes'
  | 'a name in double quotes or }'
  | 'a colon'
  | 'a comma or }'
  | 'a comma or ]'
  | 'the end'

/** Returns what is expected next; null if `char` is not allowed. */
const steps: Readonly<Record<Expected, (scan: Scan, char: string | undefined) => Expected | null>> = {
  'a value': (scan, char) => scan.value(char),
  'a value or ]': (scan, char) => (char === ']' ? scan.close() : scan.value(char)),
  'a name in double quotes': (scan, char) => scan.name(char),
  'a name in double quotes or }': (scan, char) => (char === '}' ? scan.close() : scan.name(char)),
  'a colon': (scan, char) => (char === ':' ? scan.pass('a value') : null),
  'a comma or }': (scan, char) => (char === '}' ? scan.close() : scan.comma(char, 'a name in double quotes')),
  'a comma or ]': (scan, char) => (char === ']' ? scan.close() : scan.comma(char, 'a value')),
  'the end': () => null,
}

const plainValue = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/y
const escapeSequence = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y

class Scan {
  at = 0
  fault: JsonFault | null = null
  /** Tokens expected after a value in each open list or object, the innermost last. */
  readonly #open: Expected[] = []
  readonly #source: string

  constructor(source: string) {
    this.#source = source
  }

  skipBlanks(): string | undefined {
    while (' \t\n\r'.includes(this.#source[this.at] ?? '-')) this.at++
    return this.#source[this.at]
  }

  pass(next: Expected): Expected {
    this.at++
    return next
  }

  comma(char: string | undefined, next: Expected): Expected | null {
    return char === ',' ? this.pass(next) : null
  }

  close(): Expected {
    this.#open.pop()
    return this.pass(this.#afterValue())
  }

  value(char: string | undefined): Expected | null {
    if (char === '{') {
      this.#open.push('a comma or }')
      return this.pass('a name in double quotes or }')
    }
    if (char === '[') {
      this.#open.push('a comma or ]')
      return this.pass('a value or ]')
    }
    if (char === '"') return this.#string() ? this.#afterValue() : null
    return this.#matched(plainValue) ? this.#afterValue() : null
  }

  name(char: string | undefined): Expected | null {
    return char === '"' && this.#string() ? 'a colon' : null
  }

  #afterValue(): Expected {
    return this.#open.at(-1) ?? 'the end'
  }

  /** Skips the string at the current position. */
  #string(): boolean {
    for (this.at++; this.at < this.#source.length; ) {
      const unit = this.#source.charCodeAt(this.at)
      if (unit === 0x22) {
        this.at++
        return true
      }
      if (unit < 0x20) return this.#stop(`${shown(this.#source, this.at)} in a string must be written as an escape`)
      if (unit !== 0x5c) this.at++
      else if (!this.#matched(escapeSequence)) {
        return this.#stop(`a backslash before ${shown(this.#source, this.at + 1)} in a string is no escape`)
      }
    }
    return this.#stop('the text ends inside a string')
  }

  #stop(what: string): false {
    this.fault = { at: this.at, what }
    return false
  }

  #matched(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    if (!pattern.test(this.#source)) return false
    this.at = pattern.lastIndex
    return true
  }
}

/** Formats the character at a position. By fixed ranges, because Unicode properties depend on the version of Node too. */
function shown(source: string, at: number): string {
  const code = source.codePointAt(at)
  if (code === undefined) return 'the end'
  const visible = visibleRanges.some(([first, last]) => code >= first && code <= last)
  return visible ? `'${String.fromCodePoint(code)}'` : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

/** ASCII, Chinese punctuation, Chinese characters, fullwidth forms. */
const visibleRanges = [
  [0x21, 0x7e],
  [0x3001, 0x301f],
  [0x4e00, 0x9fff],
  [0xff01, 0xff5e],
] as const
