/**
 * What is known of each kept document besides its place in the tables: key, one byte a minimum, id, place of its text.
 * Columns in pages outside the V8 heap; documents are numbered from 0 in the order they are added.
 */
import { bandHash } from './banding.js'

/** Documents a page: 600 KiB of columns at 128 minima, allocated at once. */
const pageDocuments = 4096
/** Bytes of a key: a fingerprint. */
export const keyBytes = 16

interface Page {
  readonly keys: Uint8Array
  readonly bytes: Uint8Array
  /** Offset of the text in its log; −1 for none. */
  readonly texts: Float64Array
  ids: IdPage
}

export class KeptDocuments {
  readonly #pages: Page[] = []
  #count = 0

  constructor(readonly permutations: number) {}

  get count(): number {
    return this.#count
  }

  get memoryBytes(): number {
    const fixed = this.#pages.length * pageDocuments * (keyBytes + this.permutations + 8)
    return this.#pages.reduce((sum, page) => sum + page.ids.memoryBytes, fixed)
  }

  /** Returns the number of the document. */
  add(key: Uint8Array, bytes: Uint8Array, id: string, textOffset: number): number {
    const document = this.#count++
    const row = document % pageDocuments
    if (row === 0) this.#pages.push(this.#newPage())
    const page = this.#pages[this.#pages.length - 1] as Page
    page.keys.set(key, row * keyBytes)
    page.bytes.set(bytes, row * this.permutations)
    page.texts[row] = textOffset
    if (!page.ids.add(row, id)) page.ids = TextIds.from(page.ids, row).with(row, id)
    return document
  }

  hasKey(document: number, key: Uint8Array): boolean {
    const { keys } = this.#page(document)
    const at = (document % pageDocuments) * keyBytes
    for (let i = 0; i < keyBytes; i++) if (keys[at + i] !== key[i]) return false
    return true
  }

  /** Whether bytes [from, until) of the document's signature are those of `bytes`. */
  hasBytes(document: number, bytes: Uint8Array, from: number, until: number): boolean {
    const page = this.#page(document)
    const at = (document % pageDocuments) * this.permutations
    for (let i = from; i < until; i++) if (page.bytes[at + i] !== bytes[i]) return false
    return true
  }

  equalBytes(document: number, bytes: Uint8Array): number {
    const page = this.#page(document)
    const at = (document % pageDocuments) * this.permutations
    let equal = 0
    for (let i = 0; i < this.permutations; i++) if (page.bytes[at + i] === bytes[i]) equal++
    return equal
  }

  /** What tables find the document under: 32 bits of `rows` bytes of its signature from `from` on, signed. */
  bandTag(document: number, from: number, rows: number): number {
    return bandHash(this.#page(document).bytes, (document % pageDocuments) * this.permutations + from, rows) | 0
  }

  /** 32 bits of its key, signed. */
  keyTag(document: number): number {
    return keyTag(this.#page(document).keys, (document % pageDocuments) * keyBytes)
  }

  id(document: number): string {
    return this.#page(document).ids.get(document % pageDocuments)
  }

  textOffset(document: number): number {
    return this.#page(document).texts[document % pageDocuments] as number
  }

  #page(document: number): Page {
    return this.#pages[Math.floor(document / pageDocuments)] as Page
  }

  #newPage(): Page {
    return {
      keys: new Uint8Array(pageDocuments * keyBytes),
      bytes: new Uint8Array(pageDocuments * this.permutations),
      texts: new Float64Array(pageDocuments),
      ids: new HexIds(),
    }
  }
}

export function keyTag(keys: Uint8Array, at: number): number {
  const low = (keys[at] as number) | ((keys[at + 1] as number) << 8)
  return low | ((keys[at + 2] as number) << 16) | ((keys[at + 3] as number) << 24)
}

interface IdPage {
  readonly memoryBytes: number
  /** False for an id that this kind of page cannot hold. */
  add(row: number, id: string): boolean
  get(row: number): string
}

const hexDigits = 32

/** Public ids are 32 hexadecimal digits in lower case: 16 bytes each. */
class HexIds implements IdPage {
  readonly #bytes = Buffer.from(new ArrayBuffer(pageDocuments * 16))

  get memoryBytes(): number {
    return this.#bytes.length
  }

  add(row: number, id: string): boolean {
    if (id.length !== hexDigits) return false
    for (let i = 0; i < hexDigits; i += 2) {
      const [high, low] = [digit(id.charCodeAt(i)), digit(id.charCodeAt(i + 1))]
      if ((high | low) < 0) return false
      this.#bytes[row * 16 + (i >> 1)] = (high << 4) | low
    }
    return true
  }

  get(row: number): string {
    return this.#bytes.toString('hex', row * 16, row * 16 + 16)
  }
}

function digit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  return code >= 97 && code <= 102 ? code - 87 : -1
}

/** Ids of any other kind, as UTF-8 end to end: the page of a user's own ids. */
class TextIds implements IdPage {
  readonly #ends = new Uint32Array(pageDocuments)
  #bytes = Buffer.from(new ArrayBuffer(pageDocuments * 16))

  static from(page: IdPage, rows: number): TextIds {
    const ids = new TextIds()
    for (let row = 0; row < rows; row++) ids.add(row, page.get(row))
    return ids
  }

  with(row: number, id: string): this {
    this.add(row, id)
    return this
  }

  get memoryBytes(): number {
    return this.#bytes.length + this.#ends.byteLength
  }

  add(row: number, id: string): true {
    const start = this.#start(row)
    const end = start + Buffer.byteLength(id)
    if (end > this.#bytes.length) {
      const larger = Buffer.from(new ArrayBuffer(Math.ceil(end * 1.5)))
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    this.#bytes.write(id, start)
    this.#ends[row] = end
    return true
  }

  get(row: number): string {
    return this.#bytes.toString('utf8', this.#start(row), this.#ends[row])
  }

  #start(row: number): number {
    return row === 0 ? 0 : (this.#ends[row - 1] as number)
  }
}
