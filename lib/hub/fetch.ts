/**
 * Requests to the Hub that are asked again when they should be: 429, 5xx, broken connections; within a budget of requests.
 * The Hub client gets it as `fetch`; shards and uploads use `request`, which streams. Proxies are those of the environment,
 * certificates those of NODE_EXTRA_CA_CERTS (which Node itself reads).
 */
import { Agent, type Dispatcher, EnvHttpProxyAgent, request as undiciRequest } from 'undici'
import { z } from 'zod'
import { systemClock } from '../core/clock.js'
import { unpinned } from '../core/option-meta.js'
import { seededRandom } from '../core/random.js'
import { processSecrets } from '../core/redaction.js'
import { parseRetryAfter } from '../core/retry-after.js'
import type { Clock } from '../core/types.js'
import { HubAccessError, HubUnavailableError } from '../errors.js'
import { asFetch, sayingOf } from './answer.js'
import { sentBody } from './body.js'
import { type HubWait, outage } from './outage.js'
import { type HubRequest, type HubResponse, plain } from './request.js'
import { parseRateLimit, RequestBudget } from './request-budget.js'
import { clientToken, type HubSettings, hubUrlDefault } from './settings.js'

export const hubFetchOptions = z.strictObject({
  triesMax: z
    .int()
    .min(1)
    .max(100)
    .default(8)
    .meta(unpinned('Attempts of one request before the run stops, resumable')),
  waitMsMax: z
    .number()
    .min(0)
    .default(900_000)
    .meta(unpinned('Longest wait that the Hub may ask for; a longer one stops the run, resumable')),
  backoffMs: z
    .number()
    .min(0)
    .default(500)
    .meta(unpinned('First wait after a failure; doubled after each further one')),
  backoffMsMax: z.number().min(0).default(30_000).meta(unpinned('Upper limit of these waits')),
  connectMs: z.number().min(1).default(20_000).meta(unpinned('Timeout for a connection')),
  headersMs: z.number().min(1).default(120_000).meta(unpinned('Timeout from a request to the headers of its response')),
  idleMs: z.number().min(1).default(60_000).meta(unpinned('Timeout between two chunks of a body')),
  connectionsMax: z.int().min(1).default(16).meta(unpinned('Connections to one host')),
  apiRequestsMax: z
    .int()
    .min(1)
    .default(900)
    .meta(unpinned('API requests per window; a free account may send 1,000 in 5 minutes')),
  resolveRequestsMax: z
    .int()
    .min(1)
    .default(4500)
    .meta(unpinned('File requests per window; a free account may send 5,000 in 5 minutes')),
  windowMs: z.number().min(1).default(300_000).meta(unpinned('Length of the window of both limits')),
  seed: z.int().default(1).meta(unpinned('Seed for retry jitter')),
})

export interface HubFetchOptions extends z.input<typeof hubFetchOptions> {
  /** Told of the waits of an outage that a reader should know of: the first, and what is longer. */
  readonly onWait?: ((wait: HubWait) => void) | undefined
}

export interface HubTransport {
  request(url: string, request?: HubRequest): Promise<HubResponse>
  /** For @huggingface/hub. */
  readonly fetch: typeof fetch
  readonly clock: Clock
  /** Waits before try number `failures`, with jitter. */
  backoff(failures: number, signal?: AbortSignal): Promise<void>
  readonly counts: { requests: number; retries: number; waitedMs: number }
  close(): Promise<void>
}

const redirectsMax = 5

/**
 * Opens connections to the Hub.
 *
 * @throws {HubUnavailableError} from `request`: tries used up, or the Hub asks to wait longer than `waitMsMax`
 * @throws {HubAccessError} from `request`: HF_HUB_OFFLINE is set
 */
