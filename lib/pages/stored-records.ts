/** Rows and rejects of Parquet files as the pages show them. */

import { isRecord } from '../core/objects.js'
import type { LatestSnapshot } from '../run/latest-records.js'
import type { StoredRow } from './part-scan.js'
import type { PairView, RejectExample } from './view.js'

/** Characters of a text on a page. */
const textCharsMax = 1_200
const excerptCharsMax = 300
/** Columns with a field of their own in `PairView`. */
const ownColumns = new Set(['instruction', 'output', 'messages', 'id', 'source', 'shard', 'raw'])
const cellCharsMax = 60

/**
 * @param split of the file that contains the row
 * @param charsMax characters of a text; longer ones are truncated
 */
export function pairOf(row: StoredRow, split: string, charsMax = textCharsMax): PairView {
  const [asked, answered] = messagesOf(row.messages)
  const cells = Object.entries(row).flatMap(([name, value]) => {
    const text = cellText(value)
    return ownColumns.has(name) || text === '' ? [] : [[name, text] as const]
  })
  return {
    id: textOf(row.id),
    split,
    source: textOf(row.source),
    shard: textOf(row.shard),
    instruction: truncated(textOf(row.instruction ?? asked), charsMax),
    output: truncated(textOf(row.output ?? answered), charsMax),
    raw: truncated(textOf(row.raw), charsMax),
    cells,
    committed: true,
  }
}

/** Characters of a text of a pair that is sent every second. */
const liveCharsMax = 400
/** Pairs of an event. */
const livePairsMax = 6

/** Returns the latest finished pairs that are not committed, the latest first. */
export function livePairs({ latestPairs }: Pick<LatestSnapshot, 'latestPairs'>): PairView[] {
  return latestPairs
    .slice(-livePairsMax)
    .toReversed()
    .map(({ id, split, shard, instruction, output, raw, score }) => ({
      id,
      split,
      source: '',
      shard,
      instruction: truncated(instruction, liveCharsMax),
      output: truncated(output ?? raw, liveCharsMax),
      raw: truncated(raw, liveCharsMax),
      cells: score === null ? [] : [['score', String(Number(score.toPrecision(4)))] as const],
      committed: false,
    }))
}

export function rejectOf(row: StoredRow): RejectExample {
  return {
    id: textOf(row.id),
    split: textOf(row.split),
    shard: textOf(row.shard),
    stage: textOf(row.stage),
    reason: textOf(row.reason),
    detail: truncated(textOf(row.detail), excerptCharsMax),
    excerpt: truncated(textOf(row.excerpt), excerptCharsMax),
    raw: row.raw == null ? null : truncated(textOf(row.raw), textCharsMax),
    instruction: row.instruction == null ? null : truncated(textOf(row.instruction), textCharsMax),
    score: typeof row.score === 'number' ? row.score : null,
  }
}

function messagesOf(value: unknown): [asked: string, answered: string] {
  const messages = Array.isArray(value) ? value.filter(isRecord) : []
  const said = (role: string): string => textOf(messages.find((message) => message.role === role)?.content)
  return [said('user'), said('assistant')]
}

function textOf(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}

function cellText(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(4)))
  return typeof value === 'object' ? '' : truncated(textOf(value), cellCharsMax)
}

/** Never divides a surrogate pair. */
function truncated(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const end = /[\ud800-\udbff]/.test(text.charAt(charsMax - 1)) ? charsMax - 1 : charsMax
  return `${text.slice(0, end)}…`
}
