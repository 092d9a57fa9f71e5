/**
 * Decides on the rows of a block, in order, by what threads with the tables found (band-tables.ts) and the documents
 * verified (document-store.ts): the same verdicts as exact-index.ts. While the threads searched, the block before was not
 * decided on, so they named rows of both that share a band as well. Here these make groups, whose members are the rows
 * that were kept: a band takes the earliest 64 documents, whichever of both they come from.
 */
import { rowOfCode, tableOfCode, undecided } from './band-tables.js'
import { estimate } from './banding.js'
import type { StoredColumns, Verified } from './document-store.js'
import type { NearCandidate } from './exact-index.js'
import { keyBytes } from './kept-frames.js'
import { type DecidePlan, settleBandOf } from './plan.js'

/** Rows with the same hash in a table, which were kept and are in that table, in order. */
type Group = { readonly document: number; readonly row: number; readonly columns: StoredColumns }[]

/** A block that is decided on, or was the last to be. Used again for later ones, so its memory is as well. */
export class BlockState {
  columns: StoredColumns = { keys: new Uint8Array(0), signature: new Uint8Array(0) }
  rows = 0
  /** Number of the first document that it adds. */
  first = 0
  /** The rows that were kept so far, in order. */
  kept = new Uint32Array(0)
  keptCount = 0
  /** Bands that a kept row is not added to, as in findings, in order. */
  full: number[] = []
  /** Number of each row's document; −1 for none. */
  documents = new Int32Array(0)
  groups: Group[] = []
  /** By row and table: the place of its group, from 1 on; 0 for none; −1 if the row was kept and the band is full. */
  groupAt = new Int32Array(0)
  readonly #tables: number

  /** @param tables those of the bands, and that of the keys after them */
  constructor(tables: number) {
    this.#tables = tables
  }

  reset(columns: StoredColumns, rows: number, first: number): void {
    if (this.documents.length < rows) {
      const most = Math.ceil(rows * 1.25)
      this.kept = new Uint32Array(most)
      this.documents = new Int32Array(most)
      this.groupAt = new Int32Array(most * this.#tables)
    }
    this.columns = columns
    this.rows = rows
    this.first = first
    this.keptCount = 0
    this.full = []
    this.documents.fill(-1, 0, rows)
    this.groups = []
    this.groupAt.fill(0, 0, rows * this.#tables)
  }

  /** Place in `groupAt`. */
  placeOf(row: number, table: number): number {
    return row * this.#tables + table
  }

  /** Returns the group of a row; one of which it is the first, if it has none. */
  group(row: number, table: number): Group {
    const place = this.placeOf(row, table)
    const at = this.groupAt[place] as number
    if (at > 0) return this.groups[at - 1] as Group
    const document = this.documents[row] as number
    const group = document < 0 || at < 0 ? [] : [{ document, row, columns: this.columns }]
    this.groupAt[place] = this.groups.push(group)
    return group
  }
}

/** What is known of a row before any text is compared. */
export type RowFinding =
  | { readonly equal: number; readonly candidates: null }
  | { readonly equal: -1; readonly candidates: readonly NearCandidate[] }

export class BlockResolver {
  readonly #plan: DecidePlan
  readonly #keyTable: number
  readonly #minima: number
  readonly #settle: { readonly low: number; readonly high: number }
  /** The block before, if it was not in the tables when they were searched. */
  #before: BlockState | null = null
  #block = new BlockState(0)
  #verified: Verified = new Uint32Array(0)
  /** The next finding. */
  #next = 0
  /** Documents near the row, and their equal bytes. */
  readonly #near = new Map<number, number>()
  /** Groups to which the row belongs if it is kept, and bands that are full. */
  readonly #joins: Group[] = []
  readonly #full: number[] = []

  constructor(plan: DecidePlan) {
    this.#plan = plan
    this.#keyTable = plan.banding.bands
    this.#minima = plan.near === false ? 0 : plan.near.minima
    this.#settle = settleBandOf(plan)
  }

  /** @param verified what was found for the rows of the block, by row and table */
  begin(before: BlockState | null, block: BlockState, verified: Verified): void {
    this.#before = before
    this.#block = block
    this.#verified = verified
    this.#next = 0
  }

  /** Returns the next row that has a finding; the rows before it are like no other. */
  nextFound(): number {
    return this.#next < this.#verified.length ? rowOfCode(this.#verified[this.#next] as number) : this.#block.rows
  }

  /**
   * Returns what is equal to the next row that has a finding, or near it, earliest first; the first sure one ends the list.
   *
   * @param isKept whether it is kept in any case, so that its full bands matter
   */
  find(row: number, isKept: boolean): RowFinding {
    const verified = this.#verified
    const from = this.#next
    let until = from
    while (until < verified.length && rowOfCode(verified[until] as number) === row) until += 3
    this.#next = until
    this.#joins.length = 0
    this.#full.length = 0
    this.#near.clear()
    const equal = this.#equal(from, until, row)
    if (equal >= 0 && !isKept) {
      this.#joinGroups(from, until)
      return { equal, candidates: null }
    }
    for (let at = from; at < until; ) at = this.#share(at, until, row)
    if (equal >= 0) return { equal, candidates: null }
    return { equal: -1, candidates: this.#near.size === 0 ? none : this.#candidates() }
  }

  /** Keeps a row; if it has a finding, `find` must have been called for it last. */
  keep(row: number, hasFinding: boolean): void {
    const block = this.#block
    const document = block.first + block.keptCount
    block.kept[block.keptCount++] = row
    block.documents[row] = document
    if (!hasFinding) return
    for (const group of this.#joins) group.push({ document, row, columns: block.columns })
    for (const code of this.#full) {
      const place = block.placeOf(row, tableOfCode(code))
      if (block.groupAt[place] === 0) block.groupAt[place] = -1
      block.full.push(code)
    }
  }

  /** Returns the earliest document with the key of the row; −1 for none. */
  #equal(from: number, until: number, row: number): number {
    const verified = this.#verified
    let earliest = -1
    for (let at = until - 3; at >= from && tableOfCode(verified[at] as number) === this.#keyTable; at -= 3) {
      const what = verified[at + 1] as number
      const document = what < undecided ? what : this.#equalMember(this.#group(row, this.#keyTable, what), row)
      if (document >= 0 && (earliest < 0 || document < earliest)) earliest = document
    }
    return earliest
  }

  #equalMember(group: Group, row: number): number {
    const { keys } = this.#block.columns
    const member = group.find((each) => isEqual(each.columns.keys, each.row * keyBytes, keys, row * keyBytes))
    return member?.document ?? -1
  }

  /** Later rows name this one as the last with their hash, whether it is kept or not. */
  #joinGroups(from: number, until: number): void {
    const verified = this.#verified
    for (let at = from; at < until; at += 3) {
      const [code, what] = [verified[at] as number, verified[at + 1] as number]
      if (what >= undecided) this.#group(rowOfCode(code), tableOfCode(code), what)
    }
  }

  /** Counts the documents that share a table with the row, from the findings of that table on. Returns the place after them. */
  #share(from: number, until: number, row: number): number {
    const verified = this.#verified
    const code = verified[from] as number
    const table = tableOfCode(code)
    const isKey = table === this.#keyTable
    let group: Group | null = null
    let count = 0
    let at = from
    for (; at < until && verified[at] === code; at += 3) {
      const what = verified[at + 1] as number
      if (what >= undecided) group = this.#group(row, table, what)
      else if (!isKey) {
        count++
        this.#near.set(what, verified[at + 2] as number)
      }
    }
    if (group !== null && !isKey) count += this.#shareGroup(group, table, row)
    if (count >= documentsPerBandMax) this.#full.push(code)
    else if (group !== null) this.#joins.push(group)
    return at
  }

