/**
 * What a server can do, found once and by effect: a status of 200 says only that a field was not minded.
 * The findings are JSON-safe, pinned in run.json, and say how stages degrade: no metrics → goodput control, no prompt
 * lists → single prompts, no logprobs → the published two-word score, no echo → no perplexity stage.
 */
import { setMaxListeners } from 'node:events'
import { systemClock } from '../core/clock.js'
import type { Clock } from '../core/types.js'
import { EndpointError, KunStreamError, ServerError } from '../errors.js'
import type { Client } from './client.js'
import { errorMessage } from './error-body.js'
import { firstTokenLogprobs } from './logprobs.js'
import type { ModelOptions } from './options.js'
import { parseServerMetrics } from './prometheus.js'
import type { Capabilities, CompletionRequest } from './types.js'
import { requestPath } from './wire.js'

/** A question is asked so often while the server fails at it, and after 200, 400, 800 ms. */
const TRIES_MAX = 4
const RETRY_MS = 200

/** Sampling fields beyond OpenAI's own, tried one at a time. */
const OPTIONAL_FIELDS: Readonly<Record<string, unknown>> = {
  seed: 1,
  top_k: 50,
  min_p: 0.01,
  repetition_penalty: 1.05,
}

/** Small enough for every context, and Chinese: a tokenizer that knows none is no use here. */
const PROMPT = '你好'

/** A turn of the assistant's that has begun, and the fields that make vLLM go on with it. */
const OPENED = [
  { role: 'user', content: PROMPT },
  { role: 'assistant', content: '你' },
]
const CONTINUING = { add_generation_prompt: false, continue_final_message: true }

/** A server's findings, with the kinds of request it answers; `capabilities` is what stages may know. */
export interface Probe {
  readonly capabilities: Capabilities
  /** The kind of request that its canary uses. */
  readonly kind: CompletionRequest['kind']
}

type Asked = Pick<ModelOptions, 'model' | 'chatTemplateKwargs' | 'extraBody'>

/**
 * Asks an endpoint what it can do for a model: some fourteen requests of one token.
 *
 * @throws {EndpointError} it answers neither chat nor completions for this model; the message has its words
 * @throws {ServerError} it cannot be reached or is out of order
 */
