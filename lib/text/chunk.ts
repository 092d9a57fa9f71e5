/**
 * Divides a clean text into self-contained chunks within a token budget: whole paragraphs where they fit, else whole
 * sentences. Only a sentence that exceeds the budget by itself is divided, preferably after a clause.
 */
import { type Boundaries, boundariesOf, continuesSentence, headingIn, isHeading } from './boundaries.js'
import { isLowSurrogate } from './characters.js'
import type { CleanText } from './clean.js'
import { codesToString } from './code-units.js'
import { type TokenFamily, type TokenWeights, weightsOfFamily } from './token-families.js'
import type { TokenCounter } from './tokens.js'
import { UnitEnd, type Units } from './units.js'

/** Part of the text, codes[start … end), and its length in UTF-8. */
interface TextRange {
  readonly start: number
  readonly end: number
  readonly bytes: number
}

/** A chunk and its number of tokens. */
export interface ChunkRange extends TextRange {
  readonly tokens: number
  /** First row, and the rule under it, of a table that the chunk continues: its text begins with them. */
  readonly head: TextRange | null
  /** The heading above, if the chunk does not begin with it. */
  readonly heading: TextRange | null
}

/** Options of `chunkText`. */
export interface ChunkLimits {
  readonly tokensMax: number
  /** Whose tokens are estimated; without effect if they are counted. */
  readonly family: TokenFamily | TokenWeights
  /** Null: tokens are estimated. */
  readonly exact: TokenCounter | null
}

/**
 * Returns the chunks of the units from `firstUnit` on, in order. Chunks that are too short are included: the caller rejects
 * them.
 *
 * A chunk ends where it is at least half full, at the best boundary available: blank line, line, sentence; after a
 * heading, between question and answer, or inside a table or a block of code only if there is no other. The text of the
 * last two chunks is divided evenly.
 * Linear: each unit is visited a bounded number of times.
 */
export function chunkText(text: CleanText, firstUnit: number, limits: ChunkLimits): ChunkRange[] {
  const { median, most } = limits.exact === null ? weightsOfFamily(limits.family) : counted
  const budget = Math.floor((limits.tokensMax * 100) / most)
  const parts = partsOf(text, firstUnit, budget, limits.exact)
  const tokensOf = (from: number, to: number, start: number, end: number) =>
    limits.exact === null
      ? Math.ceil((cost(parts, from, to) * median) / 100)
      : limits.exact(codesToString(text.codes, start, end))
  if (parts.count === 0) return []
  if (cost(parts, 0, parts.count) <= budget) {
    const { start, end, bytes } = rangeOf(parts, 0, parts.count)
    return [{ start, end, bytes, tokens: tokensOf(0, parts.count, start, end), head: null, heading: null }]
  }
  const boundaries = boundariesOf(text, parts)
  const ranges: ChunkRange[] = []
  /** Latest heading before the chunk; −1 if there is none. */
  let heading = -1
  for (let from = 0; from < parts.count; ) {
    const head = headOf(parts, boundaries, from, budget)
    const headCost = head === null ? 0 : cost(parts, head.from, head.to)
    const to = cutAfter(parts, boundaries.rank, from, budget - headCost)
    const { start, end, bytes } = rangeOf(parts, from, to)
    const hasHeading = heading >= 0 && !isHeading(parts, from, text.length)
    ranges.push({
      // Field by field: a spread takes longer here than all else that a chunk needs.
      start,
      end,
      bytes,
      tokens: tokensOf(from, to, start, end) + Math.ceil((headCost * median) / 100),
      head: head === null ? null : rangeOf(parts, head.from, head.to),
      heading: hasHeading ? rangeOf(parts, heading, heading + 1) : null,
    })
    heading = Math.max(heading, headingIn(parts, from, to, text.length))
    from = to
  }
  return ranges
}

/** Exact counts need no correction. */
const counted = { median: 1, most: 1 } as const

function rangeOf(parts: Units, from: number, to: number): TextRange {
  const start = parts.start[from] as number
  const end = parts.end[to - 1] as number
  const saved = (parts.savedEnd[to - 1] as number) - (parts.savedStart[from] as number)
  return { start, end, bytes: 3 * (end - start) - saved }
}

/** Share of the budget that the repeated head of a table may take. */
const headShareMax = 0.25

/** Returns the parts of the head of the table that part `from` continues; null if it does not continue one. */
function headOf(
  parts: Units,
  { tableStart }: Boundaries,
  from: number,
  budget: number,
): { readonly from: number; readonly to: number } | null {
  const first = tableStart === null ? -1 : (tableStart[from] as number)
  if (tableStart === null || first < 0 || first === from) return null
  const to = first + 1 < from && tableStart[first + 1] === first ? first + 2 : first + 1
  return cost(parts, first, to) > budget * headShareMax ? null : { from: first, to }
}

/** Returns the index after the last part of the chunk that begins with part `from`. */
function cutAfter(parts: Units, rank: Uint8Array, from: number, budget: number): number {
  const { count, centiTokens } = parts
  const before = from === 0 ? 0 : (centiTokens[from - 1] as number)
  const all = (centiTokens[count - 1] as number) - before
  if (all <= budget) return count
  const even = all <= 2 * budget ? all / 2 : 0
  let best = from + 1
  let bestScore = Number.NEGATIVE_INFINITY
  for (let to = from + 1; to < count; to++) {
    const filled = (centiTokens[to - 1] as number) - before
    if (filled > budget) break
    const uneven = even > 0 && all - filled > budget ? unevenPenalty : 0
    const fill = even > 0 && uneven === 0 ? 1 - Math.abs(filled - even) / even : filled / budget
    const thin = filled < budget * filledMin && even === 0 ? thinPenalty : 0
    const score = (endWorth[rank[to - 1] as number] as number) + fill - thin - uneven
    if (score >= bestScore) {
      best = to
      bestScore = score
    }
  }
  return best
}

