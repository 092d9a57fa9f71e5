/** Keeps the first of several instructions in a list, and of equal sentences. */

import { comparisonForm } from './comparison-form.js'

/** 1. · 1、 · (1) · ① · 一、 · - · 指令一： · Q1: */
const enumerator =
  /^\s{0,8}(?:[#>]{1,4}\s)?\**(?:(?:候选|备选|可选|推荐|参考)?(?:指令|问题|提问|问法|提示词|选项|示例|例|方案|版本|可能性?|候选|备选|答案|其|第|no\.?|#)\s?[一二三四五六七八九十\d甲乙丙a-eA-E]{1,3}(?:条|个|种)?(?:指令|问题|问法|提问|可能性?)?|[qQ]\d{0,2}|instruction\s?\d|question\s?\d)\**\s?(?:[：:.、)）】\]]|[，,](?=\s?))\**\s{0,4}|^\s{0,8}(?:\*\*)?(?:[（(]\s?[\d一二三四五六七八九十]{1,3}\s?[）)]|\d{1,2}\s?[.、．)）](?!\d)|[一二三四五六七八九十]{1,2}[、.．](?![一二三四五六七八九十])|[①-⑳⑴-⒇❶-❿㈠-㈩]|[[【]\d{1,2}[】\]]|\d\ufe0f?\u20e3|\*(?=\s)|[-•·●◆▪○](?=\s|[\u4e00-\u9fff]))\s{0,4}/iu

/**
 * Returns the first instruction of a list that starts with the text, without its number. A list after a sentence
 * belongs to the instruction: '写一首诗：\n1. 押韵\n2. 四行'.
 */
export function firstOfList(given: string): string {
  const text = beforeAlternative(given)
  const lettered = letterA.exec(text)
  const next = lettered === null ? -1 : text.search(letterB)
  if (lettered !== null && next > lettered[0].length) return text.slice(lettered[0].length, next).trim()
  const head = enumerator.exec(text)
  if (head === null || head[0] === '') return text
  const lines = text.slice(head[0].length).split('\n')
  const kept: string[] = []
  for (const [index, line] of lines.entries()) {
    if (index > 0 && (line.trim() === '' || enumerator.test(line))) break
    kept.push(line)
  }
  return firstOfLine(kept.join('\n').trim())
}

/** A. … B. … · a) … b) … · （甲）…（乙）… */
const letterA = /^[（([【]?[aA甲][)）\]】.、．：:]{1,2}\s{0,4}/u
const letterB = /(?:\n|(?<=[。？！?!；;]\s{0,4}))\s{0,8}[（([【]?[bB乙][)）\]】.、．：:]/u

/** '怎样种竹？2. 怎样种木？': the rest of the list on one line. */
function firstOfLine(text: string): string {
  const next =
    /(?<=[。？！?!；;]\s{0,4})(?:2\s?[.、．)）](?!\d)|[（(](?:2|二)[）)]|②|⑵|❷|二、|[【[]?(?:候选|备选)?(?:指令|问题|问法|方案|版本|候选|备选|可能性?|其|第)(?:二|2|B|乙)[条个种】\]]{0,2}[：:，,、.])/u.exec(
      text,
    )
  return next === null || next.index === 0 ? text : text.slice(0, next.index).trimEnd()
}

/** '怎样种竹？；怎样养竹？', '怎样种竹？/怎样养竹？': a separator behind a question mark. */
function beforeAlternative(text: string): string {
  const mark =
    /[？?][”"]?\s{0,4}(?:[；;|｜]|\/(?!\/)|(?:或者?|或是|又或者?|也可以(?:问|是|说)|还可以(?:问|是|说)|另一种问法(?:是)?)[：:])/u.exec(
      text,
    )
  return mark === null ? text : text.slice(0, mark.index + 1 + (/^.[”"]/u.test(mark[0]) ? 1 : 0))
}

/** Keeps the first of equal lines, and of equal sentences of one line. Source of the rule of lines: COIG-Kun. */
export function withoutRepeats(text: string): string {
  const seen = new Set<string>()
  const lines: string[] = []
  for (const line of text.split('\n')) {
    const sentences = line.split(/(?<=[。？！?!；;])(?![。？！?!；;”」』）)"])/u)
    const kept = sentences.filter((sentence) => {
      const form = comparisonForm(sentence)
      if (form.length < sentenceLettersMin) return true
      if (seen.has(form)) return false
      seen.add(form)
      return true
    })
    if (kept.length > 0 || line.trim() === '') lines.push(kept.join('').trimEnd())
  }
  return lines.join('\n').trim()
}

/** Shorter sentences may be said twice: 为什么？ */
const sentenceLettersMin = 4
