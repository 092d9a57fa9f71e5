/** Removes what a reply puts around its whole text: quotes, brackets, bold, fences, tags, JSON. */

const pairs: Readonly<Record<string, string>> = {
  '“': '”',
  '「': '」',
  '『': '』',
  '‘': '’',
  '【': '】',
  '〖': '〗',
  '（': '）',
  '(': ')',
  '[': ']',
  '［': '］',
  '《': '》',
  '<': '>',
  '〔': '〕',
  '〈': '〉',
  '｛': '｝',
  '｢': '｣',
  '«': '»',
  '”': '”',
  '’': '’',
  '〝': '〞',
}

/** Their closing mark is the opening one: nesting cannot be seen. */
const symmetric = ['"', "'", '`', '＂']

/**
 * Removes one pair of marks around the whole text, or returns the text. Not from “甲”和“乙”, which only starts and ends
 * with a quote, and not from the title 《红楼梦》.
 */
export function withoutPair(given: string): string {
  const text = withoutTriple(given.trim())
  // “如何种竹？”。: the full stop belongs to the sentence around the quote.
  const trimmed = text.trim().replace(/^([“「『"].{0,2000}[”」』"])[。.，,]$/su, '$1')
  const open = trimmed.charAt(0)
  if (symmetric.includes(open) && trimmed.includes(open, 1)) return withoutSymmetric(trimmed, open)
  const close = pairs[open]
  if (close === undefined) return withoutStrayQuote(trimmed)
  if (!trimmed.endsWith(close)) return withoutStrayQuote(trimmed)
  if (open === '《' && !/[？?。！!]|^《(?:请|如何|怎样|怎么|为什么)/u.test(trimmed)) return trimmed
  let depth = 0
  for (let at = 0; at < trimmed.length - 1; at++) {
    if (trimmed[at] === open) depth++
    else if (trimmed[at] === close) depth--
    if (depth === 0) return trimmed
  }
  return trimmed.slice(1, -1).trim()
}

const tripled = ['"""', "'''", '“““', '‘‘‘', '~~~']

/** """…""", '''…''': as strings of programs have. Also “…" and “…“, whose closing mark is of another kind. */
function withoutTriple(text: string): string {
  for (const mark of tripled) {
    const close = mark.replaceAll('“', '”').replaceAll('‘', '’')
    if (!text.startsWith(mark) || text.length <= 2 * mark.length) continue
    const inner = text.slice(mark.length)
    const end = inner.endsWith(close) ? inner.length - close.length : inner.length
    if (!inner.slice(0, end).includes(close)) return inner.slice(0, end).trim()
  }
  const mixed = /^[“„〝"]([^“”„〝〞"]{1,2000})[“”〞"]$/u.exec(text)
  return mixed?.[1]?.trim() ?? text
}

function withoutSymmetric(text: string, mark: string): string {
  if (text.length < 2 || !text.endsWith(mark) || text.startsWith(mark.repeat(3))) return text
  const inner = text.slice(1, -1)
  const marks = inner.split(mark).length - 1
  // Two pairs inside: only if the first begins where the outer one does, or nothing separates the outer from an inner one.
  if (marks === 0 || (marks % 2 === 0 && inner.startsWith(mark))) return inner.trim()
  return text
}

/** Removes a mark that opens at the start and is never closed, or closes at the end and was never opened. */
function withoutStrayQuote(text: string): string {
  if (/^[“「『【〔〖［（《]/u.test(text) && !text.includes(pairs[text.charAt(0)] ?? '')) return text.slice(1).trim()
  const last = text.charAt(text.length - 1)
  const open = strayClosings[last]
  if (open !== undefined && !text.includes(open)) return text.slice(0, -1).trim()
  const single = text.indexOf('"')
  const isAlone = single >= 0 && single === text.lastIndexOf('"') && !/[“”]|\d"/u.test(text)
  if (!isAlone || (single !== 0 && single !== text.length - 1)) return text
  return text.replace('"', '').trim()
}

const strayClosings: Readonly<Record<string, string>> = {
  '”': '“',
  '」': '「',
  '』': '『',
  '】': '【',
  '〕': '〔',
  '〗': '〖',
}

/** Removes ** or __ around the whole text, or a block quote. */
export function withoutEmphasis(text: string): string {
  for (const mark of ['**', '__', '*', '_']) {
    if (text.length <= 2 * mark.length || !text.startsWith(mark) || !text.endsWith(mark)) continue
    const inner = text.slice(mark.length, -mark.length)
    if (!inner.includes(mark) && !inner.includes('\n\n')) return inner.trim()
  }
  const lines = text.split('\n')
  if (lines.every((line) => /^\s{0,3}>/.test(line)))
    return lines.map((line) => line.replace(/^\s{0,3}>\s?/, '')).join('\n')
  return text
}

