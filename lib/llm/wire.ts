/**
 * The OpenAI-compatible shapes: a request's body out, a reply in, whole or streamed.
 * Pure; knows the fields of vLLM, SGLang, llama.cpp and Ollama, and takes thinking out of text.
 */
import { ServerError } from '../errors.js'
import { errorWithin } from './error-body.js'
import { type Asked, failureOf } from './failures.js'
import type { ModelOptions } from './options.js'
import type { CompletionRequest, Reply } from './types.js'

/** What is sent, but for transport: the part of it that can change a reply. */
export function requestBody(
  request: CompletionRequest,
  model: Pick<ModelOptions, 'model' | 'chatTemplateKwargs' | 'extraBody'>,
  seed: number,
): Record<string, unknown> {
  const body: Record<string, unknown> = { model: model.model }
  if (request.kind === 'chat') {
    body.messages = request.messages ?? []
    if (model.chatTemplateKwargs !== undefined) body.chat_template_kwargs = model.chatTemplateKwargs
  } else body.prompt = request.prompt ?? ''
  return Object.assign(body, request.sampling, { seed }, model.extraBody)
}

/** Below the base address of an endpoint. */
export function requestPath(kind: CompletionRequest['kind']): string {
  return kind === 'chat' ? '/chat/completions' : '/completions'
}

/** A request whose replies are parsed. */
export interface AskedReplies extends Asked {
  /** Prompts in the request. */
  readonly prompts: number
}

/**
 * Replies from a whole body, one a prompt, in the order of the prompts whatever the order of the choices.
 *
 * @throws {ServerError | RequestRefusedError} the body holds an error, or not a reply for each prompt
 */
export function parseReplies(text: string, asked: AskedReplies): Reply[] {
  const body = parseObject(text)
  throwErrorWithin(body, asked)
  const { prompts } = asked
  const choices = Array.isArray(body.choices) ? body.choices : []
  const ordered: (Reply | undefined)[] = new Array(prompts).fill(undefined)
  const usage = asObject(body.usage)
  for (const [place, choice] of choices.entries()) {
    const fields = asObject(choice)
    throwErrorWithin(fields, asked)
    const index = typeof fields.index === 'number' ? fields.index : place
    if (index >= 0 && index < prompts) ordered[index] ??= choiceReply(fields, usage, prompts)
  }
  return ordered.map((reply) => {
    if (reply !== undefined) return reply
    throw new ServerError(`The reply holds ${choices.length} choices for ${prompts} prompts`, {
      details: { kind: 'malformed' },
    })
  })
}

function choiceReply(choice: Json, usage: Json, prompts: number): Reply {
  const message = asObject(choice.message)
  const text = choice.message === undefined ? choice.text : message.content
  if (typeof text !== 'string' && text !== null && text !== undefined) throw malformed('a choice without text')
  const finishReason = choice.finish_reason ?? 'stop'
  const logprobs = firstTokenLogprobs(choice.logprobs)
  // The usage of a list is the sum over its prompts: a share each, the rest told by the text's own length of one.
  return {
    text: withoutThinking(text ?? ''),
    finishReason: String(finishReason),
    promptTokens: Math.round(count(usage.prompt_tokens) / prompts),
    completionTokens: Math.round(count(usage.completion_tokens) / prompts),
    ...(logprobs === undefined ? {} : { firstTokenLogprobs: logprobs }),
  }
}

/** Puts a streamed reply together from its server-sent events. Memory: the reply's text. */
export class StreamedReply {
  #pending = ''
  #text = ''
  #finishReason: string | null = null
  #usage: Json = {}
  #logprobs: Record<string, number> | undefined
  #events = 0

  constructor(private readonly asked: AskedReplies) {}

  /** Takes decoded text as it arrives; events may be cut anywhere. */
  push(text: string): void {
    this.#pending += text
    let start = 0
    for (let end = this.#pending.indexOf('\n'); end !== -1; end = this.#pending.indexOf('\n', start)) {
      this.#line(this.#pending.slice(start, end).trim())
      start = end + 1
    }
    this.#pending = this.#pending.slice(start)
  }