/** Share of the budget from which on a chunk may end without a penalty. */
const filledMin = 0.5
const thinPenalty = 2
/** Penalty of a cut that leaves more than the last chunk can take. */
const unevenPenalty = 4
/** Score of ending at each Boundary, in shares of the budget. */
const endWorth = [-1, 0, 0.3, 0.4, -5, -10]

/** Hundredths of an estimated token from part `from` up to part `to`, including the separators between them. */
function cost(parts: Units, from: number, to: number): number {
  return (parts.centiTokens[to - 1] as number) - (from === 0 ? 0 : (parts.centiTokens[from - 1] as number))
}

/** Returns the units; if one exceeds the budget or counts are exact, a copy with units divided and counted. */
function partsOf(text: CleanText, firstUnit: number, budget: number, exact: TokenCounter | null): Units {
  const { units } = text
  if (exact === null && firstUnit === 0 && allFit(units, budget)) return units
  const parts = new Parts()
  for (let unit = firstUnit; unit < units.count; unit++) {
    const start = units.start[unit] as number
    const end = units.end[unit] as number
    const tokens =
      exact === null ? cost(units, unit, unit + 1) : 100 * exact(`${codesToString(text.codes, start, end)}\n`)
    const cuts = tokens <= budget ? [] : cutSentence(text.codes, start, end, ((end - start) * budget * slack) / tokens)
    let from = start
    for (const to of [...cuts, end]) {
      const share = Math.ceil((tokens * (to - from)) / (end - start))
      parts.add(text.codes, from, to, to === end ? (units.rank[unit] as number) : UnitEnd.sentence, share)
      from = to
    }
  }
  return parts.units()
}

/** Whether no unit exceeds the budget. */
function allFit({ count, centiTokens }: Units, budget: number): boolean {
  if (count === 0 || (centiTokens[count - 1] as number) <= budget) return true
  let before = 0
  for (let unit = 0; unit < count; unit++) {
    const tokens = centiTokens[unit] as number
    if (tokens - before > budget) return false
    before = tokens
  }
  return true
}

/** Share of the budget for the parts of a sentence: they are cut by characters, over which tokens are not spread evenly. */
const slack = 0.8

/** Returns the ends of parts of at most `charsMax` code units: after a clause mark in the second half of each, else anywhere. */
function cutSentence(codes: Uint16Array, start: number, end: number, charsMax: number): number[] {
  const size = Math.max(2, Math.floor(charsMax))
  const cuts: number[] = []
  let from = start
  while (end - from > size) {
    let cut = from + size
    while (cut > from + size / 2 && !clauseMarks.has(codes[cut - 1] as number)) cut--
    if (cut <= from + size / 2) cut = from + size
    for (let back = 0; back < backStepsMax && continuesSentence(codes[cut] as number); back++) cut--
    if (isLowSurrogate(codes[cut] as number)) cut--
    cuts.push(cut)
    from = cut
  }
  return cuts
}

/** Code units by which a cut in the middle of a clause moves back, so that the rest does not begin with a mark. */
const backStepsMax = 2

const clauseMarks = new Set([...'，、；：,;: \n'].map((mark) => mark.charCodeAt(0)))

/** Builds units from parts of sentences: trims blanks and counts UTF-8 bytes. */
class Parts {
  readonly #rows: { start: number; end: number; rank: number; centiTokens: number; gap: number; saved: number }[] = []
  #centiTokens = 0
  #before = 0

  add(codes: Uint16Array, start: number, end: number, rank: number, centiTokens: number): void {
    this.#centiTokens += centiTokens
    let from = start
    let to = end
    while (from < to && codes[from] === 0x20) from++
    while (to > from && codes[to - 1] === 0x20) to--
    if (from === to) return
    const gap = this.#rows.length === 0 ? 0 : savedIn(codes, this.#before, from)
    this.#before = to
    this.#rows.push({
      start: from,
      end: to,
      rank,
      centiTokens: this.#centiTokens,
      gap,
      saved: savedIn(codes, from, to),
    })
  }

  units(): Units {
    const rows = this.#rows
    let saved = 0
    const savedStart: number[] = []
    const savedEnd: number[] = []
    for (const row of rows) {
      saved += row.gap
      savedStart.push(saved)
      saved += row.saved
      savedEnd.push(saved)
    }
    return {
      count: rows.length,
      start: Int32Array.from(rows, (row) => row.start),
      end: Int32Array.from(rows, (row) => row.end),
      rank: Uint8Array.from(rows, (row) => row.rank),
      centiTokens: Int32Array.from(rows, (row) => row.centiTokens),
      savedStart: Int32Array.from(savedStart),
      savedEnd: Int32Array.from(savedEnd),
    }
  }
}

function savedIn(codes: Uint16Array, start: number, end: number): number {
  let saved = 0
  for (let index = start; index < end; index++) saved += savedBytes(codes[index] as number)
  return saved
}

/** Returns 3 minus the bytes that a code unit takes in UTF-8; a surrogate pair takes 4 for two. */
function savedBytes(code: number): number {
  if (code < 0x80) return 2
  if (code < 0x800) return 1
  return code >= 0xd800 && code <= 0xdfff ? 1 : 0
}
