/** Reads a reply of the label model: repairs it, then checks the instruction. */

import { advertIn } from './adverts.js'
import { alternativeBehind, withoutAfterword } from './afterword.js'
import { contactIn, linkIn } from './contacts.js'
import { continuesNothing } from './continuation.js'
import { isCopied } from './copy-share.js'
import { shortened } from './excerpt.js'
import { type InstructionFilterOptions, instructionFilterOptions } from './filter-options.js'
import { withoutIntroduction } from './introduction.js'
import { characters, hanShare, kanaShare, strayWord } from './language.js'
import { isMonotonous } from './loops.js'
import { withoutQuoted } from './material.js'
import { promptEcho, speaksOfTask } from './prompt-echo.js'
import { leftoverMark, textMark } from './prompt-marks.js'
import { readPublishedInstruction } from './published.js'
import { danglingReference, hasNoSubject } from './references.js'
import { declinesTask, refusalIn, saysNone } from './refusal.js'
import { plainFault } from './reply-fault.js'
import { replyText } from './reply-text.js'
import { splitList, withoutRepeats } from './several.js'
import { isStatement } from './statement.js'
import type { Reading, ReplyFault } from './types.js'
import { unfinishedInstruction } from './unfinished.js'
import { stringsOfJson, withoutEmphasis, withoutFence, withoutPair, withoutTag } from './wrapping.js'

/** The record that a reply labels. */
export interface InstructionContext {
  /** The text for which the instruction was written. */
  readonly text: string
  readonly title: string
}

const defaults = instructionFilterOptions.parse({})

/**
 * Returns the instruction in a reply of the label model, and its first fault. Linear in the reply's length.
 *
 * Example: '好的，以下是指令：“如何种竹？”\n理由：…' → '如何种竹？'
 */
export function readInstruction(
  reply: string,
  context: InstructionContext,
  options: InstructionFilterOptions = defaults,
): Reading {
  if (options.reading === 'published') return readPublishedInstruction(reply, options)
  const { text } = repaired(betweenMarks(replyText(reply)))
  return { text, fault: wholeFault(reply) ?? textFault(text, context, options) }
}

/** Readings of all instructions in a reply, and how many more there are. */
interface SeveralReadings {
  /** In the order of the reply; the first is that of `readInstruction`. */
  readonly readings: readonly [Reading, ...Reading[]]
  /** Instructions beyond the bound, which are not read. */
  readonly surplus: number
}

/**
 * Returns the instructions in a reply of the label model, of a list, JSON or alternatives, each with its first fault.
 *
 * @param instructionsMax instructions that are read, at least 1
 */
export function readInstructions(
  reply: string,
  context: InstructionContext,
  options: InstructionFilterOptions,
  instructionsMax: number,
): SeveralReadings {
  if (options.reading === 'published') return { readings: [readPublishedInstruction(reply, options)], surplus: 0 }
  const whole = wholeFault(reply)
  const read = (text: string): Reading => ({ text, fault: whole ?? textFault(text, context, options) })
  const { text: first, others } = repaired(betweenMarks(replyText(reply)))
  const readings: [Reading, ...Reading[]] = [read(first)]
  const pending = [...others]
  while (pending.length > 0 && readings.length < instructionsMax) {
    const { text, others: inner } = repaired(pending.shift() as string)
    pending.unshift(...inner)
    readings.push(read(text))
  }
  return { readings, surplus: pending.length }
}

/** Repairs until nothing changes: what one repair removes may hide the next form. */
const roundsMax = 6

/** The repaired text of the first instruction, and the others as they are written. */
interface Repaired {
  readonly text: string
  readonly others: readonly string[]
}

function repaired(given: string): Repaired {
  let text = given
  let others: readonly string[] = []
  for (let round = 0; round < roundsMax; round++) {
    const before = text
    const bare = withoutTag(withoutFence(text))
    const [first = bare, ...inJson] = stringsOfJson(bare, keys)
    const list = splitList(withoutPair(withoutEmphasis(first)))
    text = withoutIntroduction(afterAnalysis(afterEcho(list.first)), 'instruction')
    const alternative = alternativeBehind(text)
    text = withoutAfterword(text, 'instruction')
    others = [...list.others, ...alternative, ...inJson, ...others]
    if (text === before) break
  }
  const label = splitAtLabel(text)
  const blanks = splitAtBlanks(label.text)
  return { text: withoutRepeats(blanks.text), others: [...blanks.others, ...label.others, ...others] }
}

/** '…？\n指令：…': another attempt. Not where the instruction speaks of one: 判断下面的指令：…. */
function splitAtLabel(text: string): Repaired {
  const label =
    /(?:\n\s{0,8}|(?<=[。？！?!”]\s{0,4}))[#*【]{0,4}(?:用户|最终|对应)?(?:指令|提示词|instruction|prompt)\s?\d?[】*]{0,4}\s?[：:]/iu.exec(
      text,
    )
  if (label === null) return { text, others: [] }
  const before = text.slice(0, label.index).trimEnd()
  if (before.length < 4 || /指令|提示词|prompt|以下|下面|下列|如下/iu.test(before)) return { text, others: [] }
  return { text: before, others: [text.slice(label.index).trim()] }
}

