/**
 * Log-probabilities without a model: determined by the token and its position, and by the grade if the reply is one.
 * Those of a prompt are lower the less it resembles Chinese prose, and higher for what the prompt said before, so that
 * perplexity and the help of an instruction can be tested.
 */
import { hashNumbers, hashText, unit } from '../random.js'
import { tokenText } from './tokens.js'
import type { Grade } from './writer/grade.js'

export interface TokenLogprobs {
  readonly id: number
  readonly token: string
  readonly logprob: number
  /** The most probable first; includes the token itself. */
  readonly top: readonly (readonly [token: string, logprob: number])[]
}

/** Tokens used as alternatives. */
const alternatives = [
  '的',
  '，',
  '是',
  '在',
  '一',
  '了',
  '。',
  '有',
  '和',
  '不',
  '这',
  '为',
  '以',
  '可',
  '对',
  '也',
  '中',
  '人',
  '上',
  '个',
  '我',
]

/** @param count alternatives per token; 0 for the token only */
export function replyLogprobs(
  ids: readonly number[],
  count: number,
  wanted: readonly number[],
  grade: Grade | undefined,
): TokenLogprobs[] {
  const decides = grade === undefined ? -1 : ids.findIndex((id) => ['好', '差'].includes(tokenText(id)))
  return ids.map((id, place) => {
    const token = tokenText(id)
    // Without a prototype: a token may be the name of an inherited property.
    const known: Record<string, number> = Object.create(null)
    if (place === decides && grade !== undefined) Object.assign(known, grade.logprobs)
    known[token] ??= Math.log(0.55 + 0.44 * unit(hashNumbers(id, place, 3)))
    const top = withAlternatives(known, count)
    for (const other of wanted) {
      const text = tokenText(other)
      if (!top.some(([shown]) => shown === text))
        top.push([text, known[text] ?? -12 - 4 * unit(hashNumbers(other, place))])
    }
    return { id, token, logprob: known[token] as number, top }
  })
}

/** Returns the logprobs of a prompt with echo; the first is null. */
export function promptLogprobs(ids: readonly number[]): (number | null)[] {
  const pairs = new Set<number>()
  const seen = new Set<number>()
  return ids.map((id, place) => {
    const known = seen.has(id)
    seen.add(id)
    if (place === 0) return null
    const pair = hashNumbers(ids[place - 1] as number, id)
    const again = pairs.has(pair)
    pairs.add(pair)
    if (again) return -0.3
    return -surprise(tokenText(id)) * (0.7 + 0.6 * unit(pair)) * (known ? knownFactor : 1)
  })
}

/** Factor of the surprise of a token that the prompt has already. */
const knownFactor = 0.75

/** Returns the known tokens, and alternatives that share the remaining probability, up to `count`. */
function withAlternatives(known: Readonly<Record<string, number>>, count: number): [string, number][] {
  const top = Object.entries(known)
  let left = Math.max(1e-6, 1 - top.reduce((sum, [, logprob]) => sum + Math.exp(logprob), 0))
  const start = hashText(top[0]?.[0] ?? '')
  for (let step = 0; top.length < count && step < alternatives.length; step++) {
    const token = alternatives[(start + step) % alternatives.length] as string
    if (known[token] !== undefined) continue
    top.push([token, Math.log(left / 2)])
    left /= 2
  }
  top.sort((a, b) => b[1] - a[1])
  return top.slice(0, Math.max(1, count))
}

function surprise(token: string): number {
  if (/^\p{Script=Han}{2}$/u.test(token)) return 3
  if (/^\p{Script=Han}$/u.test(token)) return 3.5
  if (/^[，。、；：？！“”（）\s]$/u.test(token)) return 1.5
  return /^[\p{L}\p{N} ]+$/u.test(token) ? 5 : 8
}
