/**
 * The loss of a text by a model: the mean negative log-probability of its tokens, from the log-probabilities of a prompt.
 * Compares the loss of an answer in two prompts over the tokens that both have.
 */
import { createHash } from 'node:crypto'
import { EndpointError } from '../errors.js'
import { say } from '../language/say.js'
import { promptLogprobsFields } from '../llm/protocol/prompt-logprobs.js'
import type { CompletionRequest, Fault, Model } from '../llm/types.js'
import type { PromptEnd, PromptLogprobs, Reply } from '../storage/replies/types.js'

/** Ends of a prompt that are kept: a tokenizer may join the first tokens of an answer with those before it. */
const endsMax = 8
/** Hexadecimal digits of the hash of an end. */
const hashDigits = 16

/**
 * Returns how a model is asked for the log-probabilities of a prompt.
 *
 * @param stage for the message
 * @throws {EndpointError} a server of the model does not give them
 */
export function lossRequests(
  model: Model,
  stage: 'perplexity' | 'ifd',
  modelName: string,
): (prompt: string) => CompletionRequest {
  const { promptLogprobs: [form] = [], server } = model.capabilities
  if (form === undefined) {
    throw new EndpointError(
      say`kun.${stage} needs the log-probabilities of a prompt (echo with logprobs, or prompt_logprobs), which ${server} does not give for ${model.name}. Serve the model with vLLM or SGLang, or remove kun.${stage}`,
      { details: { model: modelName } },
    )
  }
  const sampling = { temperature: 0, ...promptLogprobsFields[form] }
  return (prompt) => ({ kind: 'completion', prompt, sampling, streamed: false })
}

/** Keeps the ends of a prompt in place of its tokens. */
export function reducedToEnds({ promptLogprobs, ...reply }: Reply): Reply {
  const promptEnds = promptLogprobs === undefined ? undefined : endsOf(promptLogprobs)
  return promptEnds === undefined ? reply : { ...reply, promptEnds }
}

/** Keeps the longest end that is one of those of another prompt; all are dropped if there is none. */
export function reducedToEndOf(others: readonly PromptEnd[]): (reply: Reply) => Reply {
  return ({ promptLogprobs, ...reply }) => {
    if (promptLogprobs === undefined) return reply
    const shared = others.find(({ tokens, hash }) => hashOf(promptLogprobs.tokens.slice(-tokens)) === hash)
    const end = shared === undefined ? null : endOf(promptLogprobs, shared.tokens)
    return end === null ? reply : { ...reply, promptEnds: [end] }
  }
}

/** Returns the fault of a reply from which no log-probabilities can be read. */
export function lossFault({ promptEnds }: Reply): Fault | null {
  return promptEnds === undefined ? 'logprobs' : null
}

/** Returns the mean negative log-probability of a token, in nats. */
function lossOf({ tokens, logprob }: PromptEnd): number {
  return -logprob / tokens + 0 // no −0
}

/** Perplexity of a text: e to the power of its loss. Null without a token that has a log-probability. */
export function perplexityOf({ promptEnds: [whole] = [] }: Reply): number | null {
  return whole === undefined ? null : rounded(Math.exp(lossOf(whole)))
}

/**
 * Instruction-following difficulty of an answer: its loss after the instruction over its loss alone, over the tokens of both.
 * Null if the loss alone is 0. Source: arXiv 2308.12032, equation 4.
 */
export function difficultyOf(after: Reply, alone: Reply): number | null {
  const [end] = after.promptEnds ?? []
  const other = alone.promptEnds?.find(({ hash, tokens }) => hash === end?.hash && tokens === end.tokens)
  return end === undefined || other === undefined ? null : rounded(lossOf(end) / lossOf(other))
}

/** Six significant digits, so that a column does not have the noise of sums; null if it is not finite. */
function rounded(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : null
}

/** Undefined if a token other than the first has no log-probability. */
function endsOf(prompt: PromptLogprobs): PromptEnd[] | undefined {
  const { tokens, logprobs } = prompt
  const first = logprobs[0] === null ? 1 : 0
  if (logprobs.slice(first).includes(null)) return
  const count = Math.min(endsMax, tokens.length - first)
  return Array.from({ length: count }, (_, index) => endOf(prompt, tokens.length - first - index) as PromptEnd)
}

/** Returns the end with this number of tokens; null if one has no log-probability. Sums from the last token on. */
function endOf({ tokens, logprobs }: PromptLogprobs, count: number): PromptEnd | null {
  let logprob = 0
  for (let index = tokens.length - 1; index >= tokens.length - count; index--) {
    const value = logprobs[index]
    if (value === null || value === undefined) return null
    logprob += value
  }
  return { tokens: count, logprob, hash: hashOf(tokens.slice(-count)) }
}

function hashOf(tokens: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(tokens)).digest('hex').slice(0, hashDigits)
}
