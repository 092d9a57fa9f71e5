/**
 * Reviews of rows in the run directory: reviews/{reviewer}.jsonl, one decision a line, appended and fsynced. The last
 * line of an id counts. A line that cannot be read is reported and kept.
 */

import { join } from 'node:path'
import { z } from 'zod'
import { quote } from '../core/quote.js'
import { UsageError } from '../errors.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import { type FileLayer, makeDurableDirectory, nodeFiles, readWholeFile } from '../storage/files.js'
import { reviewerPattern, reviewsFolder, reviewsSuffix } from '../storage/run-layout.js'
import type { Review } from './view.js'

/** Size of a file of reviews. */
const fileBytesMax = 256 * 1024 * 1024

const line = z.object({
  id: z.string(),
  verdict: z.enum(['good', 'bad', 'edit']).nullable(),
  score: z.number().nullable(),
  instruction: z.string().optional(),
  output: z.string().optional(),
  at: z.string(),
})

interface StoredReviews {
  /** Reviewer → decisions that count, withdrawn ones not among them, in the order of the first line of an id. */
  readonly byReviewer: ReadonlyMap<string, readonly Review[]>
  /** Lines that could not be read. */
  readonly faults: readonly string[]
}

/** @throws {UsageError} it cannot name a file */
export function checkReviewer(name: string): void {
  if (reviewerPattern.test(name)) return
  throw new UsageError(
    say`a reviewer is named ${quote(name)}: give letters, digits, _, . and -, 60 at most, with --as NAME`,
  )
}

/** Appends a decision; durable when it resolves. One call at a time. */
export async function appendReview(
  directory: string,
  reviewer: string,
  review: Review,
  files: FileLayer = nodeFiles,
): Promise<void> {
  checkReviewer(reviewer)
  const folder = join(directory, reviewsFolder)
  await makeDurableDirectory(files, folder)
  const path = join(folder, reviewer + reviewsSuffix)
  const sizeBytes = await files.sizeBytes(path)
  const file = await files.open(path, 'append')
  try {
    // The last line may be torn, or come from an editor: the new one starts on its own.
    const last = sizeBytes === null || sizeBytes === 0 ? newline : (await file.read(sizeBytes - 1, 1))[0]
    const text = `${last === newline ? '' : '\n'}${JSON.stringify(review)}\n`
    await file.write(Buffer.from(text))
    await file.fsync()
  } finally {
    await file.close()
  }
  if (sizeBytes === null) await files.fsyncDirectory(folder)
}

const newline = 0x0a

/** Reads the reviews of all reviewers. */
export async function readReviews(directory: string, files: FileLayer = nodeFiles): Promise<StoredReviews> {
  const folder = join(directory, reviewsFolder)
  const byReviewer = new Map<string, readonly Review[]>()
  const faults: string[] = []
  for (const name of await files.list(folder)) {
    const reviewer = name.slice(0, -reviewsSuffix.length)
    if (!name.endsWith(reviewsSuffix) || !reviewerPattern.test(reviewer)) continue
    const bytes = await readWholeFile(files, join(folder, name), fileBytesMax)
    const { reviews, unreadable } = parsed(Buffer.from(bytes ?? []).toString())
    byReviewer.set(reviewer, reviews)
    if (unreadable.length > 0) {
      const lines = listText(unreadable.slice(0, linesShownMax).map(String))
      const path = `${reviewsFolder}/${name}`
      faults.push(say`${path}: lines that are not reviews and do not count: ${unreadable.length} (line ${lines})`)
    }
  }
  return { byReviewer, faults }
}

const linesShownMax = 5

function parsed(text: string): { readonly reviews: readonly Review[]; readonly unreadable: readonly number[] } {
  const byId = new Map<string, Review>()
  const unreadable: number[] = []
  for (const [at, each] of text.split('\n').entries()) {
    if (each.trim() === '') continue
    const review = parsedLine(each)
    if (review === null) unreadable.push(at + 1)
    else byId.set(review.id, review)
  }
  return { reviews: [...byId.values()].filter(({ verdict }) => verdict !== null), unreadable }
}

function parsedLine(text: string): Review | null {
  try {
    const { data } = line.safeParse(JSON.parse(text))
    if (data === undefined) return null
    const { instruction, output, ...rest } = data
    return {
      ...rest,
      ...(instruction === undefined ? {} : { instruction }),
      ...(output === undefined ? {} : { output }),
    }
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
