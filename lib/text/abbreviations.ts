/** Abbreviations after whose full stop a sentence continues. */
import { isLatin } from './characters.js'

const titles = 'Dr Mr Mrs Ms Prof St Sr Jr Gen Col Capt Lt Sgt Rev Hon Gov Pres'
const references = 'Fig Figs Eq Eqs Sec Vol Vols pp ch chap ed eds app art'
const latin = 'vs cf etc al ca viz approx est'
const firms = 'Inc Ltd Co Corp Dept Univ'
const months = 'Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec'

const abbreviations = new Set(
  [titles, references, latin, firms, months].flatMap((words) => words.toLowerCase().split(' ')),
)
/** Abbreviations of a word that ends sentences, too: only before a number. */
const beforeNumber = new Set(['no', 'nos'])
const charsMax = 6

/**
 * Whether the letters before the full stop at `at` are an abbreviation: Dr., Fig., et al.; No. before a number.
 *
 * @param codes readable up to `at + 2`
 */
export function endsWithAbbreviation(codes: Uint16Array, at: number): boolean {
  let start = at
  while (start > 0 && at - start <= charsMax && isLatin(codes[start - 1] as number)) start--
  const chars = at - start
  if (chars > charsMax || !mayBegin(codes[start] as number, chars)) return false
  let word = ''
  for (let place = start; place < at; place++) word += smallLetters[((codes[place] as number) | 0x20) - 0x61]
  return abbreviations.has(word) || (beforeNumber.has(word) && isDigit(codes[at + 2] as number))
}

/** Whether a word of so many letters, of which this is the first, may be in one of the sets. */
function mayBegin(letter: number, chars: number): boolean {
  return (((charsByLetter[letter & 0x1f] as number) >>> chars) & 1) === 1
}

/** Bits for the lengths of the words that begin with each letter. */
const charsByLetter = new Uint16Array(32)
for (const word of [...abbreviations, ...beforeNumber]) {
  const letter = word.charCodeAt(0) & 0x1f
  charsByLetter[letter] = (charsByLetter[letter] as number) | (1 << word.length)
}

/** Slots of `abbreviationTable`. */
const tableSlots = 256

/**
 * Returns the abbreviations as a hash table of keys for the scanner kernel: a 1 and then five bits for each letter; bit 31 is set where
 * a number must follow.
 */
export function abbreviationTable(): Uint32Array {
  const table = new Uint32Array(tableSlots)
  for (const word of [...abbreviations, ...beforeNumber]) {
    let key = 1
    for (let at = 0; at < word.length; at++) key = (key << 5) | (word.charCodeAt(at) & 0x1f)
    let slot = Math.imul(key, 0x9e3779b1) >>> 24
    while (table[slot] !== 0) slot = (slot + 1) % tableSlots
    table[slot] = beforeNumber.has(word) ? key | 0x80000000 : key
  }
  return table
}

const smallLetters = [...'abcdefghijklmnopqrstuvwxyz']

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
