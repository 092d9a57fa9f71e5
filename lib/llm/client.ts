/**
 * HTTP to one endpoint: sends a request, returns its replies or throws a classified error.
 * Owns the connections; retries, deadlines and order belong to whoever calls. Secrets end here.
 */
import { Pool } from 'undici'
import { KunStreamError, RequestRefusedError, ServerError } from '../errors.js'
import { failureOfConnection, failureOfStatus } from './failures.js'
import { type Headers, type RateLimits, rateLimitsOf } from './rate-limits.js'
import type { CompletionRequest, Reply } from './types.js'
import { type AskedReplies, parseReplies, requestPath, StreamedReply } from './wire.js'

/** vLLM closes idle connections after 5 s: ours go first, so that a POST never meets a closing one. */
const KEEP_ALIVE_MS = 4000
const CONNECT_TIMEOUT_MS = 10_000
/** A reply of more is not a reply: 8 MiB, half of what a frame of the replies' log holds. */
const REPLY_BYTES_MAX = 8 * 1024 * 1024

/** A shorter value of a header is no secret, but would be found all over a text. */
const SECRET_CHARS_MIN = 4

/** What goes over the wire once. */
export interface Transfer {
  readonly kind: CompletionRequest['kind']
  readonly body: Record<string, unknown>
  /** Number of prompts in `body.prompt`, when it is a list; 1 otherwise. */
  readonly prompts: number
  readonly headers: Readonly<Record<string, string>>
  readonly stream: boolean
  /** Called with the limits that a successful answer's headers name; those of a failure are in its `details`. */
  readonly onLimits?: (limits: RateLimits) => void
}

/** Connections to one address. Sends what it is told once: waiting and asking again are the dispatcher's. */
export interface Client {
  /** Where it sends, without secrets. */
  readonly label: string
  /** @throws {ServerError | RequestRefusedError} or the signal's reason. */
  send(transfer: Transfer, signal: AbortSignal): Promise<Reply[]>
  /** A small request: status and body, whatever the status. `/metrics` and `/health` lie outside `/v1`. */
  fetch(path: string, options: FetchOptions): Promise<{ status: number; text: string }>
  close(): Promise<void>
}

/** With `body` a POST of JSON, without it a GET. */
export interface FetchOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly body?: unknown
}

/** Opens a client; `baseUrl` ends in `/v1` or wherever `/chat/completions` lies. */
export function httpClient(baseUrl: string, connectionsMax: number): Client {
  const url = new URL(baseUrl)
  const label = endpointLabel(baseUrl)
  const base = url.pathname.replace(/\/+$/, '')
  const root = base.replace(/\/v\d+$/, '')
  const credentials = url.username === '' ? {} : { authorization: basicCredentials(url) }
  const password = [url.password, decodeURIComponent(url.password)]
  const clean = (text: string, headers: Transfer['headers']) =>
    withoutSecrets(text, [...password, ...Object.values({ ...credentials, ...headers })])
  const pool = new Pool(url.origin, {
    connections: connectionsMax,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The headers of a reply come only when generation ends: the deadline is ours.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_TIMEOUT_MS },
  })

  const request = async (path: string, options: FetchOptions) => {
    const headers = { ...credentials, ...options.headers }
    return pool.request(
      options.body === undefined
        ? { path, method: 'GET', headers, signal: options.signal }
        : {
            path,
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify(options.body),
            signal: options.signal,
          },
    )
  }

  return {
    label,
    async send(transfer, signal) {
      const { headers } = transfer
      try {
        const streamed = { ...transfer.body, stream: true, stream_options: { include_usage: true } }
        const response = await request(base + requestPath(transfer.kind), {
          headers,
          signal,
          body: transfer.stream ? streamed : transfer.body,
        })
        if (response.statusCode === 200) {
          reportLimits(transfer, response.headers)
          const asked = { endpoint: label, fields: Object.keys(streamed), prompts: transfer.prompts }
          if (String(response.headers['content-type']).includes('text/event-stream')) {
            return [await readStream(response.body, asked)]
          }
          return parseReplies(await readText(response.body, response.headers['content-length']), asked)
        }
        const text = clean(await readText(response.body), headers)
        const asked = { endpoint: label, fields: Object.keys(streamed), headers: response.headers }
        throw failureOfStatus(response.statusCode, text, asked)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        // Words of a stream that broke off, or of what should be a reply and is none.
        if (error instanceof ServerError || error instanceof RequestRefusedError)
          throw cleaned(error, (words) => clean(words, headers))
        throw error instanceof KunStreamError ? error : failureOfConnection(error, label)
      }
    },
    async fetch(path, options) {
      try {
        const outside = path === '/metrics' || path === '/health' || path === '/version' || path === '/tokenize'
        const response = await request((outside ? root : base) + path, options)
        const text = clean(await readText(response.body), options.headers)
        return { status: response.statusCode, text }
      } catch (error) {
        if (options.signal.aborted) throw options.signal.reason
        throw failureOfConnection(error, label)
      }
    },
    close: () => pool.destroy(),
  }
}

/** An endpoint's address without user, password, query: fit for logs. */
export function endpointLabel(baseUrl: string): string {
  const url = new URL(baseUrl)
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`
}

/** Headers of a model's requests. */
export function requestHeaders(headers: Readonly<Record<string, string>>, apiKey?: string): Record<string, string> {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return apiKey === undefined ? lower : { authorization: `Bearer ${apiKey}`, ...lower }
}

/** A server may repeat a key in its answer ("Incorrect API key provided: …"): it goes no further. */
function withoutSecrets(text: string, values: readonly string[]): string {
  let clean = text
  for (const value of values) {
    for (const secret of [value, value.replace(/^(Bearer|Basic)\s+/i, '')]) {
      if (secret.length >= SECRET_CHARS_MIN) clean = clean.replaceAll(secret, '***')
    }
  }
  return clean
}

/** Without its cause: that has the same words. */
function cleaned<T extends ServerError | RequestRefusedError>(error: T, clean: (words: string) => string): T {
  const { words } = error.details
  const details = typeof words === 'string' ? { ...error.details, words: clean(words) } : error.details
  return new (error.constructor as new (message: string, details: object) => T)(clean(error.message), { details })
}

function basicCredentials(url: URL): string {
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

type Body = AsyncIterable<Buffer> & { text(): Promise<string> }

async function readText(body: Body, lengthHeader?: string | string[]): Promise<string> {
  const announced = Number(firstHeader(lengthHeader))
  if (announced <= REPLY_BYTES_MAX) return body.text()
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes > REPLY_BYTES_MAX) throw tooLong()
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

async function readStream(body: Body, asked: AskedReplies): Promise<Reply> {
  const reply = new StreamedReply(asked)
  const decoder = new TextDecoder()
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes > REPLY_BYTES_MAX) throw tooLong()
    reply.push(decoder.decode(part, { stream: true }))
  }
  return reply.end()
}

function reportLimits({ onLimits }: Transfer, headers: Headers): void {
  const limits = onLimits === undefined ? null : rateLimitsOf(headers)
  if (limits !== null) onLimits?.(limits)
}

function tooLong(): ServerError {
  return new ServerError(`A reply of more than ${REPLY_BYTES_MAX} bytes`, { details: { kind: 'malformed' } })
}

function firstHeader(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
