/** Ids of documents that are not 32 hexadecimal digits: UTF-8 end to end, in pages outside the V8 heap. */

const pageDocuments = 4096
/** Initial bytes of a page per document; it grows by half. */
const firstIdBytes = 16

export class IdMap {
  readonly #pages: (IdPage | undefined)[] = []

  get memoryBytes(): number {
    return this.#pages.reduce((sum, page) => sum + (page?.memoryBytes ?? 0), 0)
  }

  /** Whether the id of this document must be added: the map has one of an earlier document of the same page. */
  mustHold(document: number): boolean {
    return this.#pages[Math.floor(document / pageDocuments)] !== undefined
  }

  /** Documents must be added in order. */
  add(document: number, id: string): void {
    const number = Math.floor(document / pageDocuments)
    const page = this.#pages[number] ?? new IdPage(document % pageDocuments)
    this.#pages[number] = page
    page.add(document % pageDocuments, id)
  }

  /** Returns null for a document whose id was not added. */
  get(document: number): string | null {
    return this.#pages[Math.floor(document / pageDocuments)]?.get(document % pageDocuments) ?? null
  }
}

class IdPage {
  readonly #first: number
  readonly #ends = new Uint32Array(pageDocuments)
  #bytes = Buffer.from(new ArrayBuffer(pageDocuments * firstIdBytes))

  /** @param first row of the first id */
  constructor(first: number) {
    this.#first = first
  }

  get memoryBytes(): number {
    return this.#bytes.length + this.#ends.byteLength
  }

  add(row: number, id: string): void {
    const start = this.#start(row)
    const end = start + Buffer.byteLength(id)
    if (end > this.#bytes.length) {
      const larger = Buffer.from(new ArrayBuffer(Math.ceil(end * 1.5)))
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    this.#bytes.write(id, start)
    this.#ends[row] = end
  }

  get(row: number): string | null {
    return row < this.#first ? null : this.#bytes.toString('utf8', this.#start(row), this.#ends[row])
  }

  #start(row: number): number {
    return row === 0 ? 0 : (this.#ends[row - 1] as number)
  }
}