const keys = new Set(
  'instruction instructions prompt question query input user task 指令 问题 提问 用户指令 用户 任务 提示词'.split(' '),
)

/** '文字：…\n指令：…': the reply repeats the form of the examples. */
function afterEcho(text: string): string {
  if (
    !/^[#*【\s]{0,4}(?:参考|原始|给定)?(?:文字|原文|文本|材料|回复|内容|分析|思路|思考|解析|主题|text|passage|analysis)[】*]{0,4}\s?(?:[：:]|\n)/iu.test(
      text,
    )
  )
    return text
  const label =
    /\n\s{0,8}[#*【]{0,4}(?:(?:反推|推断|推测|还原|生成|最终|对应|可能)(?:出)?的?)?(?:用户)?的?(?:指令|问题|提问|instruction)[】*]{0,4}\s?(?:[：:]|\n)/iu.exec(
      text,
    )
  return label === null ? text : text.slice(label.index).trimStart()
}

/** '这段文字讲竹子的种法。因此指令是：…': sentences about the text, then the label. */
function afterAnalysis(text: string): string {
  const found = analysis.exec(text.slice(0, analysisCharsMax))
  return found === null ? text : text.slice(found[0].length).trimStart()
}

const analysisCharsMax = 400
const analysis =
  /^(?:首先[，,]|好的?[，,]|嗯[，,])?(?:我(?:需要|先|来)?(?:分析|看|理解|阅读)(?:一下)?)?(?:这|该|此|本|原|所给|给出的|上述|整)?(?:段|篇|则)?(?:文字|文本|文章|短文|内容|材料|话|文)(?:[^？?]{0,300}?[。！\n])(?:[^？?。\n]{0,24}[，,])?[#*【\s]{0,8}(?:因此|所以|故|由此|那么)?[，,]?(?:我|可以|可)?(?:推断|反推|推测|得出|还原)?(?:出)?(?:的)?(?:用户的?|最终的?|对应的?|可能的?|最有?可能的?|原始的?)?(?:指令|问题|提问|instruction)[】*]{0,4}(?:可以|可能|应该|大概)?(?:是|为)?\s?[：:][*】\s]{0,4}/iu

/** Faults of the whole reply, which the repairs would hide. */
function wholeFault(reply: string): ReplyFault | null {
  const fault = plainFault(reply)
  if (fault !== null) return fault
  if (openJson.test(reply)) return { reason: 'instruction-unfinished', detail: shortened(reply.slice(-excerptChars)) }
  const mark = textMark(reply)
  return mark === null ? null : { reason: 'instruction-markers', detail: mark }
}

/** JSON that was cut off: its last string may be, too. */
const openJson = /^\s{0,8}(?:```(?:json)?\s{0,8})?[{[]\s{0,8}"(?![\s\S]{0,20000}[}\]]\s{0,8}(?:```)?\s{0,8}$)/u
const excerptChars = 20

function textFault(text: string, context: InstructionContext, options: InstructionFilterOptions): ReplyFault | null {
  if (isMonotonous(text)) return { reason: 'looping-reply', detail: '' }
  return boundsFault(text, options) ?? contentFault(text, context, options)
}

function boundsFault(instruction: string, options: InstructionFilterOptions): ReplyFault | null {
  if (!/[\p{L}\p{N}]/u.test(instruction)) return { reason: 'empty-reply', detail: '' }
  if (saysNone(instruction)) return { reason: 'instruction-none', detail: '' }
  const length = characters(instruction)
  if (length < options.charsMin) return { reason: 'instruction-too-short', detail: `${length} < ${options.charsMin}` }
  if (length > options.charsMax) return { reason: 'instruction-too-long', detail: `${length} > ${options.charsMax}` }
  const mark = leftoverMark(instruction)
  if (mark !== null) return { reason: 'instruction-markers', detail: mark }
  const share = chineseShare(instruction, options.hanShareMin)
  if (share < options.hanShareMin) return { reason: 'instruction-not-chinese', detail: `${share.toFixed(3)} Chinese` }
  const kana = kanaShare(withoutQuoted(instruction.slice(0, checkedCharsMax)))
  if (kana > kanaShareMax) return { reason: 'instruction-not-chinese', detail: `${kana.toFixed(3)} kana or hangul` }
  const keyword = options.keywords.find((word) => instruction.includes(word))
  if (keyword !== undefined) return { reason: 'instruction-keyword', detail: keyword }
  const slot = slotIn.exec(instruction)?.[0]
  return slot === undefined ? null : { reason: 'instruction-markers', detail: slot }
}

/** 请介绍[主题]的历史: a slot of a template that was not filled. */
const slotIn =
  /(?<!“)[[【{<](?:主题|话题|内容|关键词|人物|地点|时间|名称|领域|文章|文本|产品|公司|城市|国家|书名|人名|地名|具体[\u4e00-\u9fff]{1,6}|xx+|topic|text|subject)[\]】}>](?!”)/iu

