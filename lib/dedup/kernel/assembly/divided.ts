// An index that is divided over threads, a block of rows at a time. An instance with some of the tables answers which
// documents have the tags of a row (`probe`); one with the documents verifies them (`verify`). Rows of blocks that are not
// decided on are in no table yet, so `probe` searches them as well. The host allocates what both read and write.
import { addDocument, documents, equalMinima, hasKey, readDocument, signatureOf } from './documents'
import { bandHash, configureHashes, keyHash, sharesBand } from './hashes'
import { entriesWith, listPadding, next, readAhead } from './lines'
import { take, usedPages } from './memory'
import { configureTables, documentOf, grow, insertHash, lastYoung, leaveYouth, lineFor, tagIn } from './tables'

/** A row and a table in 32 bits. */
const tableBits: u32 = 10
/** Marks a row that is not decided on, in place of a document. */
const undecided: u32 = 1 << 31
/** Rows whose lines are read together: the processor then loads these cache lines in parallel. */
const rowsAhead: u32 = 16
/** Rows that are inserted before the host grows the memory: a table splits at most once for them. */
const rowsPerInsertion: u32 = 64
/** Pages of memory that so many insertions may take per table; more with the one after which numbers need more bits. */
const pagesPerTable: u32 = 3
const pagesPerTableAging: u32 = 26

/** Own tables, by their number in the whole index: those of the bands, then that of the keys. */
let firstTable: u32 = 0
let tableCount: u32 = 0
let bandCount: u32 = 0
/** Rows that were inserted: the number of the next document of this part. */
let inserted: u32 = 0
/** Lines of rows that are read together. */
let lines: usize = 0
/** Written so that prefetching reads are not optimised away. */
let touched: u32 = 0

export function configureDivided(first: u32, count: u32, bands: u32, rows: u32): void {
  configureHashes(bands, rows)
  configureTables(count)
  firstTable = first
  tableCount = count
  bandCount = bands
  lines = take((<usize>max(rowsAhead * count, rowsPerInsertion) << 2) + listPadding)
}

/** Hashes rows: 8 bytes per own table and row to `hashes`, one byte per row to `banded`, whether it has bands. */
export function hashRows(
  rows: u32,
  keys: usize,
  letters: usize,
  ngram: u32,
  signatures: usize,
  minima: u32,
  hashes: usize,
  banded: usize,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<u8>(banded + <usize>row, <u8>(load<u32>(letters + (<usize>row << 2)) >= ngram))
  }
  for (let own: u32 = 0; own < tableCount; own++) {
    const table = firstTable + own
    let at = hashOf(hashes, rows, own, 0)
    for (let row: u32 = 0; row < rows; row++, at += 8) {
      const hash =
        table == bandCount
          ? keyHash(keys + (<usize>row << 4))
          : bandHash(signatures + <usize>(row * minima), table)
      store<u64>(at, hash)
    }
  }
}

/**
 * Finds what may be equal to rows of a block, or share a band with them. Writes two u32 per finding, by row and table:
 * both numbers, and a document; or, for a row that is not decided on, its number in the block before and this one.
 *
 * @param recent `recentRoom` u64, a power of two, zeroed when they are allocated
 * @param links u32 per row and own table
 * @returns number of findings; more than `findingsMax` if there is not enough room for them
 */
export function probe(
  rows: u32,
  hashes: usize,
  banded: usize,
  rowsBefore: u32,
  hashesBefore: usize,
  bandedBefore: usize,
  recent: usize,
  recentRoom: u32,
  links: usize,
  findings: usize,
  findingsMax: u32,
): u32 {
  for (let own: u32 = 0; own < tableCount; own++) {
    link(own, rows, hashes, banded, rowsBefore, hashesBefore, bandedBefore, recent, recentRoom, links)
  }
  let found: u32 = 0
  for (let from: u32 = 0; from < rows; from += rowsAhead) {
    const until = min(from + rowsAhead, rows)
    for (let own: u32 = 0; own < tableCount; own++) {
      for (let row = from; row < until; row++) {
        store<u32>(lineAhead(row - from, own), <u32>lineFor(own, load<u64>(hashOf(hashes, rows, own, row))))
      }
    }
    readAhead(lines, (until - from) * tableCount)
    for (let row = from; row < until; row++) {
      const code = (row << tableBits) | firstTable
      for (let own = ownFrom(banded, row); own < tableCount; own++) {
        const tag = tagIn(load<u64>(hashOf(hashes, rows, own, row)))
        let line = <usize>load<u32>(lineAhead(row - from, own))
        do {
          for (let entries = entriesWith(line, tag); entries != 0; entries &= entries - 1) {
            if (found < findingsMax) write(findings, found, code + own, documentOf(line, ctz(entries)))
            found++
          }
          line = next(line)
        } while (line != 0)
        const last = load<u32>(links + (<usize>(row * tableCount + own) << 2))
        if (last == 0) continue
        if (found < findingsMax) write(findings, found, code + own, undecided | (last - 1))
        found++
      }
    }
  }
  return found
}

