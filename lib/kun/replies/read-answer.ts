/** Reads a reply of the polish model: repairs it, then checks the answer. */

import { advertIn } from './adverts.js'
import { withoutAfterword } from './afterword.js'
import { comparisonForm } from './comparison-form.js'
import { contactIn, linkIn } from './contacts.js'
import { around, shortened } from './excerpt.js'
import { type OutputFilterOptions, outputFilterOptions } from './filter-options.js'
import { withoutIntroduction } from './introduction.js'
import { characters, hanShare, kanaShare, strayWord, withoutCodeBlocks } from './language.js'
import { repeatedStart } from './loops.js'
import { placeholderIn } from './placeholders.js'
import { promptEcho } from './prompt-echo.js'
import { leftoverMark, textMark } from './prompt-marks.js'
import { readPublishedAnswer } from './published.js'
import { refusalIn, saysNone } from './refusal.js'
import { plainFault } from './reply-fault.js'
import { replyText } from './reply-text.js'
import { saidTwice, withoutSecondCopy } from './said-twice.js'
import { sourceReference } from './text-references.js'
import type { Reading, ReplyFault } from './types.js'
import { unfinishedAnswer } from './unfinished.js'
import { withoutEmphasis, withoutFence, withoutJson, withoutPair, withoutTag } from './wrapping.js'

/** The record that a reply answers. */
interface AnswerContext {
  readonly instruction: string
  /** The text from which the answer was to be written. */
  readonly text: string
}

const defaults = outputFilterOptions.parse({})

/**
 * Returns the answer in a reply of the polish model, and its first fault. Linear in the reply's length.
 *
 * Example: '好的！以下是回答：\n水往低处流。\n\n希望对您有帮助！' → '水往低处流。'
 */
export function readAnswer(reply: string, context: AnswerContext, options: OutputFilterOptions = defaults): Reading {
  if (options.reading === 'published') return readPublishedAnswer(reply, options)
  const text = answerOf(reply, context.instruction)
  const mark = textMark(reply)
  if (mark !== null) return { text, fault: { reason: 'output-markers', detail: mark } }
  return { text, fault: plainFault(reply) ?? boundsFault(text, context, options) ?? contentFault(text, context) }
}

/** Repairs until nothing changes: what one repair removes may hide the next form. */
const roundsMax = 6

function answerOf(reply: string, instruction: string): string {
  let text = replyText(reply)
  for (let round = 0; round < roundsMax; round++) {
    const before = text
    text = withoutJson(withoutTag(withoutFence(text)), keys)
    text = withoutPair(withoutEmphasis(text))
    text = withoutInstruction(withoutIntroduction(withoutGreeting(text, instruction), 'answer'), instruction)
    text = withoutAfterword(text, 'answer')
    text = withoutSecondCopy(text)
    if (text === before) break
  }
  return text
}

/** Removes a greeting to the reader, where neither the instruction nor the answer is about what people say or write. */
function withoutGreeting(text: string, instruction: string): string {
  const greeting =
    /^(?:(?:亲爱|尊敬)的(?:用户|朋友|读者|网友|客户|提问者)[，,：:]?\s?)?[您你]好(?:呀|啊)?[！!，,。]\s{0,4}(?=[^\n]{20})/u.exec(
      text,
    )?.[0] ?? ''
  if (greeting === '' || speaking.test(instruction) || /此致|敬礼|敬上|[：:]\s{0,4}\n|祝[您你]/u.test(text)) return text
  return text.slice(greeting.length)
}

const speaking =
  /信|函|邮件|对话|短信|通知|回复|贺|致|客服|话术|招呼|问候|开场|自我|主持|演讲|发言|台词|扮演|假设|假如|如果你|作为|稿|你好|您好|故事|小说|翻译|电话/u

const keys = new Set(
  'answer response output reply content text result 回答 答案 回复 答复 解答 正文 输出 内容'.split(' '),
)

