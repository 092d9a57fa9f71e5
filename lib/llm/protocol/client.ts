/**
 * HTTP client of one endpoint: sends a request, returns its replies or throws a classified error. Owns connections
 * and the redaction of secrets; the caller owns retries, deadlines and order.
 */

import type { Pool } from 'undici'
import { processSecrets, Redaction, secretsOfHeaders, secretsOfUrl } from '../../core/redaction.js'
import { ContractError, KunStreamError, RequestRefusedError, ServerError } from '../../errors.js'
import type { Reply } from '../../storage/replies/types.js'
import type { CompletionRequest } from '../types.js'
import { failureOfConnection, failureOfStatus, isOutOfTokens } from './failures.js'
import { type Headers, type RateLimits, rateLimitsOf } from './rate-limits.js'
import { parseReplies, type ReplyContext, requestPath } from './reply-body.js'
import { type Body, plainText, readErrorText, readText, textPieces } from './response-body.js'
import { StreamedReply } from './streamed-reply.js'
import { usageOf } from './usage.js'
import { bodyOf, receiveWhole } from './whole-response.js'

/**
 * Below the 5 s after which vLLM closes idle connections, so that no POST is sent on a connection that is being closed.
 */
const keepAliveMs = 4000
const connectTimeoutMs = 10_000

/** Finish reason of a reply that repeated a secret, which was removed: it remains faulty after the key changes. */
export const secretFinishReason = 'secret'

/** One HTTP request to a model. */
export interface WireRequest {
  readonly kind: CompletionRequest['kind']
  readonly body: Record<string, unknown>
  /** Number of prompts in `body.prompt`, when it is a list; 1 otherwise. */
  readonly prompts: number
  /** Equal for all requests of a model; values are secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** Key of the reply, sent as a header; not a secret, and different for each request. */
  readonly key?: string
  readonly stream: boolean
  /** Called with the rate limits in the headers of a successful response; those of a failure are in its `details`. */
  readonly onLimits?: (limits: RateLimits) => void
  /** Called with the model name in the response if it differs from the requested one. */
  readonly onModel?: (model: string) => void
  /** Called with each piece of a streamed reply as it arrives, thoughts too. */
  readonly onText?: (piece: string) => void
}

/** Fields of a request whose reply is streamed. */
const streamFields = { stream: true, stream_options: { include_usage: true } } as const

/** Names of the fields of a request, of which a refusal may name one. */
function fieldsOf({ body }: WireRequest): string[] {
  return Object.keys({ ...body, ...streamFields })
}

/** Header with the reply's key, for the server's log; a list of prompts has none. */
const keyHeader = 'x-kun-key'

/** Paths outside `/v1`. */
const pathsBesideBase = new Set(['/metrics', '/health', '/version', '/props', '/info', '/get_model_info', '/tokenize'])

/** Connections to one address. Sends each request once; the dispatcher retries. */
export interface Client {
  /** Address without secrets. */
  readonly label: string
  /** @throws {ServerError | RequestRefusedError} or the signal's reason. */
  send(transfer: WireRequest, signal: AbortSignal): Promise<Reply[]>
  /** Sends a small request; returns status and body, whatever the status. `/metrics` and `/health` are outside `/v1`. */
  fetch(path: string, options: FetchOptions): Promise<{ status: number; text: string }>
  close(): Promise<void>
}

/** Options for `Client.fetch`: a POST of JSON with `body`, a GET without. */
interface FetchOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly body?: unknown
}

