/**
 * Figures about the rows of one split that say what a dataset is like: distributions of grades and lengths, types of
 * instructions, and how varied they are. Counted as rows are released, in numbers only, so that a cut commits them and a
 * resumed run continues them.
 */
import { z } from 'zod'
import { dictionary, dictionarySchema, ownValue } from '../core/dictionary.js'
import { type InstructionType, instructionTypeOf } from './instruction-type.js'
import type { Pair } from './types.js'

const count = z.int().min(0)

/** Equal parts of 0 to 1; a grade of exactly 1 is in the last. */
const gradeBins = 10
/** Length of bin i: from 2^i to 2^(i+1) − 1 code units; an empty text is in bin 0. */
const lengthBins = 16

/** Number of n-grams, and a sketch of the distinct ones: `distinctOf` estimates their number. */
export const gramFigures = z.strictObject({ all: count, sketch: z.string().regex(/^[0-9a-z]{1024}$/) })

export const rowFiguresSchema = z.object({
  /** Column with values from 0 to 1 → rows in each tenth. */
  grades: dictionarySchema(z.array(count).length(gradeBins)),
  /** Value of each column of words that a stage declares, such as `score_kind` → rows. */
  words: dictionarySchema(dictionarySchema(count)),
  /** instruction, output, raw → rows by length. */
  lengths: dictionarySchema(z.array(count).length(lengthBins)),
  /** What is asked for → rows. */
  instructionTypes: dictionarySchema(count),
  /** 2-grams and 3-grams of instructions. */
  bigrams: gramFigures,
  trigrams: gramFigures,
})

export type RowFigures = Readonly<z.output<typeof rowFiguresSchema>>

/** Counts the rows of a split. */
export class RowFiguresCounter {
  readonly #grades: Record<string, number[]>
  readonly #words: Record<string, Record<string, number>>
  readonly #lengths: Record<string, number[]>
  readonly #types: Record<string, number>
  readonly #grams: readonly [DistinctGrams, DistinctGrams]
  /** Words of each column in order of their first row; null if words beyond `wordsMax` are not counted. */
  readonly #order: Record<string, string[]> | null

