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
  if (at - start > charsMax) return false
  const word = String.fromCharCode(...codes.subarray(start, at)).toLowerCase()
  return abbreviations.has(word) || (beforeNumber.has(word) && isDigit(codes[at + 2] as number))
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
