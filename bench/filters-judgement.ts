/** Compares what a stage makes of a reply with what is expected of it. */
import type { Expected, ReplyExample } from './filters-examples.js'
import type { StageOutcome } from './filters-replies.js'

/**
 * 'wrong row': no row was right · 'junk': a row with another text than the right ones, such as a greeting left in it or
 * a part cut off · 'dropped': a row was right · 'reason': dropped rightly, for a wrong reason · 'score': out of bounds.
 */
export type Judgement = 'right' | 'wrong row' | 'junk' | 'dropped' | 'reason' | 'score'

export interface JudgedReply {
  readonly example: ReplyExample
  readonly outcome: StageOutcome
  readonly judgement: Judgement
}

export function judge(example: ReplyExample, outcome: StageOutcome): JudgedReply {
  return { example, outcome, judgement: judgementOf(example.expected, outcome, example.reply.text) }
}

function judgementOf(expected: Expected, { rows, dropped, score }: StageOutcome, reply: string): Judgement {
  if (rows.length === 0) {
    if (!expected.drop) return 'dropped'
    return expected.reason === null || expected.reason === dropped ? 'right' : 'reason'
  }
  if (expected.rows === null) return 'wrong row'
  const right = rows.every((row) => isRightRow(row, expected, reply))
  if (!right) return 'junk'
  const [least, most] = expected.score ?? [-Infinity, Infinity]
  return score === null || (score >= least && score <= most) ? 'right' : 'score'
}

function isRightRow(row: string, { rows, masked }: Expected, reply: string): boolean {
  if (rows === 'any' || rows?.includes(row)) return true
  return masked && detailsIn(reply).every((detail) => !row.includes(detail))
}

/** Returns the words with three digits in a row: numbers, addresses and names of accounts. */
function detailsIn(reply: string): string[] {
  return reply.match(/[\w@.-]+/g)?.filter((word) => /\d{3}/.test(word)) ?? []
}
