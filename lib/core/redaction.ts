/**
 * Removes secrets from text: keys, header values, passwords and tokens that a server repeats in a response. Finds them
 * under any nesting of JSON, percent, HTML and quoted-printable escapes, in base64 at any alignment, in hexadecimal,
 * in either case, across line breaks, and cut off at the end of a text. Memory: the secrets and three copies of a text.
 *
 * Works on a decoded copy of the text that maps each part to its offset in the original: decodes escapes round by
 * round, searches each round, and replaces the matches in the original.
 */

/** Replacement for a secret. */
const placeholder = '***'
/** Shorter values match texts by chance: see `Redaction.words`. */
const secretCharsMin = 8
const shortSecretCharsMin = 4
/** Layers of escapes: JSON in JSON in a percent-encoded query, and one to spare. */
const roundsMax = 6

/** Half-open range of code units. */
type Range = readonly [start: number, end: number]

/** Secrets to be removed from texts. */
export class Redaction {
  /** In lower case, by `folded`. */
  #needles: readonly string[] = []
  /** The secrets themselves, to find one that is cut off at the end of a text. */
  #plain: readonly string[] = []
  #short: RegExp | null = null
  #ascii = true

  constructor(secrets: Iterable<string> = []) {
    this.add(...secrets)
  }

  /** Values of fewer than `secretCharsMin` characters count for `words` alone. */
  add(...secrets: readonly string[]): void {
    const short = secrets.filter(({ length }) => length >= shortSecretCharsMin && length < secretCharsMin)
    if (short.length > 0) {
      const all = [
        this.#short?.source,
        ...short.map((secret) => `(?<!\\w)${secret.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?!\\w)`),
      ]
      this.#short = new RegExp(all.filter((source) => source !== undefined).join('|'), 'g')
    }
    const given = secrets.map((secret) => secret.trim()).filter((secret) => secret.length >= secretCharsMin)
    if (given.length === 0) return
    this.#ascii &&= given.every((secret) => /^[\x20-\x7e]*$/.test(secret))
    this.#plain = [...new Set([...this.#plain, ...given.flatMap(literalForms)])]
    this.#needles = [...new Set([...this.#needles, ...given.flatMap(needlesOf)])]
  }

