/**
 * Log-probabilities of the tokens of a prompt: the fields that request them, in the forms of different servers, and the
 * values in a response. Either nothing is generated, or one token that is not read.
 */
import type { PromptLogprobs } from '../../storage/replies/types.js'
import { asObject, type Json } from './json.js'
import { validLogprob } from './logprobs.js'

/**
 * Forms of the request, the cheapest first. 'echo': the prompt is returned, nothing is generated (vLLM) · 'echo-one': with
 * one token more (SGLang) · 'prompt-logprobs': a field of vLLM, for proxies that drop `echo`.
 */
export const promptLogprobsForms = ['echo', 'echo-one', 'prompt-logprobs'] as const
export type PromptLogprobsForm = (typeof promptLogprobsForms)[number]

/** Fields of a completion request in each form. */
export const promptLogprobsFields: Readonly<Record<PromptLogprobsForm, Json>> = {
  echo: { echo: true, logprobs: 0, max_tokens: 0 },
  'echo-one': { echo: true, logprobs: 1, max_tokens: 1 },
  'prompt-logprobs': { prompt_logprobs: 0, max_tokens: 1 },
}

/** Whether a request reads the log-probabilities of its prompt, and not a text. */
export function readsPrompt({ echo, logprobs, prompt_logprobs }: Json): boolean {
  return (echo === true && typeof logprobs === 'number') || typeof prompt_logprobs === 'number'
}

/**
 * Returns the tokens of the prompt with their log-probabilities; undefined if the choice does not have one for each token.
 * A value that is absent or not valid is null: always that of the first token, which has nothing before it.
 */
export function promptLogprobsOf(choice: Json, body: Json): PromptLogprobs | undefined {
  if (typeof body.prompt_logprobs === 'number') return ofField(choice.prompt_logprobs)
  const { tokens, token_logprobs } = asObject(choice.logprobs)
  if (!Array.isArray(tokens) || !Array.isArray(token_logprobs) || tokens.length !== token_logprobs.length) return
  if (!tokens.every((token) => typeof token === 'string')) return
  const generated = Number(body.max_tokens ?? body.max_completion_tokens)
  const count = tokens.length - generated
  if (!(count > 0)) return
  return { tokens: tokens.slice(0, count), logprobs: token_logprobs.slice(0, count).map(validLogprob) }
}

/** One object for each token, from its id to its log-probability; null for the first. */
function ofField(field: unknown): PromptLogprobs | undefined {
  if (!Array.isArray(field) || field.length === 0) return
  const entries = field.map((each) => Object.entries(asObject(each))[0])
  return {
    tokens: entries.map((entry) => entry?.[0] ?? ''),
    logprobs: entries.map((entry) => (entry === undefined ? null : validLogprob(asObject(entry[1]).logprob))),
  }
}