  /**
   * @param from figures of the last committed cut; undefined for a new dataset
   * @param allWords counts the words beyond the limit too, so that the figures can be added to others
   */
  constructor(from?: RowFigures, allWords = false) {
    this.#order = allWords ? dictionary() : null
    const copied = structuredClone(from)
    this.#grades = dictionary(Object.entries(copied?.grades ?? {}))
    this.#words = dictionary(
      Object.entries(copied?.words ?? {}).map(([name, words]) => [name, dictionary(Object.entries(words))]),
    )
    this.#lengths = dictionary(Object.entries(copied?.lengths ?? {}))
    this.#types = dictionary(Object.entries(copied?.instructionTypes ?? {}))
    this.#grams = [new DistinctGrams(2, copied?.bigrams), new DistinctGrams(3, copied?.trigrams)]
  }

  add({ candidate, instruction, output, columns }: Pair): void {
    for (const [name, cell] of Object.entries(columns)) {
      if (typeof cell === 'number' && cell >= 0 && cell <= 1) {
        addTo(this.#grades, name, gradeBins, Math.min(gradeBins - 1, Math.floor(cell * gradeBins)))
      } else if (typeof cell === 'string' && cell.length <= wordCharsMax) this.#word(name, cell)
    }
    for (const [name, text] of [
      ['instruction', instruction],
      ['output', output ?? candidate.text],
      ['raw', candidate.text],
    ] as const) {
      addTo(this.#lengths, name, lengthBins, lengthBinOf(text.length))
    }
    const type: InstructionType = instructionTypeOf(instruction)
    this.#types[type] = (this.#types[type] ?? 0) + 1
    for (const grams of this.#grams) grams.add(instruction)
  }

  /** Returns a copy, with keys in order of code unit. */
  figures(): RowFigures {
    const [bigrams, trigrams] = this.#grams
    return {
      grades: sortedCopy(this.#grades),
      words: sortedCopy(this.#words),
      lengths: sortedCopy(this.#lengths),
      instructionTypes: sortedCopy(this.#types),
      bigrams: bigrams.figures(),
      trigrams: trigrams.figures(),
    }
  }

  /** Returns the words of each column in order of their first row; empty unless all words are counted. */
  wordOrder(): WordOrder {
    return structuredCopy(this.#order ?? dictionary())
  }

  #word(column: string, word: string): void {
    this.#words[column] ??= dictionary<number>()
    const words = this.#words[column]
    if (words[word] === undefined && this.#order !== null) {
      this.#order[column] ??= []
      this.#order[column].push(word)
    } else if (words[word] === undefined && Object.keys(words).length >= wordsMax) return
    words[word] = (words[word] ?? 0) + 1
  }
}

/** Column → its words in order of their first row. */
export type WordOrder = Readonly<Record<string, readonly string[]>>

function structuredCopy(order: WordOrder): WordOrder {
  return dictionary(Object.entries(order).map(([column, words]) => [column, [...words]] as const))
}

/**
 * Returns the figures of two parts of the same rows, in order: those of a counter that read both.
 *
 * @param later figures of a counter of all words
 * @param order its `wordOrder`
 */
export function addRowFigures(earlier: RowFigures, later: RowFigures, order: WordOrder): RowFigures {
  const words = dictionary(
    Object.entries(earlier.words).map(([column, counts]) => [column, dictionary(Object.entries(counts))] as const),
  )
  for (const [column, names] of Object.entries(order)) {
    words[column] ??= dictionary<number>()
    const counts = words[column]
    for (const word of names) {
      if (counts[word] === undefined && Object.keys(counts).length >= wordsMax) continue
      counts[word] = (counts[word] ?? 0) + (ownValue(ownValue(later.words, column), word) ?? 0)
    }
  }
  return {
    grades: addedBins(earlier.grades, later.grades),
    words: sortedCopy(dictionary(Object.entries(words).map(([column, counts]) => [column, sortedCopy(counts)]))),
    lengths: addedBins(earlier.lengths, later.lengths),
    instructionTypes: sortedCopy(addedCounts(earlier.instructionTypes, later.instructionTypes)),
    bigrams: addedGrams(earlier.bigrams, later.bigrams),
    trigrams: addedGrams(earlier.trigrams, later.trigrams),
  }
}

function addedBins(a: RowFigures['grades'], b: RowFigures['grades']): Record<string, number[]> {
  const sum = dictionary<number[]>()
  for (const [name, bins] of [...Object.entries(a), ...Object.entries(b)]) {
    sum[name] = bins.map((count, index) => count + (sum[name]?.[index] ?? 0))
  }
  return sortedCopy(sum)
}

function addedCounts(a: RowFigures['instructionTypes'], b: RowFigures['instructionTypes']): Record<string, number> {
  const sum = dictionary(Object.entries(a))
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

function addedGrams(a: RowFigures['bigrams'], b: RowFigures['bigrams']): RowFigures['bigrams'] {
  // A digit is in order of code unit: the larger rank is the larger character.
  const sketch = Array.from(a.sketch, (rank, index) => (rank > b.sketch.charAt(index) ? rank : b.sketch[index]))
  return { all: a.all + b.all, sketch: sketch.join('') }
}

/** A longer cell is a text, not a word of a fixed list. */
const wordCharsMax = 24
/** Words of a column that are counted; later ones of a column with more are not. */
const wordsMax = 32

function addTo(columns: Record<string, number[]>, name: string, bins: number, bin: number): void {
  columns[name] ??= new Array<number>(bins).fill(0)
  columns[name][bin] = (columns[name][bin] ?? 0) + 1
}

function lengthBinOf(length: number): number {
  return length === 0 ? 0 : Math.min(lengthBins - 1, 31 - Math.clz32(length))
}

function sortedCopy<Value>(values: Record<string, Value>): Record<string, Value> {
  const names = Object.keys(values).sort((a, b) => (a < b ? -1 : 1))
  return dictionary(names.map((name) => [name, structuredClone(values[name] as Value)] as const))
}

/**
 * Estimates the number of distinct n-grams with a HyperLogLog sketch of 1,024 registers (Flajolet and others, 2007):
 * standard error 1.04 / √1024 = 3.3 %.
 */
class DistinctGrams {
  #all: number
  readonly #registers: Uint8Array
  readonly #chars: number

  constructor(chars: number, from?: { readonly all: number; readonly sketch: string }) {
    this.#chars = chars
    this.#all = from?.all ?? 0
    this.#registers = new Uint8Array(registerCount)
    if (from !== undefined)
      this.#registers.set(
        Uint8Array.from(from.sketch, (digit) => Number.parseInt(digit, 36)).subarray(0, registerCount),
      )
  }

  add(text: string): void {
    const form = text.replace(/[^\p{L}\p{N}]/gu, '')
    for (let at = 0; at + this.#chars <= form.length; at++) {
      this.#all++
      const hash = hashOf(form, at, this.#chars)
      const register = hash >>> (32 - registerBits)
      const rank = Math.min(rankMax, Math.clz32((hash << registerBits) | (1 << (registerBits - 1))) + 1)
      if (rank > (this.#registers[register] as number)) this.#registers[register] = rank
    }
  }

  figures(): { all: number; sketch: string } {
    const digits = Buffer.allocUnsafe(registerCount)
    for (let register = 0; register < registerCount; register++) {
      digits[register] = rankDigits.charCodeAt(this.#registers[register] as number)
    }
    return { all: this.#all, sketch: digits.toString('latin1') }
  }
}

const registerBits = 10
const registerCount = 2 ** registerBits
/** Fits one digit of base 36, and is more than the 22 bits of a hash after the register's can give. */
const rankMax = 35
const rankDigits = '0123456789abcdefghijklmnopqrstuvwxyz'

/** FNV-1a over code units, with a final mix (MurmurHash3's), because the high bits choose the register. */
function hashOf(text: string, from: number, chars: number): number {
  let hash = 0x811c9dc5
  for (let at = from; at < from + chars; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Returns the estimated number of distinct n-grams of a sketch. */
export function distinctOf(sketch: string): number {
  let sum = 0
  let zeros = 0
  for (const digit of sketch) {
    const rank = Number.parseInt(digit, 36)
    sum += 2 ** -rank
    if (rank === 0) zeros++
  }
  const raw = (0.7213 / (1 + 1.079 / registerCount)) * (registerCount ** 2 / sum)
  const linear = zeros > 0 ? registerCount * Math.log(registerCount / zeros) : raw
  return Math.round(raw <= 2.5 * registerCount ? linear : raw)
}
