// Decides on the rows of a block in one call, through an index that has all its tables. Only a row whose text must be
// compared goes back to the host, and one for which the memory must grow. The lines of several rows are read ahead together.
import { bandHash, bands, keyHash } from './hashes'
import { add, earliestOfKey, equalSure, found, keys, near, none, pagesNeeded, rowBase } from './index'
import { listPadding, readAhead } from './lines'
import { take } from './memory'
import { lineFor, seek } from './tables'

/** Rows whose lines are read together. */
const rowsAhead: u32 = 8
/** In place of a document: the row is kept. In place of equal bytes: the key is the same. */
const unset: u32 = 0xffffffff

/** What the host writes: see `beginBlock`. */
let rows: u32 = 0
let keysAt: usize = 0
let signaturesAt: usize = 0
let minima: u32 = 0
let bandedAt: usize = 0
let idsAt: usize = 0
let textBytesAt: usize = 0

/** What the host reads. */
let outcomes: usize = 0
let keptRows: usize = 0
let keptTexts: usize = 0
let kept: u32 = 0
let textsBytes: f64 = 0

/** Hashes of the rows that were read ahead, by row and table, and their lines. */
let hashes: usize = 0
let lines: usize = 0
let aheadFrom: u32 = 0
let aheadUntil: u32 = 0

/**
 * Sets what `decideRows` reads and writes, by row.
 *
 * @param banded u8: whether it has bands · textBytes u32: what its text takes in the texts log; 0 if it is not stored
 * @param decided two u32: the document of which the row is a duplicate, and their equal bytes
 * @param keptNumbers u32 per kept row, in order: its number · keptOffsets f64: offset of its text; −1 for none
 * @param logBytes length of the texts log
 */
export function beginBlock(
  rowCount: u32,
  rowKeys: usize,
  signatures: usize,
  signatureBytes: u32,
  banded: usize,
  ids: usize,
  textBytes: usize,
  decided: usize,
  keptNumbers: usize,
  keptOffsets: usize,
  logBytes: f64,
): void {
  if (hashes == 0) {
    hashes = take(<usize>(rowsAhead * (bands + keys)) << 3)
    lines = take((<usize>(rowsAhead * (bands + keys)) << 2) + listPadding)
  }
  rows = rowCount
  keysAt = rowKeys
  signaturesAt = signatures
  minima = signatureBytes
  bandedAt = banded
  idsAt = ids
  textBytesAt = textBytes
  outcomes = decided
  keptRows = keptNumbers
  keptTexts = keptOffsets
  kept = 0
  textsBytes = logBytes
  aheadFrom = 0
  aheadUntil = 0
}

/**
 * Decides on rows from `from` on. Returns the next row that the host must decide on, whose candidates `near` has found, or
 * for which memory must have `pagesNeeded`; the number of rows at the end.
 */
export function decideRows(from: u32): u32 {
  for (let row = from; row < rows; row++) {
    if (<u32>memory.size() < pagesNeeded()) return row
    if (row >= aheadUntil) lookAhead(row)
    setRow(row)
    const isNear = isBanded(row)
    const equal = keys ? earliestOfKey() : none
    if (equal != none) setOutcome(row, equal, unset)
    else if (isNear && near() > 0) {
      const candidate = load<u64>(found)
      if (<u32>candidate < equalSure) {
        setOutcome(row, unset, unset)
        return row
      }
      setOutcome(row, <u32>(candidate >> 32), <u32>candidate)
    } else keepRow(row)
  }
  return rows
}

/** Keeps the row that `decideRows` returned; its memory must be there. */
export function keepRow(row: u32): void {
  const bytes = load<u32>(textBytesAt + (<usize>row << 2))
  const text = bytes == 0 ? -1.0 : textsBytes
  textsBytes += <f64>bytes
  store<u32>(keptRows + (<usize>kept << 2), row)
  store<f64>(keptTexts + (<usize>kept << 3), text)
  kept++
  setOutcome(row, unset, unset)
  add(isBanded(row), idsAt + (<usize>row << 4), text)
}

/** Returns the number of rows that were kept so far. */
export function keptCount(): u32 {
  return kept
}

/** Returns the length of the texts log after the rows that were kept so far. */
export function textsLogBytes(): f64 {
  return textsBytes
}

@inline
function isBanded(row: u32): u32 {
  return load<u8>(bandedAt + <usize>row)
}

@inline
function setOutcome(row: u32, document: u32, equal: u32): void {
  store<u32>(outcomes + (<usize>row << 3), document)
  store<u32>(outcomes + (<usize>row << 3), equal, 4)
}

/** Hashes some rows and reads their lines. Later insertions may move a line, so they are looked up again. */
function lookAhead(from: u32): void {
  const until = min(from + rowsAhead, rows)
  const tables = bands + keys
  let hash = hashes
  let line = lines
  for (let row = from; row < until; row++) {
    const signature = signaturesAt + <usize>(row * minima)
    const isNear = isBanded(row)
    for (let band: u32 = 0; band < bands; band++, hash += 8, line += 4) {
      const hashed = bandHash(signature, band)
      store<u64>(hash, hashed)
      store<u32>(line, isNear ? <u32>lineFor(band, hashed) : 0)
    }
    if (!keys) continue
    const hashed = keyHash(keysAt + (<usize>row << 4))
    store<u64>(hash, hashed)
    store<u32>(line, <u32>lineFor(bands, hashed))
    hash += 8
    line += 4
  }
  readAhead(lines, (until - from) * tables)
  aheadFrom = from
  aheadUntil = until
}

/** Makes a row that was read ahead the current one. */
function setRow(row: u32): void {
  const signature = signaturesAt + <usize>(row * minima)
  const target = rowBase + 16
  v128.store(rowBase, v128.load(keysAt + (<usize>row << 4)))
  let i: u32 = 0
  for (; i + 16 <= minima; i += 16) v128.store(target + <usize>i, v128.load(signature + <usize>i))
  for (; i < minima; i++) store<u8>(target + <usize>i, load<u8>(signature + <usize>i))
  const tables = bands + keys
  let hash = hashes + (<usize>((row - aheadFrom) * tables) << 3)
  for (let table: u32 = 0; table < tables; table++, hash += 8) seek(table, load<u64>(hash))
}