/** Characters of a first line that may repeat the instruction. */
const firstLineCharsMax = 400
/** Characters of an answer behind the instruction. */
const answerCharsMin = 10
/** Share of the instruction's letters that the line has, if it is a part of it. */
const repeatedShareMin = 0.5

/** Removes the instruction from the start: as a line, a heading, 问题：…, or the first sentence. */
function withoutInstruction(text: string, instruction: string): string {
  const asked = comparisonForm(instruction)
  if (asked.length < 4) return text
  const behind = text.startsWith(instruction) ? text.slice(instruction.length).trimStart() : ''
  if (/[？?。！!]$/u.test(instruction) && behind.length >= answerCharsMin) return behind
  const end = text.slice(0, firstLineCharsMax).indexOf('\n')
  if (end > 0 && repeats(text.slice(0, end), asked)) return text.slice(end + 1).trimStart()
  const question = text.slice(0, firstLineCharsMax).search(/[？?]/u)
  if (question > 0 && question < text.length - 1 && comparisonForm(labelless(text.slice(0, question))) === asked) {
    return text.slice(question + 1).trimStart()
  }
  return text
}

function repeats(line: string, asked: string): boolean {
  const form = comparisonForm(labelless(line))
  if (form === asked) return true
  if (
    !/[？?：:。]\s{0,4}[*_】」”]{0,3}\s{0,4}$/u.test(line) &&
    !/^[\s#*【]{0,6}(?:问题|指令|问|q)\s?[：:]/iu.test(line)
  )
    return false
  return (asked.startsWith(form) || asked.endsWith(form)) && form.length >= repeatedShareMin * asked.length
}

function labelless(line: string): string {
  return line.replace(
    /^[\s#*【[]{0,6}(?:用户)?(?:问题|指令|提问|问|题目|q|question|instruction|user|human)[】\]*]{0,3}\s?[：:]/iu,
    '',
  )
}

function boundsFault(output: string, context: AnswerContext, options: OutputFilterOptions): ReplyFault | null {
  if (!/[\p{L}\p{N}]/u.test(output)) return { reason: 'empty-reply', detail: '' }
  if (saysNone(output)) return { reason: 'output-none', detail: '' }
  const length = characters(output)
  if (length < options.charsMin) return { reason: 'output-too-short', detail: `${length} < ${options.charsMin}` }
  const unit = options.repetition ? repeatedStart(output) : null
  if (unit !== null && /[\p{L}\p{N}]/u.test(unit)) return { reason: 'output-repeats', detail: shortened(unit) }
  const mark = leftoverMark(output)
  if (mark !== null) return { reason: 'output-markers', detail: mark }
  const keyword = options.keywords.find((word) => output.includes(word))
  if (keyword !== undefined) return { reason: 'output-keyword', detail: around(output, keyword) }
  return foreignScript(output, context, options.hanShareMin)
}

/** Kana and hangul among the characters of a Chinese answer. */
const kanaShareMax = 0.25
/** Letters beside code from which their script says something. */
const lettersMin = 10

function foreignScript(output: string, { instruction, text }: AnswerContext, hanShareMin: number): ReplyFault | null {
  if (asksForForeign.test(instruction)) return null
  const plain = withoutCodeBlocks(output)
  if (plain !== output && plain.replace(/[^\p{L}]/gu, '').length < lettersMin) return null
  const share = hanShare(plain)
  if (share < hanShareMin) return { reason: 'output-not-chinese', detail: `${share.toFixed(3)} Chinese` }
  const kana = kanaShare(plain)
  if (kana > kanaShareMax) return { reason: 'output-not-chinese', detail: `${kana.toFixed(3)} kana or hangul` }
  const word = strayWord(plain, [text, instruction])
  return word === null ? null : { reason: 'output-not-chinese', detail: word }
}

/** Text that is not an answer: the next turn of a dialogue, a task, a grade, rules that are repeated, a remark on the rewriting. */
const otherTurn =
  /\n\s{0,8}(?:用户|提问者|user|human)\s?[：:](?=[^\n]{0,200}(?:[？?]|\n\s{0,8}(?:助手|AI|assistant)))|^请(?:你|您)?(?:以[“《「][^”》」]{1,24}[”》」]为(?:题|主题|背景)|撰写|写一[篇段首则份])[^。]{0,80}(?:要求|不少于|字左右|字以内|说明)|^(?:该|这个|此|上述|这条)(?:回复|回答|答案)(?:准确|很好|完整|正确|基本|较为|较好|非常|符合|没有|内容)|^(?:好的[，,])?我(?:需要|要|会|将|应该|必须)(?:按照|根据|遵循|遵守)(?:以下|上述|给定的?|这些|所给)(?:的)?(?:规则|要求|指示|条件|原则)|\n\s{0,8}(?:与|和|同|相比)原文(?:相比|不同)?[，,]|(?:参考资料|参考材料|参考内容|参考文字|所给资料|所给材料)(?:里|中)?只(?:列出|提到|给出|介绍)了/iu
const asksForTalk = /对话|访谈|采访|剧本|台词|客服|聊天|问答|多轮|评价|点评|批改|题目|命题|提示词|指令/u

const asksForForeign =
  /(?:译|写|说|用|转|改).{0,12}(?:英文|英语|日文|日语|韩文|韩语|法语|德语|俄语|西班牙语)|(?:英文|英语|日语|英译).{0,6}(?:翻译|作文|邮件|信|句|单词|词|短文|怎么说)/u

function contentFault(output: string, { instruction, text }: AnswerContext): ReplyFault | null {
  const refusal = refusalIn(output)
  if (refusal !== null && !(apologizes.test(instruction) && apologyFirst.test(refusal)))
    return { reason: 'output-refusal', detail: refusal }
  const echo =
    promptEcho(output, text) ?? (asksForTalk.test(instruction) ? null : (otherTurn.exec(output)?.[0] ?? null))
  if (echo !== null) return { reason: 'output-echo', detail: shortened(echo.trim()) }
  const words = sourceReference(output, instruction)
  if (words !== null) return { reason: 'output-refers', detail: around(output, words) }
  if (containsInstruction(output, instruction)) return { reason: 'output-echo', detail: shortened(instruction) }
  const placeholder = placeholderIn(output, instruction)
  if (placeholder !== null) return { reason: 'output-placeholder', detail: shortened(placeholder) }
  const contact = contactIn(output) ?? linkIn(output) ?? advertIn(output, instruction)
  if (contact !== null) return { reason: 'output-contacts', detail: shortened(contact) }
  const twice = saidTwice(output) ?? (asksForVerse.test(instruction) ? null : (clauseTwice.exec(output)?.[1] ?? null))
  if (twice !== null) return { reason: 'output-repeats', detail: shortened(twice) }
  const open = unfinishedAnswer(output)
  return open === null ? null : { reason: 'output-unfinished', detail: open }
}

/** A letter or a line of a play that begins with an apology is what was asked for. */
const apologizes = /道歉|致歉|赔礼|赔不是|检讨|认错|歉意|对不起|抱歉/u
const apologyFirst = /^(?:非常|很|十分|实在|真的?)?(?:抱歉|对不起|不好意思)/u

/** A clause and the same again: 父母自己要多读书，父母自己要多读书. */
const clauseTwice = /([^，。；！？、：\n“”|]{6,40})[，；]\1[，。；！？]/u
const asksForVerse = /诗|词|歌|谣|经|咒|绕口令|快板|戏|台词|小说|故事/u

/** Letters of an instruction that an answer does not contain by chance. */
const instructionLettersMin = 12

function containsInstruction(output: string, instruction: string): boolean {
  const asked = comparisonForm(instruction)
  return asked.length >= instructionLettersMin && comparisonForm(output).includes(asked)
}
