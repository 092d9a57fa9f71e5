/**
 * The screen of texts without a model: a logistic classifier over hashed character n-grams, trained on the grades that a
 * judge gave to texts of an earlier run. A file of 128 KB to 4 MB; it runs in workers.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { tryParseJson } from '../../core/json.js'
import { InvalidOptionError } from '../../errors.js'
import { GramSum } from './grams.js'

const bucketsMax = 2 ** 21

/** First line of a file, as JSON; the weights follow it as little-endian int16, one for each bucket. */
const header = z.strictObject({
  kind: z.literal('kun-stream screen'),
  version: z.literal(1),
  buckets: z
    .int()
    .min(1024)
    .max(bucketsMax)
    .refine((count) => Number.isInteger(Math.log2(count)), 'not a power of two'),
  /** Log-odds of a text without grams. */
  bias: z.number(),
  /** Log-odds of one unit of a weight. */
  scale: z.number().positive(),
  /** How it was trained and how it agrees with the judge, for people. */
  training: z.record(z.string(), z.unknown()),
})
export type ScreenHeader = z.output<typeof header>

/** Classifier of a thread. Not shared: it keeps memory between texts, but no result depends on an earlier text. */
export class ScreenClassifier {
  readonly #grams: GramSum

  constructor(
    readonly header: ScreenHeader,
    readonly weights: Int16Array,
  ) {
    this.#grams = new GramSum(weights)
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

/** Returns the bytes of a file. */
export function encodeScreen(values: ScreenHeader, weights: Int16Array): Buffer {
  const body = Buffer.alloc(2 * weights.length)
  weights.forEach((weight, index) => {
    body.writeInt16LE(weight, 2 * index)
  })
  return Buffer.concat([Buffer.from(`${JSON.stringify(header.parse(values))}\n`), body])
}

/** Reads a file. @throws {InvalidOptionError} it is missing, is not a screen, or changed since it was pinned */
export async function loadScreen(path: string, sha256?: string): Promise<ScreenClassifier> {
  const refused = (why: string, cause?: unknown) =>
    new InvalidOptionError(
      `The screen at ${path} could not be loaded: ${why}. Give a file that \`kun-stream train-screen\` wrote.`,
      { cause, details: { path } },
    )
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw refused((cause as Error).message, cause)
  }
  if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw refused('it changed during the run')
  }
  const decoded = decodeScreen(bytes)
  if (typeof decoded === 'string') throw refused(decoded)
  return decoded
}

/** Returns the classifier that is in the bytes of a file, or why they are not one. */
export function decodeScreen(bytes: Buffer): ScreenClassifier | string {
  const end = bytes.indexOf(0x0a)
  const parsed = header.safeParse(tryParseJson(bytes.subarray(0, Math.max(0, end)).toString()))
  if (!parsed.success) return 'it does not begin with the header of a screen of version 1'
  const body = bytes.subarray(end + 1)
  const { buckets } = parsed.data
  if (body.length !== 2 * buckets) return `it has ${body.length} bytes of weights in place of ${2 * buckets}`
  const weights = new Int16Array(buckets)
  for (let index = 0; index < buckets; index++) weights[index] = body.readInt16LE(2 * index)
  return new ScreenClassifier(parsed.data, weights)
}
