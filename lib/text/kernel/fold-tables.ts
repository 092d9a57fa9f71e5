/**
 * The tables by which the kernel folds a UTF-16 unit without looking at its neighbours, made from the definition
 * (`comparisonForm`) at start, so that they follow the Unicode version of the Node that runs.
 */
import { isHangulSyllable, isIdeograph, isPrivateUse } from '../characters.js'
import { comparisonForm } from './reference-kernel.js'

export interface FoldTables {
  /** Folded unit; 0 drops it; 0xD800 + i is expansion i; the two values below. */
  readonly fold: Uint16Array
  /** Four units each, zero-filled. */
  readonly expansions: Uint16Array
  /** 1 where U+1F000 + i folds to nothing. */
  readonly pictures: Uint8Array
}

/** The first half of a code point in U+1F000 … U+1FBFF: `pictures` tells. */
const pictureHigh = 0xdffe
/** Only String.normalize can tell: the character joins its neighbours, or is half of one. */
const needsNormalize = 0xdfff

const expansionsMax = 2046
const expansionUnitsMax = 4
const firstPicture = 0x1f000
const pictures = 3 * 1024

/** About 30 ms; call it once a thread. */
export function makeFoldTables(): FoldTables {
  const tables: FoldTables = {
    fold: new Uint16Array(65536),
    expansions: new Uint16Array(expansionsMax * expansionUnitsMax),
    pictures: new Uint8Array(pictures),
  }
  const known = new Map<string, number>()
  for (let unit = 0; unit < 65536; unit++) tables.fold[unit] = foldedUnit(unit, tables.expansions, known)
  for (let i = 0; i < pictures; i++) {
    const character = String.fromCodePoint(firstPicture + i)
    tables.pictures[i] = comparisonForm(character) === '' && !joinsNeighbours(character) ? 1 : 0
  }
  return tables
}

function foldedUnit(unit: number, expansions: Uint16Array, known: Map<string, number>): number {
  if (unit >= 0xd83c && unit <= 0xd83e) return pictureHigh
  if (unit >= 0xd800 && unit <= 0xdfff) return needsNormalize
  // The large blocks are known: a thread starts 40 ms earlier.
  if (isIdeograph(unit) || isHangulSyllable(unit)) return unit
  if (isPrivateUse(unit)) return 0
  const character = String.fromCharCode(unit)
  if (joinsNeighbours(character)) return needsNormalize
  const form = comparisonForm(character)
  if (form.length === 0) return 0
  if (form.length === 1) return form.charCodeAt(0)
  if (form.length > expansionUnitsMax) return needsNormalize
  let index = known.get(form)
  if (index === undefined) {
    if (known.size === expansionsMax) return needsNormalize
    index = known.size
    known.set(form, index)
    for (let i = 0; i < form.length; i++) expansions[index * expansionUnitsMax + i] = form.charCodeAt(i)
  }
  return 0xd800 + index
}

/**
 * Whether NFKC of a text may differ from the NFKC of its parts around this character: it, or the start of what it
 * decomposes to, may compose with or be reordered among what stands before it.
 *
 * Composition partners are marks and the Hangul vowels and finals (all of NFC_Quick_Check=Maybe, UAX 15); enclosing
 * marks and variation selectors are marks of combining class 0 that compose with nothing.
 */
function joinsNeighbours(character: string): boolean {
  const first = String.fromCodePoint(character.normalize('NFKD').codePointAt(0) as number)
  if (/^[\u{1161}-\u{1175}\u{11a8}-\u{11c2}]$/u.test(first)) return true
  return /^\p{M}$/u.test(first) && !/^(?:\p{Me}|[\u{fe00}-\u{fe0f}])$/u.test(first)
}
