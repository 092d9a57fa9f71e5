/**
 * Kept documents, numbered from 0 in the order in which they are added, with their public ids. They are stored in parts of
 * limited memory, which are filled one after the other.
 */

import { IdMap } from './id-map.js'
import type { KeptRow } from './kept-frames.js'
import { KeptRows, type KeptRowsOptions } from './kept-rows.js'

export { keyBytes } from './kept-frames.js'

export class KeptDocuments {
  /** At least one; documents are added to the last. */
  readonly parts: KeptRows[]
  readonly #ids = new IdMap()
  readonly #options: KeptRowsOptions

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
