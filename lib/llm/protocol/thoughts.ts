/**
 * Removes thoughts from a reply: what a reasoning model writes before its answer, in the marks of its model family.
 * A mark that is known, or whose name indicates its role, is removed or unwrapped. If the answer cannot be separated
 * from the thoughts, the reply is unreadable; nothing is guessed. HTML, Markdown and 【…】 of an answer are kept.
 */
import { type TagKind, tagKind } from './tag-kind.js'

/** A reply without its thoughts. */
interface ThoughtsRead {
  /** The answer; the whole text if it has no thoughts; '' if it is unreadable. */
  readonly text: string
  /** Thoughts never end, or marks are of an unknown family: the answer cannot be separated. */
  readonly unreadable: boolean
}

/** Nested marks, `<think>…</think><answer>…</answer>`, are removed one per round. */
const roundsMax = 16

/**
 * Returns the answer in a reply. Linear in the text's length, and idempotent.
 *
 * Example: '<think>嗯</think><answer>好</answer>' → '好'; '◁think▷嗯' → unreadable; '<p>好</p>' → itself
 */
export function readThoughts(text: string): ThoughtsRead {
  if (!mayLead.test(text) && !mayMark.test(text)) return { text, unreadable: false }
  let rest = stripBoxes(text)
  for (let round = 0; round < roundsMax; round++) {
    const next = stripChannels(rest) ?? stripStrongMarks(rest) ?? stripLead(rest) ?? stripClosingTag(rest)
    if (next === null) {
      if (leftMark.test(rest) || hasLoneClosing(rest)) break
      return { text: rest === text ? text : rest.trim(), unreadable: false }
    }
    if (next === unreadable) break
    rest = next
  }
  return { text: '', unreadable: true }
}

