/**
 * Character references of HTML: by name, the ones that pages use, and by number. Each is decoded once: `&amp;lt;` gives
 * `&lt;`.
 *
 * Source: HTML Living Standard, 13.5 Named character references; 13.2.5.80 for the numbers of windows-1252.
 */

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

/** Longest reference, `&thetasym;` and `&#x10FFFF;`, in characters; a bound of the pattern. */
const reference = /&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,8}));|&nbsp(?![a-zA-Z;])/g

/** @param aboutHtml keeps those of `named` */
export function decodeEntities(text: string, aboutHtml: boolean): string {
  return (aboutHtml ? text : withoutFrequent(text)).replace(
    reference,
    (whole: string, decimal?: string, hex?: string, name?: string) => {
      if (decimal !== undefined) return characterOf(Number.parseInt(decimal, 10)) ?? whole
      if (hex !== undefined) return characterOf(Number.parseInt(hex, 16)) ?? whole
      if (aboutHtml && named.has(name ?? 'nbsp')) return whole
      if (name === undefined) return '\u00a0'
      return byName.get(name) ?? byName.get(name.toLowerCase()) ?? whole
    },
  )
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
