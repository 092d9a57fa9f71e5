/** Reads a reply of the label model: repairs it, then checks the instruction. */
import { z } from 'zod'
import { characters, hanShare } from './language.js'
import { leftoverMark } from './prompt-marks.js'
import { plainFault } from './reply-fault.js'
import { replyText } from './reply-text.js'
import type { Reading, ReplyFault } from './types.js'

export const instructionFilterOptions = z.strictObject({
  keywords: z.array(z.string().min(1)).default([]).describe('An instruction with one of these words is dropped'),
  charsMin: z.int().min(1).default(4).describe('Characters an instruction has at least'),
  charsMax: z.int().min(1).default(400).describe('Characters an instruction has at most'),
  hanShareMin: z.number().min(0).max(1).default(0.2).describe('Share of Chinese characters among its letters'),
})
export type InstructionFilterOptions = z.output<typeof instructionFilterOptions>

/** The record that a reply labels. */
export interface InstructionContext {
  /** The text for which the instruction was written. */
  readonly text: string
  readonly title: string
}

/**
 * Returns the instruction in a reply of the label model, and its first fault. Linear in the reply's length.
 *
 * Example: '指令：“如何种竹？”     \n如何种竹？' → '如何种竹？'
 */
export function readInstruction(
  reply: string,
  _context: InstructionContext,
  options: InstructionFilterOptions = instructionFilterOptions.parse({}),
): Reading {
  const text = instructionOf(reply)
  return { text, fault: plainFault(reply) ?? instructionFault(text, options) }
}

function instructionOf(reply: string): string {
  const text = withoutQuotes(withoutPrefix(withoutMarks(replyText(reply))))
  return withoutQuotes(withoutRepeatedLines(beforeBlanks(text)))
}

/** Returns why an instruction is dropped, or null to keep it. */
function instructionFault(instruction: string, options: InstructionFilterOptions): ReplyFault | null {
  if (instruction === '') return { reason: 'empty-reply', detail: '' }
  const length = characters(instruction)
  if (length < options.charsMin) return { reason: 'instruction-too-short', detail: `${length} < ${options.charsMin}` }
  if (length > options.charsMax) return { reason: 'instruction-too-long', detail: `${length} > ${options.charsMax}` }
  const mark = leftoverMark(instruction)
  if (mark !== null) return { reason: 'instruction-markers', detail: mark }
  const share = hanShare(instruction)
  if (share < options.hanShareMin) return { reason: 'instruction-not-chinese', detail: `${share.toFixed(3)} Chinese` }
  const keyword = options.keywords.find((word) => instruction.includes(word))
  return keyword === undefined ? null : { reason: 'instruction-keyword', detail: keyword }
}

function withoutMarks(text: string): string {
  const start = text.indexOf('【指令】')
  if (start < 0) return text
  const end = text.indexOf('【/指令】', start)
  return text.slice(start + '【指令】'.length, end < 0 ? undefined : end).trim()
}

/** Removes up to three nested prefixes: '最有可能的指令是：\n指令：…'. */
function withoutPrefix(text: string): string {
  let rest = text
  for (let round = 0; round < 3; round++) {
    const prefix = prefixPattern.exec(rest)
    if (prefix === null) break
    rest = rest.slice(prefix[0].length)
  }
  return rest
}

const prefixPattern =
  /^(?:[*#]{0,4}\s{0,4})(?:(?:好的|以下|这段|这个|文字|文本|回复|内容|最|有|可能|对应|应该|生成|用户|的|，){0,10}指令(?:可能|应该|可以|大概)?(?:是|为|如下)?|问题|提问|问|用户|instruction|user|prompt)[*]{0,4}\s{0,4}[：:][*]{0,4}\s*/i

const quotes: Readonly<Record<string, string>> = {
  '“': '”',
  '「': '」',
  '『': '』',
  '"': '"',
  "'": "'",
  '‘': '’',
  '`': '`',
}

/** Removes quotes around the whole text; not from “甲”和“乙”, which only starts and ends with a quote. */
function withoutQuotes(text: string): string {
  const trimmed = text.trim()
  const close = quotes[trimmed.charAt(0)]
  if (close === undefined || trimmed.length < 2 || !trimmed.endsWith(close)) return trimmed
  const inner = trimmed.slice(1, -1)
  return inner.includes(close) ? trimmed : inner.trim()
}

/** Cuts the text at 5 or more blanks in a row: another attempt follows them. Source: COIG-Kun. */
function beforeBlanks(text: string): string {
  const blanks = /\s{5}/.exec(text)
  return (blanks === null ? text : text.slice(0, blanks.index)).trimEnd()
}

/** Keeps the first of equal lines. Source: COIG-Kun. */
function withoutRepeatedLines(text: string): string {
  const seen = new Set<string>()
  const kept: string[] = []
  for (const line of text.split('\n')) {
    const form = line.trim()
    if (form !== '' && seen.has(form)) continue
    seen.add(form)
    kept.push(line.trimEnd())
  }
  return kept.join('\n').trimEnd()
}
