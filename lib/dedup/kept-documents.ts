/**
 * Kept documents, numbered from 0 in the order in which they are added, with their public ids. They are stored in parts of
 * limited memory, which are filled one after the other.
 */

import { IdMap } from './id-map.js'
import { type IdBytes, idOf, type KeptRow } from './kept-frames.js'
import { KeptRows, type KeptRowsOptions, type RowsToDecide } from './kept-rows.js'

export { keyBytes } from './kept-frames.js'

export class KeptDocuments {
  /** At least one; documents are added to the last. */
  readonly parts: KeptRows[]
  readonly #ids = new IdMap()
  readonly #options: KeptRowsOptions
  /** Of the block that is decided on: its ids, its first document, and the next whose id is not added. */
  #blockIds: IdBytes = { bytes: new Uint8Array(0), longIds: null }
  #firstOfBlock = 0
  #named = 0

  constructor(options: KeptRowsOptions) {
    this.#options = options
    this.parts = [new KeptRows(options, 0)]
  }

  get last(): KeptRows {
    return this.parts[this.parts.length - 1] as KeptRows
  }

  get count(): number {
    return this.last.first + this.last.count
  }

  get memoryBytes(): number {
    return this.parts.reduce((sum, part) => sum + part.memoryBytes, this.#ids.memoryBytes)
  }

  /** Adds the row that all parts were given by `seek`. Opens another part when the last one is full. */
  add(row: KeptRow): void {
    const { last } = this
    const document = this.count
    if (this.#ids.mustHold(document) || !last.packId(row.id)) this.#ids.add(document, row.id)
    last.keep(row)
    if (last.isFull) this.parts.push(new KeptRows(this.#options, this.count))
  }

  /** Begins a block of rows, which `decideRows` adds. Returns false if they must be added one by one. */
  begin(block: Omit<RowsToDecide, 'ids'>, ids: IdBytes): boolean {
    if (this.parts.length > 1 || !this.last.begin({ ...block, ids: ids.bytes })) return false
    this.#blockIds = ids
    this.#named = this.count
    this.#firstOfBlock = this.count
    return true
  }

  /** Returns the next row of the block whose text must be compared; the number of rows at the end. */
  decideRows(from: number): number {
    const row = this.last.decideRows(from)
    this.#addIds()
    return row
  }

  /** Keeps the row that `decideRows` returned. */
  keepRow(row: number): void {
    this.last.keepRow(row)
    this.#addIds()
  }

  /** Adds the ids of rows that were kept, as far as they are not 32 hexadecimal digits. */
  #addIds(): void {
    const ids = this.#blockIds
    if (ids.longIds === null && this.#ids.memoryBytes === 0) return
    const { rows } = this.last.kept(false)
    for (; this.#named < this.count; this.#named++) {
      const row = rows[this.#named - this.#firstOfBlock] as number
      if (ids.longIds?.has(row) || this.#ids.mustHold(this.#named)) this.#ids.add(this.#named, idOf(ids, row))
    }
  }

  id(document: number): string {
    const part = this.#part(document)
    return this.#ids.get(document) ?? part.id(document - part.first)
  }

  /** Returns the offset of its text in the texts log; −1 for none. */
  textOffset(document: number): number {
    const part = this.#part(document)
    return part.textOffset(document - part.first)
  }

  #part(document: number): KeptRows {
    return this.parts.findLast(({ first }) => first <= document) as KeptRows
  }
}
