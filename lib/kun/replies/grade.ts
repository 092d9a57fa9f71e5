/**
 * Reads a judge's reply: the probability of 【好】 against 【差】 if the server returns log-probabilities, else the published
 * rule. The grade names which of the two was used.
 */

import type { TokenLogprobs } from '../../llm/protocol/logprobs.js'
import type { Reply } from '../../storage/replies/types.js'
import type { ScoreKind } from '../types.js'
import { replyText } from './reply-text.js'

interface Grade {
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
 * With log-probabilities: score = sigmoid(lp好 − lp差), mass = e^lp好 + e^lp差. A label that is not among the top k tokens is
 * less likely than all of them: it counts as the least likely one in the score, and as 0 in the mass. The rule decides if
 * neither label is among them; if a piece of a character, which may belong to the missing label, is more likely than the
 * other label (a less likely piece is the bound); or if both labels are noise.
 * Rule: 1 if the reply has 【好】 and not 【差】, else 0. Source: COIG-Kun's score step.
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
  const good = logSum(first, '好')
  const bad = logSum(first, '差')
  if (good === null && bad === null) return null
  const piece = Math.max(...first.map(([token, logprob]) => (token.includes('\ufffd') ? logprob : -Infinity)))
  if ((good === null || bad === null) && piece > Math.max(good ?? -Infinity, bad ?? -Infinity)) return null
  const bound = Math.max(piece, Math.min(...first.map(([, logprob]) => logprob)))
  const margin = (good ?? bound) - (bad ?? bound)
  const mass = (good === null ? 0 : Math.exp(good)) + (bad === null ? 0 : Math.exp(bad))
  if (mass < massMin) return null
  return {
    kind: 'logprob',
    score: sixDecimals(1 / (1 + Math.exp(-margin))),
    mass: sixDecimals(Math.min(1, mass)),
    readable: true,
  }
}

/** Returns the log of the summed probability of the tokens for a label: '好' and '好】', with or without a leading blank. */
function logSum(first: readonly (readonly [string, number])[], label: string): number | null {
  let sum = 0
  for (const [token, logprob] of first) {
    const spelled = token.trim()
    if (spelled === label || spelled === `${label}】`) sum += Math.exp(logprob)
  }
  return sum === 0 ? null : Math.log(sum)
}

function gradeByRule(text: string): Grade {
  const said = replyText(text)
  const has = (label: string) => said.includes(`【${label}】`) || said === `【${label}`
  const [good, bad] = [has('好'), has('差')]
  return { kind: 'rule', score: good && !bad ? 1 : 0, mass: null, readable: good || bad }
}

function sixDecimals(value: number): number {
  return Math.round(value * 1e6) / 1e6
}