/** First characters of thoughts, their headings and tags; most answers contain none of them. */
const mayLead = /^\s*[A-Za-z（(>`#*=—\-<[【《〈{◁⟦⟨＜思内我]/
const mayMark = /[<◁⟦⟨＜[{\\&]|[《〈【][/／]?[A-Za-z思推]/

/** Result of a step: the remaining text, unreadable, or null if there is nothing to do. */
type Step = string | typeof unreadable | null

const unreadable = Symbol('unreadable')

/** An unknown thought mark in brackets or an escape: the text before and after it cannot be separated. */
const leftMark =
  /(?:&lt;|\\<|[<＜◁⟦⟨〈[{])\s{0,2}[/／]?\s{0,2}(?:think(?:ing)?|thoughts?|reasoning)\s{0,2}[|/]?(?:&gt;|\\>|[>＞▷⟧⟩〉\]}])(?!\()|[【[](?:思考|推理)(?:开始|结束)[】\]]/i

/** `…</x:plan>答案`: a closing tag of a thought, or with a namespace, that nothing opened. */
function hasLoneClosing(text: string): boolean {
  if (!text.includes('</')) return false
  const opened = new Set<string>()
  for (const [, slash, name] of text.matchAll(/<(\/?)([\p{L}_][\p{L}\p{N}_:.-]{0,63})/gu)) {
    if (slash === '') opened.add(name as string)
    else if (!opened.has(name as string) && (name?.includes(':') || tagKind(name as string) === 'thought')) return true
  }
  return false
}

/** GLM marks its answer anywhere in the text. */
function stripBoxes(text: string): string {
  return text.includes('_of_box|>') ? text.replace(/<\|(?:begin|end)_of_box\|>/g, '') : text
}

/** Channels of gpt-oss: the last message of channel `final`, even if the server dropped the special tokens. */
function stripChannels(text: string): Step {
  if (text.includes('<|channel|>')) {
    const final = [...text.matchAll(/<\|channel\|>\s{0,4}final\b[^<]{0,100}<\|message\|>/g)].at(-1)
    if (final === undefined) return unreadable
    const answer = text.slice(final.index + final[0].length)
    const end = answer.search(/<\|(?:end|return|start|call)\|>/)
    return end < 0 ? answer : answer.slice(0, end)
  }
  if (/^\s*<\|channel>/.test(text)) return after(text, /<channel\|>/, 0) ?? unreadable
  if (/^\s*assistantfinal/.test(text)) return text.trimStart().slice('assistantfinal'.length)
  if (!/^\s*analysis/.test(text)) return null
  const end = text.lastIndexOf('assistantfinal')
  if (end >= 0) return text.slice(end + 'assistantfinal'.length)
  return /^\s*analysis[^\sa-z,.:;，。：、]/.test(text) ? unreadable : null
}

const strongName =
  '(?:[\\w.-]{1,32}[:_.-])?(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad|cot)(?:[:_.-]\\w{1,32})?'

/** Marks that mean a thought anywhere in a text. */
const strongMarks = new RegExp(
  `(\\*\\*|\`)?<{1,2}\\s{0,2}(/?)\\s{0,2}${strongName}(?:\\s[^<>]{0,200})?(?<selfClosing>/)?>{1,2}\\1` +
    `|[◁⟨〈＜《⟦]([/／]?)(?:${strongName}|思考|思考过程)[▷⟩〉＞》⟧]` +
    '|\\[(/?)(?:THINK(?:ING)?|THOUGHTS?|REASONING)\\](?!\\()' +
    '|<[|｜](?:(?:begin|start)(?:[_▁]of)?[_▁](?:thought|think(?:ing)?|reasoning)|think(?:ing)?(?:[_▁](?:begin|start))?|inner_prefix)[|｜]>' +
    '|(<[|｜](?:/|end(?:[_▁]of)?[_▁])(?:thought|think(?:ing)?|reasoning)[|｜]>|<[|｜](?:think(?:ing)?[_▁]end|inner_suffix)[|｜]>)',
  'gi',
)

/**
 * Removes thoughts in strong marks, anywhere in the text: pairs; everything before a lone closing mark (the prompt
 * opened it); everything after an opening mark that is never closed.
 */
function stripStrongMarks(text: string): Step {
  let kept: string[] = []
  let start = 0
  let inside = false
  let found = false
  for (const mark of text.matchAll(strongMarks)) {
    found = true
    // The first group matches the Markdown around a mark, as in `**<think>**`.
    const closes = mark
      .slice(2)
      .some((slash) => slash !== undefined && slash !== '' && slash !== mark.groups?.selfClosing)
    const isEmpty = mark.groups?.selfClosing !== undefined || mark[0].endsWith('/>')
    const end = mark.index + mark[0].length
    if (closes) {
      if (!inside) kept = []
      inside = false
      start = end
    } else if (!inside) {
      kept.push(text.slice(start, mark.index))
      start = end
      inside = !isEmpty
    }
  }
  if (!found) return null
  if (!inside) kept.push(text.slice(start))
  const rest = kept.join('')
  return inside && rest.trim() === '' ? afterUnclosed(text) : rest
}

/** An answer in its own mark ends a thought that is never closed: `<think>…<answer>…</answer>`. */
function afterUnclosed(text: string): Step {
  const answer = [...text.matchAll(/<((?:final_?)?answer|response)>/gi)].at(-1)
  if (answer === undefined || !text.includes(`</${answer[1]}>`, answer.index)) return unreadable
  return text.slice(answer.index)
}

/** Handles the start of a text: tags by their name, thoughts by their heading. */
function stripLead(text: string): Step {
  const lead = text.trimStart()
  const tag = leadingTag(lead)
  return (tag === null ? stripUnused(lead) : stripTag(lead, tag)) ?? stripHeading(lead)
}

interface Tag {
  readonly kind: TagKind
  readonly open: string
  /** The first of these ends it. */
  readonly closings: readonly string[]
  /** `<name>`: unreadable if not closed; `[name]` and `【name】` may be plain text. */
  readonly angled: boolean
  /** `<x:name>`, with which no HTML and hardly any answer begins. */
  readonly namespaced: boolean
  readonly attributes: boolean
}

const brackets: Readonly<Record<string, string>> = {
  '<': '>',
  '◁': '▷',
  '[': ']',
  '【': '】',
  '《': '》',
  '〈': '〉',
  '⟨': '⟩',
  '⟦': '⟧',
  '＜': '＞',
  '{': '}',
}

function leadingTag(lead: string): Tag | null {
  const [open = ''] = lead
  const close = brackets[open]
  if (close === undefined) return null
  const special = /^<[|｜]([\w▁/.:-]{1,64})[|｜]>/.exec(lead)
  if (special?.[1] !== undefined) return specialTag(special[0], special[1])
  const named = /^.([\p{L}_][\p{L}\p{N}_:.-]{0,63})((?:\s[^<>]{0,300})?)/u.exec(lead)
  const name = named?.[1]
  if (
    named === null ||
    name === undefined ||
    /^(?:unused|ctrl)\d{1,4}$/.test(name) ||
    !lead.startsWith(close, named[0].length) ||
    named[2]?.endsWith('/')
  )
    return null
  if (open !== '<' && named[2] !== '') return null
  return {
    kind: tagKind(name),
    open: named[0] + close,
    closings: [`${open}/${name}${close}`, `${open}／${name}${close}`],
    angled: open === '<' || open === '◁',
    namespaced: name.includes(':'),
    attributes: named[2] !== '',
  }
}

/** `<|begin_of_x|>` ends with `<|end_of_x|>`, `<|START_X|>` with `<|END_X|>`, `<|x|>` with `<|/x|>`. */
function specialTag(open: string, name: string): Tag | null {
  const bar = open.charAt(1)
  const base = name.replace(/^(?:begin|start)(?:[_▁]of)?[_▁]|[_▁](?:begin|start)$/i, '')
  const kind = tagKind(base.replaceAll('▁', '_'))
  if (kind !== 'thought' && kind !== 'answer' && kind !== 'tool') return null
  // The role before a reply, not a mark around it.
  if (/^assistant$/i.test(base)) return null
  const ends = name.replace(/begin/i, 'end').replace(/start/i, (word) => (word === 'START' ? 'END' : 'end'))
  const names = [ends, `/${base}`, `end_of_${base}`, `end_${base}`, `${base}_end`, name.replace(/prefix$/, 'suffix')]
  const closings = [...new Set(names.filter((each) => each !== name))].map((each) => `<${bar}${each}${bar}>`)
  return { kind, open, closings, angled: true, namespaced: false, attributes: false }
}

function stripTag(lead: string, tag: Tag): Step {
  const { kind, open } = tag
  if (kind === 'markup') return stripDetails(lead)
  const closing = firstOf(lead, tag.closings, open.length)
  if (closing === null) {
    // `[注]`, `【答】`, `<T>` and `<vector.h>` begin a plain text.
    const plain =
      !tag.angled || open.length <= 3 || open.includes('.') || (kind === 'unknown' && !/^<[\w:-]+>/.test(open))
    return plain ? null : unreadable
  }
  const inner = lead.slice(open.length, closing.start)
  const after = lead.slice(closing.end)
  switch (kind) {
    case 'thought':
      return after
    case 'tool':
      return unreadable
    case 'answer':
      return inner
    default:
      return ofUnknownPair(inner, after, tag)
  }
}

/** `<unused94>thought … <unused95>`: marks that Gemma's vocabulary has to spare. */
function stripUnused(lead: string): Step {
  const open = /^<(?:unused|ctrl)\d{1,4}>/.exec(lead)
  if (open === null) return null
  return after(lead, /<(?:unused|ctrl)\d{1,4}>/, open[0].length) ?? unreadable
}

/** A pair of an unknown name: around the whole text it is a wrapper; before an answer it is a thought, or is not read. */
function ofUnknownPair(inner: string, after: string, { namespaced, attributes }: Tag): Step {
  if (after.trim() === '') {
    // Elements inside an element are XML, which an answer may be.
    const nested = leadingTag(inner.trimStart())
    const isXml = attributes || (nested !== null && nested.kind === 'unknown')
    return isXml ? null : inner
  }
  if (namespaced) return after
  const next = leadingTag(after.trimStart())
  return next?.kind === 'answer' ? after : unreadable
}

/** Interfaces that fold thoughts: `<details type="reasoning">`, `<details><summary>Thought for 5 s</summary>…`. */
function stripDetails(lead: string): Step {
  const folded =
    /^<details\b[^>]{0,200}\btype="?reasoning|^<details\b[^>]{0,200}>\s{0,20}<summary>[^<]{0,100}(?:think|thought|reason|思考|推理)/i
  if (!folded.test(lead)) return null
  const end = lead.indexOf('</details>')
  return end < 0 ? unreadable : lead.slice(end + '</details>'.length)
}

/** Thoughts under a heading, ended by the heading of the answer: `### Reasoning … ### Answer`, `Thought: … Answer: …`. */
function stripHeading(lead: string): Step {
  const fence = /^```\s{0,4}(?:think(?:ing)?|thoughts?|reasoning|思考)[^\S\n]{0,20}\n/i.exec(lead)
  if (fence !== null) return after(lead, /\n```[^\S\n]{0,20}(?:\n|$)/, fence[0].length) ?? unreadable
  if (/^>\s{0,4}(?:\*\*)?(?:💭\s?)?(?:思考|thinking|thought|reasoning)/i.test(lead))
    return after(lead, /\n(?!>)/, 0) ?? unreadable
  if (/^(?:[（(]\s{0,2}(?:内心|思考|心想|thinking|thought)[^：:\n]{0,6}[：:]|<(?:function|tool)\b)/i.test(lead))
    return unreadable
  if (/^here(?:[’']s| is) my (?:thought process|thinking|reasoning)/i.test(lead)) {
    return after(lead, /here(?:[’']s| is) my (?:final )?(?:response|answer)\s{0,4}[:：]?/i, 0) ?? unreadable
  }
  if (/^thinking(?:\.{3}|…)\s{0,4}\n/i.test(lead)) return after(lead, /(?:\.{3}|…)done thinking\.?/i, 0) ?? unreadable
  if (englishHeading.test(lead)) return after(lead, englishAnswer, 1) ?? unreadable
  if (!chineseHeading.test(lead)) return null
  return after(lead, chineseAnswer, 1) ?? (/^[^\n]{0,8}(?:思考过程|思维链|内心独白)/.test(lead) ? unreadable : null)
}

const englishHeading =
  /^(?:#{1,6}\s{1,4}|\*{1,2})?(?:my )?(?:thinking(?: process)?|thoughts?(?: process)?|reasoning(?: process)?|chain of thought|internal monologue|scratchpad)\s{0,2}\*{0,2}\s{0,2}(?:[:：]|\n)/i
const englishAnswer =
  /(?:^|\n)[^\S\n]{0,8}(?:#{1,6}\s{1,4}|\*{1,2})?(?:my |the )?(?:final )?(?:answer|response|reply|output)\s{0,2}\*{0,2}\s{0,2}(?:[:：]\*{0,2}|\n)/i
const chineseHeading =
  /^(?:(?:#{1,6}\s{1,4}|\*\*|【|[-=—]{2,8}\s?)(?:我的)?(?:思考|思考过程|思维链|内心独白)(?:】|\*\*|\s?[-=—]{2,8})?[^\S\n]{0,4}[:：]?|(?:思考|思考过程|思维链|内心独白)[:：])/
const chineseAnswer =
  /\n[^\S\n]{0,8}(?:#{1,6}\s{1,4}|\*\*|【|[-=—]{2,8}\s?)?(?:最终|正式)?(?:回答|答案|回复|答复|输出)(?:】|\*\*|\s?[-=—]{2,8})?[^\S\n]{0,4}(?:[:：]\*{0,2}|\n|(?<=】|\*\*))/

/** Returns the text after the first match of `pattern` at or after `from`; null if there is none. */
function after(text: string, pattern: RegExp, from: number): string | null {
  const rest = text.slice(from)
  const found = pattern.exec(rest)
  return found === null ? null : rest.slice(found.index + found[0].length)
}

/** A closing tag at the end that nothing opened: of an answer (the prompt opened it), or of an unknown family. */
function stripClosingTag(text: string): Step {
  const trimmed = text.trimEnd()
  if (!trimmed.endsWith('>')) return null
  const tag = /<\/([\p{L}_][\p{L}\p{N}_:.-]{0,63})>$/u.exec(trimmed.slice(-80))
  const name = tag?.[1]
  if (tag === null || name === undefined) return null
  const kind = tagKind(name)
  const start = trimmed.length - tag[0].length
  const opens = trimmed.lastIndexOf(`<${name}`, start)
  if (opens >= 0) {
    // 'First … <answer>42</answer>': what comes before an answer's own mark is a thought.
    const closed = trimmed.startsWith('>', opens + name.length + 1)
    const isAnswer = closed && /^(?:final_?)?answer$|^response$/i.test(name) && !trimmed.slice(0, opens).includes('```')
    return isAnswer ? trimmed.slice(opens + name.length + 2, start) : null
  }
  if (kind === 'answer') return trimmed.slice(0, start)
  return kind === 'markup' ? null : unreadable
}

function firstOf(text: string, closings: readonly string[], from: number): { start: number; end: number } | null {
  let first: { start: number; end: number } | null = null
  for (const closing of closings) {
    const start = text.indexOf(closing, from)
    if (start >= 0 && (first === null || start < first.start)) first = { start, end: start + closing.length }
  }
  return first
}
