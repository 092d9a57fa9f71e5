/**
 * The screen of texts without a model: a logistic classifier over hashed character n-grams, trained on the grades that a
 * judge gave to texts of an earlier run. A file of 128 KB to 4 MB; it runs in workers.
 */
import { tryParseJson } from '../../core/json.js'
import { TextMemory } from '../text-memory.js'
import { GramSum } from './grams.js'

/** First line of a file, as JSON: screen-file.ts checks it. */
export interface ScreenHeader {
  readonly kind: 'kun-stream screen'
  readonly version: 1
  readonly buckets: number
  /** Log-odds of a text without grams. */
  readonly bias: number
  /** Log-odds of one unit of a weight. */
  readonly scale: number
  /** How it was trained and how it agrees with the judge, for people. */
  readonly training: Readonly<Record<string, unknown>>
}

/** Classifier of a thread. Not shared: it keeps memory between texts, but no result depends on an earlier text. */
export class ScreenClassifier {
  readonly #grams: GramSum

  /** @param memory of the thread's texts, which are then scored where they are */
  constructor(
    readonly header: ScreenHeader,
    weights: Int16Array,
    memory: TextMemory = new TextMemory(),
  ) {
    this.#grams = new GramSum(weights, memory)
  }

  /**
   * Returns the probability that the judge keeps codes[start … end), 0 to 1.
   *
   * The sum over int16 weights is exact, so that the score is the same in every thread and on every machine, but for the
   * last digits of `exp`.
   */
  score(codes: Uint16Array, start: number, end: number): number {
    const grams = this.#grams
    grams.read(codes, start, end)
    const { sum, count } = grams
    return probabilityOf(this.header.bias + (count === 0 ? 0 : (this.header.scale * sum) / Math.sqrt(count)))
  }
}

/** The logistic function, six decimals. */
function probabilityOf(logOdds: number): number {
  return Math.round(1e6 / (1 + Math.exp(-logOdds))) / 1e6
}

/**
 * Returns the classifier that is in the bytes of a file, or why they are not one.
 *
 * @param headerOf checks the header; null if it is not one
 */
export function decodeScreen(
  bytes: Buffer,
  headerOf: (json: unknown) => ScreenHeader | null,
  memory?: TextMemory,
): ScreenClassifier | string {
  const end = bytes.indexOf(0x0a)
  const header = headerOf(tryParseJson(bytes.subarray(0, Math.max(0, end)).toString()))
  if (header === null) return 'it does not begin with the header of a screen of version 1'
  const body = bytes.subarray(end + 1)
  const { buckets } = header
  if (body.length !== 2 * buckets) return `it has ${body.length} bytes of weights in place of ${2 * buckets}`
  const weights = new Int16Array(buckets)
  for (let index = 0; index < buckets; index++) weights[index] = body.readInt16LE(2 * index)
  return new ScreenClassifier(header, weights, memory)
}
