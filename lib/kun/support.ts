/**
 * How far an answer rests on its text, by comparing characters: no model. Linear in the length of both.
 *
 * All shares are of the answer. They find what was added or copied; they do not find a fact that was turned around.
 */

import { z } from 'zod'
import type { Column } from '../parquet/columns.js'
import { factsOf } from './facts.js'
import { comparisonForm } from './replies/comparison-form.js'
import type { ReplyFault } from './replies/types.js'
import type { StageCells } from './types.js'

/** Shares from 0 to 1, six decimals; null where the answer has nothing to compare. */
interface Support {
  /** Share of its content: pairs of Chinese characters without function characters, and whole words of other scripts. */
  readonly support: number | null
  /** Share of its numbers, parts of dates and Latin names that the text has too. */
  readonly facts: number | null
  /** Share of its letters in runs of `copiedRunChars` or more that the text has too. */
  readonly copied: number | null
  /** Letters of the answer for each letter of the text; may exceed 1. */
  readonly lengthRatio: number | null
}

/** Letters of the shortest run that counts as copied: about a clause. */
const copiedRunChars = 16

const share = () => z.number().min(0).max(1)

export const supportOptions = z.strictObject({
  supportMin: share().default(0).describe('Share of the content of an output that its text has, too'),
  factsMin: share().default(0).describe('Share of the numbers and Latin names of an output that its text has, too'),
  copiedMax: share().default(1).describe(`Share of an output in runs of ${copiedRunChars} letters of its text`),
  lengthRatioMin: z.number().min(0).default(0).describe('Letters of an output for each letter of its text, at least'),
  lengthRatioMax: z.number().positive().optional().describe('Letters of an output for each of its text, at most'),
})
type SupportOptions = z.output<typeof supportOptions>

export const supportColumns: readonly Column[] = [
  { name: 'support', type: 'float64', nullable: true },
  { name: 'support_facts', type: 'float64', nullable: true },
  { name: 'copied', type: 'float64', nullable: true },
  { name: 'length_ratio', type: 'float64', nullable: true },
]

/** Compares an answer with its text. */
export function supportOf(answer: string, text: string): Support {
  const [written, given] = [comparisonForm(answer), comparisonForm(text)]
  return {
    support: contentShare(contentOf(answer), contentOf(text)),
    facts: factsShare(factsOf(answer, 'listed'), new Set(factsOf(text, 'all'))),
    copied: written === '' ? null : sixDecimals(copiedChars(written, given) / written.length),
    lengthRatio: given === '' ? null : sixDecimals(written.length / given.length),
  }
}

/** Returns the cells of `supportColumns`. */
export function supportCells({ support, facts, copied, lengthRatio }: Support): StageCells {
  return { support, support_facts: facts, copied, length_ratio: lengthRatio }
}

/** Returns the first bound that an answer breaks, or null. A share that is null breaks none. */
export function supportFault(found: Support, options: SupportOptions): ReplyFault | null {
  const { supportMin, factsMin, copiedMax, lengthRatioMin, lengthRatioMax = Number.POSITIVE_INFINITY } = options
  const { support, facts, copied, lengthRatio } = found
  if (support !== null && support < supportMin) {
    return { reason: 'output-unsupported', detail: `${support} < ${supportMin}` }
  }
  if (facts !== null && facts < factsMin) {
    return { reason: 'output-unsupported-facts', detail: `${facts} < ${factsMin}` }
  }
  if (copied !== null && copied > copiedMax) return { reason: 'output-copied', detail: `${copied} > ${copiedMax}` }
  if (lengthRatio === null || (lengthRatio >= lengthRatioMin && lengthRatio <= lengthRatioMax)) return null
  const bound = lengthRatio < lengthRatioMin ? `< ${lengthRatioMin}` : `> ${lengthRatioMax}`
  return { reason: 'output-length-ratio', detail: `${lengthRatio} ${bound}` }
}

/** Characters that nearly every Chinese sentence has: they say nothing of its content. */
const functionCharacters = new Set(
  '的了是在和与及或也就都而但并把被让使其之以于为这那它他她我你们个一不有着过吗呢吧啊地得所可会能要',
)
const functionCodes = new Set([...functionCharacters].map((character) => character.charCodeAt(0)))

/** The content of a text: pairs of neighbouring Chinese characters, and words of other scripts. */
interface Content {
  /** Pairs of characters of one code unit each, nearly all: the first in the high half. */
  readonly pairs: Uint32Array
  /** Other pairs, and words. */
  readonly words: readonly string[]
}

function contentOf(text: string): Content {
  const plain = text.normalize('NFKC').toLowerCase()
  const words: string[] = []
  const found = new Uint32Array(plain.length)
  let count = 0
  for (const run of plain.match(/\p{Script=Han}+/gu) ?? []) {
    if (/[\ud800-\udfff]/.test(run)) count = pushPairs(run, found, count, words)
    else count = pushUnitPairs(run, found, count)
  }
  for (const word of plain.match(/[\p{Script=Latin}\p{Script=Cyrillic}]+/gu) ?? []) words.push(word)
  return { pairs: found.subarray(0, count), words }
}