  /** Returns the text with `***` in place of each secret; the same string if it contains none. */
  text(text: string): string {
    if (this.#needles.length === 0 || text === '') return text
    const found = this.#find(text)
    if (found.length === 0) return text
    let clean = ''
    let at = 0
    for (const [start, end] of merged(found)) {
      clean += text.slice(at, start) + placeholder
      at = end
    }
    return clean + text.slice(at)
  }

  /** Redacts server text other than replies: also values of 4 to 7 characters where they are whole words. */
  words(text: string): string {
    const clean = this.text(text)
    return this.#short === null ? clean : clean.replace(this.#short, placeholder)
  }

  /** Redacts the strings and keys of a JSON value; returns the same object if it contains no secret. */
  value<T>(value: T): T {
    if (this.#needles.length === 0) return value
    return this.#value(value) as T
  }

  #value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#value(item))
      return items.some((item, at) => item !== value[at]) ? items : value
    }
    const entries = Object.entries(value)
    const clean = entries.map(([key, inner]) => [this.text(key), this.#value(inner)] as const)
    const same = clean.every(([key, inner], at) => key === entries[at]?.[0] && inner === entries[at]?.[1])
    return same ? value : Object.fromEntries(clean)
  }

  #find(text: string): Range[] {
    const found: Range[] = []
    // Escapes are ASCII. If the secrets are too, only ASCII runs can contain one: most of a Chinese text is skipped.
    const runs = this.#ascii ? text.matchAll(asciiRuns) : [Object.assign([text], { index: 0 })]
    for (const { 0: run, index } of runs) {
      const atEnd = /^(?:…|["'\s]){0,4}$/.test(text.slice(index + run.length, index + run.length + 5))
      const inRun = this.#search(run, atEnd)
      if (mayBeEscaped.test(run)) inRun.push(...this.#findEscaped(run, escapes, atEnd))
      // Separate: outside of quoted-printable, `=41` is a name, a sign and a value.
      if (quotedPrintable.test(run)) inRun.push(...this.#findEscaped(run, mailEscapes, atEnd))
      for (const [start, end] of inRun) found.push([index + start, index + end])
    }
    return found
  }

  #findEscaped(text: string, pattern: RegExp, atEnd: boolean): Range[] {
    const found: Range[] = []
    const layers: Decoded[] = []
    const decode = (by: RegExp): boolean => {
      const current = layers.at(-1)?.text ?? text
      const decoded = new Decoded(current, by)
      if (decoded.text === current) return false
      layers.push(decoded)
      for (const range of this.#search(decoded.text, atEnd)) {
        found.push(layers.reduceRight<Range>((inner, layer) => layer.origin(inner), range))
      }
      return true
    }
    for (let round = 0; round < roundsMax; round++) {
      // Separately, before the escapes: a secret may contain what looks like an escape with a line break inside.
      const joined = pattern === escapes && decode(invisible)
      if (!decode(pattern) && !joined) break
    }
    return found
  }

  /** @param atEnd whether the text may have been shortened where it ends */
  #search(text: string, atEnd: boolean): Range[] {
    const low = folded(text)
    const found: Range[] = []
    for (const needle of this.#needles) {
      for (let at = low.indexOf(needle); at >= 0; at = low.indexOf(needle, at + needle.length)) {
        found.push([at, at + needle.length])
      }
    }
    const cut = atEnd ? this.#cutAtEnd(low) : null
    return cut === null ? found : [...found, cut]
  }

  /** Finds the start of a secret at the end of a shortened text. */
  #cutAtEnd(low: string): Range | null {
    const end = low.length - (/(?:…|\.{3}|["'\s]){0,4}$/.exec(low)?.[0].length ?? 0)
    for (const secret of this.#plain) {
      for (let chars = Math.min(secret.length - 1, end); chars >= secretCharsMin; chars--) {
        if (low.startsWith(secret.slice(0, chars), end - chars)) return [end - chars, end]
      }
    }
    return null
  }
}

/**
 * Secrets of this process: added where they are resolved, removed from all text output. Server text is redacted on
 * receipt; this is the second check, on output.
 */
export const processSecrets = new Redaction()

/** Headers whose values are known to hold nothing secret. */
const openHeaders: ReadonlySet<string> = new Set([
  ...['accept', 'accept-charset', 'accept-encoding', 'accept-language', 'cache-control', 'connection', 'content-type'],
  ...['content-length', 'host', 'http-referer', 'origin', 'pragma', 'referer', 'user-agent', 'x-title'],
])

/** Returns the secrets in the headers of a request: whole values, values without scheme, and basic credentials. */
export function secretsOfHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (openHeaders.has(name.toLowerCase())) return []
    const [, scheme = '', rest = value] = /^([A-Za-z][\w-]*)\s+(.*)$/s.exec(value.trim()) ?? []
    if (scheme.toLowerCase() !== 'basic') return [value, rest, ...valuesOfPairs(rest)]
    const pair = Buffer.from(rest, 'base64').toString('utf8')
    return [value, rest, pair, pair.slice(pair.indexOf(':') + 1)]
  })
}

/** Returns the secrets in an address: the password, or a user without one, and the values of the query. */
export function secretsOfUrl(address: string): string[] {
  if (!URL.canParse(address)) return []
  const { username, password, search } = new URL(address)
  const own = password === '' ? [username] : [password]
  return [
    ...own,
    ...own.map(percentDecoded),
    ...valuesOfPairs(search.slice(1)).flatMap((each) => [each, percentDecoded(each)]),
  ]
}

/** 'a=1; b=2' → values of cookies and queries. */
function valuesOfPairs(text: string): string[] {
  return [...text.matchAll(/(?:^|[;&,]\s*)[\w.-]+=([^;&,\s]+)/g)].map(([, value]) => value as string)
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // not percent-encoded: literal
  }
}

function needlesOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  return [...literalForms(secret), folded(bytes.toString('hex')), ...base64Forms(bytes)]
}

/** Returns variants: literal, escapes decoded, UTF-8 read as Latin-1, and spaces in form encoding. */
function literalForms(secret: string): string[] {
  const forms = new Set<string>()
  const readings = [secret, Buffer.from(secret, 'utf8').toString('latin1')]
  for (const start of readings.flatMap((reading) => [reading, reading.replaceAll(' ', '+')])) {
    let form = start
    for (let round = 0; round <= roundsMax; round++) {
      if (form.length >= secretCharsMin) forms.add(folded(form))
      form = new Decoded(form, escapes).text
    }
  }
  return [...forms]
}

