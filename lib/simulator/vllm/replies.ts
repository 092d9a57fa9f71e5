/** Builds the JSON of replies, whole bodies and chunks of streams, in vLLM's format. */
import type { Generation } from './generate.js'
import { promptLogprobs, replyLogprobs, type TokenLogprobs } from './logprobs.js'
import type { ModelRequest } from './request.js'
import { decode, tokenText } from './tokens.js'

export interface ReplyHead {
  readonly id: string
  /** Unix time, seconds. */
  readonly created: number
  readonly model: string
}

/** Returns the body of a reply that is not streamed. */
export function replyBody(head: ReplyHead, request: ModelRequest, generations: readonly Generation[]) {
  const chat = request.kind === 'chat'
  return {
    id: head.id,
    object: chat ? 'chat.completion' : 'text_completion',
    created: head.created,
    model: head.model,
    choices: generations.map((generation) =>
      chat ? chatChoice(request, generation) : completionChoice(request, generation),
    ),
    usage: usageOf(request, generations),
  }
}

/** Sums tokens over all prompts and generations. The tokens of a prompt count once, whatever its number of samples. */
function usageOf(request: ModelRequest, generations: readonly Generation[]) {
  const promptTokens = request.prompts.reduce((sum, { ids }) => sum + ids.length, 0)
  const completionTokens = generations.reduce((sum, one) => sum + one.completionTokens, 0)
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}

/** Returns a chunk of a streamed reply: tokens [from, to) of a generation. The last one has the finish reason. */
export function replyPiece(
  head: ReplyHead,
  request: ModelRequest,
  generation: Generation,
  from: number,
  to: number,
  last: boolean,
) {
  const thoughtEnd = generation.reasoningTokens
  const reasoning = decode(generation.ids.slice(Math.min(from, thoughtEnd), Math.min(to, thoughtEnd)))
  const content = decode(generation.ids.slice(Math.max(from, thoughtEnd), Math.max(to, thoughtEnd)))
  const finish = { finish_reason: last ? generation.finishReason : null, stop_reason: null }
  const logprobs = request.logprobs === null ? {} : { logprobs: pieceLogprobs(request, generation, from, to) }
  if (request.kind === 'completion') {
    const text = from === 0 && request.echo ? generation.prompt.text + content : content
    return piece(head, 'text_completion', { index: generation.index, text, ...logprobs, ...finish })
  }
  const delta = {
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(content === '' ? {} : { content }),
  }
  return piece(head, 'chat.completion.chunk', { index: generation.index, delta, ...logprobs, ...finish })
}

/** Returns the first chunk of a streamed chat choice, which has the role only. */
export function openingPiece(head: ReplyHead, generation: Generation) {
  const delta = { role: 'assistant', content: '' }
  return piece(head, 'chat.completion.chunk', { index: generation.index, delta, logprobs: null, finish_reason: null })
}

/** Returns the last chunk of a stream with include_usage, which has no choices. */
export function usagePiece(head: ReplyHead, request: ModelRequest, generations: readonly Generation[]) {
  const object = request.kind === 'chat' ? 'chat.completion.chunk' : 'text_completion'
  return { ...head, object, choices: [], usage: usageOf(request, generations) }
}

function piece(head: ReplyHead, object: string, choice: object) {
  return { id: head.id, object, created: head.created, model: head.model, choices: [choice] }
}

function completionChoice(request: ModelRequest, generation: Generation) {
  const text = request.echo ? generation.prompt.text + generation.text : generation.text
  const logprobs = request.logprobs === null ? null : completionLogprobs(request, generation, 0, generation.ids.length)
  const { index, finishReason, prompt } = generation
  const ofPrompt = request.promptLogprobs ? { prompt_logprobs: promptField(prompt.ids) } : {}
  return { index, text, logprobs, finish_reason: finishReason, stop_reason: null, ...ofPrompt }
}

/** One object for each token, by its id; null for the first. */
function promptField(ids: readonly number[]) {
  return promptLogprobs(ids).map((logprob, index) => {
    const id = ids[index] as number
    return logprob === null ? null : { [id]: { logprob, rank: 1, decoded_token: tokenText(id) } }
  })
}

function chatChoice(request: ModelRequest, generation: Generation) {
  const message = {
    role: 'assistant',
    content: generation.text,
    reasoning_content: generation.reasoning === '' ? null : generation.reasoning,
    tool_calls: [],
  }
  const logprobs = request.logprobs === null ? null : chatLogprobs(request, generation, 0, generation.ids.length)
  return { index: generation.index, message, logprobs, finish_reason: generation.finishReason, stop_reason: null }
}

function pieceLogprobs(request: ModelRequest, generation: Generation, from: number, to: number) {
  return request.kind === 'chat'
    ? chatLogprobs(request, generation, from, to)
    : completionLogprobs(request, generation, from, to)
}

function tokenLogprobs(request: ModelRequest, { ids, grade }: Generation): TokenLogprobs[] {
  return replyLogprobs(ids, request.logprobs ?? 0, request.logprobTokenIds, grade)
}

function chatLogprobs(request: ModelRequest, generation: Generation, from: number, to: number) {
  const entry = (token: string, logprob: number) => ({ token, logprob, bytes: [...Buffer.from(token)] })
  const content = tokenLogprobs(request, generation)
    .slice(from, to)
    .map(({ token, logprob, top }) => ({
      ...entry(token, logprob),
      top_logprobs:
        request.logprobs === 0 && request.logprobTokenIds.length === 0 ? [] : top.map(([t, l]) => entry(t, l)),
    }))
  return { content }
}

function completionLogprobs(request: ModelRequest, generation: Generation, from: number, to: number) {
  const tokens: string[] = []
  const token_logprobs: (number | null)[] = []
  const top_logprobs: (Record<string, number> | null)[] = []
  const text_offset: number[] = []
  let offset = 0
  const add = (token: string, logprob: number | null, top: Record<string, number> | null) => {
    tokens.push(token)
    token_logprobs.push(logprob)
    top_logprobs.push(top)
    text_offset.push(offset)
    offset += token.length
  }
  if (request.echo && from === 0) {
    const logprobs = promptLogprobs(generation.prompt.ids)
    for (const [index, id] of generation.prompt.ids.entries()) {
      const token = tokenText(id)
      const logprob = logprobs[index] ?? null
      add(token, logprob, logprob === null ? null : { [token]: logprob })
    }
  }
  for (const { token, logprob, top } of tokenLogprobs(request, generation).slice(from, to)) {
    add(token, logprob, Object.fromEntries(top))
  }
  return { tokens, token_logprobs, top_logprobs, text_offset }
}
