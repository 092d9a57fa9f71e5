/** Serves the page of `review`: a sample of rows, the decisions about them, and what those say of the score. */

import { basename, resolve } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../errors.js'
import { processLanguage } from '../language/language.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import { pageText } from './page-file.js'
import { type PageServer, startPageServer } from './page-server.js'
import { RunReader } from './reader.js'
import { reviewSummary } from './review-figures.js'
import { appendReview, checkReviewer, readReviews } from './review-file.js'
import type { ReviewSample } from './review-sample.js'
import type { Review, ReviewPair, ReviewSummary, ReviewWork } from './view.js'

interface ReviewOptions {
  readonly directory: string
  /** Names the file of the reviews. */
  readonly reviewer: string
  /** Pairs to show. */
  readonly count: number
  readonly seed: number
  readonly port: number
}

/** Characters of an edited text. */
const editedCharsMax = 200_000

const decision = z.object({
  id: z.string(),
  verdict: z.enum(['good', 'bad', 'edit']).nullable(),
  instruction: z.string().trim().min(1).max(editedCharsMax).optional(),
  output: z.string().trim().min(1).max(editedCharsMax).optional(),
})

/** The figures of a reviewer, from the files of all reviewers. */
async function readReviewSummary(directory: string, reviewer: string): Promise<ReviewSummary> {
  const { byReviewer, faults } = await readReviews(directory)
  return reviewSummary(reviewer, byReviewer, faults)
}

/** As `readReviewSummary`. @throws {UsageError} this reviewer saved no decision */
export async function readSavedSummary(directory: string, reviewer: string): Promise<ReviewSummary> {
  const { byReviewer, faults } = await readReviews(directory)
  if (byReviewer.has(reviewer) || faults.length > 0) return reviewSummary(reviewer, byReviewer, faults)
  if (byReviewer.size === 0) throw new UsageError(say`${directory} has no reviews: judge pairs without --summary first`)
  const names = listText([...byReviewer.keys()])
  throw new UsageError(say`${directory} has no reviews by ${reviewer}: give --as with one of ${names}`)
}

/** A server of the page of reviews. `close` it when done. */
export class ReviewPages {
  readonly #options: ReviewOptions
  readonly #server: PageServer
  readonly #reader: RunReader

  private constructor(options: ReviewOptions, server: PageServer, reader: RunReader) {
    this.#options = options
    this.#server = server
    this.#reader = reader
  }

  /**
   * Reads the sample, and listens.
   *
   * @throws {UsageError} the run has no committed row, the name cannot name a file, or the port is in use
   */
  static async start(options: ReviewOptions): Promise<ReviewPages> {
    const { directory, reviewer, count, seed, port } = options
    checkReviewer(reviewer)
    const reader = new RunReader(directory)
    try {
      const sample = await reader.sample(count, seed)
      if (sample.pairs.length === 0) {
        throw new UsageError(
          sample.faults[0] ?? say`${directory} has no committed row yet; rows appear when the run commits`,
        )
      }
      const saves = new Saves(options, sample.pairs)
      const server = await startPageServer({
        port,
        portOption: '--port',
        page: () => pageText({ page: 'review', language: processLanguage() === 'zh' ? 'zh' : null, view: null }),
        get: { work: () => work(options, sample) },
        post: { save: (body) => saves.add(body) },
      })
      return new ReviewPages(options, server, reader)
    } catch (error) {
      await reader.close()
      throw error
    }
  }

  get url(): string {
    return this.#server.url
  }

  summary(): Promise<ReviewSummary> {
    return readReviewSummary(this.#options.directory, this.#options.reviewer)
  }

  async close(): Promise<void> {
    await this.#server.close()
    await this.#reader.close()
  }
}

async function work({ directory, reviewer, seed }: ReviewOptions, sample: ReviewSample): Promise<ReviewWork> {
  const { byReviewer, faults } = await readReviews(directory)
  const { rows, pairs } = sample
  return {
    name: basename(resolve(directory)),
    reviewer,
    seed,
    rows,
    pairs,
    reviews: byReviewer.get(reviewer) ?? [],
    summary: reviewSummary(reviewer, byReviewer, [...sample.faults, ...faults]),
  }
}

/** Decisions that are being saved, one after the other. */
class Saves {
  readonly #options: ReviewOptions
  readonly #pairs: ReadonlyMap<string, ReviewPair>
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: ReviewOptions, pairs: readonly ReviewPair[]) {
    this.#options = options
    this.#pairs = new Map(pairs.map((pair) => [pair.id, pair]))
  }

  /** Resolves with the summary once the decision is durable. */
  add(body: unknown): Promise<ReviewSummary> {
    const review = this.#checked(body)
    const { directory, reviewer } = this.#options
    const saved = this.#last
      .catch(() => undefined) // reported to the request of that decision
      .then(() => appendReview(directory, reviewer, review))
      .then(() => readReviewSummary(directory, reviewer))
    this.#last = saved
    return saved
  }

  #checked(body: unknown): Review {
    const { data, error } = decision.safeParse(body)
    if (data === undefined) {
      throw new UsageError(say`the request of the page is not valid: ${error.issues[0]?.message ?? ''}`)
    }
    const { id, verdict, instruction, output } = data
    const pair = this.#pairs.get(id)
    if (pair === undefined) throw new UsageError(say`this pair is not part of the sample: ${id}`)
    const edited = verdict === 'edit'
    if (edited && (instruction === undefined || output === undefined)) {
      throw new UsageError(say`an edited pair needs an instruction and an answer`)
    }
    const at = new Date().toISOString()
    const { score } = pair
    return edited && instruction !== undefined && output !== undefined
      ? { id, verdict, score, instruction, output, at }
      : { id, verdict, score, at }
  }
}
