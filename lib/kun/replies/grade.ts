/**
 * Reads a judge's reply: the probability of 【好】 against 【差】 if the server returns log-probabilities, else the written
 * verdict. The grade names which of the two was used.
 */

import { endingOf } from '../../llm/protocol/finish-reason.js'
import type { TokenLogprobs } from '../../llm/protocol/logprobs.js'
import type { Fault } from '../../llm/types.js'
import type { Reply } from '../../storage/replies/types.js'
import type { ScoreKind } from '../types.js'
import { textFault } from './reply-fault.js'
import { writtenVerdict } from './verdict.js'

export interface Grade {
  readonly kind: ScoreKind
  /** 0 to 1, six decimals; by the rule 1 or 0. */
  readonly score: number
  /** Sum of the probabilities of the two labels: near 1 if the judge follows the format. Null for the rule. */
  readonly mass: number | null
  /** False if the reply has neither label: a 0 by the rule is then no grade of the instruction. */
  readonly readable: boolean
}

/** Number of log-probabilities of the first token to request if the server allows it: vLLM's default maximum. */
export const topLogprobsMax = 20

/**
 * Returns the grade of an instruction.
 *
 * With log-probabilities: score = p好 ÷ (p好 + p差), mass = p好 + p差. A label that is not among the top k tokens is absent and
 * counts as 0, except that a piece of a character may belong to it: then the piece's probability counts for it in the score. The
 * written verdict decides if neither label is among them, if a piece is more likely than the label that is, or if both labels
 * are noise.
 * Rule: 1 for a written 【好】, 0 for 【差】 (verdict.ts). COIG-Kun's rule, 【好】 and not 【差】 anywhere, is the same for replies that
 * keep to the format.
 *
 * @param prefilled whether the judge's turn was opened with 【, so that the reply starts after it
 */
export function gradeOf(reply: Reply, prefilled: boolean): Grade {
  const first = prefilled ? reply.firstTokenLogprobs : undefined
  return (first && gradeOfLogprobs(first)) ?? gradeByRule(prefilled ? `【${reply.text.trimStart()}` : reply.text)
}

/** Probability of both labels below which they are noise: the judge replied with `<think>`, a blank or a word. */
const massMin = 1e-4

function gradeOfLogprobs(given: TokenLogprobs): Grade | null {
  const first = Object.entries(given).filter((entry): entry is [string, number] => entry[1] !== null)
  const good = labelSum(first, '好')
  const bad = labelSum(first, '差')
  if (good === 0 && bad === 0) return null
  const piece = pieceSum(first)
  if ((good === 0 || bad === 0) && piece > Math.max(good, bad)) return null
  const mass = good + bad
  if (mass < massMin) return null
  return {
    kind: 'logprob',
    score: sixDecimals((good || piece) / ((good || piece) + (bad || piece))),
    mass: sixDecimals(Math.min(1, mass)),
    readable: true,
  }
}

/** Marks of a tokenizer for a blank, and brackets that a token has besides the label: '▁好', '【好', '好】'. */
const before = /^[\s▁Ġ【〖「『[［（("“*]{1,8}/u
const behind = /[\s▁】〗」』\]］）)"”*。]{1,8}$/u

/** Returns the summed probability of the tokens that are a label, with or without blanks and brackets. */
function labelSum(first: readonly (readonly [string, number])[], label: string): number {
  let sum = 0
  for (const [token, logprob] of first) {
    if (token.replace(before, '').replace(behind, '') === label) sum += Math.exp(logprob)
  }
  return sum
}

function pieceSum(first: readonly (readonly [string, number])[]): number {
  return Math.max(0, ...first.map(([token, logprob]) => (token.includes('\ufffd') ? Math.exp(logprob) : 0)))
}

function gradeByRule(text: string): Grade {
  const verdict = writtenVerdict(text)
  return { kind: 'rule', score: verdict === 'good' ? 1 : 0, mass: null, readable: verdict !== null }
}

/** Returns the fault of a reply with a written verdict. Its explanation may be cut off at the limit of tokens. */
export function verdictFault(reply: Reply): Fault | null {
  const cutOff = endingOf(reply.finishReason) === 'cut-off'
  if (cutOff && !/[【「]\s{0,4}$/u.test(reply.text) && writtenVerdict(reply.text) !== null) return null
  return textFault(reply)
}

function sixDecimals(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
