/**
 * Token counts of a reply: the server's if plausible, otherwise estimated from the texts.
 * A reply with estimated counts is marked; token limits count the estimate.
 */
import type { Reply } from '../../storage/replies/types.js'
import { estimateTokens } from '../../text/tokens.js'
import { asObject, type Json } from './json.js'

/** Larger counts are implausible. */
const tokensMax = 2 ** 31

/** The counts of a reply. */
type Usage = Pick<Reply, 'promptTokens' | 'completionTokens' | 'usageEstimated'>

/** Texts sent and received, from which counts are estimated. */
interface UsageInput {
  /** The `usage` of the response, not validated. */
  readonly usage: unknown
  /** Number of prompts that the usage covers; each gets an equal share. */
  readonly prompts: number
  /** Everything that the model wrote, including thoughts. */
  readonly written: string
  /** The body of the request. */
  readonly body: Json
  /** Index of the prompt in a list. */
  readonly place: number
}

/** Returns the counts, each from the server or estimated; a reply with text has at least one token. */
export function usageOf({ usage, prompts, written, body, place }: UsageInput): Usage {
  const fields = asObject(usage)
  const [prompt, completion] = [count(fields.prompt_tokens), count(fields.completion_tokens)]
  const known = completion !== null && (completion > 0 || written === '')
  return {
    promptTokens: prompt === null ? estimateTokens(promptText(body, place)) : share(prompt, prompts),
    completionTokens: known ? share(completion as number, prompts) : estimateTokens(written),
    ...(known && prompt !== null ? {} : { usageEstimated: true as const }),
  }
}

/** Avoids −0, which JSON does not preserve. */
function share(tokens: number, prompts: number): number {
  return Math.round(tokens / prompts) + 0
}

function count(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && number >= 0 && number <= tokensMax ? number : null
}

function promptText(body: Json, place: number): string {
  if (Array.isArray(body.messages)) return body.messages.map((message) => asObject(message).content).join('\n')
  return String(Array.isArray(body.prompt) ? body.prompt[place] : (body.prompt ?? ''))
}
