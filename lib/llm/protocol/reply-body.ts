/**
 * OpenAI-compatible bodies: builds that of a request, parses that of a response. Streams are parsed by
 * streamed-reply.ts. Pure. Supports the fields of vLLM, SGLang, llama.cpp and Ollama, and removes thoughts from the
 * text.
 */

import { isRecord } from '../../core/objects.js'
import { ServerError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { Reply } from '../../storage/replies/types.js'
import type { ModelOptions } from '../options.js'
import type { CompletionRequest } from '../types.js'
import { choiceError, embeddedError, type ServerErrorInfo } from './error-body.js'
import { failureOf, type RequestContext } from './failures.js'
import { finishReason } from './finish-reason.js'
import { asObject, type Json, parseServerJson } from './json.js'
import { firstTokenLogprobs } from './logprobs.js'
import { promptLogprobsOf, readsPrompt } from './prompt-logprobs.js'
import { readThoughts } from './thoughts.js'
import { usageOf } from './usage.js'

/** Builds the body of a request without transport fields: the part that can change the reply. */
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

/** Returns the path of a request, relative to the base address. */
export function requestPath(kind: CompletionRequest['kind']): string {
  return kind === 'chat' ? '/chat/completions' : '/completions'
}

/** Context in which replies are parsed. */
export interface ReplyContext extends RequestContext {
  /** Prompts in the request. */
  readonly prompts: number
  readonly body: Json
  /** Called with the model name in the response. */
  readonly onModel?: ((model: string) => void) | undefined
  /** Called with each piece of a streamed reply. */
  readonly onText?: ((piece: string) => void) | undefined
}

/**
 * Parses the replies in a body: one per prompt, in the order of the prompts, whatever the order of the choices.
 *
 * @throws {ServerError | RequestRefusedError} the body holds an error, or not a reply for each prompt
 */
export function parseReplies(text: string, asked: ReplyContext): Reply[] {
  const body = parseObject(text)
  throwServerError(embeddedError(body), asked)
  reportModel(body, asked)
  const choices = choicesOf(body).map((choice) => {
    if (!isRecord(choice)) throw malformedReply('a choice that is not an object')
    return choice
  })
  // An error of one choice fails the whole request: the dispatcher bisects a list.
  for (const choice of choices) throwServerError(choiceError(choice), asked)
  const ordered: (Reply | undefined)[] = new Array(asked.prompts).fill(undefined)
  for (const [position, choice] of choices.entries()) {
    const place = promptIndex(choice, position, choices.length, asked.prompts)
    if (place === null) continue
    if (ordered[place] !== undefined) throw malformedReply(`two choices with index ${place}`)
    ordered[place] = choiceReply(choice, body.usage, place, asked)
  }
  return ordered.map((reply) => {
    if (reply !== undefined) return reply
    throw malformedReply(`${choices.length} choices for ${asked.prompts} prompts`)
  })
}

/** Reports the model name in a response or event. */
export function reportModel({ model }: Json, { onModel }: ReplyContext): void {
  if (typeof model === 'string' && model !== '') onModel?.(model)
}

/** Returns the choices of a body or event; none if absent. */
export function choicesOf({ choices }: Json): readonly unknown[] {
  if (choices === undefined || choices === null) return []
  if (Array.isArray(choices)) return choices
  throw malformedReply('choices that are not a list')
}

/**
 * Returns the index of the prompt of a choice, or null for a further sample (`n` above 1): index = prompt × n + sample.
 *
 * @throws {ServerError} the index is out of range, so the prompt is unknown
 */
function promptIndex({ index }: Json, position: number, choices: number, prompts: number): number | null {
  const said = index === undefined || index === null ? position : index
  const number = typeof said === 'string' && /^\d{1,6}$/.test(said) ? Number(said) : said
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number >= choices) {
    throw malformedReply(`a choice with index ${shownIndex(said)} of ${choices}`)
  }
  const samples = choices / prompts
  if (!Number.isInteger(samples)) throw malformedReply(`${choices} choices for ${prompts} prompts`)
  return number % samples === 0 ? number / samples : null
}

