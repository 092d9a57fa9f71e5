/**
 * Character references of HTML: by name, the ones that pages use, and by number. Each is decoded once: `&amp;lt;` gives
 * `&lt;`.
 *
 * Source: HTML Living Standard, 13.5 Named character references; 13.2.5.80 for the numbers of windows-1252.
 */

import { codesToString } from './code-units.js'

/** Latin-1 from U+00A0 on, in order. */
const latin1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para ' +
  'middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave ' +
  'Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc ' +
  'Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc ' +
  'iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml'
/** Greek from U+0391 and from U+03B1 on, in order; U+03A2 is not assigned. */
const greek =
  'Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho - Sigma Tau Upsilon Phi Chi Psi ' +
  'Omega'
const others =
  'quot:22 amp:26 apos:27 lt:3c gt:3e sigmaf:3c2 ensp:2002 emsp:2003 thinsp:2009 zwnj:200c zwj:200d lrm:200e rlm:200f ' +
  'ndash:2013 mdash:2014 lsquo:2018 rsquo:2019 sbquo:201a ldquo:201c rdquo:201d bdquo:201e dagger:2020 Dagger:2021 ' +
  'bull:2022 hellip:2026 permil:2030 prime:2032 Prime:2033 lsaquo:2039 rsaquo:203a oline:203e frasl:2044 euro:20ac ' +
  'trade:2122 larr:2190 uarr:2191 rarr:2192 darr:2193 harr:2194 lArr:21d0 rArr:21d2 hArr:21d4 forall:2200 part:2202 ' +
  'exist:2203 empty:2205 nabla:2207 isin:2208 notin:2209 ni:220b prod:220f sum:2211 minus:2212 lowast:2217 radic:221a ' +
  'prop:221d infin:221e ang:2220 and:2227 or:2228 cap:2229 cup:222a int:222b there4:2234 sim:223c cong:2245 asymp:2248 ' +
  'ne:2260 equiv:2261 le:2264 ge:2265 sub:2282 sup:2283 nsub:2284 sube:2286 supe:2287 oplus:2295 otimes:2297 perp:22a5 ' +
  'loz:25ca spades:2660 clubs:2663 hearts:2665 diams:2666'

const byName: ReadonlyMap<string, string> = new Map([
  ...latin1.split(' ').map((name, index) => [name, String.fromCharCode(0xa0 + index)] as const),
  ...greek
    .split(' ')
    .flatMap((name, index) => [
      [name, String.fromCharCode(0x391 + index)] as const,
      [name.toLowerCase(), String.fromCharCode(0x3b1 + index)] as const,
    ]),
  ...others.split(' ').map((entry) => {
    const [name = '', code = ''] = entry.split(':')
    return [name, String.fromCharCode(Number.parseInt(code, 16))] as const
  }),
])

/** References that a text about HTML names rather than uses. */
const named = new Set(['lt', 'gt', 'amp', 'nbsp', 'quot', 'apos'])

/** Digits of a number, and letters and digits of a name, that are read: `&#1114111;`, `&#x10FFFF;`, `&thetasym;`. */
const decimalCharsMax = 7
const hexCharsMax = 6
const nameCharsMax = 9

/** @param aboutHtml keeps those of `named` */
export function decodeEntities(text: string, aboutHtml: boolean): string {
  const source = aboutHtml ? text : withoutFrequent(text)
  const found = new Reference()
  let plain: Uint16Array | null = null
  let [length, from] = [0, 0]
  for (let at = source.indexOf('&'); at >= 0; at = source.indexOf('&', at)) {
    if (!found.read(source, at, aboutHtml)) {
      at++
      continue
    }
    // Code units rather than strings: a page of references would leave two of each to the garbage collector.
    plain ??= new Uint16Array(source.length)
    while (from < at) plain[length++] = source.charCodeAt(from++)
    for (let index = 0; index < found.text.length; index++) plain[length++] = found.text.charCodeAt(index)
    at = from = found.end
  }
  if (plain === null) return source
  while (from < source.length) plain[length++] = source.charCodeAt(from++)
  return codesToString(plain, 0, length)
}

/** One reference at a time. */
class Reference {
  /** What it stands for, and where it ends. */
  text = ''
  end = 0

  /** Reads the reference whose `&` is at `at`. Returns false if it is none, or is kept. */
  read(source: string, at: number, aboutHtml: boolean): boolean {
    const next = source.charCodeAt(at + 1)
    if (next === 0x23) return this.#number(source, at + 2)
    let end = at + 1
    while (end - at <= nameCharsMax && isAlphanumeric(source.charCodeAt(end))) end++
    if (end > at + 2 && isLetter(next) && source.charCodeAt(end) === 0x3b) {
      return this.#name(source.slice(at + 1, end), end + 1, aboutHtml)
    }
    // Pages leave out the semicolon of this one.
    const follows = source.charCodeAt(at + 5)
    if (!source.startsWith('nbsp', at + 1) || isLetter(follows) || follows === 0x3b || aboutHtml) return false
    this.text = '\u00a0'
    this.end = at + 5
    return true
  }

  #name(name: string, end: number, aboutHtml: boolean): boolean {
    if (aboutHtml && named.has(name)) return false
    const text = byName.get(name) ?? byName.get(name.toLowerCase())
    if (text === undefined) return false
    this.text = text
    this.end = end
    return true
  }

  #number(source: string, start: number): boolean {
    const isHexadecimal = (source.charCodeAt(start) | 0x20) === 0x78
    const first = isHexadecimal ? start + 1 : start
    const charsMax = isHexadecimal ? hexCharsMax : decimalCharsMax
    let end = first
    let code = 0
    for (; end - first < charsMax; end++) {
      const digit = digitOf(source.charCodeAt(end), isHexadecimal)
      if (digit < 0) break
      code = code * (isHexadecimal ? 16 : 10) + digit
    }
    if (end === first || source.charCodeAt(end) !== 0x3b) return false
    const text = characterOf(code)
    if (text === null) return false
    this.text = text
    this.end = end + 1
    return true
  }
}

function isLetter(code: number): boolean {
  const small = code | 0x20
  return small >= 0x61 && small <= 0x7a
}

function isAlphanumeric(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39)
}

/** Returns the value of a digit; −1 if it is none. */
function digitOf(code: number, isHexadecimal: boolean): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const small = code | 0x20
  return isHexadecimal && small >= 0x61 && small <= 0x66 ? small - 0x57 : -1
}

/** Decodes the references that most pages have, which need no look-up; what they give is in no reference. */
function withoutFrequent(text: string): string {
  return text.replaceAll('&nbsp;', '\u00a0').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"')
}

/** Windows-1252 of 0x80 to 0x9F, which browsers use for these numbers. */
const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/** Returns null for a number that is not a character: 0, a surrogate, beyond Unicode. */
function characterOf(code: number): string | null {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null
  if (code >= 0x80 && code <= 0x9f) return windows1252.charAt(code - 0x80)
  return String.fromCodePoint(code)
}