/** Opens a client; `/chat/completions` is below `baseUrl`, which usually ends in `/v1`. */
export function httpClient(baseUrl: string, connectionsMax: number): Client {
  const url = new URL(baseUrl)
  const label = endpointLabel(baseUrl)
  const base = url.pathname.replace(/\/+$/, '')
  const root = base.replace(/\/v\d+$/, '')
  const credentials = url.username === '' ? {} : { authorization: basicCredentials(url) }
  const redactionOf = redactions(secretsOfUrl(baseUrl), credentials)
  /** Opened by the first request: undici takes a tenth of a second to load. */
  let opened: Promise<Pool> | null = null

  const openedPool = () => {
    opened ??= openPool(url.origin, connectionsMax)
    return opened
  }
  const httpRequest = (path: string, own: FetchOptions['headers'], body?: unknown) => {
    const headers: Record<string, string> = { ...credentials, ...own }
    if (body === undefined) return { path, method: 'GET' as const, headers }
    headers['content-type'] = 'application/json'
    return { path, method: 'POST' as const, headers, body: JSON.stringify(body) }
  }
  const request = async (path: string, { headers, signal, body }: FetchOptions) => {
    const pool = await openedPool()
    return pool.request({ ...httpRequest(path, headers, body), signal })
  }

  /** Sends a request of a model and returns its response, streamed or whole. */
  const transmit = async ({ kind, key, headers, body, stream }: WireRequest, signal: AbortSignal) => {
    const path = base + requestPath(kind)
    const all = key === undefined ? headers : { ...headers, [keyHeader]: key }
    if (stream) return request(path, { headers: all, signal, body: { ...body, ...streamFields } })
    return receiveWhole(await openedPool(), httpRequest(path, all, body), signal)
  }

  return {
    label,
    async send(transfer, signal) {
      const redaction = redactionOf(transfer.headers)
      try {
        const response = await transmit(transfer, signal)
        const { statusCode, headers } = response
        // Of a whole body a stream is made only where it is compressed, has events, or is an error: rarely.
        const body = () => ('body' in response ? response.body : bodyOf(response))
        if (statusCode === 200) {
          reportLimits(transfer, headers)
          const onModel = (name: string) => {
            if (name !== transfer.body.model) transfer.onModel?.(redaction.words(name))
          }
          const { prompts, onText } = transfer
          const asked = {
            ...{ endpoint: label, prompts, body: transfer.body, onModel, onText },
            get fields() {
              return fieldsOf(transfer)
            },
          }
          const whole = 'body' in response ? null : plainText(response.bytes, headers)
          const received = whole ?? (await receive(body(), headers, asked))
          return typeof received === 'string'
            ? cleanReplies(received, asked, redaction)
            : [cleanReply(received, redaction)]
        }
        const text = redaction.words(await readErrorText(body(), headers))
        if (isOutOfTokens(statusCode, text)) return [cutOffReply(transfer.body)]
        throw failureOfStatus(statusCode, text, { endpoint: label, fields: fieldsOf(transfer), headers })
      } catch (error) {
        if (signal.aborted) throw signal.reason
        // Error text of a broken stream, of a malformed reply, or of a connection.
        const failure = error instanceof KunStreamError ? error : failureOfConnection(error, label)
        throw isOfServer(failure) ? cleanError(failure, redaction) : failure
      }
    },
    async fetch(path, options) {
      const redaction = redactionOf(options.headers)
      try {
        const outside = pathsBesideBase.has(path)
        const response = await request((outside ? root : base) + path, options)
        const text = await readText(response.body, response.headers)
        // Not redacted: only numbers are read from metrics, twice per second.
        return { status: response.statusCode, text: path === '/metrics' ? text : redaction.words(text) }
      } catch (error) {
        if (options.signal.aborted) throw options.signal.reason
        throw cleanError(failureOfConnection(error, label), redaction)
      }
    },
    close: async () => (await opened)?.destroy(),
  }
}

async function openPool(origin: string, connections: number): Promise<Pool> {
  const { Pool } = await import('../../core/undici.js')
  return new Pool(origin, {
    connections,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    // Response headers arrive only when generation ends: the dispatcher enforces deadlines.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: connectTimeoutMs },
  })
}

/** Returns an endpoint's address without user, password and query, for messages. */
export function endpointLabel(baseUrl: string): string {
  const url = new URL(baseUrl)
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
}

/** Builds the headers of a model's requests. */
export function requestHeaders(headers: Readonly<Record<string, string>>, apiKey?: string): Record<string, string> {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return apiKey === undefined ? lower : { authorization: `Bearer ${apiKey}`, ...lower }
}

