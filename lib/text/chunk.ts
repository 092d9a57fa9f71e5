/**
 * Divides a clean text into self-contained chunks within a token budget: whole paragraphs where they fit, else whole
 * sentences. Only a sentence that exceeds the budget by itself is divided, preferably after a clause.
 */
import { z } from 'zod'
import { isLowSurrogate } from './characters.js'
import { type CleanText, codesToString } from './clean.js'
import type { TokenCounter } from './tokens.js'
import { UnitEnd, type Units } from './units.js'

export const chunkOptions = z.strictObject({
  // COIG-Kun discards texts over 512.
  tokensMax: z.int().min(16).max(1_000_000).default(512).describe('Tokens of a chunk, inclusive'),
  charsMin: z.int().min(1).default(50).describe('Characters (UTF-16 units) of a chunk; a shorter one is rejected'),
})

export type ChunkOptions = z.output<typeof chunkOptions>

/** A chunk: codes[start … end), its number of tokens, its length in UTF-8. */
export interface ChunkRange {
  readonly start: number
  readonly end: number
  readonly tokens: number
  readonly bytes: number
}

/**
 * Returns the chunks of the units from `firstUnit` on, in order. Chunks that are too short are included: the caller rejects
 * them.
 *
 * A chunk ends where it is at least half full, at the best boundary available: blank line, line, sentence; after a
 * heading only if there is no other. The text of the last two chunks is divided evenly.
 * Linear: each unit is visited a bounded number of times.
 */
export function chunkText(
  text: CleanText,
  firstUnit: number,
  tokensMax: number,
  exact: TokenCounter | null,
): ChunkRange[] {
  const parts = partsOf(text, firstUnit, tokensMax, exact)
  const ranges: ChunkRange[] = []
  const budget = tokensMax * 100
  for (let from = 0; from < parts.count; ) {
    const to = cutAfter(parts, from, budget)
    const start = parts.start[from] as number
    const end = parts.end[to - 1] as number
    const saved = (parts.savedEnd[to - 1] as number) - (parts.savedStart[from] as number)
    const tokens =
      exact === null ? Math.ceil(cost(parts, from, to) / 100) : exact(codesToString(text.codes, start, end))
    ranges.push({ start, end, tokens, bytes: 3 * (end - start) - saved })
    from = to
  }
  return ranges
}

/** Returns the index after the last part of the chunk that begins with part `from`. */
function cutAfter(parts: Units, from: number, budget: number): number {
  if (cost(parts, from, parts.count) <= budget) return parts.count
  const all = cost(parts, from, parts.count)
  const even = all <= 2 * budget ? all / 2 : 0
  let best = from + 1
  let bestScore = Number.NEGATIVE_INFINITY
  for (let to = from + 1; to < parts.count; to++) {
    const filled = cost(parts, from, to)
    if (filled > budget) break
    if (even > 0 && all - filled > budget) {
      if (filled / budget > bestScore - unevenPenalty) {
        best = to
        bestScore = filled / budget - unevenPenalty
      }
      continue
    }
    const fill = even > 0 ? 1 - Math.abs(filled - even) / even : filled / budget
    const thin = filled < budget * filledMin && even === 0 ? thinPenalty : 0
    const score = (endWorth[parts.rank[to - 1] as number] as number) + fill - thin
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
/** Score of ending at each UnitEnd, in shares of the budget. */
const endWorth = [-1, 0, 0.3, 0.4]

/** Hundredths of a token from part `from` up to part `to`, including the separators between them. */
function cost(parts: Units, from: number, to: number): number {
  return (parts.centiTokens[to - 1] as number) - (from === 0 ? 0 : (parts.centiTokens[from - 1] as number))
}

/** Returns the units; if one exceeds the budget or counts are exact, a copy with units divided and counted. */
function partsOf(text: CleanText, firstUnit: number, tokensMax: number, exact: TokenCounter | null): Units {
  const { units } = text
  const budget = tokensMax * 100
  let fits = exact === null && firstUnit === 0
  for (let unit = 0; fits && unit < units.count; unit++) fits = cost(units, unit, unit + 1) <= budget
  if (fits) return units
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
    if (isLowSurrogate(codes[cut] as number)) cut--
    cuts.push(cut)
    from = cut
  }
  return cuts
}

const clauseMarks = new Set([...'，、；：,;: \n'].map((mark) => mark.charCodeAt(0)))

/** Builds units from parts of sentences: trims blanks and counts UTF-8 bytes. */
class Parts {
  readonly #rows: { start: number; end: number; rank: number; centiTokens: number; saved: number }[] = []
  #centiTokens = 0

  add(codes: Uint16Array, start: number, end: number, rank: number, centiTokens: number): void {
    this.#centiTokens += centiTokens
    let from = start
    let to = end
    while (from < to && codes[from] === 0x20) from++
    while (to > from && codes[to - 1] === 0x20) to--
    if (from === to) return
    let saved = 0
    for (let index = from; index < to; index++) saved += savedBytes(codes[index] as number)
    this.#rows.push({ start: from, end: to, rank, centiTokens: this.#centiTokens, saved })
  }

  units(): Units {
    const rows = this.#rows
    let saved = 0
    let before = 0
    const savedStart: number[] = []
    const savedEnd: number[] = []
    rows.forEach((row, index) => {
      if (index > 0) saved += 2 * (row.start - before)
      savedStart.push(saved)
      saved += row.saved
      savedEnd.push(saved)
      before = row.end
    })
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

/** Returns 3 minus the bytes that a code unit takes in UTF-8; a surrogate pair takes 4 for two. */
function savedBytes(code: number): number {
  if (code < 0x80) return 2
  if (code < 0x800) return 1
  return code >= 0xd800 && code <= 0xdfff ? 1 : 0
}
