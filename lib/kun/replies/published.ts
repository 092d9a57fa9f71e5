/**
 * Reads replies as the published scripts do, for `preset: paper`: no repairs before the end, and no checks but theirs.
 * Source: COIG-Kun, evaluation/vllm_inference.py, script/delete_key_input.py, select_data.py, delete_key_output.py,
 * deplicate.py. Thoughts of a reasoning model are removed first; those models came later.
 */
import { readThoughts } from '../../llm/protocol/thoughts.js'
import type { Fault } from '../../llm/types.js'
import type { Reply } from '../../storage/replies/types.js'
import { around, shortened } from './excerpt.js'
import type { InstructionFilterOptions, OutputFilterOptions } from './filter-options.js'
import { characters, hanShare } from './language.js'
import { repeatedStart } from './loops.js'
import { endingFaultOf } from './reply-fault.js'
import type { Reading, ReplyFault } from './types.js'

/** Returns the instruction in a reply of the label model: the words are looked for before blanks at the end are cut. */
export function readPublishedInstruction(reply: string, options: InstructionFilterOptions): Reading {
  const raw = cut(readThoughts(reply).text)
  const text = withoutEndBlanks(raw)
  return { text, fault: unreadable(reply, text) ?? keywordFault(raw) ?? boundsFault() }

  function keywordFault(within: string): ReplyFault | null {
    const keyword = options.keywords.find((word) => within.includes(word))
    return keyword === undefined ? null : { reason: 'instruction-keyword', detail: keyword }
  }

  function boundsFault(): ReplyFault | null {
    const length = characters(text)
    if (length < options.charsMin) return { reason: 'instruction-too-short', detail: `${length} < ${options.charsMin}` }
    if (length > options.charsMax) return { reason: 'instruction-too-long', detail: `${length} > ${options.charsMax}` }
    const share = hanShare(text)
    if (share >= options.hanShareMin) return null
    return { reason: 'instruction-not-chinese', detail: `${share.toFixed(3)} Chinese` }
  }
}

/** Returns the answer in a reply of the polish model. Order of the checks: words, length, repetition. */
export function readPublishedAnswer(reply: string, options: OutputFilterOptions): Reading {
  const raw = cut(readThoughts(reply).text)
  const text = withoutEndBlanks(raw)
  return { text, fault: unreadable(reply, text) ?? outputFault() }

  function outputFault(): ReplyFault | null {
    const keyword = options.keywords.find((word) => raw.includes(word))
    if (keyword !== undefined) return { reason: 'output-keyword', detail: around(raw, keyword) }
    const length = characters(text)
    if (length < options.charsMin) return { reason: 'output-too-short', detail: `${length} < ${options.charsMin}` }
    const unit = options.repetition ? repeatedStart(text, 0) : null
    if (unit !== null) return { reason: 'output-repeats', detail: shortened(unit) }
    const share = hanShare(text)
    if (share >= options.hanShareMin) return null
    return { reason: 'output-not-chinese', detail: `${share.toFixed(3)} Chinese` }
  }
}

/** Returns the grade of a written reply: 1 if it has 【好】 and not 【差】, else 0; readable if it has one of them. */
export function publishedGrade(reply: string): { readonly score: 0 | 1; readonly readable: boolean } {
  const text = cut(readThoughts(reply).text)
  const [good, bad] = [text.includes('【好】'), text.includes('【差】')]
  return { score: good && !bad ? 1 : 0, readable: good || bad }
}

/** Returns the fault of a reply with a written grade: it may end at the token limit, since the grade comes first. */
export function writtenGradeFault(reply: Reply): Fault | null {
  const ending = endingFaultOf(reply)
  if (ending !== null && ending !== 'cut-off') return ending
  if (reply.onlyThoughts) return 'only-thoughts'
  if (readThoughts(reply.text).unreadable) return 'thought-markers'
  return reply.text.trim() === '' ? 'empty' : null
}

/** Returns the fault of a reply that should be text: how it ended. Its content is not judged. */
export function publishedTextFault(reply: Reply): Fault | null {
  return endingFaultOf(reply) ?? (reply.onlyThoughts ? 'only-thoughts' : null)
}

/**
 * Repairs an instruction at the end of the method: cuts it at 5 or more blanks, otherwise keeps the longest line that it
 * has more than once. Null if that line is not its beginning: such a pair is dropped.
 */
export function closingRepair(instruction: string): string | null {
  const stripped = strip(instruction)
  const cutAt = longBlanks.exec(instruction)
  if (cutAt !== null) return strip(instruction.slice(0, cutAt.index))
  const repeated = longestRepeatedLine(stripped)
  if (repeated === null) return instruction
  return stripped.startsWith(repeated) ? repeated : null
}

/** Returns the longest line that a text has more than once, without the blanks around it; the first of equally long ones. */
function longestRepeatedLine(text: string): string | null {
  const counts = new Map<string, number>()
  for (const line of text.split('\n').map(strip)) {
    if (line !== '') counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  let longest: string | null = null
  for (const [line, count] of counts) {
    if (count > 1 && (longest === null || characters(line) > characters(longest))) longest = line
  }
  return longest
}

/** Blanks as Python's \s has them, which JavaScript's has not exactly. */
const blank = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const longBlanks = new RegExp(`${blank}{5}`)
const oneBlank = new RegExp(blank)

/** Removes blanks at both ends. A loop: a pattern for blanks before an end can take quadratic time. */
function strip(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && oneBlank.test(text.charAt(start))) start++
  while (end > start && oneBlank.test(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

/** Cuts a reply at `<|endoftext|>`, unless it begins with it, and at `</s>`. */
function cut(reply: string): string {
  const end = reply.indexOf('<|endoftext|>')
  const text = end > 0 ? reply.slice(0, end) : reply
  const stop = text.indexOf('</s>')
  return stop < 0 ? text : text.slice(0, stop)
}

/** Removes spaces and line feeds at the end; other blanks stay. */
function withoutEndBlanks(text: string): string {
  let end = text.length
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\n')) end--
  return text.slice(0, end)
}

/** A row without an instruction or an output is of no use: the published scripts keep an empty instruction. */
function unreadable(reply: string, text: string): ReplyFault | null {
  if (readThoughts(reply).unreadable) return { reason: 'thought-markers-reply', detail: '' }
  return strip(text) === '' ? { reason: 'empty-reply', detail: '' } : null
}
