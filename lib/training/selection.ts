/**
 * Selects rows of a dataset: the best ones, different ones, or random ones. A selection depends on the rows, the options
 * and the seed alone. Memory: about 110 bytes for each row, 20 without `diversity`; texts are not kept.
 */
import { createHash } from 'node:crypto'
import { growArray } from '../text/grow-array.js'
import { createSigner, type Signer } from '../text/signature.js'
import { leadersOf, shingleChars, signatureBytes } from './clusters.js'

/** Rules of a selection. `random` stands alone. */
export const selectionRules = ['score', 'diversity', 'random'] as const
export type SelectionRule = (typeof selectionRules)[number]

/** Options for `Selection.open`. */
interface SelectionOptions {
  readonly by: ReadonlySet<SelectionRule>
  /** Of random order, which also breaks ties of `diversity` without `score`. */
  readonly seed: number
}

/** A row as a selection sees it. */
interface SelectableRow {
  readonly id: string
  /** Null if it has none: it ranks after all rows that have one. */
  readonly score: number | null
  /** Text by which rows are compared for diversity. */
  readonly text: string
}

interface Selected {
  /** Positions of the selected rows, ascending. */
  readonly positions: Uint32Array
  /** Clusters of all rows and of the selected ones; null without `diversity`. */
  readonly clusters: { readonly all: number; readonly selected: number } | null
}

/** Collects the keys of rows, then selects. */
export class Selection {
  readonly #options: SelectionOptions
  readonly #signer: Signer | null
  #count = 0
  #positions = new Uint32Array(1024)
  #scores = new Float64Array(1024)
  #keys = new Float64Array(1024)
  #signatures = new Uint8Array(0)
  #valid = new Uint8Array(0)

  private constructor(options: SelectionOptions, signer: Signer | null) {
    this.#options = options
    this.#signer = signer
  }

  static async open(options: SelectionOptions): Promise<Selection> {
    const signing = { ngram: shingleChars, signatureLength: signatureBytes }
    return new Selection(options, options.by.has('diversity') ? await createSigner(signing) : null)
  }

  /** Number of rows so far. */
  get count(): number {
    return this.#count
  }

  /** Adds a row at a position of the dataset. */
  add(position: number, { id, score, text }: SelectableRow): void {
    if (this.#count === this.#positions.length) this.#grow(this.#count * 2)
    const row = this.#count++
    this.#positions[row] = position
    this.#scores[row] = score ?? Number.NEGATIVE_INFINITY
    this.#keys[row] = this.#options.by.has('score') ? idKey(id) : randomKey(this.#options.seed, id)
    if (this.#signer !== null) this.#sign(this.#signer, row, text)
  }

  /**
   * Selects up to `number` rows.
   *
   * `score`: the highest, ties in the order of their ids. `random`: in the order of a hash of seed and id. `diversity`: in
   * rounds, of which the first takes the first row of every cluster, the second the second one, and so on; within a round
   * and a cluster in the order of `score`, or of the hash without it.
   */
  select(number: number): Selected {
    const order = this.#order()
    if (this.#signer === null) return { positions: this.#positionsOf(order.subarray(0, number)), clusters: null }
    const leaders = leadersOf({ bytes: this.#signatures, valid: this.#valid }, order)
    const chosen = inRounds(leaders).subarray(0, number)
    const clusters = { all: distinct(leaders), selected: distinct(chosen.map((place) => leaders[place] as number)) }
    return { positions: this.#positionsOf(chosen.map((place) => order[place] as number)), clusters }
  }

  /** Returns the rows, the preferred ones first. */
  #order(): Uint32Array {
    const [scores, keys] = [this.#scores, this.#keys]
    const byKey = (a: number, b: number): number => (keys[a] as number) - (keys[b] as number) || a - b
    const rows = new Uint32Array(this.#count).map((_, row) => row)
    if (!this.#options.by.has('score')) return rows.sort(byKey)
    return rows.sort((a, b) => {
      const [one, other] = [scores[a] as number, scores[b] as number]
      return one === other ? byKey(a, b) : one > other ? -1 : 1
    })
  }

  #positionsOf(rows: Uint32Array): Uint32Array {
    return rows.map((row) => this.#positions[row] as number).sort()
  }

  #sign(signer: Signer, row: number, text: string): void {
    if ((row + 1) * signatureBytes > this.#signatures.length) {
      this.#signatures = growArray(this.#signatures, this.#positions.length * signatureBytes)
      this.#valid = growArray(this.#valid, this.#positions.length)
    }
    const signature = this.#signatures.subarray(row * signatureBytes, (row + 1) * signatureBytes)
    const units = signer.sign(text, new Uint8Array(16), signature)
    this.#valid[row] = units < shingleChars ? 0 : 1
  }

  #grow(length: number): void {
    this.#positions = growArray(this.#positions, length)
    this.#scores = growArray(this.#scores, length)
    this.#keys = growArray(this.#keys, length)
  }
}

/** Returns the places in the order of their rounds: a place is in round n if n earlier ones have its leader. */
function inRounds(leaders: Uint32Array): Uint32Array {
  const sizes = new Uint32Array(leaders.length)
  const rounds = leaders.map((leader) => {
    const round = sizes[leader] as number
    sizes[leader] = round + 1
    return round
  })
  const starts = new Uint32Array(rounds.reduce((most, round) => Math.max(most, round), 0) + 2)
  for (const round of rounds) (starts[round + 1] as number)++
  for (let round = 1; round < starts.length; round++)
    starts[round] = (starts[round] as number) + (starts[round - 1] as number)
  const places = new Uint32Array(leaders.length)
  for (const [place, round] of rounds.entries()) {
    places[starts[round] as number] = place
    starts[round] = (starts[round] as number) + 1
  }
  return places
}

function distinct(values: Uint32Array): number {
  const sorted = values.slice().sort()
  let count = 0
  for (let at = 0; at < sorted.length; at++) if (at === 0 || sorted[at] !== sorted[at - 1]) count++
  return count
}

/** Hexadecimal digits of an id that a number holds exactly. */
const idDigits = 12

/** Returns a number that orders ids as their text does; for ids of another form, their hash. */
function idKey(id: string): number {
  return /^[0-9a-f]{12}/.test(id) ? Number.parseInt(id.slice(0, idDigits), 16) : randomKey(0, id)
}

/** Returns 48 bits of a hash. */
function randomKey(seed: number, id: string): number {
  return createHash('sha256').update(`${seed}:${id}`).digest().readUIntBE(0, 6)
}