const tag = /^<([a-z_]{1,20}|[\u4e00-\u9fff]{1,6})>/i
const namesOfTags =
  /^(?:instructions?|prompt|question|query|user|input|answer|response|output|reply|result|text|final|task|request|problem|human|message|content|inst|instruct|output|q|p|div|span|strong|任务|题目|问句|提示词|提示|用户|输入|输出|用户提问|用户问题|指令|问题|提问|用户指令|回答|答案|回复|文本|结果|正文)$/i

/** Removes a pair of tags with a telling name around the text, or the opening one if it is never closed. */
export function withoutTag(text: string): string {
  const name = tag.exec(text)?.[1]
  if (name === undefined || !namesOfTags.test(name)) return text
  const start = name.length + 2
  const end = text.toLowerCase().indexOf(`</${name.toLowerCase()}>`, start)
  return text.slice(start, end < 0 ? undefined : end).trim()
}

const fence = '```'
/** Languages of a fence around text; in a fence with another one is code, which belongs to an answer. */
const textFence =
  /^```[ \t]{0,4}(?:text|txt|plain|plaintext|markdown|md|json|json5|xml|html|instruction|prompt|中文)?[ \t]{0,4}\n/i

/** Removes a fence around the whole text, unless it marks a language of code. */
export function withoutFence(text: string): string {
  const head = textFence.exec(text)?.[0]
  if (head === undefined || !text.endsWith(fence) || text.length < head.length + fence.length) return text
  const inner = text.slice(head.length, -fence.length)
  return inner.trim() === '' || inner.includes(fence) ? text : inner.trim()
}

/**
 * Returns the string that a JSON reply has under one of the keys, the first one of a list; the text if it is not JSON.
 *
 * Example: '{"instruction": "如何种竹？"}' → '如何种竹？'
 */
export function withoutJson(text: string, keys: ReadonlySet<string>): string {
  return stringsOfJson(text, keys)[0] ?? text
}

/** Returns the strings of a JSON reply as `withoutJson` does, all those of a list; none if it is not JSON. */
export function stringsOfJson(text: string, keys: ReadonlySet<string>): readonly string[] {
  if (!/^[{[]/.test(text)) return []
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'))
  try {
    const found = stringsUnder(JSON.parse(text.slice(0, end + 1)), keys, 0)
    return (found ?? []).map((each) => each.trim())
  } catch {
    const found = stringInBrokenJson(text, keys)
    return found === null ? [] : [found]
  }
}

const jsonDepthMax = 4

/** Null if the value, or the first one of a list, has no such string. */
function stringsUnder(value: unknown, keys: ReadonlySet<string>, depth: number): readonly string[] | null {
  if (typeof value === 'string') return [value]
  if (value === null || typeof value !== 'object' || depth > jsonDepthMax) return null
  if (Array.isArray(value)) {
    const found = value.map((each) => stringsUnder(each, keys, depth + 1))
    return (found[0] ?? null) === null ? null : found.flatMap((each) => each ?? [])
  }
  const entries = Object.entries(value)
  const named = entries.find(([key]) => keys.has(key.toLowerCase().trim()))
  if (named !== undefined) return stringsUnder(named[1], keys, depth + 1)
  const [only] = entries
  return entries.length === 1 && only !== undefined ? stringsUnder(only[1], keys, depth + 1) : null
}

/** Models write line ends and quotes into JSON strings: the string then ends at the last quote before a comma or brace. */
function stringInBrokenJson(text: string, keys: ReadonlySet<string>): string | null {
  const key = /^[{[]\s{0,20}\{?\s{0,20}["'“]?([^"'”:：=]{1,20})["'”]?\s{0,4}[:：=]\s{0,4}["'“]?/.exec(text)
  if (key?.[1] === undefined || !keys.has(key[1].toLowerCase().trim())) return null
  const rest = text.slice(key[0].length)
  const next = /["'”]\s{0,20}[,，]\s{0,20}["'“][^"'”]{1,20}["'”]\s{0,4}[:：]/.exec(rest)
  return rest
    .slice(0, next?.index)
    .replace(/["'”]?\s{0,20}[}\]\s]{0,20}$/u, '')
    .replaceAll('\\n', '\n')
    .replaceAll('\\"', '"')
}
