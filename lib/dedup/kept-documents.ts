/**
 * The documents kept, in shelves that are filled one after the other: numbered from 0 in the order they are added, under
 * their public ids. What a shelf finds, exact-index.ts asks for.
 */

import { OtherIds } from './id-map.js'
import type { KeptRow } from './kept-frames.js'
import { Shelf, type ShelfOptions } from './kept-rows.js'

export { keyBytes } from './kept-frames.js'

export class KeptDocuments {
  /** Never empty; documents are added to the last. */
  readonly shelves: Shelf[]
  readonly #otherIds = new OtherIds()

  constructor(private readonly options: ShelfOptions) {
    this.shelves = [new Shelf(options, 0)]
  }

  get last(): Shelf {
    return this.shelves[this.shelves.length - 1] as Shelf
  }

  get count(): number {
    return this.last.first + this.last.count
  }

  get memoryBytes(): number {
    return this.shelves.reduce((sum, shelf) => sum + shelf.memoryBytes, this.#otherIds.memoryBytes)
  }

  /** Keeps the row that all shelves sought. Where that fills the last shelf, another one follows. */
  add(row: KeptRow): void {
    const { last } = this
    const document = this.count
    if (this.#otherIds.goesOnAt(document) || !last.packId(row.id)) this.#otherIds.add(document, row.id)
    last.keep(row)
    if (last.isFull) this.shelves.push(new Shelf(this.options, this.count))
  }

  id(document: number): string {
    const shelf = this.#shelf(document)
    return this.#otherIds.get(document) ?? shelf.id(document - shelf.first)
  }

  /** Offset of its text in its log; −1 for none. */
  textOffset(document: number): number {
    const shelf = this.#shelf(document)
    return shelf.textOffset(document - shelf.first)
  }

  #shelf(document: number): Shelf {
    return this.shelves.findLast(({ first }) => first <= document) as Shelf
  }
}
