/** Reads a reply of the polish model: repairs it, then checks the answer. */

import { z } from 'zod'
import { around, shortened } from './excerpt.js'
import { characters, hanShare } from './language.js'
import { repeatedStart } from './loops.js'
import { leftoverMark } from './prompt-marks.js'
import { plainFault } from './reply-fault.js'
import { replyText } from './reply-text.js'
import type { Reading, ReplyFault } from './types.js'

export const outputFilterOptions = z.strictObject({
  keywords: z.array(z.string().min(1)).default([]).describe('An output with one of these words is dropped'),
  charsMin: z.int().min(0).default(20).describe('Characters an output has at least'),
  hanShareMin: z.number().min(0).max(1).default(0.3).describe('Share of Chinese characters among its letters'),
  repetition: z.boolean().default(true).describe('Drop an output that starts with one unit more than 5 times in a row'),
})
export type OutputFilterOptions = z.output<typeof outputFilterOptions>

/** The record that a reply answers. */
export interface AnswerContext {
  readonly instruction: string
  /** The text from which the answer was to be written. */
  readonly text: string
}

/** Returns the answer in a reply of the polish model, and its first fault. Linear in the reply's length. */
export function readAnswer(
  reply: string,
  _context: AnswerContext,
  options: OutputFilterOptions = outputFilterOptions.parse({}),
): Reading {
  const text = replyText(reply).replace(/^(?:回答|答案|答)\s{0,4}[：:]\s*/, '')
  return { text, fault: plainFault(reply) ?? outputFault(text, options) }
}

function outputFault(output: string, options: OutputFilterOptions): ReplyFault | null {
  const length = characters(output)
  if (length < options.charsMin) return { reason: 'output-too-short', detail: `${length} < ${options.charsMin}` }
  const unit = options.repetition ? repeatedStart(output) : null
  if (unit !== null) return { reason: 'output-repeats', detail: shortened(unit) }
  const mark = leftoverMark(output)
  if (mark !== null) return { reason: 'output-markers', detail: mark }
  const share = hanShare(output)
  if (share < options.hanShareMin) return { reason: 'output-not-chinese', detail: `${share.toFixed(3)} Chinese` }
  const keyword = options.keywords.find((word) => output.includes(word))
  return keyword === undefined ? null : { reason: 'output-keyword', detail: around(output, keyword) }
}
