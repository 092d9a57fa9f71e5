// The exact index of a part of the kept documents. lib/dedup/kept-rows.ts writes the row and calls, per document: seek (exact
// duplicate?), near (near-duplicates?), keep.
import {
  addDocument,
  configureDocuments,
  documents,
  equalMinima,
  hasKey,
  idOf,
  pagesPerDocument,
  readDocument,
  signatureOf,
  textOf,
} from './documents'

import { bandHash, bands, configureHashes, keyHash, sharesBand } from './hashes'
import { entriesWith, next, readAhead } from './lines'
import { take, usedBytes, usedPages } from './memory'
import {
  configureTables,
  documentOf,
  grow,
  home,
  homesOf,
  insert,
  lastYoung,
  leaveYouth,
  pagesPerInsertion,
  seek as seekIn,
  tagOf,
} from './tables'


export { take, usedBytes, usedPages, textOf }
export * from './block'
export * from './divided'
export * from './ids'
export * from './shingles'

/** The row: key, signature, zero padding. */
export const rowBase: usize = memory.data(16 + 512 + 16)
/** An id: 32 UTF-16 code units to be packed, or 16 bytes. */
export const idBase: usize = memory.data(64)
const signature: usize = rowBase + 16
export const none: i32 = -1

/**
 * Limit of documents per band key; the earliest stay. Boilerplate that many texts share fills a band without making them
 * duplicates; their other bands still find duplicates. It limits a look-up to bands × 64 comparisons.
 */
export const documentsPerBandMax: u32 = 64
/** Whether there is a table of keys: 1 or 0. */
export let keys: u32 = 0
/** Equal bytes from which on a document is a candidate, and from which on it is near for certain. */
let equalMin: u32 = 0
export let equalSure: u32 = 0

/** u8 per band: documents that share the band with the row, at most `documentsPerBandMax`. */
let sharing: usize = 0
/** u32 per band: bands that need more than a look at one line. */
let pending: usize = 0
/** u64 per candidate, in order: its number in the high half, its equal bytes in the low half. */
export let found: usize = 0
let foundCount: u32 = 0
/** Candidates after this document are not needed: it is near for certain. */
let lastOfUse: u32 = 0
/** Written so that reading ahead is not optimised away. */
let touched: u32 = 0

/** Returns the pages of memory that are in use after `configure`. */
export function pagesToConfigure(bandCount: u32, exact: u32): u32 {
  return usedPages() + pagesPerDocument + (bandCount + exact)
}

export function configure(
  bandCount: u32,
  rowCount: u32,
  minima: u32,
  exact: u32,
  low: u32,
  sure: u32,
): void {
  configureHashes(bandCount, rowCount)
  configureDocuments(minima)
  configureTables(bandCount + exact)
  keys = exact
  equalMin = low
  equalSure = sure
  sharing = take(bandCount)
  pending = take(<usize>bandCount << 2)
  found = take(<usize>(bandCount * documentsPerBandMax) << 3)
}

/** Address of the candidates that `near` found. */
export function foundBase(): usize {
  return found
}

/** Address of `sharing`. */
export function sharingBase(): usize {
  return sharing
}

/**
 * Finds the lines of the row in all tables, or in that of the keys if it has no shingle. Returns the earliest document with
 * its key, or −1.
 */
export function seek(isNear: u32): i32 {
  const first: u32 = isNear ? 0 : bands
  if (isNear) for (let band: u32 = 0; band < bands; band++) seekIn(band, bandHash(signature, band))
  if (keys) seekIn(bands, keyHash(rowBase))
  readAhead(homesOf(first), bands + keys - first)
  return keys ? earliestOfKey() : none
}

export function earliestOfKey(): i32 {
  const tag = tagOf(bands)
  let earliest: u32 = 0xffffffff
  for (let line = home(bands); line != 0; line = next(line)) {
    for (let entries = entriesWith(line, tag); entries != 0; entries &= entries - 1) {
      const kept = documentOf(line, ctz(entries))
      if (kept < earliest && hasKey(kept, rowBase)) earliest = kept
    }
  }
  return <i32>earliest
}

