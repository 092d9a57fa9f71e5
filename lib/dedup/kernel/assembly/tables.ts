// Hash tables by linear hashing (Litwin 1980): a table grows by splitting a few lines at a time, in order, by the next bit of
// the hash. An insertion moves no more than that, and the load factor stays the same at every size.
//
// The number of a line is the low `bits` bits of a hash, or one more if the line was split in this round. Further bits are
// stored in the entry, for splitting and to distinguish entries: 16 as its tag and, while numbers of documents have 16
// bits, 8 lower ones above the number. Later, tables have so many lines that those 8 bits are not needed.
import { clearHighs, configureLines, count, divideEntries, listPadding, next, put, release, tag, value } from './lines'
import { lineShift, longer, take } from './memory'

/** Initial bits of the number of a line. */
const firstBits: u32 = 8
/** Position in a hash of the bits that are stored above the number of a document, and of the tag. */
const highShift: u32 = 5
const tagShift: u32 = 13
const linesPerPageShift: u32 = 8
const linesPerPage: u32 = 1 << linesPerPageShift
/** Lines split at a time: neighbours are read faster than scattered lines. */
const linesPerSplit: u32 = 64
/** Average entries per line from which on a table grows: two thirds of the capacity. */
const entriesPerLineMax: u32 = 8

/** The last document whose number has 16 bits. */
export const lastYoung: u32 = 0xffff
/** Pages of memory that an insertion may take per table: a page of lines, as many further lines, a longer list. */
const pagesPerTable: u32 = 2
/** The same for the insertion after which numbers need more than 16 bits, when tables may have few lines. */
const pagesPerTableAging: u32 = 24

// A table, in u32: bits, lines split in this round, entries, entries before the next split, list of its pages, capacity of that
// list.
const tableShift: u32 = 5
const splitAt: usize = 4
const entriesAt: usize = 8
const entriesMaxAt: usize = 12
const pagesAt: usize = 16
const pagesMaxAt: usize = 20

let tableCount: u32 = 0
let tables: usize = 0
/** Per table, for the current row: the line of its hash, and the bits of it that an entry stores. */
let homes: usize = 0
let hashBits: usize = 0
/** Whether numbers have 16 bits, with bits of the hash above. */
let young: bool = true
/** Written so that prefetching reads are not optimised away. */
let touched: u32 = 0

export function configureTables(count: u32): void {
  tableCount = count
  configureLines()
  tables = take(<usize>count << tableShift)
  homes = take((<usize>count << 2) + listPadding)
  hashBits = take(<usize>count << 2)
  for (let table: u32 = 0; table < count; table++) {
    const at = tableOf(table)
    store<u32>(at, firstBits)
    store<u32>(at, entriesPerLineMax << firstBits, entriesMaxAt)
    store<u32>(at, <u32>take(16 << 2), pagesAt)
    store<u32>(at, 16, pagesMaxAt)
    addPage(at, 0)
  }
}

/** Sets `home` and `tagOf` of a table. */
@inline
export function seek(table: u32, hash: u64): void {
  store<u32>(homes + (<usize>table << 2), <u32>lineFor(table, hash))
  store<u32>(hashBits + (<usize>table << 2), <u32>(hash >> highShift))
}

/** Returns the first line for the hash of the row. */
@inline
export function home(table: u32): usize {
  return load<u32>(homes + (<usize>table << 2))
}

/** Returns where the addresses of the first lines of the row are, from a table on. */
@inline
export function homesOf(table: u32): usize {
  return homes + (<usize>table << 2)
}

/** Returns the tag of the row in each lane. */
@inline
export function tagOf(table: u32): v128 {
  return v128.load16_splat(hashBits + (<usize>table << 2), 1)
}

/** Returns the first line for a hash. Without a branch, which would be mispredicted half of the time. */
@inline
export function lineFor(table: u32, hash: u64): usize {
  const at = tableOf(table)
  const upper: u32 = 1 << load<u32>(at)
  const line = <u32>hash & (upper - 1)
  const wasSplit = <u32>(line < load<u32>(at, splitAt))
  return lineOf(at, line | (<u32>hash & upper & -wasSplit))
}

/** Returns the tag of a hash in each lane. */
@inline
export function tagIn(hash: u64): v128 {
  return i16x8.splat(<i16>(hash >> tagShift))
}

