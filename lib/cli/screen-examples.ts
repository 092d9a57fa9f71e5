/** Examples to train a screen on: texts that a judge graded in a run, or texts that a person labelled. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { tryParseJson } from '../core/json.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { openPart, rowsOf } from '../parquet/part-reader.js'
import { readManifest } from '../sinks/index.js'
import type { ScreenExample } from '../text/screen/train.js'
import { cannotOpen } from './terminal/output.js'

/** A labelled line: kept or dropped, or a grade from 0 to 1. Other fields are ignored. */
const labelledLine = z.union([
  z
    .object({ text: z.string(), label: z.enum(['keep', 'drop']) })
    .transform(({ text, label }) => ({ text, grade: label === 'keep' ? 1 : 0 })),
  z.object({ text: z.string(), grade: z.number().min(0).max(1) }),
])

/** Examples with the hash that decides which of them are taken and which are held out. */
interface HashedExample extends ScreenExample {
  readonly hash: string
}

/**
 * Collects examples, at most `examplesMax`: those with the smallest hashes of their text, which is a sample of all. Equal
 * texts count once. The result does not depend on the order in which they are added.
 */
export class ExampleSample {
  #examples = new Map<string, HashedExample>()
  /** Hash from which on no example is taken. */
  #bound = 'g'
  readonly #examplesMax: number

  constructor(examplesMax: number) {
    this.#examplesMax = examplesMax
  }

  add(example: ScreenExample): void {
    const hash = createHash('sha256').update(example.text).digest('hex')
    if (hash >= this.#bound) return
    const there = this.#examples.get(hash)
    if (there === undefined || example.grade < there.grade) this.#examples.set(hash, { ...example, hash })
    if (this.#examples.size >= 2 * this.#examplesMax) this.#prune()
  }

  /** Returns the examples to train on, one in five that is held out, in order of hash, and the hash of all with their grades. */
  parts(): {
    readonly train: readonly ScreenExample[]
    readonly heldOut: readonly ScreenExample[]
    readonly digest: string
  } {
    this.#prune()
    const all = [...this.#examples.values()]
    const held = ({ hash }: HashedExample) => Number.parseInt(hash.slice(-8), 16) % heldOutOneIn === 0
    const digest = createHash('sha256')
    for (const { hash, grade } of all) digest.update(`${hash} ${grade}\n`)
    return { train: all.filter((each) => !held(each)), heldOut: all.filter(held), digest: digest.digest('hex') }
  }

  #prune(): void {
    const kept = [...this.#examples.values()].sort((a, b) => (a.hash < b.hash ? -1 : 1)).slice(0, this.#examplesMax)
    this.#examples = new Map(kept.map((each) => [each.hash, each]))
    if (kept.length === this.#examplesMax) this.#bound = kept.at(-1)?.hash ?? this.#bound
  }
}

const heldOutOneIn = 5

/**
 * Adds the examples of a run directory or of a file of labelled lines.
 *
 * @returns the number of texts with a grade
 * @throws {UsageError} the path cannot be read, or a line is not an example
 */
export async function addExamples(path: string, sample: ExampleSample): Promise<number> {
  const stats = await stat(path).catch((cause) => {
    throw cannotOpen(path, cause)
  })
  return stats.isDirectory() ? await addRun(path, sample) : await addLines(path, sample)
}

/** Rows have the text as `raw` and its grade as `screen`; rejects of the screen stage have both too. */
async function addRun(directory: string, sample: ExampleSample): Promise<number> {
  let graded = 0
  for (const { files } of await readManifest(directory)) {
    for (const { path } of files) {
      const part = await openPart(join(directory, path))
      try {
        if (!part.columns.includes('raw') || !part.columns.includes('screen')) continue
        for await (const { raw, screen } of rowsOf(part)) {
          if (typeof raw !== 'string' || typeof screen !== 'number') continue
          sample.add({ text: raw, grade: screen })
          graded++
        }
      } finally {
        await part.close()
      }
    }
  }
  return graded
}

async function addLines(path: string, sample: ExampleSample): Promise<number> {
  let number = 0
  let graded = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (line.trim() === '') continue
    const example = labelledLine.safeParse(tryParseJson(line))
    if (!example.success) {
      throw new UsageError(
        say`${path}, line ${number} is not an example: a line is {"text": "…", "label": "keep" or "drop"},
          or has a "grade" from 0 to 1`,
      )
    }
    sample.add(example.data)
    graded++
  }
  return graded
}
