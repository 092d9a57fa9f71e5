/** Separates several instructions in one reply, and keeps the first of equal sentences. */

import { comparisonForm } from './comparison-form.js'

/** 1. · 1、 · (1) · ① · 一、 · - · 指令一： · Q1: */
const enumerator =
  /^\s{0,8}(?:[#>]{1,4}\s)?\**(?:(?:候选|备选|可选|推荐|参考)?(?:指令|问题|提问|问法|提示词|选项|示例|例|方案|版本|可能性?|候选|备选|答案|其|第|no\.?|#)\s?[一二三四五六七八九十\d甲乙丙a-eA-E]{1,3}(?:条|个|种)?(?:指令|问题|问法|提问|可能性?)?|首选|备选|[qQ]\d{0,2}|instruction\s?\d|question\s?\d)\**\s?(?:[：:.、)）】\]]|[，,](?=\s?))\**\s{0,4}|^\s{0,8}(?:\*\*)?(?:[（(]\s?[\d一二三四五六七八九十]{1,3}\s?[）)]|\d{1,2}\s?[.、．)）](?!\d)|[一二三四五六七八九十]{1,2}[、.．](?![一二三四五六七八九十])|[①-⑳⑴-⒇❶-❿㈠-㈩]|[[【]\d{1,2}[】\]]|\d\ufe0f?\u20e3|\*(?=\s)|[-•·●◆▪○](?=\s|[\u4e00-\u9fff])|[—–](?=\s))\s{0,4}/iu

/** A text, and what followed it as further items of its list, each as it is written. */
interface List {
  readonly first: string
  readonly others: readonly string[]
}

/**
 * Splits a list that the text is, without the number of its first item; a text that is not a list has no others. A list
 * after a sentence belongs to the instruction: '写一首诗：\n1. 押韵\n2. 四行'.
 */
export function splitList(given: string): List {
  const { first: text, others: alternatives } = splitAlternative(given)
  const { first, others } = splitItems(text)
  return { first, others: [...others, ...alternatives].filter((other) => other.trim() !== '') }
}

function splitItems(text: string): List {
  const lettered = letterA.exec(text)
  const next = lettered === null ? -1 : text.search(letterB)
  if (lettered !== null && next > lettered[0].length) return splitLetters(text, lettered[0].length, next)
  const head = enumerator.exec(text)
  if (head === null || head[0] === '') return { first: text, others: [] }
  const [item = '', ...others] = itemsOfLines(text.slice(head[0].length).split('\n'))
  const line = splitLine(item.trim())
  return { first: line.first, others: [...line.others, ...others] }
}

/** Groups lines by item. An empty line ends an item; behind it, lines without a number are not part of the list. */
function itemsOfLines(lines: readonly string[]): string[] {
  const items: string[][] = [[]]
  let open = true
  for (const [index, line] of lines.entries()) {
    const isItem = index > 0 && enumerator.test(line)
    if (isItem) items.push([line])
    else if (index > 0 && line.trim() === '') open = false
    else if (open) items.at(-1)?.push(line)
    else break
    if (isItem) open = true
  }
  return items.map((item) => item.join('\n'))
}

/** A. … B. … · a) … b) … · （甲）…（乙）… */
const letterA = /^[（([【]?[aA甲][)）\]】.、．：:]{1,2}\s{0,4}/u
const letterB = /(?:\n|(?<=[。？！?!；;]\s{0,4}))\s{0,8}[（([【]?[bB乙][)）\]】.、．：:]/u
const laterLetter =
  /(?:\n|(?<=[。？！?!；;]\s{0,4}))\s{0,8}[（([【]?[b-hB-H乙丙丁戊己庚辛][)）\]】.、．：:]{1,2}\s{0,4}/gu

function splitLetters(text: string, start: number, next: number): List {
  const marks = [...text.matchAll(laterLetter)].filter(({ index }) => index >= next)
  const others = marks.map((mark, index) => text.slice(mark.index + mark[0].length, marks[index + 1]?.index).trim())
  return { first: text.slice(start, next).trim(), others }
}

/** '怎样种竹？2. 怎样种木？': the rest of the list on one line. */
function splitLine(text: string): List {
  const others: string[] = []
  let first: string | null = null
  let rest = text
  for (const mark of lineMarks) {
    const next = mark.exec(rest)
    if (next === null || next.index === 0) break
    const item = rest.slice(0, next.index).trimEnd()
    if (first === null) first = item
    else others.push(item)
    rest = rest.slice(next.index + next[0].length)
  }
  return first === null ? { first: text, others } : { first, others: [...others, rest.trim()] }
}

/** Marks of the second to the ninth item on a line. */
const lineMarks = [...'二三四五六七八九'].map((han, index) => {
  const number = index + 2
  const signs = ['①②③④⑤⑥⑦⑧⑨', '⑴⑵⑶⑷⑸⑹⑺⑻⑼', '❶❷❸❹❺❻❼❽❾'].map((row) => row[index + 1]).join('|')
  const letters = `${'BCDEFGHI'[index]}${'乙丙丁戊己庚辛壬'[index]}`
  return new RegExp(
    `(?<=[。？！?!；;]\\s{0,4})(?:${number}\\s?[.、．)）](?!\\d)|[（(](?:${number}|${han})[）)]|${signs}|${han}、|[【[]?(?:候选|备选)?(?:指令|问题|问法|方案|版本|候选|备选|可能性?|其|第)(?:${han}|${number}|[${letters}])[条个种】\\]]{0,2}[：:，,、.])`,
    'u',
  )
})

/** '怎样种竹？；怎样养竹？', '怎样种竹？/怎样养竹？': a separator behind a question mark. */
function splitAlternative(text: string): List {
  const mark =
    /[？?][”"]?\s{0,4}(?:[；;|｜]|\/(?!\/)|(?:或者?|或是|又或者?|也可以(?:问|是|说)|还可以(?:问|是|说)|另一种问法(?:是)?)[：:])/u.exec(
      text,
    )
  if (mark === null) return { first: text, others: [] }
  const end = mark.index + 1 + (/^.[”"]/u.test(mark[0]) ? 1 : 0)
  return { first: text.slice(0, end), others: [text.slice(mark.index + mark[0].length).trim()] }
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
    const isEmptied = kept.length < sentences.length && !/[\p{L}\p{N}]/u.test(kept.join(''))
    if ((kept.length > 0 && !isEmptied) || line.trim() === '') lines.push(kept.join('').trimEnd())
  }
  return lines.join('\n').trim()
}

/** Shorter sentences may be said twice: 为什么？ */
const sentenceLettersMin = 4