export function hubTransport(
  settings: HubSettings,
  { onWait, ...given }: HubFetchOptions = {},
  clock = systemClock,
): HubTransport {
  const options = hubFetchOptions.parse(given)
  const random = seededRandom(options.seed)
  const dispatcher = dispatcherFor(options)
  const window = { windowMs: options.windowMs }
  const budgets = {
    api: new RequestBudget({ requestsMax: options.apiRequestsMax, ...window }, clock),
    resolve: new RequestBudget({ requestsMax: options.resolveRequestsMax, ...window }, clock),
  }
  const counts = { requests: 0, retries: 0, waitedMs: 0 }
  const waits = outage(onWait)

  async function wait(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    counts.waitedMs += waitMs
    await clock.sleep(waitMs, signal)
  }

  function backoffMs(failures: number): number {
    const ceiling = Math.min(options.backoffMsMax, options.backoffMs * 2 ** (failures - 1))
    return ceiling * (0.5 + random() / 2)
  }

  async function send(url: string, request: HubRequest, timeouts: object): Promise<HubResponse> {
    const budget = budgetOf(url, settings, budgets)
    await budget?.take(waitSignal(request))
    counts.requests++
    const answer = await undiciRequest(url, {
      dispatcher,
      method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
      ...sentBody(request),
      ...timeouts,
      ...(request.signal ? { signal: request.signal } : {}),
    })
    const headers = flatten(answer.headers)
    const limit = parseRateLimit(headers.ratelimit)
    if (limit !== null) budget?.learn(limit)
    return { status: answer.statusCode, headers, body: answer.body, url }
  }

  async function request(givenUrl: string, request: HubRequest = {}): Promise<HubResponse> {
    const url = mirrored(givenUrl, settings)
    if (settings.offline) {
      throw new HubAccessError(`HF_HUB_OFFLINE is set, so ${plain(url)} is not asked: unset it, or use local files`)
    }
    const waiting = waitSignal(request)
    let tries = 1
    try {
      for (;;) {
        waiting?.throwIfAborted()
        const outcome = await attempt(url, request, tries)
        if ('status' in outcome) return outcome
        counts.retries++
        waits.begins(outcome)
        tries++
        await wait(outcome.waitMs, waiting)
      }
    } finally {
      if (tries > 1) waits.over()
    }
  }

  /** One try: the answer, or why and for how long the next one waits. */
  async function attempt(url: string, request: HubRequest, tries: number): Promise<HubResponse | HubWait> {
    const { triesMax, waitMsMax, headersMs: headersTimeout, idleMs: bodyTimeout } = options
    const once = request.once === true
    const last = once || tries >= triesMax
    const next = (reason: string, waitMs: number): HubWait => ({ url: plain(url), reason, tries, triesMax, waitMs })
    try {
      const answer = await followed(url, request, settings, (target, sent) =>
        send(target, sent, { headersTimeout, bodyTimeout }),
      )
      if (!isRetryable(answer.status) || once) return answer
      const asked = askedWaitMs(answer.headers)
      const reason = `${answer.status} ${processSecrets.words(await sayingOf(answer))}`
      if (last || (asked ?? 0) > waitMsMax) throw unavailable(url, reason, tries, asked)
      return next(reason, asked === null ? backoffMs(tries) : asked + random() * Math.min(1000, asked + 1))
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason
      if (error instanceof HubUnavailableError || !isConnectionFailure(error)) throw error
      if (last || request.repeatable === false) throw unavailable(url, reasonOf(error), tries, null, error)
      return next(reasonOf(error), backoffMs(tries))
    }
  }

  return {
    request,
    fetch: (input, init) => asFetch((url, sent) => request(url, authorized(url, sent, settings)), input, init),
    clock,
    backoff: (failures, signal) => wait(backoffMs(failures), signal),
    counts,
    close: () => dispatcher.close(),
  }
}

