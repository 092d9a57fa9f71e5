/** Reads a server's responses to a probe: values of an unexpected shape count as absent. Pure. */
import { asList, asObject, type Json } from '../protocol/json.js'
import { firstTokenLogprobs } from '../protocol/logprobs.js'
import { promptLogprobsOf } from '../protocol/prompt-logprobs.js'
import { reasoningOf } from '../protocol/reply-body.js'

/** Returns the maximum named in a refusal: 'which is greater than max allowed: 5', 'less than or equal to 5'. */
export function allowedNumber(words: string, below: number): number | null {
  const numbers = [...words.matchAll(/\d+/g)].map(([digits]) => Number(digits)).filter((each) => each < below)
  return numbers.length === 0 ? null : Math.max(...numbers)
}

/** Whether there is more than one token with its log-probability, and the tokens are readable as Chinese. */
export function readableLogprobs(body: Json): boolean {
  const choice = asList(body.choices)[0] ?? {}
  const tokens = Object.keys(firstTokenLogprobs(choice.logprobs) ?? {})
  if (tokens.length < 2) return false
  if (tokens.every((token) => /^(token_id:)?\s*\d+$/.test(token))) return false
  const text = String(choice.text ?? asObject(choice.message).content ?? '')
  return tokens.some((token) => /\p{Script=Han}/u.test(token)) || !/\p{Script=Han}/u.test(text)
}

/** Whether a response has the log-probability of each token of its prompt but the first. @param asked fields of the request */
export function hasPromptLogprobs(body: Json, asked: Json): boolean {
  const { logprobs = [] } = promptLogprobsOf(asList(body.choices)[0] ?? {}, asked) ?? {}
  const counted = Number(asObject(body.usage).prompt_tokens)
  // A server may leave out the mark at the beginning of a text.
  const isWhole = !(Math.abs(counted - logprobs.length) > 1)
  return isWhole && logprobs.length >= promptTokensMin && !logprobs.slice(1).includes(null)
}

/** Tokens that the prompt of the probe has by every tokenizer. */
const promptTokensMin = 4

/**
 * Whether a reply to a turn opened with 【 begins with a thought: the label is not its most likely first token, and a
 * mark or a reasoning parser shows a thought.
 */
export function beginsThought(choice: Json): boolean {
  const tokens = Object.entries(firstTokenLogprobs(choice.logprobs) ?? {})
  const [likeliest] = tokens.sort(([, a], [, b]) => (b ?? -Infinity) - (a ?? -Infinity))
  const token = likeliest?.[0].trim() ?? ''
  if (/^[好差]/.test(token)) return false
  return /^[<[◁]\|?(?:think|thought|reason)/i.test(token) || reasoningOf(asObject(choice.message)) !== ''
}
