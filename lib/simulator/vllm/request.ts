/**
 * Parses request bodies. The schemas are loose, because vLLM ignores unknown fields. Requests of both endpoints become
 * a ModelRequest: prompts and sampling parameters.
 */
import { z } from 'zod'
import type { CapabilityName } from './options.js'
import { Refusal } from './refusal.js'
import { decode, encode, isToken } from './tokens.js'

const sampling = {
  model: z.string().optional(),
  n: z.number().int().min(1).max(128).nullish(),
  max_tokens: z.number().int().min(0).nullish(),
  min_tokens: z.number().int().min(0).nullish(),
  temperature: z.number().min(0).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.number().int().nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().gt(0).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  seed: z.number().int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stop_token_ids: z.array(z.number().int()).nullish(),
  ignore_eos: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  logprob_token_ids: z.array(z.number().int()).nullish(),
  structured_outputs: z.looseObject({ choice: z.array(z.string()).min(1).optional() }).nullish(),
}

const completionBody = z.looseObject({
  ...sampling,
  prompt: z.union([z.string(), z.array(z.string()), z.array(z.number()), z.array(z.array(z.number()))]),
  logprobs: z.number().int().min(0).max(20).nullish(),
  echo: z.boolean().nullish(),
  prompt_logprobs: z.number().int().min(0).max(20).nullish(),
})

const message = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.null(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]),
})

const chatBody = z.looseObject({
  ...sampling,
  messages: z.array(message).min(1),
  max_completion_tokens: z.number().int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  add_generation_prompt: z.boolean().nullish(),
  continue_final_message: z.boolean().nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
})

export interface Prompt {
  /** Input of the writer; of a chat, the messages of other roles than `assistant`. */
  readonly text: string
  readonly ids: readonly number[]
  /** Start of the reply, which the prompt ends with; '' if there is none. */
  readonly prefill: string
}

export interface ModelRequest {
  readonly kind: 'chat' | 'completion'
  readonly model: string | undefined
  readonly prompts: readonly Prompt[]
  readonly samples: number
  /** Absent: up to the end of the context. */
  readonly maxTokens: number | undefined
  readonly minTokens: number
  readonly temperature: number
  readonly seed: number | undefined
  readonly stop: readonly string[]
  readonly ignoreEos: boolean
  /** Alternatives per token; null without logprobs. */
  readonly logprobs: number | null
  readonly logprobTokenIds: readonly number[]
  readonly echo: boolean
  /** Whether the reply has `prompt_logprobs`. */
  readonly promptLogprobs: boolean
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly choices: readonly string[] | null
  readonly thinks: boolean
}

/** Parses the body of /v1/completions. @throws {Refusal} 400 with the first problem of the body, as in vLLM */
export function completionRequest(body: unknown, promptsMax: number, lacks: (name: CapabilityName) => boolean) {
  const parsed = parse(completionBody, body)
  const prompts = promptsOf(parsed.prompt)
  if (lacks('prompt-lists') && Array.isArray(parsed.prompt)) {
    throw new Refusal(400, 'prompt: Input should be a valid string', 'BadRequestError', 'prompt')
  }
  if (prompts.length === 0 || prompts.length > promptsMax) {
    throw new Refusal(400, `prompt: ${prompts.length} prompts; from 1 to ${promptsMax} are allowed`)
  }
  const echo = parsed.echo === true && !lacks('echo')
  if (parsed.max_tokens === 0 && !echo) throw new Refusal(400, 'max_tokens must be at least 1, got 0.')
  const request: ModelRequest = {
    kind: 'completion',
    prompts,
    ...samplingOf(parsed),
    maxTokens: parsed.max_tokens ?? 16,
    logprobs: lacks('logprobs') ? null : (parsed.logprobs ?? null),
    echo,
    promptLogprobs: typeof parsed.prompt_logprobs === 'number' && !lacks('prompt-logprobs'),
    thinks: false,
  }
  return request
}

