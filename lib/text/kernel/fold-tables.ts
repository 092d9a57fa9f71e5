/**
 * Tables by which the kernel folds a code unit independently of its neighbours. They are computed at start from the definition
 * (`comparisonForm`), so that they match the Unicode version of the running Node.
 */
import { isHangulSyllable, isIdeograph, isPrivateUse } from '../characters.js'
import { comparisonForm } from './reference-kernel.js'

export interface FoldTables {
  /** Folded unit; 0 drops it; 0xD800 + i is expansion i; `pictureHigh` and `needsNormalize` are below. */
  readonly fold: Uint16Array
  /** Four units each, zero-filled. */
  readonly expansions: Uint16Array
  /** 1 where U+1F000 + i folds to nothing. */
  readonly pictures: Uint8Array
}

/** The first half of a code point in U+1F000 … U+1FBFF, which `pictures` decides on. */
const pictureHigh = 0xdffe
/** The character interacts with its neighbours, or is half of one: String.normalize is needed. */
const needsNormalize = 0xdfff

const expansionsMax = 2046
const expansionUnitsMax = 4
const firstPicture = 0x1f000
const pictures = 3 * 1024

/** Takes about 30 ms; call it once per thread. */
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
  // Shortcut for the large blocks: saves 40 ms when a thread starts.
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
 * Returns whether NFKC of a text may differ from that of its parts around this character: the character, or the first of its
 * decomposition, may compose with the characters before it or be reordered among them.
 *
 * Composition partners are marks and the Hangul vowels and finals (all of NFC_Quick_Check=Maybe, UAX 15); enclosing
 * marks and variation selectors are marks of combining class 0 that compose with nothing.
 */
function joinsNeighbours(character: string): boolean {
  const first = String.fromCodePoint(character.normalize('NFKD').codePointAt(0) as number)
  if (/^[\u{1161}-\u{1175}\u{11a8}-\u{11c2}]$/u.test(first)) return true
  return /^\p{M}$/u.test(first) && !/^(?:\p{Me}|[\u{fe00}-\u{fe0f}])$/u.test(first)
}