/** The proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, where one is set. */
function dispatcherFor({ connectMs, connectionsMax }: z.output<typeof hubFetchOptions>): Dispatcher {
  const proxied = ['http_proxy', 'https_proxy'].some((name) => process.env[name] || process.env[name.toUpperCase()])
  const options = { connect: { timeout: connectMs }, connections: connectionsMax, pipelining: 1 }
  return proxied ? new EnvHttpProxyAgent(options) : new Agent(options)
}

function budgetOf(
  url: string,
  settings: HubSettings,
  budgets: { api: RequestBudget; resolve: RequestBudget },
): RequestBudget | null {
  if (!sameOrigin(url, settings.url)) return null
  return /\/resolve\//.test(url) ? budgets.resolve : budgets.api
}

/** With a mirror set, an address that the Hub wrote of itself is asked of the mirror. */
function mirrored(url: string, settings: HubSettings): string {
  return settings.mirrored && url.startsWith(`${hubUrlDefault}/`) ? settings.url + url.slice(hubUrlDefault.length) : url
}

async function followed(
  start: string,
  request: HubRequest,
  settings: HubSettings,
  send: (url: string, request: HubRequest) => Promise<HubResponse>,
): Promise<HubResponse> {
  let url = start
  for (let redirects = 0; ; redirects++) {
    const answer = await send(url, sameOrigin(url, start) ? request : withoutToken(request))
    const { location } = answer.headers
    if (request.redirect === 'manual' || answer.status < 301 || answer.status > 308 || location === undefined)
      return answer
    await answer.body.dump()
    if (redirects === redirectsMax)
      throw new HubUnavailableError(`${plain(start)} redirects more than ${redirectsMax} times`)
    url = mirrored(new URL(location, url).href, settings)
  }
}

/** With the token for the Hub's own host; without one for any other that an answer names, as the next page of a listing. */
function authorized(url: string, request: HubRequest, settings: HubSettings): HubRequest {
  if (!sameOrigin(mirrored(url, settings), settings.url)) return withoutToken(request)
  const { authorization } = request.headers ?? {}
  if (authorization !== `Bearer ${clientToken}`) return request
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${settings.token}` } }
}

function withoutToken(request: HubRequest): HubRequest {
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => name.toLowerCase() !== 'authorization')
  return { ...request, headers: Object.fromEntries(headers) }
}

/** Ends a wait for a try: the signal of the request, or the one that lets no further try begin. */
function waitSignal({ signal, ending }: HubRequest): AbortSignal | undefined {
  return signal && ending ? AbortSignal.any([signal, ending]) : (signal ?? ending)
}

function askedWaitMs(headers: HubResponse['headers']): number | null {
  return parseRetryAfter(headers['retry-after']) ?? parseRateLimit(headers.ratelimit)?.waitMs ?? null
}

function isRetryable(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

/** What undici and Node call a connection that could not be made, broke, or stayed silent. */
export function isConnectionFailure(error: unknown): boolean {
  const { code } = error as { code?: string }
  if (error instanceof AggregateError) return error.errors.every(isConnectionFailure)
  return code !== undefined && connectionFailures.has(code)
}

const connectionFailures: ReadonlySet<string> = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'ENETUNREACH'],
  ...['EHOSTUNREACH', 'ENETDOWN', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT'],
  ...[
    'UND_ERR_BODY_TIMEOUT',
    'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
    'HPE_INVALID_EOF_STATE',
    'ERR_STREAM_PREMATURE_CLOSE',
  ],
])

function unavailable(url: string, what: string, tries: number, askedMs: number | null, cause?: unknown): Error {
  const later = askedMs === null ? '' : ` It asks to wait ${Math.ceil(askedMs / 1000)} s.`
  return new HubUnavailableError(
    `${plain(url)} failed, last with ${what}, after ${tries} ${tries === 1 ? 'try' : 'tries'}.${later} ` +
      'Run the same command again: it goes on from here',
    { cause, details: { tries, waitMs: askedMs } },
  )
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
}

function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return [code, message].filter(Boolean).join(' ')
}
