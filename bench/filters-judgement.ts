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
  return { example, outcome, judgement: judgementOf(example.expected, outcome) }
}

function judgementOf(expected: Expected, { rows, dropped, score }: StageOutcome): Judgement {
  if (rows.length === 0) {
    if (!expected.drop) return 'dropped'
    return expected.reason === null || expected.reason === dropped ? 'right' : 'reason'
  }
  if (expected.rows === null) return 'wrong row'
  const right = rows.every((row) => isRightRow(row, expected))
  if (!right) return 'junk'
  const [least, most] = expected.score ?? [-Infinity, Infinity]
  return score === null || (score >= least && score <= most) ? 'right' : 'score'
}

function isRightRow(row: string, { rows, lacks }: Expected): boolean {
  return (rows === 'any' || rows?.includes(row) === true) && lacks.every((part) => !row.includes(part))
}
