/**
 * Checks replies: faults that a retry may cure, and the filter of outputs for the dataset. The keywords, the minimum
 * length and the repetition rule are the published ones.
 */

import { z } from 'zod'
import type { Dropped } from '../core/types.js'
import { type Ending, endingOf } from '../llm/protocol/finish-reason.js'
import { readThoughts } from '../llm/protocol/thoughts.js'
import type { Fault } from '../llm/types.js'
import type { Reply } from '../storage/replies/types.js'
import { damagedCharacter } from './damaged-text.js'
import { leftoverMark } from './instruction-filter.js'
import { characters, hanShare } from './language.js'
import { repeatedEnd, repeatedStart } from './repetition.js'
import { replyText } from './reply-text.js'

/** Words of answers that refer to the model, refuse, or have a date. Source: COIG-Kun's output filter. */
const outputKeywords = ['作为', '根据', '知识库', '2023', '抱歉']

export const outputFilterOptions = z.strictObject({
  keywords: z.array(z.string().min(1)).default(outputKeywords).describe('An output with one of these words is dropped'),
  charsMin: z.int().min(0).default(20).describe('Characters an output has at least'),
  hanShareMin: z.number().min(0).max(1).default(0.3).describe('Share of Chinese characters among its letters'),
  repetition: z.boolean().default(true).describe('Drop an output that starts with one unit more than 5 times in a row'),
})
type OutputFilterOptions = z.output<typeof outputFilterOptions>

/** Returns why an output is dropped, or null to keep it. Linear in its length. */
export function outputFault(output: string, options: OutputFilterOptions): Dropped | null {
  const length = characters(output)
  if (length < options.charsMin) return { drop: 'output-too-short', detail: `${length} < ${options.charsMin}` }
  const unit = options.repetition ? repeatedStart(output) : null
  if (unit !== null) return { drop: 'output-repeats', detail: shortened(unit) }
  const mark = leftoverMark(output)
  if (mark !== null) return { drop: 'output-markers', detail: mark }
  const share = hanShare(output)
  if (share < options.hanShareMin) return { drop: 'output-not-chinese', detail: `${share.toFixed(3)} Chinese` }
  const keyword = options.keywords.find((word) => output.includes(word))
  return keyword === undefined ? null : { drop: 'output-keyword', detail: around(output, keyword) }
}

/**
 * Returns the fault of a reply that should be text, which a retry with another seed may cure; null if there is none.
 *
 * 'cut-off', 'filtered', 'aborted' and 'unfinished' are endings (llm/protocol/finish-reason.ts); 'only-thoughts' and
 * 'thought-markers' have no answer that can be separated from thoughts; 'damaged' contains damaged or invisible
 * characters.
 */
export function textFault(reply: Reply): Fault | null {
  const ending = endingOf(reply.finishReason)
  if (ending !== 'whole') return endingFault(ending, reply)
  if (reply.onlyThoughts) return 'only-thoughts'
  if (readThoughts(reply.text).unreadable) return 'thought-markers'
  const text = replyText(reply.text)
  if (text === '') return 'empty'
  const damage = damagedCharacter(text)
  if (damage !== null) return { fault: 'damaged', found: damage }
  return repeatedStart(text) !== null || repeatedEnd(text) !== null ? 'looping' : null
}

/** Returns the fault of a one-token reply that is read from its log-probabilities; it may end at the token limit. */
export function scoreFault(reply: Reply): Fault | null {
  const ending = endingOf(reply.finishReason)
  if (ending !== 'whole' && ending !== 'cut-off') return endingFault(ending, reply)
  const { firstTokenLogprobs } = reply
  // A score from the word alone, usually 1, would not be comparable with the scores of other records.
  if (firstTokenLogprobs === undefined) return reply.text.trim() === '' ? 'empty' : 'logprobs'
  // A reasoning parser may classify the token as a thought: its log-probabilities count, not the text.
  return Object.values(firstTokenLogprobs).includes(null) ? 'logprobs' : null
}

function endingFault(ending: Ending, { finishReason }: Reply): Fault {
  return ending === 'cut-off' ? ending : { fault: ending, found: `finish_reason ${finishReason}` }
}

/** Characters that a reject's detail shows before and after the word that was found. */
const contextChars = 20

function around(text: string, word: string): string {
  const at = text.indexOf(word)
  const excerpt = text.slice(Math.max(0, at - contextChars), at + word.length + contextChars)
  return `${word}: ${wellFormed(excerpt).replace(/\s+/g, ' ')}`
}

function shortened(unit: string): string {
  return wellFormed(unit.slice(0, 2 * contextChars))
}

/** Removes half of a surrogate pair that a slice left. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '')
}