function shownIndex(index: unknown): string {
  return typeof index === 'number' || typeof index === 'string' ? String(index).slice(0, 40) : typeof index
}

function choiceReply(choice: Json, usage: unknown, place: number, { prompts, body }: ReplyContext): Reply {
  const message = asObject(choice.message)
  const counted = { usage, prompts, body, place }
  const reason = choice.finish_reason
  if (readsPrompt(body)) {
    // The text repeats the prompt.
    const reply = buildReply({ content: '', reasoning: '', reason, logprobs: undefined, counted })
    const promptLogprobs = promptLogprobsOf(choice, body)
    return promptLogprobs === undefined ? reply : { ...reply, promptLogprobs }
  }
  const content = choice.message === undefined ? choice.text : message.content
  return buildReply({
    content: textOf(content),
    reasoning: reasoningOf(message),
    reason,
    logprobs: firstTokenLogprobs(choice.logprobs),
    counted,
  })
}

/** Parts of a reply, whole or streamed. */
interface ReplyParts {
  readonly content: string
  /** Thoughts that the server's reasoning parser removed from the text. */
  readonly reasoning: string
  /** The server's `finish_reason`, whatever it is. */
  readonly reason: unknown
  readonly logprobs: Reply['firstTokenLogprobs']
  readonly counted: { readonly usage: unknown; readonly prompts: number; readonly body: Json; readonly place: number }
}

/** Builds the reply of one choice. */
export function buildReply({ content, reasoning, reason, logprobs, counted }: ReplyParts): Reply {
  const { text, unreadable } = readThoughts(content)
  const usage = usageOf({ ...counted, written: reasoning + content })
  return {
    // Thoughts that cannot be separated stay in the text: the reply is faulty, and the reject shows it.
    text: unreadable ? content : text,
    finishReason: finishReason(reason),
    ...usage,
    ...(content.trim() === '' && reasoning !== '' ? { onlyThoughts: true as const } : {}),
    ...(logprobs === undefined ? {} : { firstTokenLogprobs: logprobs }),
  }
}

/**
 * Returns the text of a message: a string, or the joined text parts of a list; '' if it is null or absent.
 *
 * @throws {ServerError} it is something else
 */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (content === null || content === undefined) return ''
  if (!Array.isArray(content)) throw malformedReply('a choice without text')
  return content.map((part) => (typeof part === 'string' ? part : partText(asObject(part)))).join('')
}

const textParts: readonly unknown[] = [undefined, 'text', 'output_text']

function partText({ type, text }: Json): string {
  return textParts.includes(type) && typeof text === 'string' ? text : ''
}

/** Returns `reasoning_content` (vLLM, SGLang, DeepSeek) or `reasoning` (OpenRouter, Ollama, newer vLLM), to be counted. */
export function reasoningOf({ reasoning_content, reasoning }: Json): string {
  if (typeof reasoning_content === 'string' && reasoning_content !== '') return reasoning_content
  return typeof reasoning === 'string' ? reasoning : ''
}

/** @throws {ServerError} it is not JSON. */
export function parseObject(text: string): Json {
  try {
    return asObject(parseServerJson(text))
  } catch (cause) {
    throw new ServerError(say`the reply is not valid JSON: ${text.slice(0, 100)}`, {
      cause,
      details: { kind: 'malformed' },
    })
  }
}

/** @throws {ServerError | RequestRefusedError} the body is an error in place of a reply */
export function throwServerError(error: ServerErrorInfo | null, asked: RequestContext): void {
  if (error !== null) throw failureOf(error, 200, asked)
}

/** Builds the error for a malformed reply. */
export function malformedReply(what: string): ServerError {
  const words = `the server sent ${what}`
  return new ServerError(words, { details: { kind: 'malformed', words } })
}