/** Redacts keys that a server repeats in its response ("Incorrect API key provided: …"). One object per set of headers. */
function redactions(own: readonly string[], credentials: WireRequest['headers']) {
  const made = new Map<string, Redaction>()
  return (headers: WireRequest['headers']): Redaction => {
    const name = JSON.stringify(headers)
    let redaction = made.get(name)
    if (redaction === undefined) {
      if (made.size >= headerSetsMax) throw new ContractError(`more than ${headerSetsMax} sets of headers`)
      const secrets = [...own, ...secretsOfHeaders(credentials), ...secretsOfHeaders(headers)]
      processSecrets.add(...secrets)
      redaction = new Redaction(secrets)
      made.set(name, redaction)
    }
    return redaction
  }
}

/** Sets of headers at one address: one per model. More of them would mean that a header changes with each request. */
const headerSetsMax = 256

/** Redacts after decoding, so that escapes in the body do not bypass it. */
function cleanReplies(text: string, asked: ReplyContext, redaction: Redaction): Reply[] {
  try {
    return parseReplies(text, asked).map((reply) => cleanReply(reply, redaction))
  } catch (error) {
    if (!isOfServer(error)) throw error
    // The same failure, redacted before its text was shortened.
    return parseReplies(redaction.words(text), asked)
  }
}

/** Builds a reply whose tokens were all spent on thoughts; they are billed. */
function cutOffReply(body: WireRequest['body']): Reply {
  const tokens = Number(body.max_completion_tokens ?? body.max_tokens ?? 0)
  return {
    text: '',
    finishReason: 'length',
    ...usageOf({ usage: { completion_tokens: tokens }, prompts: 1, written: '', body, place: 0 }),
  }
}

/** Marks a reply that repeated a secret as faulty, however it ended: it is requested again, or rejected. */
function cleanReply(reply: Reply, redaction: Redaction): Reply {
  const clean = redaction.value(reply)
  return clean === reply ? reply : { ...clean, finishReason: secretFinishReason }
}

/** Redacts an error and drops its cause, which has the same text. */
function cleanError<T extends ServerError | RequestRefusedError>(error: T, redaction: Redaction): T {
  const clean = Object.entries(error.details).map(([name, value]) => [
    name,
    typeof value === 'string' ? redaction.words(value) : value,
  ])
  const OwnError = error.constructor as new (message: string, details: object) => T
  return new OwnError(redaction.words(error.message), { details: Object.fromEntries(clean) })
}

function isOfServer(error: unknown): error is ServerError | RequestRefusedError {
  return error instanceof ServerError || error instanceof RequestRefusedError
}

function basicCredentials(url: URL): string {
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

/**
 * Reads a whole body as text, or a reply assembled from events. The content decides, not the content type: a server may
 * ignore `stream`, and a proxy may drop the type.
 */
async function receive(body: Body, headers: Headers, asked: ReplyContext): Promise<string | Reply> {
  const isEvents = String(headers['content-type']).includes('text/event-stream')
  if (!isEvents) {
    const text = await readText(body, headers)
    if (!startsAsEvents.test(text)) return text
    const reply = new StreamedReply(asked)
    reply.push(text)
    return reply.end()
  }
  const reply = new StreamedReply(asked)
  const whole: string[] = []
  let head = ''
  let isWhole: boolean | null = null
  for await (const piece of textPieces(body, headers)) {
    if (isWhole === null) {
      head += piece
      const first = head.trimStart()[0]
      if (first === undefined) continue
      isWhole = first === '{'
    }
    const text = head === '' ? piece : head
    head = ''
    if (isWhole) whole.push(text)
    else reply.push(text)
  }
  return isWhole ? whole.join('') : reply.end()
}

const startsAsEvents = /^\s*(?:data|event|id|retry)?:/

function reportLimits({ onLimits }: WireRequest, headers: Headers): void {
  const limits = onLimits === undefined ? null : rateLimitsOf(headers)
  if (limits !== null) onLimits?.(limits)
}