/** After `seek`: finds documents that are or may be near the row, earliest first; the first certain one ends the list. Returns their number. */
export function near(): u32 {
  memory.fill(sharing, 0, bands)
  foundCount = 0
  lastOfUse = 0xffffffff
  let waiting = pending
  let sum: u32 = 0
  for (let band: u32 = 0; band < bands; band++) {
    const line = home(band)
    const entries = entriesWith(line, tagOf(band))
    // Records of documents are scattered: those that are looked at first are loaded in parallel.
    if (entries != 0) sum ^= readDocument(documentOf(line, ctz(entries)))
    store<u32>(waiting, band)
    waiting += <usize>((entries | <u32>next(line)) != 0) << 2
  }
  touched = sum
  for (let at = pending; at < waiting; at += 4) share(load<u32>(at))
  return foundCount
}

/** Considers the documents that share a band with the row. */
function share(band: u32): void {
  const tag = tagOf(band)
  let count: u32 = 0
  for (let line = home(band); line != 0; line = next(line)) {
    for (let entries = entriesWith(line, tag); entries != 0; entries &= entries - 1) {
      const kept = documentOf(line, ctz(entries))
      if (!sharesBand(signatureOf(kept), signature, band)) continue
      count++
      if (kept <= lastOfUse) consider(kept)
    }
  }
  store<u8>(sharing + band, <u8>count)
}

function consider(kept: u32): void {
  const equal = equalMinima(kept, signature)
  if (equal < equalMin) return
  const candidate = (<u64>kept << 32) | <u64>equal
  let at = found + (<usize>foundCount << 3)
  while (at > found && load<u64>(at - 8) > candidate) at -= 8
  if (at > found && load<u64>(at - 8) == candidate) return
  memory.copy(at + 8, at, found + (<usize>foundCount << 3) - at)
  store<u64>(at, candidate)
  foundCount++
  if (equal < equalSure) return
  lastOfUse = kept
  foundCount = <u32>((at + 8 - found) >> 3)
}

/** Adds the row, after `seek`, and after `near` if it has a shingle. Returns `pagesNeeded`. */
export function keep(isNear: u32, text: f64): u32 {
  add(isNear, idBase, text)
  return pagesNeeded()
}

/** Adds the row with the 16 bytes of its id. */
export function add(isNear: u32, id: usize, text: f64): void {
  const document = addDocument(rowBase, id, text)
  if (keys) insert(bands, document)
  if (isNear) {
    for (let band: u32 = 0; band < bands; band++) {
      if (<u32>load<u8>(sharing + band) < documentsPerBandMax) insert(band, document)
    }
  }
  for (let table: u32 = isNear ? 0 : bands; table < bands + keys; table++) grow(table)
  if (document == lastYoung) leaveYouth()
}

/** Returns the pages that memory must have before a document is added: those in use, and those that it may take. */
export function pagesNeeded(): u32 {
  return usedPages() + pagesPerDocument + pagesPerInsertion(documents)
}

/** Packs the 32 digits at `idBase` to 16 bytes. Returns false, and changes nothing, if one is not 0 … 9 or a … f. */
export function packId(): bool {
  // Code units beyond a byte saturate to 0 or 255, which are not digits.
  const first = i8x16.narrow_i16x8_u(v128.load(idBase), v128.load(idBase, 16))
  const second = i8x16.narrow_i16x8_u(v128.load(idBase, 32), v128.load(idBase, 48))
  if (!i8x16.all_true(v128.and(areDigits(first), areDigits(second)))) return false
  v128.store(idBase, i8x16.narrow_i16x8_u(packed(first), packed(second)))
  return true
}

@inline
function areDigits(text: v128): v128 {
  return v128.or(within(text, 0x30, 10), within(text, 0x61, 6))
}

@inline
function within(text: v128, from: u8, count: u8): v128 {
  return i8x16.lt_u(i8x16.sub(text, i8x16.splat(<i8>from)), i8x16.splat(<i8>count))
}

/** Combines pairs of digits to bytes, the first one as the high half. */
@inline
function packed(text: v128): v128 {
  const letters = v128.and(i8x16.gt_u(text, i8x16.splat(0x39)), i8x16.splat(9))
  const values = v128.and(i8x16.add(text, letters), i8x16.splat(15))
  return v128.and(v128.or(i16x8.shl(values, 4), i16x8.shr_u(values, 8)), i16x8.splat(255))
}

/** Copies the 16 bytes of the id of a document to `idBase`. */
export function copyId(document: u32): void {
  v128.store(idBase, v128.load(idOf(document)))
}