/** Appends pairs; returns their new number. */
function pushPairs(run: string, pairs: Uint32Array, from: number, words: string[]): number {
  let count = from
  let before = ''
  for (const character of run) {
    const isFunction = functionCharacters.has(character)
    if (!isFunction && before !== '') {
      const isUnits = before.length === 1 && character.length === 1
      if (isUnits) pairs[count++] = pairOf(before.charCodeAt(0), character.charCodeAt(0))
      else words.push(before + character)
    }
    before = isFunction ? '' : character
  }
  return count
}

/** As `pushPairs`, for characters of one code unit. */
function pushUnitPairs(run: string, pairs: Uint32Array, from: number): number {
  let count = from
  let before = 0
  for (let at = 0; at < run.length; at++) {
    const code = run.charCodeAt(at)
    const isFunction = functionCodes.has(code)
    if (!isFunction && before !== 0) pairs[count++] = pairOf(before, code)
    before = isFunction ? 0 : code
  }
  return count
}

/** Never 0. */
function pairOf(first: number, second: number): number {
  return ((first << 16) | second) >>> 0
}

function contentShare(wanted: Content, known: Content): number | null {
  const total = wanted.pairs.length + wanted.words.length
  if (total === 0) return null
  const pairs = new PairSet(known.pairs)
  let found = 0
  for (const pair of wanted.pairs) if (pairs.has(pair)) found++
  if (wanted.words.length > 0) {
    const words = new Set(known.words)
    for (const word of wanted.words) if (words.has(word)) found++
  }
  return sixDecimals(found / total)
}

/** A set of pairs in an open hash table: pairs are too large for the small integers of a `Set`. */
class PairSet {
  /** 0 for a free slot. */
  readonly #slots: Uint32Array
  readonly #mask: number

  constructor(pairs: Uint32Array) {
    const slots = 1 << (33 - Math.clz32(pairs.length + 1))
    this.#slots = new Uint32Array(slots)
    this.#mask = slots - 1
    for (const pair of pairs) this.#slots[this.#slotOf(pair)] = pair
  }

  has(pair: number): boolean {
    return this.#slots[this.#slotOf(pair)] === pair
  }

  #slotOf(pair: number): number {
    const hash = Math.imul(pair, 0x9e3779b1)
    let slot = (hash ^ (hash >>> 15)) & this.#mask
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== pair) slot = (slot + 1) & this.#mask
    return slot
  }
}

function factsShare(wanted: readonly string[], known: ReadonlySet<string>): number | null {
  if (wanted.length === 0) return null
  return sixDecimals(wanted.filter((each) => known.has(each)).length / wanted.length)
}

/** Returns how many characters of `written` lie in runs of `copiedRunChars` or more that `given` has too. */
function copiedChars(written: string, given: string): number {
  const places = new WindowPlaces(given)
  let copied = 0
  let coveredTo = 0
  eachWindow(written, (hash, start) => {
    const place = places.first(hash)
    if (place < 0 || !given.startsWith(written.slice(start, start + copiedRunChars), place)) return
    const end = start + copiedRunChars
    copied += end - Math.max(start, coveredTo)
    coveredTo = end
  })
  return copied
}

/** The first place of each hash of a window, in an open hash table: faster than a Map, and no object for an entry. */
class WindowPlaces {
  readonly #hashes: Int32Array
  /** Place + 1; 0 for a free slot. */
  readonly #places: Int32Array
  readonly #mask: number

  constructor(text: string) {
    const slots = 1 << (33 - Math.clz32(text.length + 1))
    this.#hashes = new Int32Array(slots)
    this.#places = new Int32Array(slots)
    this.#mask = slots - 1
    eachWindow(text, (hash, start) => {
      const slot = this.#slot(hash)
      if (this.#places[slot] !== 0) return
      this.#hashes[slot] = hash
      this.#places[slot] = start + 1
    })
  }

  /** Returns -1 for a hash that the text does not have. */
  first(hash: number): number {
    return (this.#places[this.#slot(hash)] as number) - 1
  }

  #slot(hash: number): number {
    let slot = (hash ^ (hash >>> 15)) & this.#mask
    while (this.#places[slot] !== 0 && this.#hashes[slot] !== hash) slot = (slot + 1) & this.#mask
    return slot
  }
}

/** Calls back with a rolling hash of each window of `copiedRunChars` code units. */
function eachWindow(text: string, found: (hash: number, start: number) => void): void {
  let hash = 0
  for (let end = 0; end < text.length; end++) {
    hash = (Math.imul(hash, hashBase) + text.charCodeAt(end)) | 0
    const leaving = end - copiedRunChars
    if (leaving >= 0) hash = (hash - Math.imul(text.charCodeAt(leaving), leavingFactor)) | 0
    if (leaving >= -1) found(hash, leaving + 1)
  }
}

const hashBase = 0x01000193
/** hashBase ^ copiedRunChars, in 32 bits: the weight of the character that leaves a window. */
const leavingFactor = Array.from({ length: copiedRunChars }).reduce<number>((power) => Math.imul(power, hashBase), 1)

function sixDecimals(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
