/**
 * Tables by which the kernel folds a code unit independently of its neighbours. They are computed at start from the definition
 * (`comparisonForms`), so that they match the Unicode version of the running Node.
 */
import { unitLines } from '../characters.js'
import { comparisonForms } from './reference-kernel.js'

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

/** Call it once per thread: it takes some milliseconds. */
export function makeFoldTables(): FoldTables {
  const tables: FoldTables = {
    fold: new Uint16Array(65536),
    expansions: new Uint16Array(expansionsMax * expansionUnitsMax),
    pictures: new Uint8Array(pictures),
  }
  const { fold } = tables
  for (let unit = 0; unit < 65536; unit++) fold[unit] = unit
  fold.fill(0, 0xe000, 0xf900) // private use
  fold.fill(needsNormalize, 0xd800, 0xe000)
  fold.fill(pictureHigh, 0xd83c, 0xd83f)
  const known = new Map<string, number>()
  for (const [first, end] of mixedRanges) foldRange(first, end, tables, known)
  const characters = Array.from({ length: pictures }, (_, i) => String.fromCodePoint(firstPicture + i))
  const { forms, joining } = formsOf(characters.join('\n'))
  for (let i = 0; i < pictures; i++) tables.pictures[i] = forms[i] === '' && joining[i] !== joins ? 1 : 0
  return tables
}

/** Everything between the blocks of ideographs and Hangul, which fold to themselves, and surrogates and private use. */
const mixedRanges = [
  [0, 0x3400],
  [0x4dc0, 0x4e00],
  [0xa000, 0xac00],
  [0xd7a4, 0xd800],
  [0xf900, 0x10000],
] as const

function foldRange(first: number, end: number, { fold, expansions }: FoldTables, known: Map<string, number>): void {
  const { forms, joining } = formsOf(unitLines(first, end))
  for (let unit = first; unit < end; unit++) {
    const form = forms[unit - first] as string
    if (joining[unit - first] === joins || form.length > expansionUnitsMax) fold[unit] = needsNormalize
    else if (form.length < 2) fold[unit] = form.length === 0 ? 0 : form.charCodeAt(0)
    else fold[unit] = expansionOf(form, expansions, known)
  }
}

/** Returns 0xD800 + the index of an expansion, which is added if it is new; `needsNormalize` if there are too many. */
function expansionOf(form: string, expansions: Uint16Array, known: Map<string, number>): number {
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
 * Returns the comparison form of the character of each line, and `joins` for each where NFKC of a text may differ from that
 * of its parts around it: the character, or the first of its decomposition, may compose with the characters before it or be
 * reordered among them.
 *
 * Composition partners are marks and the Hangul vowels and finals (all of NFC_Quick_Check=Maybe, UAX 15); enclosing
 * marks and variation selectors are marks of combining class 0 that compose with nothing.
 */
function formsOf(lines: string): { readonly forms: string[]; readonly joining: string[] } {
  return {
    forms: comparisonForms(lines),
    joining: lines
      .normalize('NFKD')
      .replace(/^(?:[\u{1161}-\u{1175}\u{11a8}-\u{11c2}]|(?!\p{Me}|[\u{fe00}-\u{fe0f}])\p{M}).*$/gmu, joins)
      .split('\n'),
  }
}

/** Not in `unitLines`. */
const joins = '\r'
