/**
 * Finds items of benchmarks in texts, by n-grams of the comparison form (NFKC, lower case, letters and digits only): an item
 * is in a text if at least `shareMin` of its n-grams are.
 *
 * The index is built once and shared by all threads; only counters belong to a thread. A text is searched in linear time.
 */
import { RecipeError } from '../errors.js'
import type { DecontaminationOptions } from './contamination-options.js'
import { mix } from './kernel/reference-kernel.js'

/** An item of a benchmark. */
export interface TestItem {
  /** Its place, for the detail of a reject: 'ceval/val/law_val.csv line 12'. */
  readonly place: string
  readonly form: string
}

/** N-grams of all items; about 100 MB of memory, shared by all threads. */
const gramsMax = 4_194_304
/** Items with an n-gram beyond which it is a common stem (下列关于…的说法，正确的是) and not looked for. */
const itemsPerGramMax = 8

/** The index. Plain data in shared memory, so that threads receive it without a copy. */
export interface ContaminationIndex {
  readonly gramChars: number
  readonly shareMin: number
  readonly places: readonly string[]
  /** Open-addressing table: second hash of an n-gram, and its first posting + 1; 0 is free. */
  readonly hashes: Int32Array
  readonly heads: Int32Array
  /** Postings: item, and next posting + 1. */
  readonly items: Int32Array
  readonly nexts: Int32Array
  /** N-grams of each item that are looked for. */
  readonly totals: Int32Array
}

/** @throws {RecipeError} the items have more n-grams than the limit */
export function contaminationIndex(
  found: readonly TestItem[],
  { gramChars, shareMin }: Pick<DecontaminationOptions, 'gramChars' | 'shareMin'>,
): ContaminationIndex {
  const long = found.filter(({ form }) => form.length >= gramChars)
  const grams = long.reduce((sum, { form }) => sum + form.length - gramChars + 1, 0)
  if (grams > gramsMax) {
    throw new RecipeError(
      `prepare.decontaminate: the items have ${grams} n-grams, at most ${gramsMax} are possible: name the field of the ` +
        'question in `fields`, or fewer files',
      { details: { grams, gramsMax } },
    )
  }
  const slots = 2 ** Math.ceil(Math.log2(Math.max(16, 2 * grams)))
  const index: ContaminationIndex = {
    gramChars,
    shareMin,
    places: long.map(({ place }) => place),
    hashes: sharedIntegers(slots),
    heads: sharedIntegers(slots),
    items: sharedIntegers(grams),
    nexts: sharedIntegers(grams),
    totals: sharedIntegers(long.length),
  }
  const builder = new IndexBuilder(index)
  long.forEach(({ form }, item) => {
    builder.add(item, codesOfForm(form))
  })
  builder.end()
  return index
}

class IndexBuilder {
  readonly #index: ContaminationIndex
  /** Items of the n-gram in each slot. */
  readonly #counts: Int32Array
  #postings = 0

  constructor(index: ContaminationIndex) {
    this.#index = index
    this.#counts = new Int32Array(index.heads.length)
  }