  #shareGroup(group: Group, band: number, row: number): number {
    const { rows } = this.#plan.banding
    const { signature } = this.#block.columns
    const minima = this.#minima
    let count = 0
    for (const { document, row: other, columns } of group) {
      const others = columns.signature
      const [own, its] = [row * minima, other * minima]
      if (!isEqual(others, its + band * rows, signature, own + band * rows, rows)) continue
      count++
      if (!this.#near.has(document)) this.#near.set(document, equalBytes(others, its, signature, own, minima))
    }
    return count
  }

  /** Returns the group of a row that is named by its number in the two blocks, and adds `row` to those that name it. */
  #group(row: number, table: number, what: number): Group {
    const [before, block] = [this.#before, this.#block]
    const number = what - undecided
    const rowsBefore = before?.rows ?? 0
    const group =
      before !== null && number < rowsBefore ? before.group(number, table) : block.group(number - rowsBefore, table)
    const place = block.placeOf(row, table)
    // Set once: the key is looked at before the bands are.
    if (block.groupAt[place] === 0) block.groupAt[place] = block.groups.push(group)
    // Those of earlier blocks were in the tables that were searched.
    const stored = (before ?? block).first
    while (group[0] !== undefined && group[0].document < stored) group.shift()
    return group
  }

  #candidates(): readonly NearCandidate[] {
    const { low, high } = this.#settle
    const candidates: NearCandidate[] = []
    for (const [document, equal] of this.#near) {
      const similarity = estimate(equal, this.#minima)
      if (similarity >= low) candidates.push({ document, similarity, sure: similarity >= high })
    }
    if (candidates.length < 2) return candidates
    candidates.sort((one, other) => one.document - other.document)
    const sure = candidates.findIndex((candidate) => candidate.sure)
    return sure < 0 ? candidates : candidates.slice(0, sure + 1)
  }
}

function isEqual(one: Uint8Array, oneAt: number, other: Uint8Array, otherAt: number, length = keyBytes): boolean {
  for (let i = 0; i < length; i++) if (one[oneAt + i] !== other[otherAt + i]) return false
  return true
}

function equalBytes(one: Uint8Array, oneAt: number, other: Uint8Array, otherAt: number, length: number): number {
  let equal = 0
  for (let i = 0; i < length; i++) if (one[oneAt + i] === other[otherAt + i]) equal++
  return equal
}

/** Documents that a band takes, as in kernel/assembly/index.ts. */
const documentsPerBandMax = 64

const none: NearCandidate[] = []
