/** The file of a classifier: written by `train-screen`, read by threads. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { errorMessage } from '../../caught-error.js'
import { InvalidOptionError } from '../../errors.js'
import type { TextMemory } from '../text-memory.js'
import { decodeScreen, type ScreenClassifier, type ScreenHeader } from './classifier.js'

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

/** Returns the bytes of a file. */
export function encodeScreen(values: ScreenHeader, weights: Int16Array): Buffer {
  const body = Buffer.alloc(2 * weights.length)
  weights.forEach((weight, index) => {
    body.writeInt16LE(weight, 2 * index)
  })
  return Buffer.concat([Buffer.from(`${JSON.stringify(header.parse(values))}\n`), body])
}

/**
 * Reads a file.
 *
 * @param memory of the thread's texts
 * @throws {InvalidOptionError} it is missing, is not a screen, or changed since it was pinned
 */
export async function loadScreen(path: string, sha256?: string, memory?: TextMemory): Promise<ScreenClassifier> {
  const refused = (why: string, cause?: unknown) =>
    new InvalidOptionError(
      `The screen at ${path} could not be loaded: ${why}. Give a file that \`kun-stream train-screen\` wrote.`,
      { cause, details: { path } },
    )
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw refused(errorMessage(cause), cause)
  }
  if (sha256 !== undefined && createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw refused('it changed during the run')
  }
  const decoded = decodeScreen(bytes, headerOf, memory)
  if (typeof decoded === 'string') throw refused(decoded)
  return decoded
}

function headerOf(json: unknown): ScreenHeader | null {
  return header.safeParse(json).data ?? null
}
