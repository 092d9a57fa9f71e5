/**
 * Turns the chunks of a document into rows and rejects: rows for those that may be trained on, rejects for those that are too
 * short or too long, contain an item of a benchmark, or fail the classifier. Every chunk ends up in one or the other.
 */
import type { PrepareReject } from './block.js'
import type { ChunkRange } from './chunk.js'
import type { CleanText } from './clean.js'
import { codesToString } from './code-units.js'
import type { ColumnsBuilder } from './columns-builder.js'
import { type ContaminationSearch, contaminationDetail } from './contamination.js'
import { excerptOf } from './excerpt.js'
import type { PreparePlan } from './plan.js'
import type { ScreenClassifier } from './screen/classifier.js'
import type { Signer } from './signature.js'

/** What the chunks of a document have in common. */
interface DocumentRow {
  /** Ordinal in the block, and position in the shard. */
  readonly document: number
  readonly offset: number
  readonly key: string
  readonly title: string
}

interface Fault {
  readonly reason: string
  readonly detail: string
}

/** What the packer of a thread works with. */
interface PackerParts {
  readonly plan: PreparePlan
  readonly columns: ColumnsBuilder
  readonly signer: Signer
  /** Null without a classifier. */
  readonly screen: ScreenClassifier | null
  /** Null without benchmarks. */
  readonly contamination: ContaminationSearch | null
}

export class ChunkPacker {
  readonly #parts: PackerParts

  constructor(parts: PackerParts) {
    this.#parts = parts
  }

  /** Adds the rows. Returns the rejects: one for the document if no chunk is left. */
  pack(row: DocumentRow, text: CleanText, ranges: readonly ChunkRange[]): PrepareReject[] {
    const faults: (Fault | null)[] = []
    let kept = 0
    for (const range of ranges) {
      const fault = this.#faultOf(text, range)
      if (fault === null) kept++
      faults.push(fault)
    }
    if (kept === 0) {
      const [range, fault] = [ranges[0], faults[0]]
      return range === undefined || !fault ? [] : [rejectOf(row, null, text, range, fault)]
    }
    const rejects: PrepareReject[] = []
    for (let chunk = 0; chunk < ranges.length; chunk++) {
      const range = ranges[chunk] as ChunkRange
      const fault = faults[chunk] ?? null
      if (fault === null) this.#add(row, chunk, text, range)
      else rejects.push(rejectOf(row, chunk, text, range, fault))
    }
    return rejects
  }

  #add({ document, offset, key, title }: DocumentRow, chunk: number, { codes }: CleanText, range: ChunkRange): void {
    const { columns, signer } = this.#parts
    const heading = range.heading === null ? '' : codesToString(codes, range.heading.start, range.heading.end)
    const values = { document, chunk, offset, key, title, heading, tokens: range.tokens }
    if (range.head === null) columns.add(values, codes, range.start, range.end, range.bytes, signer)
    else {
      const joined = withHead(codes, range, range.head)
      columns.add(values, joined, 0, joined.length, range.head.bytes + 1 + range.bytes, signer)
    }
  }

  #faultOf({ codes }: CleanText, range: ChunkRange): Fault | null {
    const { plan, signer, screen, contamination } = this.#parts
    const { charsMin, tokensMax } = plan.chunk
    const chars = range.end - range.start
    if (chars < charsMin) return { reason: 'too-short', detail: `${chars} characters of at least ${charsMin}` }
    if (range.tokens > tokensMax) {
      return { reason: 'too-long', detail: `${range.tokens} tokens of at most ${tokensMax}` }
    }
    if (contamination !== null) {
      const found = contamination.find(signer.form(codesToString(codes, range.start, range.end)))
      if (found !== null) return { reason: 'contaminated', detail: contaminationDetail(found) }
    }
    if (screen === null || plan.screen === null) return null
    const score = screen.score(codes, range.start, range.end)
    const { keepAtLeast } = plan.screen
    return score < keepAtLeast ? { reason: 'classifier-low', detail: `${score} < ${keepAtLeast}` } : null
  }
}

/** @param chunk null: of the whole document */
function rejectOf(
  { document, offset, key }: DocumentRow,
  chunk: number | null,
  { codes }: CleanText,
  range: ChunkRange,
  fault: Fault,
): PrepareReject {
  const excerpt = excerptOf(codesToString(codes, range.start, Math.min(range.end, range.start + excerptSearchChars)))
  return { document, chunk, offset, key, stage: 'chunk', ...fault, excerpt }
}

/** Code units of a chunk of which an excerpt is made: more than it may have. */
const excerptSearchChars = 400

/** Returns the text of a chunk that continues a table: the head of the table, a line end, and its own rows. */
function withHead(codes: Uint16Array, range: ChunkRange, head: NonNullable<ChunkRange['head']>): Uint16Array {
  const headChars = head.end - head.start
  const joined = new Uint16Array(headChars + 1 + range.end - range.start)
  joined.set(codes.subarray(head.start, head.end))
  joined[headChars] = 0x0a
  joined.set(codes.subarray(range.start, range.end), headChars + 1)
  return joined
}