/** Number of the next row in the hash table of `link`. What has a smaller number is not in it any more. */
let stamp: u32 = 1

/**
 * Writes for each row of a block the last row before it with the same hash, as its number + 1, or 0. The hash table has
 * 32 bits of a hash and the number of a row; it need not be cleared.
 */
function link(
  own: u32,
  rows: u32,
  hashes: usize,
  banded: usize,
  rowsBefore: u32,
  hashesBefore: usize,
  bandedBefore: usize,
  recent: usize,
  room: u32,
  links: usize,
): void {
  if (stamp > 0xf0000000) {
    memory.fill(recent, 0, <usize>room << 3)
    stamp = 1
  }
  const base = stamp
  stamp += rowsBefore + rows
  const all = firstTable + own == bandCount
  // Of row `number`, numbered from the first row of the block before.
  const before = hashOf(hashesBefore, rowsBefore, own, 0)
  const current = hashOf(hashes, rows, own, 0) - (<usize>rowsBefore << 3)
  const mask = <usize>(room - 1) << 3
  for (let row: u32 = 0; row < rowsBefore; row++) {
    if (all || load<u8>(bandedBefore + <usize>row)) lastWith(before, row, base, before, current, rowsBefore, recent, mask)
  }
  let link = links + (<usize>own << 2)
  for (let row: u32 = 0; row < rows; row++, link += <usize>tableCount << 2) {
    let last: u32 = 0
    if (all || load<u8>(banded + <usize>row)) {
      last = lastWith(current, rowsBefore + row, base, before, current, rowsBefore, recent, mask)
    }
    store<u32>(link, last)
  }
}

/** Returns the number + 1 of the last row with the hash of a row, or 0, and makes that row the last. */
@inline
function lastWith(
  own: usize,
  number: u32,
  base: u32,
  before: usize,
  current: usize,
  rowsBefore: u32,
  recent: usize,
  mask: usize,
): u32 {
  const hash = load<u64>(own + (<usize>number << 3))
  const entry = (hash & 0xffffffff00000000) | <u64>(base + number)
  let slot = <usize>(hash >> 5) & mask
  let last: u32 = 0
  for (;;) {
    const other = load<u64>(recent + slot)
    if (<u32>other < base) break
    if (<u32>(other >> 32) == <u32>(hash >> 32)) {
      const row = <u32>other - base
      if (load<u64>((row < rowsBefore ? before : current) + (<usize>row << 3)) == hash) {
        last = row + 1
        break
      }
    }
    slot = (slot + 8) & mask
  }
  store<u64>(recent + slot, entry)
  return last
}

/** A row without bands is in the table of keys alone. */
@inline
function ownFrom(banded: usize, row: u32): u32 {
  return load<u8>(banded + <usize>row) || firstTable >= bandCount ? 0 : min(bandCount - firstTable, tableCount)
}

@inline
function hashOf(hashes: usize, rows: u32, own: u32, row: u32): usize {
  return hashes + (<usize>(own * rows + row) << 3)
}

@inline
function write(findings: usize, place: u32, code: u32, what: u32): void {
  store<u32>(findings + (<usize>place << 3), code)
  store<u32>(findings + (<usize>place << 3), what, 4)
}

@inline
function lineAhead(ahead: u32, own: u32): usize {
  return lines + (<usize>(ahead * tableCount + own) << 2)
}

/** Returns the pages that memory must have before `insertRows` is called: those in use, and those that it may take. */
export function pagesToInsert(): u32 {
  const ages = inserted <= lastYoung && inserted + rowsPerInsertion > lastYoung
  return usedPages() + 16 + tableCount * (ages ? pagesPerTableAging : pagesPerTable)
}

