/** Reads the value of a column in a model's reply: strict where two readings are possible. Linear in the reply's length. */
import type { ColumnOptions } from './column-options.js'
import { replyText } from './replies/reply-text.js'

/** Returns the value of the column's type, or null if the reply has none, or more than one. */
export function readCell(reply: string, options: ColumnOptions): string | number | null {
  const text = replyText(reply).trim()
  if (text === '') return null
  switch (options.type) {
    case 'enum':
      return enumValue(text, options.values ?? [])
    case 'number':
      return numberValue(text, options)
    case 'json':
      return jsonValue(text)
    case 'text':
      return text
  }
}

/** Characters of a reply in which a value is looked for, besides the values themselves. */
const shortReplyChars = 200

/** The reply is the value, or names exactly one of the values: '难度：【中等】。' has 中等. */
function enumValue(text: string, values: readonly string[]): string | null {
  const bare = bareForm(text)
  const whole = values.filter((value) => bareForm(value) === bare)
  if (whole[0] !== undefined && whole.length === 1) return whole[0]
  if (text.length > shortReplyChars) return null
  const plain = text.normalize('NFKC').toLowerCase()
  // 'medium' is also part of 'medium-hard': a longer value hides the shorter ones inside of it.
  const longestFirst = [...values].sort((a, b) => b.length - a.length)
  let rest = plain
  const named = longestFirst.filter((value) => {
    const form = value.normalize('NFKC').toLowerCase()
    const isNamed = rest.includes(form)
    rest = rest.replaceAll(form, '\n')
    return isNamed
  })
  if (named.length !== 1) return null
  const [value] = named as [string]
  return isDenied(plain, value.normalize('NFKC').toLowerCase()) ? null : value
}

/** Whether a word that denies stands before the value: '不安全' does not say 安全. */
function isDenied(text: string, value: string): boolean {
  const before = text.slice(0, text.indexOf(value))
  return /(?:不|非|没有?|无|未|并非|不是|不属于|not |non-?|un)$/.test(before)
}

function bareForm(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}+#-]/gu, '')
}

/** The reply has one number, which may have a unit or a maximum: '8', '评分：8/10', '4.5 分'. */
function numberValue(text: string, { min = -Infinity, max = Infinity }: ColumnOptions): number | null {
  if (text.length > shortReplyChars) return null
  const plain = text.normalize('NFKC').replaceAll('−', '-')
  // '3 (1 to 5)' has the bounds of the question, '8/10' its maximum.
  const stated = plain.replace(/\([^()]*\)/g, '').replace(/(\d)\s{0,4}\/\s{0,4}\d{1,9}/g, '$1')
  const numbers = stated.match(/(?<![\d.])-?\d{1,15}(?:\.\d{1,15})?/g) ?? []
  if (numbers[0] === undefined || numbers.length !== 1) return null
  const at = stated.indexOf(numbers[0])
  // '1-5' and 'gpt-4' have no negative number.
  const glued = numbers[0]?.startsWith('-') && /[\p{L}\p{N}]/u.test(stated.charAt(at - 1))
  if (glued) return null
  // −0 is not another number: it would not survive JSON.
  const value = Number(numbers[0]) + 0
  return value >= min && value <= max ? value : null
}

/** The reply is JSON, or has one JSON object or list between other words. The result has no blanks. */
function jsonValue(text: string): string | null {
  const start = text.search(/[{[]/)
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'))
  return parsed(text) ?? (start >= 0 && end > start ? parsed(text.slice(start, end + 1)) : null)
}

function parsed(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text)
    return value === null ? null : JSON.stringify(value)
  } catch {
    return null // not JSON: the caller looks for an object in it
  }
}