  /** @throws {ServerError} the stream ended before the reply did. */
  end(): Reply {
    this.push('\n')
    if (this.#finishReason === null) throw malformed('a stream that ends before the reply is finished')
    return {
      text: withoutThinking(this.#text),
      finishReason: this.#finishReason,
      promptTokens: count(this.#usage.prompt_tokens),
      // A server that sends no usage sends about one event a token.
      completionTokens: count(this.#usage.completion_tokens ?? this.#events),
      ...(this.#logprobs === undefined ? {} : { firstTokenLogprobs: this.#logprobs }),
    }
  }

  #line(line: string): void {
    if (!line.startsWith('data:')) return
    const data = line.slice('data:'.length).trim()
    if (data === '' || data === '[DONE]') return
    const event = parseObject(data)
    throwErrorWithin(event, this.asked)
    if (event.usage !== undefined && event.usage !== null) this.#usage = asObject(event.usage)
    const choice = asObject(Array.isArray(event.choices) ? event.choices[0] : undefined)
    const delta = asObject(choice.delta)
    const text = choice.delta === undefined ? choice.text : delta.content
    if (typeof text === 'string' && text !== '') {
      this.#text += text
      this.#events++
    }
    this.#logprobs ??= firstTokenLogprobs(choice.logprobs)
    if (typeof choice.finish_reason === 'string') this.#finishReason = choice.finish_reason
  }
}

/**
 * Text without its thinking: `<think>…</think>` blocks; what comes before a lone `</think>` (the template opened it);
 * all after a `<think>` that never closes. Linear in the text's length.
 */
export function withoutThinking(text: string): string {
  if (!text.includes('think>')) return text
  let rest = text
  const firstOpen = rest.indexOf('<think>')
  const firstClose = rest.indexOf('</think>')
  if (firstClose !== -1 && (firstOpen === -1 || firstClose < firstOpen)) {
    rest = rest.slice(firstClose + '</think>'.length)
  }
  const kept: string[] = []
  for (;;) {
    const open = rest.indexOf('<think>')
    if (open === -1) break
    kept.push(rest.slice(0, open))
    const close = rest.indexOf('</think>', open)
    rest = close === -1 ? '' : rest.slice(close + '</think>'.length)
  }
  kept.push(rest)
  return kept.join('').replace(/^\s+/, '')
}

/** Chat: `content[0].top_logprobs`, a list; completions: `top_logprobs[0]`, an object. */
export function firstTokenLogprobs(logprobs: unknown): Record<string, number> | undefined {
  const fields = asObject(logprobs)
  const found = new Map<string, number>()
  const note = (token: unknown, logprob: unknown) => {
    if (typeof token === 'string' && typeof logprob === 'number') found.set(token, logprob)
  }
  if (Array.isArray(fields.content)) {
    const first = asObject(fields.content[0])
    note(first.token, first.logprob)
    for (const top of Array.isArray(first.top_logprobs) ? first.top_logprobs : []) {
      note(asObject(top).token, asObject(top).logprob)
    }
  } else if (Array.isArray(fields.top_logprobs)) {
    for (const [token, logprob] of Object.entries(asObject(fields.top_logprobs[0]))) note(token, logprob)
  }
  return found.size === 0 ? undefined : Object.fromEntries(found)
}

type Json = Record<string, unknown>

function parseObject(text: string): Json {
  try {
    return asObject(JSON.parse(text))
  } catch (cause) {
    throw new ServerError(`The reply is not JSON: ${text.slice(0, 100)}`, { cause, details: { kind: 'malformed' } })
  }
}

/** @throws {ServerError | RequestRefusedError} what is said to be a reply is an error */
function throwErrorWithin(body: Json, asked: Asked): void {
  const error = errorWithin(body)
  if (error !== null) throw failureOf(error, 200, asked)
}

function asObject(value: unknown): Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : {}
}

function count(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0
}

function malformed(what: string): ServerError {
  return new ServerError(`The server sent ${what}`, { details: { kind: 'malformed' } })
}