export async function probeEndpoint(
  client: Client,
  headers: Readonly<Record<string, string>>,
  model: Asked,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<Probe> {
  setMaxListeners(0, signal) // one listener a request, all at once
  const get = (path: string) => insist(() => attempt(client.fetch(path, { headers, signal })), clock, signal)
  const ask = (path: string, body: Json) => attempt(client.fetch(path, { headers, signal, body }), true)
  const post = (path: string, body: Json) => insist(() => ask(path, body), clock, signal)
  const chat = (fields: Json) => post('/chat/completions', { ...canaryBody('chat', model), ...fields })
  const completion = (fields: Json) => post('/completions', { ...canaryBody('completion', model), ...fields })

  const first = await Promise.all([
    ask('/chat/completions', canaryBody('chat', model)),
    ask('/completions', canaryBody('completion', model)),
  ])
  // Where neither answers the server is out; where one does, the other had bad luck, or is not there.
  const isThere = first.some((answer) => !answer.passing)
  const [chatAnswer, completionAnswer] = isThere
    ? await Promise.all([first[0].passing ? chat({}) : first[0], first[1].passing ? completion({}) : first[1]])
    : first
  const kind = chatAnswer.status === 200 ? 'chat' : 'completion'
  if (chatAnswer.status !== 200 && completionAnswer.status !== 200)
    throw unusable(client, model, chatAnswer, completionAnswer)
  const asks = kind === 'chat' ? chat : completion
  const logprobFields = kind === 'chat' ? { logprobs: true, top_logprobs: 5 } : { logprobs: 5 }

  const [version, models, metrics, tokens, list, echo, logprobs, kwargs, closed, continued, ...fields] =
    await Promise.all([
      get('/version'),
      get('/models'),
      get('/metrics'),
      post('/tokenize', { model: model.model, prompt: PROMPT }),
      completion({ prompt: [PROMPT, PROMPT] }),
      completion({ echo: true, logprobs: 0 }),
      asks(logprobFields),
      chat({ chat_template_kwargs: { ...model.chatTemplateKwargs } }),
      chat({ messages: OPENED }),
      chat({ messages: OPENED, ...CONTINUING }),
      ...Object.entries(OPTIONAL_FIELDS).map(([name, value]) => asks({ [name]: value })),
    ])
  const listed = asList(models.body.data).find((entry) => entry.id === model.model)
  const contextTokens = listed?.max_model_len ?? tokens.body.max_model_len
  return {
    kind,
    capabilities: {
      server: typeof version.body.version === 'string' ? `vllm ${version.body.version}` : 'unknown',
      contextTokensMax: typeof contextTokens === 'number' ? contextTokens : null,
      metrics: metrics.status === 200 && parseServerMetrics(metrics.text, 0) !== null,
      promptLists: list.status === 200 && asList(list.body.choices).length === 2,
      logprobs: logprobs.status === 200 && firstTokenLogprobs(asList(logprobs.body.choices)[0]?.logprobs) !== undefined,
      echo: echo.status === 200 && echoed(echo.body),
      tokenize: tokens.status === 200 && typeof tokens.body.count === 'number',
      chatTemplateKwargs: kwargs.status === 200,
      unsupported: [
        ...Object.keys(OPTIONAL_FIELDS).filter((_, place) => fields[place]?.status !== 200),
        ...(continues(closed, continued) ? [] : Object.keys(CONTINUING)),
      ],
    },
  }
}

/** The smallest request of a kind. */
export function canaryBody(kind: CompletionRequest['kind'], model: Asked): Record<string, unknown> {
  const input = kind === 'chat' ? { messages: [{ role: 'user', content: PROMPT }] } : { prompt: PROMPT }
  return { model: model.model, ...input, max_tokens: 1, temperature: 0, ...model.extraBody }
}

/** A stage's own request with a harmless text in it: passes where only a record is at fault. */
export function harmlessRequest(request: CompletionRequest): CompletionRequest {
  if (request.kind === 'completion') return { ...request, prompt: PROMPT }
  const messages = (request.messages ?? []).map((message) =>
    message.role === 'user' ? { role: message.role, content: PROMPT } : message,
  )
  return { ...request, messages }
}

/** What every endpoint of a model can do. */
export function commonCapabilities(all: readonly Capabilities[]): Capabilities {
  const contexts = all.flatMap((each) => (each.contextTokensMax === null ? [] : [each.contextTokensMax]))
  const every = (has: (each: Capabilities) => boolean) => all.length > 0 && all.every(has)
  return {
    server: [...new Set(all.map((each) => each.server))].sort().join(', '),
    contextTokensMax: contexts.length === 0 ? null : Math.min(...contexts),
    metrics: every((each) => each.metrics),
    promptLists: every((each) => each.promptLists),
    logprobs: every((each) => each.logprobs),
    echo: every((each) => each.echo),
    tokenize: every((each) => each.tokenize),
    chatTemplateKwargs: every((each) => each.chatTemplateKwargs),
    unsupported: [...new Set(all.flatMap((each) => each.unsupported))].sort(),
  }
}

/** Capabilities that shape the output: an endpoint without one that run.json pins is refused. */
const PINNED = ['logprobs', 'echo', 'tokenize', 'chatTemplateKwargs'] as const

/** @throws {EndpointError} the endpoint lacks what the run was started with. */
export function requireCapabilities(label: string, found: Capabilities, pinned: Capabilities): void {
  const lacking: string[] = PINNED.filter((name) => pinned[name] && !found[name])
  lacking.push(...found.unsupported.filter((name) => !pinned.unsupported.includes(name)))
  if (lacking.length === 0) return
  throw new EndpointError(
    `${label} lacks ${lacking.join(', ')}, which this run was started with. Use another endpoint`,
    {
      details: { lacking: lacking.join(', ') },
    },
  )
}

/** Works without asking anything: for servers that are known. */
export function assumedCapabilities(): Capabilities {
  return {
    server: 'not probed',
    contextTokensMax: null,
    metrics: false,
    promptLists: false,
    logprobs: false,
    echo: false,
    tokenize: false,
    chatTemplateKwargs: true,
    unsupported: [],
  }
}

type Json = Record<string, unknown>

interface Answered {
  readonly status: number
  readonly text: string
  readonly body: Json
  readonly failure: KunStreamError | null
  /** The server's failure, full or broken or cut off: asked again, it may answer otherwise. */
  readonly passing: boolean
}

/** A failure is a finding too: status 0. */
async function attempt(asked: Promise<{ status: number; text: string }>, wantsJson = false): Promise<Answered> {
  try {
    const { status, text } = await asked
    const body = asJson(text)
    const cutOff = wantsJson && status === 200 && Object.keys(body).length === 0
    return { status, text, body, failure: null, passing: status === 429 || status >= 500 || cutOff }
  } catch (error) {
    if (!(error instanceof KunStreamError)) throw error
    return { status: 0, text: error.message, body: {}, failure: error, passing: true }
  }
}

/** What is found is pinned for as long as the run lives: one reset connection must not decide it. */
async function insist(ask: () => Promise<Answered>, clock: Clock, signal: AbortSignal): Promise<Answered> {
  for (let failures = 0; ; failures++) {
    const answer = await ask()
    if (!answer.passing || failures + 1 === TRIES_MAX) return answer
    await clock.sleep(RETRY_MS * 2 ** failures, signal)
  }
}

function unusable(client: Client, model: Asked, ...answers: readonly Answered[]): KunStreamError {
  const failed = answers.find((answer) => answer.failure !== null)?.failure
  if (failed instanceof ServerError) return failed
  const [told] = [...answers].sort((a, b) => Number(b.status !== 404) - Number(a.status !== 404))
  const { status, text } = told as Answered
  const words = errorMessage(text).slice(0, 300)
  if (status >= 500 || status === 429) {
    return new ServerError(`${client.label} answered ${status}: ${words}`, {
      details: { kind: 'status', status, words },
    })
  }
  return new EndpointError(
    `${client.label} answers neither ${requestPath('chat')} nor ${requestPath('completion')} for model ` +
      `'${model.model}' (${status}): ${words}. Check the model's name, the address and the key`,
    { details: { status } },
  )
}

/** A turn that is gone on with is neither ended nor followed by the opening of another: its prompt has fewer tokens. */
function continues(closed: Answered, continued: Answered): boolean {
  const tokens = ({ body }: Answered) => Number(asJsonObject(body.usage).prompt_tokens)
  return closed.status === 200 && continued.status === 200 && tokens(continued) < tokens(closed)
}

/** More than one log-probability for one new token: the prompt's own came back. */
function echoed(body: Json): boolean {
  const logprobs = asJsonObject(asList(body.choices)[0]?.logprobs)
  return Array.isArray(logprobs.token_logprobs) && logprobs.token_logprobs.some((value) => typeof value === 'number')
    ? String(asList(body.choices)[0]?.text ?? '').startsWith(PROMPT)
    : false
}

function asJson(text: string): Json {
  try {
    return asJsonObject(JSON.parse(text))
  } catch {
    return {} // metrics and error pages are no JSON: read as text
  }
}

function asJsonObject(value: unknown): Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : {}
}

function asList(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(asJsonObject) : []
}
