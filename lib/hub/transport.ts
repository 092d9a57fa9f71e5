/**
 * Sends requests to the Hub, within a request budget, and retries 429, 5xx and broken connections. @huggingface/hub uses
 * it as `fetch`; shards and uploads use `request`, which streams. Proxies come from HTTP_PROXY, HTTPS_PROXY and NO_PROXY,
 * certificates from NODE_EXTRA_CA_CERTS (read by Node itself).
 */
import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { errorCode, errorMessage } from '../caught-error.js'
import { systemClock } from '../core/clock.js'
import { unpinned } from '../core/option-meta.js'
import { seededRandom } from '../core/random.js'
import { processSecrets } from '../core/redaction.js'
import { parseRetryAfter } from '../core/retry-after.js'
import type { Clock } from '../core/types.js'
import { HubAccessError, HubUnavailableError } from '../errors.js'
import { isConnectionFailure } from '../http/connection-failure.js'
import { type Connections, openConnections } from '../http/connections.js'
import { flatHeaders } from '../http/flat-headers.js'
import { outageReports, type RetryWait } from '../http/outage.js'
import { wireBody } from '../http/request-body.js'
import { count } from '../language/count.js'
import { say } from '../language/say.js'
import { type HubRequest, type HubResponse, shownUrl } from './request.js'
import { parseRateLimit, RequestBudget } from './request-budget.js'
import { errorTextOf, fetchThrough } from './response.js'
import { clientToken, type HubSettings, hubUrlDefault } from './settings.js'