/** Adds a document to the line for a hash. `grow` must be called within 512 insertions: until then lines stay where they are. */
@inline
export function insertHash(table: u32, line: usize, hash: u64, document: u32): void {
  const at = tableOf(table)
  store<u32>(at, load<u32>(at, entriesAt) + 1, entriesAt)
  const bits = <u32>(hash >> highShift)
  put(line, (bits >> 8) & 0xffff, young ? document | ((bits & 0xff) << 16) : document)
}

/** Returns the document of an entry. */
@inline
export function documentOf(line: usize, entry: u32): u32 {
  return value(line, entry) & (young ? 0xffff : 0xffffff)
}

/** Adds a document to the line that `seek` found. `grow` may be called after all tables have the document. */
@inline
export function insert(table: u32, document: u32): void {
  const at = tableOf(table)
  store<u32>(at, load<u32>(at, entriesAt) + 1, entriesAt)
  const hash = load<u32>(hashBits + (<usize>table << 2))
  put(home(table), hash >> 8, young ? document | ((hash & 0xff) << 16) : document)
}

/** Splits lines if the table is too full, which invalidates the results of `seek`. */
@inline
export function grow(table: u32): void {
  const at = tableOf(table)
  if (load<u32>(at, entriesAt) > load<u32>(at, entriesMaxAt)) split(at)
}

export function pagesPerInsertion(document: u32): u32 {
  return tableCount * (document == lastYoung ? pagesPerTableAging : pagesPerTable)
}

/** After document `lastYoung`: removes the bits of hashes above the numbers. */
export function leaveYouth(): void {
  for (let table: u32 = 0; table < tableCount; table++) {
    const at = tableOf(table)
    while (load<u32>(at) < tagShift) split(at)
    const lines = (<u32>1 << load<u32>(at)) + load<u32>(at, splitAt)
    for (let number: u32 = 0; number < lines; number++) {
      for (let line = lineOf(at, number); line != 0; line = next(line)) clearHighs(line)
    }
  }
  young = false
}

function split(at: usize): void {
  const bits = load<u32>(at)
  const from = load<u32>(at, splitAt)
  const until = from + linesPerSplit
  const upper: u32 = 1 << bits
  if (((upper + from) & (linesPerPage - 1)) == 0) addPage(at, (upper + from) >> linesPerPageShift)
  // Lines that are split together are neighbours.
  const lowers = lineOf(at, from)
  const uppers = lineOf(at, upper + from)
  const bytes: usize = <usize>linesPerSplit << lineShift
  // Further lines are scattered: reading them together loads them in parallel.
  let sum: u32 = 0
  for (let line: usize = 0; line < bytes; line += 1 << lineShift) sum ^= load<u32>(next(lowers + line))
  touched = sum
  for (let line: usize = 0; line < bytes; line += 1 << lineShift) divide(bits - highShift, lowers + line, uppers + line)
  store<u32>(at, (upper + until) * entriesPerLineMax, entriesMaxAt)
  store<u32>(at, until == upper ? 0 : until, splitAt)
  store<u32>(at, bits + <u32>(until == upper))
}

/** Moves the entries whose hash has the bit to the upper line. */
@inline
function divide(bit: u32, lower: usize, upper: usize): void {
  const further = next(lower)
  divideEntries(lower, upper, bit)
  if (further != 0) divideFurther(further, bit, lower, upper)
}

function divideFurther(first: usize, bit: u32, lower: usize, upper: usize): void {
  let further = first
  while (further != 0) {
    const line = further
    for (let entry: u32 = 0; entry < count(line); entry++) {
      const own = tag(line, entry)
      const beside = value(line, entry)
      put(select(upper, lower, hasBit(own, beside, bit)), own, beside)
    }
    further = next(line)
    release(line)
  }
}

@inline
function hasBit(tag: u32, value: u32, bit: u32): u32 {
  return (((tag << 8) | (value >> 16)) >> bit) & 1
}

@inline
function tableOf(table: u32): usize {
  return tables + (<usize>table << tableShift)
}

@inline
function lineOf(at: usize, line: u32): usize {
  const page = load<u32>(<usize>load<u32>(at, pagesAt) + (<usize>(line >> linesPerPageShift) << 2))
  return <usize>page + (<usize>(line & (linesPerPage - 1)) << lineShift)
}

function addPage(at: usize, page: u32): void {
  const capacity = load<u32>(at, pagesMaxAt)
  if (page == capacity) {
    store<u32>(at, <u32>longer(load<u32>(at, pagesAt), capacity), pagesAt)
    store<u32>(at, capacity << 1, pagesMaxAt)
  }
  store<u32>(<usize>load<u32>(at, pagesAt) + (<usize>page << 2), <u32>take(linesPerPage << lineShift))
}
