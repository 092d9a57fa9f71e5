/**
 * Extracts the instruction from a reply of the label model, and filters it. The keywords and the two repairs are the
 * published ones; the bounds are not.
 */
import { z } from 'zod'
import type { Dropped } from '../core/types.js'
import { characters, hanShare } from './language.js'
import { replyText } from './reply-text.js'

/** Words of instructions that refer to something the reader cannot see. Source: COIG-Kun's instruction filter. */
const instructionKeywords = [
  '新闻',
  '材料',
  '图片',
  '链接',
  '网址',
  '根据',
  '简历',
  '简介',
  '文章',
  '摘要',
  '文本',
  '提取',
  '关键词',
  '网站',
]

export const instructionFilterOptions = z.strictObject({
  keywords: z
    .array(z.string().min(1))
    .default(instructionKeywords)
    .describe('An instruction with one of these words is dropped'),
  charsMin: z.int().min(1).default(4).describe('Characters an instruction has at least'),
  charsMax: z.int().min(1).default(400).describe('Characters an instruction has at most'),
  hanShareMin: z.number().min(0).max(1).default(0.2).describe('Share of Chinese characters among its letters'),
})
type InstructionFilterOptions = z.output<typeof instructionFilterOptions>

/**
 * Returns the instruction in a reply of the label model, or '' if it has none. Linear in the reply's length.
 *
 * Example: '指令：“如何种竹？”     \n如何种竹？' → '如何种竹？'
 */
export function instructionOf(reply: string): string {
  const text = withoutQuotes(withoutPrefix(withoutMarks(replyText(reply))))
  return withoutQuotes(withoutRepeatedLines(beforeBlanks(text)))
}

/** Returns why an instruction is dropped, or null to keep it. */
export function instructionFault(instruction: string, options: InstructionFilterOptions): Dropped | null {
  const length = characters(instruction)
  if (length < options.charsMin) return { drop: 'instruction-too-short', detail: `${length} < ${options.charsMin}` }
  if (length > options.charsMax) return { drop: 'instruction-too-long', detail: `${length} > ${options.charsMax}` }
  const mark = leftoverMark(instruction)
  if (mark !== null) return { drop: 'instruction-markers', detail: mark }
  const share = hanShare(instruction)
  if (share < options.hanShareMin) return { drop: 'instruction-not-chinese', detail: `${share.toFixed(3)} Chinese` }
  const keyword = options.keywords.find((word) => instruction.includes(word))
  return keyword === undefined ? null : { drop: 'instruction-keyword', detail: keyword }
}

/** Returns the form in which variants are compared: without differences of width, case, blanks and punctuation. */
export function comparisonForm(instruction: string): string {
  return instruction
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
}

/** Returns a mark or token of a prompt that a reply repeats, or null. */
export function leftoverMark(text: string): string | null {
  return leftover.exec(text)?.[0] ?? null
}

const leftover =
  /【\/?(?:文本|指令|好|差)】|<\|[\w.:/▁-]{1,40}\|>|<｜[\w.:/-]{0,20}▁[\w.:/▁-]{0,20}｜>|<\/?think>|<unused\d{1,4}>|<(?:start|end)_of_turn>/i

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
