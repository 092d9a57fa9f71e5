// Fills the tables of `fold` from lines that the host normalised: properties of characters are those of the host. In
// WebAssembly because each thread does this once, over 18,000 characters: in JavaScript the split into lines and a loop that is
// optimized for nothing took a hundred milliseconds of processor time a process.
import { expansionBase, foldBase, inputBase, pictureBase } from './index'

/** The first half of a code point in U+1F000 … U+1FBFF, which `pictureBase` decides on. */
export const pictureHigh: u32 = 0xdffe
/** The character interacts with its neighbours, or is half of one: String.normalize is needed. */
export const needsNormalize: u32 = 0xdfff
const lineFeed: u16 = 0x0a
/** In a line of `joining`: see there. */
const joins: u16 = 0x0d
const expansionsMax: u32 = 2046
const expansionUnitsMax: u32 = 4
const firstExpansion: u32 = 0xd800
const pictureHighFirst: u32 = 0xd83c
const pictures: u32 = 3 * 1024

let expansions: u32 = 0

/** Each unit folds to itself; surrogates and private use do not. */
export function resetFold(): void {
  expansions = 0
  for (let unit: u32 = 0; unit < 0x10000; unit++) store<u16>(foldBase + (<usize>unit << 1), <u16>unit)
  memory.fill(foldBase + (0xe000 << 1), 0, (0xf900 - 0xe000) << 1)
  for (let unit: u32 = 0xd800; unit < 0xe000; unit++) {
    const isPicture = unit - pictureHighFirst < 3
    store<u16>(foldBase + (<usize>unit << 1), <u16>(isPicture ? pictureHigh : needsNormalize))
  }
}

/**
 * Writes the code units first … end to `inputBase`, each in a line of its own: a line end is not a letter, and nothing composes with
 * it. U+0000 in place of surrogates and line ends.
 */
export function writeUnits(first: u32, end: u32): void {
  let at = inputBase
  for (let unit = first; unit < end; unit++, at += 4) {
    const isKept = unit != 0x0a && unit != 0x0d && (unit & 0xf800) != 0xd800
    store<u32>(at, select<u32>(unit, 0, isKept) | (<u32>lineFeed << 16))
  }
}

/** Writes U+1F000 … U+1FBFF in the same way. */
export function writePictures(): void {
  let at = inputBase
  for (let picture: u32 = 0; picture < pictures; picture++, at += 6) {
    store<u16>(at, <u16>(pictureHighFirst + (picture >> 10)))
    store<u16>(at, <u16>(0xdc00 | (picture & 0x3ff)), 2)
    store<u16>(at, lineFeed, 4)
  }
}

/**
 * Sets what the units first … end fold to.
 *
 * @param forms a line for each: its comparison form
 * @param joining a line for each, which begins with `joins` if the unit may change with those around it
 */
export function foldUnits(first: u32, end: u32, forms: usize, joining: usize): void {
  for (let unit = first; unit < end; unit++) {
    const isJoining = load<u16>(joining) == joins
    joining = lineAfter(joining)
    let length: u32 = 0
    let form: u64 = 0
    for (; load<u16>(forms) != lineFeed; forms += 2, length++) {
      if (length < expansionUnitsMax) form |= <u64>load<u16>(forms) << (length << 4)
    }
    forms += 2
    let folded: u32
    if (isJoining || length > expansionUnitsMax) folded = needsNormalize
    else folded = length < 2 ? <u32>form : expansionOf(form)
    store<u16>(foldBase + (<usize>unit << 1), <u16>folded)
  }
}

/** Sets which pictures fold to nothing, whatever surrounds them. */
export function foldPictures(forms: usize, joining: usize): void {
  for (let picture: u32 = 0; picture < pictures; picture++) {
    const isDropped = load<u16>(forms) == lineFeed && load<u16>(joining) != joins
    store<u8>(pictureBase + <usize>picture, <u8>isDropped)
    forms = lineAfter(forms)
    joining = lineAfter(joining)
  }
}

function lineAfter(at: usize): usize {
  while (load<u16>(at) != lineFeed) at += 2
  return at + 2
}

/** Returns 0xD800 + the index of an expansion, which is added if it is new; `needsNormalize` if there are too many. */
function expansionOf(form: u64): u32 {
  let index: u32 = 0
  while (index < expansions && load<u64>(expansionBase + (<usize>index << 3)) != form) index++
  if (index == expansions) {
    if (expansions == expansionsMax) return needsNormalize
    store<u64>(expansionBase + (<usize>index << 3), form)
    expansions++
  }
  return firstExpansion + index
}