/** Kana and hangul among the characters of a Chinese instruction, outside of quotes. */
const kanaShareMax = 0.25

/** Letters that a Latin word counts as: StringBuilder is one name, however long. */
const lettersPerWord = 2

/**
 * Returns the share of Chinese. If that of the letters is not enough, names and identifiers are counted as words where there are
 * fewer of them than ideographs.
 */
function chineseShare(instruction: string, enough: number): number {
  const share = hanShare(instruction)
  if (share >= enough) return share
  const short = instruction.slice(0, checkedCharsMax)
  const han = short.match(/\p{Script=Han}/gu)?.length ?? 0
  const words = short.match(/[A-Za-z]{3,40}/gu)?.length ?? 0
  return words === 0 || words >= han ? share : Math.max(share, han / (han + lettersPerWord * words))
}

/** The checks of the content read a text several times; a longer one is not an instruction. */
const checkedCharsMax = 4_000

function contentFault(
  whole: string,
  { text }: InstructionContext,
  { selfContained }: InstructionFilterOptions,
): ReplyFault | null {
  const instruction = whole.slice(0, checkedCharsMax)
  const refusal = refusalIn(instruction) ?? declinesTask(instruction)
  if (refusal !== null) return { reason: 'instruction-refusal', detail: refusal }
  const echo = promptEcho(instruction, text) ?? speaksOfTask(instruction)
  if (echo !== null) return { reason: 'instruction-echo', detail: echo }
  const open = unfinishedInstruction(instruction)
  if (open !== null) return { reason: 'instruction-unfinished', detail: open }
  const advert = /[？?]|请|帮|如何|怎|写/u.test(instruction) ? null : advertIn(instruction, '')
  const contact = contactIn(instruction) ?? linkIn(instruction) ?? advert
  if (contact !== null) return { reason: 'instruction-contacts', detail: contact }
  const word = strayWord(withoutQuoted(instruction), [text])
  if (word !== null) return { reason: 'instruction-not-chinese', detail: word }
  if (isCopied(instruction, text)) return { reason: 'instruction-copied', detail: '' }
  if (!selfContained) return null
  const words = danglingReference(instruction) ?? continuesNothing(instruction)
  if (words !== null) return { reason: 'instruction-refers', detail: words }
  const asksNothing = hasNoSubject(instruction) || isCallToAct(instruction) || isStatement(instruction)
  return asksNothing ? { reason: 'instruction-none', detail: '' } : null
}

const remarks =
  /^(?:谢谢|感谢|多谢|感恩|顶|赞|支持|学习了|收藏了|沙发|已阅)(?:楼主|分享|作者|[您你]的?|大家)?[^。，]{0,8}[。！!~]{0,3}$|^(?:这|本|该|此)(?:是|文是|段|篇)(?:一)?(?:篇|段|则|个|份|首)?[^，。？]{0,24}(?:文章|文字|文本|内容|段落|新闻|短文|介绍|故事|说明)[。！]?$|^\p{Script=Han}{2,5}(?:[\s|｜>»·]{1,4}\p{Script=Han}{2,5}){3,12}$|^(?:写|说|讲|总结|分析|解释)得(?:真|太|很|非常|挺|特别)?(?:好|棒|对|透彻|清楚|到位|精彩)|^(?:返回|回到|进入|查看|加载|展开|收起|点击)(?:首页|主页|顶部|上一页|下一页|更多|全部|全文|详情|列表|评论|目录|查看)$|^上一篇[：:]|下一篇[：:]|(?:大全|合集|汇总|盘点|一览|集锦|精选)$/u

/** Words of a web page, a remark, a title of a collection, or a question about the model's acquaintances. */
function isCallToAct(instruction: string): boolean {
  if (/[？?]|请|如何|怎样|怎么|为什么|什么/u.test(instruction.slice(0, -1)) && !/^[你您请]/u.test(instruction))
    return false
  if (remarks.test(instruction)) return true
  return /^(?:请)?(?:点击|点此|扫码|扫描|(?:立即|马上|立刻|赶快|快来?)(?:下载|注册|领取|抢购|报名|加入|咨询|拨打)|关注(?:我们|公众号)|登录|注册后|下载app)|^(?:请问)?[你您](?:认识|见过|去过|吃过|用过|买过|住在)[^。？！]{1,20}吗[？?]?$/iu.test(
    instruction,
  )
}

function betweenMarks(text: string): string {
  const start = text.indexOf('【指令】')
  if (start < 0) return text
  const end = text.indexOf('【/指令】', start)
  return text.slice(start + '【指令】'.length, end < 0 ? undefined : end).trim()
}

/** Splits the text at 5 or more blanks in a row: another attempt follows them. Source: COIG-Kun. */
function splitAtBlanks(text: string): Repaired {
  const blanks = /\s{5}/.exec(text)
  if (blanks === null) return { text: text.trimEnd(), others: [] }
  const after = text.slice(blanks.index).trim()
  return { text: text.slice(0, blanks.index).trimEnd(), others: after === '' ? [] : [after] }
}