/**
 * Inserts kept rows of a block, in order, at most 64 of them.
 *
 * @param kept u32 each: numbers of rows · from the place in that list to go on at
 * @param full u32 each, in order: bands that a row is not added to, as rows and tables are in findings
 * @returns the place after the last
 */
export function insertRows(
  kept: usize,
  from: u32,
  count: u32,
  full: usize,
  fullCount: u32,
  rows: u32,
  hashes: usize,
  banded: usize,
): u32 {
  let until = min(from + rowsPerInsertion, count)
  // After that document, entries change in all tables.
  if (inserted <= lastYoung) until = min(until, from + (lastYoung - inserted) + 1)
  for (let own: u32 = 0; own < tableCount; own++) {
    for (let place = from; place < until; place++) {
      const row = load<u32>(kept + (<usize>place << 2))
      const line = lineFor(own, load<u64>(hashOf(hashes, rows, own, row)))
      store<u32>(lines + (<usize>(place - from) << 2), <u32>line)
    }
    readAhead(lines, until - from)
    for (let place = from; place < until; place++) {
      const row = load<u32>(kept + (<usize>place << 2))
      if (own < ownFrom(banded, row)) continue
      if (fullCount > 0 && includes(full, fullCount, ((row << tableBits) | firstTable) + own)) continue
      const line = <usize>load<u32>(lines + (<usize>(place - from) << 2))
      insertHash(own, line, load<u64>(hashOf(hashes, rows, own, row)), inserted + (place - from))
    }
    grow(own)
  }
  inserted += until - from
  if (inserted == lastYoung + 1) leaveYouth()
  return until
}

/** Whether a sorted list has a value. */
function includes(list: usize, count: u32, value: u32): bool {
  let low: u32 = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (load<u32>(list + (<usize>middle << 2)) < value) low = middle + 1
    else high = middle
  }
  return low < count && load<u32>(list + (<usize>low << 2)) == value
}

/** Returns the number of documents that were inserted. */
export function insertedCount(): u32 {
  return inserted
}

/** Adds kept rows of a block to the documents; `texts` and `ids` are by row. The host has the memory for them. */
export function keepRows(
  kept: usize,
  count: u32,
  keys: usize,
  signatures: usize,
  minima: u32,
  ids: usize,
  texts: usize,
  row: usize,
): void {
  for (let place: u32 = 0; place < count; place++) {
    const number = load<u32>(kept + (<usize>place << 2))
    v128.store(row, v128.load(keys + (<usize>number << 4)))
    memory.copy(row + 16, signatures + <usize>(number * minima), minima)
    addDocument(row, ids + (<usize>number << 4), load<f64>(texts + (<usize>number << 3)))
  }
}

/**
 * Verifies findings of documents `first` and after, which this instance has; the others of decided blocks are dropped.
 * Writes three u32 for each that is right: row and table, document or row, equal bytes of the signatures.
 *
 * @returns their number
 */
export function verify(
  findings: usize,
  count: u32,
  first: u32,
  bands: u32,
  keys: usize,
  signatures: usize,
  minima: u32,
  row: usize,
  verified: usize,
): u32 {
  let sum: u32 = 0
  for (let at = findings; at < findings + (<usize>count << 3); at += 8) {
    const document = load<u32>(at, 4) - first
    if (document < documents) sum ^= readDocument(document)
  }
  touched = sum
  let out = verified
  let current: u32 = 0xffffffff
  for (let at = findings; at < findings + (<usize>count << 3); at += 8) {
    const code = load<u32>(at)
    const number = code >> tableBits
    const table = code & ((1 << tableBits) - 1)
    const what = load<u32>(at, 4)
    let equal: u32 = 0
    if (what < undecided) {
      const document = what - first
      if (document >= documents) continue
      if (table == bands) {
        if (!hasKey(document, keys + (<usize>number << 4))) continue
      } else {
        if (number != current) memory.copy(row + 16, signatures + <usize>(number * minima), minima)
        current = number
        if (!sharesBand(signatureOf(document), row + 16, table)) continue
        equal = equalMinima(document, row + 16)
      }
    }
    store<u32>(out, code)
    store<u32>(out, what, 4)
    store<u32>(out, equal, 8)
    out += 12
  }
  return <u32>(out - verified) / 12
}