  add(item: number, form: Uint16Array): void {
    const { items, nexts, heads, hashes, gramChars } = this.#index
    eachGram(form, form.length, gramChars, (first, second) => {
      const slot = slotOf(this.#index, first, second)
      const head = heads[slot] as number
      // N-grams of an item are added one after the other: one that it has twice is its first posting.
      if (head !== 0 && items[head - 1] === item) return
      items[this.#postings] = item
      nexts[this.#postings] = head
      this.#postings++
      heads[slot] = this.#postings
      hashes[slot] = second
      ;(this.#counts[slot] as number)++
    })
  }

  /** Counts the n-grams of each item without those that are common. */
  end(): void {
    const { items, nexts, heads, totals } = this.#index
    for (let slot = 0; slot < heads.length; slot++) {
      if ((this.#counts[slot] as number) > itemsPerGramMax) {
        // The slot stays taken, so that later ones are found.
        heads[slot] = common
        continue
      }
      for (let posting = heads[slot] as number; posting > 0; posting = nexts[posting - 1] as number) {
        ;(totals[items[posting - 1] as number] as number)++
      }
    }
  }
}

/** Head of the slot of an n-gram that is not looked for. */
const common = -1

/** Where an item was found. */
interface Contamination {
  readonly place: string
  /** Share of its n-grams, from `shareMin` to 1. */
  readonly share: number
}

/** Searches texts in one thread. */
export class ContaminationSearch {
  readonly #index: ContaminationIndex
  /** Number of the last text that had the n-gram of a posting, and the last one that had one of an item. */
  readonly #postingSeen: Int32Array
  readonly #itemSeen: Int32Array
  readonly #counts: Int32Array
  #texts = 0

  constructor(index: ContaminationIndex) {
    this.#index = index
    this.#postingSeen = new Int32Array(index.items.length)
    this.#itemSeen = new Int32Array(index.totals.length)
    this.#counts = new Int32Array(index.totals.length)
  }

  /**
   * Returns the item of which a text has the largest share, the first of equal ones; null if it has enough of none.
   *
   * @param form comparison form of the text
   */
  find(form: Uint16Array, length: number = form.length): Contamination | null {
    const { gramChars, heads, nexts, items, totals, places, shareMin } = this.#index
    if (this.#texts === textsMax) this.#reset()
    const text = ++this.#texts
    let best = -1
    let bestShare = 0
    eachGram(form, length, gramChars, (first, second) => {
      const head = heads[slotOf(this.#index, first, second)] as number
      for (let posting = head; posting > 0; posting = nexts[posting - 1] as number) {
        if (this.#postingSeen[posting - 1] === text) continue
        this.#postingSeen[posting - 1] = text
        const item = items[posting - 1] as number
        const count = this.#itemSeen[item] === text ? (this.#counts[item] as number) + 1 : 1
        this.#itemSeen[item] = text
        this.#counts[item] = count
        const share = count / (totals[item] as number)
        if (share > bestShare || (share === bestShare && item < best)) {
          best = item
          bestShare = share
        }
      }
    })
    return best >= 0 && bestShare >= shareMin ? { place: places[best] as string, share: bestShare } : null
  }

  #reset(): void {
    this.#texts = 0
    this.#postingSeen.fill(0)
    this.#itemSeen.fill(0)
  }
}

/** Texts after which their numbers start over. */
const textsMax = 2 ** 31 - 2

/** Returns the detail of a reject. */
export function contaminationDetail({ place, share }: Contamination): string {
  return `${share.toFixed(2)} of ${place}`
}

export function codesOfForm(form: string): Uint16Array {
  return Uint16Array.from({ length: form.length }, (_, at) => form.charCodeAt(at))
}

/** Calls `visit` with two hashes of each n-gram, which are updated from one place to the next. */
function eachGram(
  codes: Uint16Array,
  length: number,
  gramChars: number,
  visit: (first: number, second: number) => void,
): void {
  if (length < gramChars) return
  let first = 0
  let second = 0
  const [firstOut, secondOut] = [power(firstBase, gramChars), power(secondBase, gramChars)]
  for (let at = 0; at < length; at++) {
    const code = (codes[at] as number) + 1
    first = (Math.imul(first, firstBase) + code) | 0
    second = (Math.imul(second, secondBase) + code) | 0
    if (at >= gramChars) {
      const out = (codes[at - gramChars] as number) + 1
      first = (first - Math.imul(out, firstOut)) | 0
      second = (second - Math.imul(out, secondOut)) | 0
    }
    if (at >= gramChars - 1) visit(first, second)
  }
}

const firstBase = 0x9e3779b1
const secondBase = 0x85ebca6b

function power(base: number, exponent: number): number {
  let value = 1
  for (let step = 0; step < exponent; step++) value = Math.imul(value, base)
  return value
}

/** Returns the slot of an n-gram, or the free one where it belongs. */
function slotOf({ hashes, heads }: ContaminationIndex, first: number, second: number): number {
  const mask = heads.length - 1
  // The place is decided by one hash, the comparison by the other: together about 50 bits.
  let slot = mix(first) & mask
  while (heads[slot] !== 0 && hashes[slot] !== second) slot = (slot + 1) & mask
  return slot
}

function sharedIntegers(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
}