/** Parses the body of /v1/chat/completions. @throws {Refusal} 400 with the first problem of the body, as in vLLM */
export function chatRequest(body: unknown, lacks: (name: CapabilityName) => boolean): ModelRequest {
  const parsed = parse(chatBody, body)
  const continues = parsed.continue_final_message === true
  if (continues && parsed.add_generation_prompt !== false) {
    throw new Refusal(400, 'Cannot set both `continue_final_message` and `add_generation_prompt` to True.')
  }
  const messages = parsed.messages.map(({ role, content }) => ({ role, content: contentText(content) }))
  const last = messages.at(-1) as { role: string; content: string }
  const prefill = continues && last.role === 'assistant' ? last.content : ''
  const inputs = messages.filter(({ role }) => role !== 'assistant').map(({ content }) => content)
  const thinkingOff = parsed.chat_template_kwargs?.enable_thinking === false && !lacks('chat-template-kwargs')
  return {
    kind: 'chat',
    prompts: [{ text: inputs.join('\n'), ids: encode(chatText(messages, continues)), prefill }],
    ...samplingOf(parsed),
    maxTokens: parsed.max_completion_tokens ?? parsed.max_tokens ?? undefined,
    logprobs: parsed.logprobs === true && !lacks('logprobs') ? (parsed.top_logprobs ?? 0) : null,
    echo: false,
    promptLogprobs: false,
    thinks: !thinkingOff && !continues,
  }
}

/** Renders messages in ChatML, the format of Qwen and Yi. `continues`: leaves the last turn open. */
function chatText(messages: readonly { role: string; content: string }[], continues = false): string {
  const turns = messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('')
  return continues ? turns.slice(0, -'<|im_end|>\n'.length) : `${turns}<|im_start|>assistant\n`
}

const tokenizeBody = z.looseObject({
  prompt: z.string().optional(),
  messages: z.array(message).optional(),
  add_generation_prompt: z.boolean().optional(),
})

/** Returns the token ids for POST /tokenize. */
export function tokenizeRequest(body: unknown): number[] {
  const { prompt, messages, add_generation_prompt: open = true } = parse(tokenizeBody, body)
  if (prompt !== undefined) return encode(prompt)
  if (messages === undefined) throw new Refusal(400, 'prompt or messages: Field required')
  const turns = messages.map(({ role, content }) => ({ role, content: contentText(content) }))
  const text = chatText(turns)
  return encode(open ? text : text.slice(0, -'<|im_start|>assistant\n'.length))
}

export function detokenizeRequest(body: unknown): string {
  const { tokens } = parse(z.looseObject({ tokens: z.array(z.number().int()) }), body)
  return decode(tokens)
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issue = result.error.issues[0] as z.core.$ZodIssue
  throw new Refusal(400, `${issue.path.join('.')}: ${issue.message}`, 'BadRequestError', String(issue.path[0] ?? ''))
}

function samplingOf(parsed: z.output<z.ZodObject<typeof sampling>>) {
  const { stop, structured_outputs: structured } = parsed
  if (structured && structured.choice === undefined) {
    throw new Refusal(400, 'structured_outputs: only `choice` is simulated', 'BadRequestError', 'structured_outputs')
  }
  return {
    model: parsed.model,
    samples: parsed.n ?? 1,
    minTokens: parsed.min_tokens ?? 0,
    temperature: parsed.temperature ?? 1,
    seed: parsed.seed ?? undefined,
    stop: typeof stop === 'string' ? [stop] : (stop ?? []).filter((text) => text !== ''),
    ignoreEos: parsed.ignore_eos === true,
    logprobTokenIds: parsed.logprob_token_ids ?? [],
    stream: parsed.stream === true,
    includeUsage: parsed.stream_options?.include_usage === true,
    choices: structured?.choice ?? null,
  }
}

function promptsOf(prompt: string | readonly string[] | readonly number[] | readonly number[][]): Prompt[] {
  if (typeof prompt === 'string') return [fromText(prompt)]
  if (typeof prompt[0] === 'number') return [fromIds(prompt as readonly number[])]
  return prompt.map((one) => (typeof one === 'string' ? fromText(one) : fromIds(one as readonly number[])))
}

function fromText(text: string): Prompt {
  return { text, ids: encode(text), prefill: text.endsWith('【') ? '【' : '' }
}

function fromIds(ids: readonly number[]): Prompt {
  if (!ids.every(isToken))
    throw new Refusal(400, 'prompt: a token id is out of vocabulary', 'BadRequestError', 'prompt')
  const text = decode(ids)
  return { text, ids, prefill: text.endsWith('【') ? '【' : '' }
}

function contentText(content: z.output<typeof message>['content']): string {
  if (typeof content === 'string') return content
  return (content ?? []).map((part) => part.text ?? '').join('')
}
