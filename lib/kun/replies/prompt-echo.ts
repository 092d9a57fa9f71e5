/** Finds sentences of the prompt that a reply repeats in place of its task: 指令必须独立成句. */

import { labelChatRubric, polishRubric, scoreRubric } from '../templates.js'
import { comparisonForm } from './comparison-form.js'

/** Letters of the prompt in a row that a text of its own does not have. */
const gramLetters = 8
/** The instructions of the examples are not rules: only a whole one counts. */
const exampleLine = /^(?:文字|指令)：.*$/gmu

const rules = [labelChatRubric, polishRubric, scoreRubric].map((rubric) => rubric.replace(exampleLine, '\n'))
const grams = new Set(
  rules.flatMap((rubric) => rubric.split(/[\n。；：]/u)).flatMap((sentence) => gramsOf(comparisonForm(sentence))),
)
const starts = new Set([...grams].map((gram) => gram.charCodeAt(0) * 65_536 + gram.charCodeAt(1)))
const examples = new Set(
  [...labelChatRubric.matchAll(/^指令：(.*)$/gmu)].map(([, example]) => comparisonForm(example as string)),
)

/** Returns words of a built-in prompt that the reply repeats and the record's text does not have, or null. */
export function promptEcho(reply: string, text: string): string | null {
  const form = comparisonForm(reply)
  if (examples.has(form)) return form.slice(0, 2 * gramLetters)
  for (let at = 0; at + gramLetters <= form.length; at++) {
    // Most places differ in their first two letters: no slice is made for them.
    if (!starts.has(form.charCodeAt(at) * 65_536 + form.charCodeAt(at + 1))) continue
    const gram = form.slice(at, at + gramLetters)
    if (grams.has(gram)) return comparisonForm(text).includes(gram) ? null : gram
  }
  return null
}

function gramsOf(form: string): string[] {
  const found: string[] = []
  for (let at = 0; at + gramLetters <= form.length; at++) found.push(form.slice(at, at + gramLetters))
  return found
}

/** An instruction about writing instructions, in the words of any prompt. */
export function speaksOfTask(instruction: string): string | null {
  return taskSentence.exec(instruction.slice(0, 200))?.[0] ?? null
}

const taskSentence =
  /^(?:用户|提问者|提问的?人|读者|对方|作者)(?:可能|大概|也许|似乎|应该|很可能)?(?:是)?(?:希望|想要?|需要|要求|询问|打算)(?:了解|知道|问|得到|咨询|获得|学习|查询|请教)|^以上(?:就|便)?是(?:我)?(?:为|给)?(?:您|你)?(?:生成|写|反推|推测|整理)?的?(?:指令|问题|提问)|(?:对应|相应|匹配)的(?:指令|提问)(?:是什么|可能是|应该是)|^(?:这条|该|此|每条|您的|你的)?指令(?:必须|应当|应该|应|要|需要?|不要|不能|只|中不)|(?:你|您)的任务是(?:反推|根据|写出|为|将|把|从|给|判断|阅读)|^你是(?:一名|一个|一位|一款)?[^。，]{0,20}(?:反推|指令|标注|审核)[^。，]{0,12}[，。]|(?:反推|逆推|推测|还原)(?:出)?(?:用户|一条|对应|最有可能)?[^。]{0,12}(?:指令|问题|提问)|(?:只|仅)(?:写|输出|返回|给出)(?:一条|出)?(?:指令|回答|【)|^(?:注意|要求|输出格式|格式|规则|提示|输出要求)[：:].{0,20}(?:指令|输出|编号|前缀)|^不要(?:解释|出现|透露|抄录|加|添加|重复)[^。]{0,20}(?:前缀|编号|引号|指代|原文|答案|指令|“)|^请(?:为|给|根据|把|看)(?:下面|以下|上面|这段|给出|上述)的?(?:文字|文本|内容|段落)?(?:写出|生成|反推|撰写|拟)[^。]{0,12}(?:指令|问题)|^(?:【?要求】?|规则|示例[一二三]?|文字)[：:\n]/u