export const hubTransportOptions = z.strictObject({
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

export interface HubTransportOptions extends z.input<typeof hubTransportOptions> {
  /** Called for the waits that outage.ts selects to be reported. */
  readonly onWait?: ((wait: RetryWait) => void) | undefined
}

export interface HubTransport {
  request(url: string, request?: HubRequest): Promise<HubResponse>
  /** For @huggingface/hub. */
  readonly fetch: typeof fetch
  readonly clock: Clock
  /** Waits after failure number `failures`: exponential back-off with jitter. */
  backoff(failures: number, signal?: AbortSignal): Promise<void>
  readonly counts: { requests: number; retries: number; waitedMs: number }
  close(): Promise<void>
}

const redirectsMax = 5

/**
 * Returns a transport with its own connections; `close` it when done.
 *
 * @throws {HubUnavailableError} from `request`: all tries failed, or the Hub asks to wait longer than `waitMsMax`
 * @throws {HubAccessError} from `request`: HF_HUB_OFFLINE is set
 */
export function hubTransport(
  settings: HubSettings,
  { onWait, ...given }: HubTransportOptions = {},
  clock = systemClock,
): HubTransport {
  const options = hubTransportOptions.parse(given)
  const random = seededRandom(options.seed)
  /** Opened by the first request: undici takes a tenth of a second to load. */
  let opened: Promise<Connections> | null = null
  const window = { windowMs: options.windowMs }
  const budgets = {
    api: new RequestBudget({ requestsMax: options.apiRequestsMax, ...window }, clock),
    resolve: new RequestBudget({ requestsMax: options.resolveRequestsMax, ...window }, clock),
  }
  const counts = { requests: 0, retries: 0, waitedMs: 0 }
  const reports = outageReports(onWait)

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
    opened ??= openConnections(options)
    const { undiciRequest, dispatcher } = await opened
    const response = await undiciRequest(url, {
      dispatcher,
      method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
      ...wireBody(request),
      ...timeouts,
      ...(request.signal ? { signal: request.signal } : {}),
    })
    const headers = flatHeaders(response.headers)
    const limit = parseRateLimit(headers.ratelimit)
    if (limit !== null) budget?.learn(limit)
    return { status: response.statusCode, headers, body: response.body, url }
  }

  async function request(givenUrl: string, request: HubRequest = {}): Promise<HubResponse> {
    const url = mirrored(givenUrl, settings)
    if (settings.offline) {
      throw new HubAccessError(
        say`HF_HUB_OFFLINE is set, so no request is sent to ${shownUrl(url)}: unset it, or use local files`,
      )
    }
    const waiting = waitSignal(request)
    let tries = 1
    try {
      for (;;) {
        waiting?.throwIfAborted()
        const outcome = await attempt(url, request, tries)
        if ('status' in outcome) return outcome
        counts.retries++
        reports.retrying(outcome)
        tries++
        await wait(outcome.waitMs, waiting)
      }
    } finally {
      if (tries > 1) reports.ended()
    }
  }

  /** One try: returns the response, or why it is retried and after which wait. */
  async function attempt(url: string, request: HubRequest, tries: number): Promise<HubResponse | RetryWait> {
    const { triesMax, waitMsMax, headersMs: headersTimeout, idleMs: bodyTimeout } = options
    const once = request.once === true
    const last = once || tries >= triesMax
    const next = (reason: string, waitMs: number): RetryWait => ({
      url: shownUrl(url),
      reason,
      tries,
      triesMax,
      waitMs,
    })
    try {
      const response = await followRedirects(url, request, settings, (target, sent) =>
        send(target, sent, { headersTimeout, bodyTimeout }),
      )
      if (!isRetryable(response.status) || once) return response
      const givenMs = retryAfterMs(response.headers)
      const reason = `${response.status} ${processSecrets.words(await errorTextOf(response))}`
      if (last || (givenMs ?? 0) > waitMsMax) throw unavailable(url, reason, tries, givenMs)
      return next(reason, givenMs === null ? backoffMs(tries) : givenMs + random() * Math.min(1000, givenMs + 1))
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason
      if (error instanceof HubUnavailableError || !isConnectionFailure(error)) throw error
      if (last || request.repeatable === false) throw unavailable(url, reasonOf(error), tries, null, error)
      return next(reasonOf(error), backoffMs(tries))
    }
  }

  return {
    request,
    fetch: (input, init) => fetchThrough((url, sent) => request(url, authorized(url, sent, settings)), input, init),
    clock,
    backoff: (failures, signal) => wait(backoffMs(failures), signal),
    counts,
    close: async () => (await opened)?.dispatcher.close(),
  }
}

function budgetOf(
  url: string,
  settings: HubSettings,
  budgets: { api: RequestBudget; resolve: RequestBudget },
): RequestBudget | null {
  if (!sameOrigin(url, settings.url)) return null
  return /\/resolve\//.test(url) ? budgets.resolve : budgets.api
}

/** Replaces huggingface.co by the mirror, if one is set: responses of a mirror contain addresses of the original. */
function mirrored(url: string, settings: HubSettings): string {
  return settings.mirrored && url.startsWith(`${hubUrlDefault}/`) ? settings.url + url.slice(hubUrlDefault.length) : url
}

async function followRedirects(
  start: string,
  request: HubRequest,
  settings: HubSettings,
  send: (url: string, request: HubRequest) => Promise<HubResponse>,
): Promise<HubResponse> {
  let url = start
  for (let redirects = 0; ; redirects++) {
    const response = await send(url, sameOrigin(url, start) ? request : withoutToken(request))
    const { location } = response.headers
    if (request.redirect === 'manual' || response.status < 301 || response.status > 308 || location === undefined)
      return response
    await response.body.dump()
    if (redirects === redirectsMax)
      throw new HubUnavailableError(say`${shownUrl(start)} redirects more than ${redirectsMax} times`)
    url = mirrored(new URL(location, url).href, settings)
  }
}

/** Adds the token for the Hub's own host; removes it for any other host, such as one in the link to the next page. */
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

/** The signal that ends a wait: that of the request, or the one after which no further try is started. */
function waitSignal({ signal, ending }: HubRequest): AbortSignal | undefined {
  return signal && ending ? AbortSignal.any([signal, ending]) : (signal ?? ending)
}

/** The wait that the Hub asks for; null if it does not. */
function retryAfterMs(headers: HubResponse['headers']): number | null {
  return parseRetryAfter(headers['retry-after']) ?? parseRateLimit(headers.ratelimit)?.waitMs ?? null
}

function isRetryable(status: number): boolean {
  return status === 408 || status === 429 || status >= 500
}

function unavailable(url: string, reason: string, tries: number, givenMs: number | null, cause?: unknown): Error {
  const [shown, given] = [shownUrl(url), count(tries, 'try')]
  const what =
    givenMs === null
      ? say`${shown} failed, last with ${reason}, after ${given}. Run the same command again: it resumes`
      : say`${shown} failed, last with ${reason}, after ${given}. It asks to wait ${Math.ceil(givenMs / 1000)} s. Run the same command again: it resumes`
  return new HubUnavailableError(what, { cause, details: { tries, waitMs: givenMs } })
}

function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin
}

function reasonOf(error: unknown): string {
  return [errorCode(error), errorMessage(error)].filter(Boolean).join(' ')
}