/** Returns the base64 characters that depend on these bytes alone, at any alignment; both alphabets. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const inner = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return [folded(inner), folded(inner.replaceAll('+', '-').replaceAll('/', '_'))]
  })
}

/** Lower case, of the same length. */
function folded(text: string): string {
  const low = text.toLowerCase()
  return low.length === text.length ? low : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function merged(ranges: readonly Range[]): Range[] {
  const result: [number, number][] = []
  for (const [start, end] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end)
    else result.push([start, end])
  }
  return result
}

const asciiRuns = /[\t\r\n\x20-\x7e\u00ad\u200b-\u200f\u2060\ufeff]{8,}/g
const mayBeEscaped = /[\\%&=\r\n\u00ad\u200b-\u200f\u2060\ufeff]/
/** Characters that do not show, and line breaks. */
const invisible = /[\r\n\u00ad\u200b-\u200f\u2060\ufeff]/g
const quotedPrintable = /=(?:[0-9a-f]{2}|\r?\n)/i

/** JSON, JavaScript and C escapes; percent; HTML; characters that do not show, and line breaks. */
const escapes =
  /(?=[\\%&\r\n\u00ad\u200b-\u200f\u2060\ufeff])(?:\\(?:u\{([0-9a-f]{1,6})\}|u([0-9a-f]{4})|U([0-9a-f]{8})|x([0-9a-f]{2})|([0-7]{3})|(.))|%([0-9a-f]{2})|%u([0-9a-f]{4})|&#x0*([0-9a-f]{1,6});?|&#0*(\d{1,7});?|&([a-z]{2,8});|[\r\n\u00ad\u200b-\u200f\u2060\ufeff])/gi
const mailEscapes = new RegExp(`${escapes.source}|=([0-9a-f]{2})|=\\r?\\n`, 'gi')

/** Names of the characters that keys and passwords are made of. */
const entities: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", sol: '/', bsol: '\\', plus: '+', equals: '=', colon: ':' },
  ...{ semi: ';', commat: '@', period: '.', lowbar: '_', percnt: '%', quest: '?', excl: '!', num: '#', dollar: '$' },
  ...{
    ast: '*',
    lpar: '(',
    rpar: ')',
    lsqb: '[',
    rsqb: ']',
    lbrack: '[',
    rbrack: ']',
    lcub: '{',
    rcub: '}',
    comma: ',',
  },
  ...{ verbar: '|', vert: '|', grave: '`', hat: '^', tilde: '~', hyphen: '-', dash: '-', nbsp: ' ' },
}

/** A text with one layer of escapes decoded, and where each part of it came from. */
class Decoded {
  readonly text: string
  /** Of each part: where it starts here, where its original starts and ends, and whether it is a copy. */
  readonly #parts: { at: number; from: number; to: number; copied: boolean }[] = []

  constructor(text: string, pattern: RegExp) {
    let decoded = ''
    let done = 0
    const copy = (to: number) => {
      if (to === done) return
      this.#parts.push({ at: decoded.length, from: done, to, copied: true })
      decoded += text.slice(done, to)
    }
    for (const match of text.matchAll(pattern)) {
      copy(match.index)
      done = match.index + match[0].length
      this.#parts.push({ at: decoded.length, from: match.index, to: done, copied: false })
      decoded += characterOf(match)
    }
    copy(text.length)
    this.text = decoded
  }

  /** The range of the original that a range of the decoded text, not empty, came from. */
  origin([start, end]: Range): Range {
    const first = this.#partAt(start)
    const last = this.#partAt(end - 1)
    return [
      first.copied ? first.from + start - first.at : first.from,
      last.copied ? last.from + end - last.at : last.to,
    ]
  }

  /** Returns the part that contains a code unit; skips parts that decode to nothing. */
  #partAt(offset: number): { at: number; from: number; to: number; copied: boolean } {
    let [low, high] = [0, this.#parts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#parts[middle]?.at ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return this.#parts[low] as { at: number; from: number; to: number; copied: boolean }
  }
}

function characterOf(match: RegExpExecArray): string {
  const [whole, braced, unit, long, hex, octal, plain, percent, percentUnit, htmlHex, html, name, printable] = match
  const digits = braced ?? unit ?? long ?? hex ?? percent ?? percentUnit ?? htmlHex ?? printable
  if (digits !== undefined) return fromCode(Number.parseInt(digits, 16))
  if (octal !== undefined) return fromCode(Number.parseInt(octal, 8))
  if (html !== undefined) return fromCode(Number(html))
  if (name !== undefined) return entities[name.toLowerCase()] ?? whole
  return plain === undefined ? '' : (controls[plain] ?? plain)
}

const controls: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

function fromCode(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : ''
}
