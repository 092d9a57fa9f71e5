/**
 * Signed requests to one bucket. Retries broken connections, timeouts, 429 and 5xx with back-off; corrects what a
 * response says about clock and region, and reads renewed keys, once each. Everything else is the caller's to decide.
 */
import { setMaxListeners } from 'node:events'
import { z } from 'zod'
import { errorCode, errorMessage } from '../../caught-error.js'
import { systemClock } from '../../core/clock.js'
import { seededRandom } from '../../core/random.js'
import { processSecrets } from '../../core/redaction.js'
import { parseRetryAfter } from '../../core/retry-after.js'
import type { Clock } from '../../core/types.js'
import { StoreAccessError, StoreUnavailableError } from '../../errors.js'
import { isConnectionFailure } from '../../http/connection-failure.js'
import { type Connections, openConnections } from '../../http/connections.js'
import { flatHeaders } from '../../http/flat-headers.js'
import { type OutageReports, outageReports, type RetryWait } from '../../http/outage.js'
import { type Sliceable, wireBody } from '../../http/request-body.js'
import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import { addressingOf, objectUrl } from './address.js'
import { parseError, readText, type S3Error, type S3Response } from './response.js'
import { awsEndpoint, type S3Settings } from './settings.js'
import { canonicalQuery, emptyHash, signed } from './signature.js'

const s3TransportOptions = z.strictObject({
  /** Tries of one request before the run stops, resumable. */
  triesMax: z.int().min(1).max(100).default(8),
  /** First wait after a failure; doubled after each further one. */
  backoffMs: z.number().min(0).default(500),
  backoffMsMax: z.number().min(0).default(30_000),
  connectMs: z.number().min(1).default(20_000),
  headersMs: z.number().min(1).default(120_000),
  idleMs: z.number().min(1).default(60_000),
  connectionsMax: z.int().min(1).default(16),
  /** Seed for retry jitter. */
  seed: z.int().default(1),
})

export interface S3TransportOptions extends z.input<typeof s3TransportOptions> {
  readonly clock?: Clock
  /** Milliseconds since the epoch, for signatures. */
  readonly wallNow?: () => number
  /** Reads the settings again when the keys have expired. */
  readonly renewed?: () => S3Settings
  /** Called with retries of an outage: the first, and longer waits. */
  readonly onWait?: ((wait: RetryWait) => void) | undefined
}

interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Whole key, or empty for the bucket itself. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Sliceable | Uint8Array
  /** SHA-256 of the body. */
  readonly bodyHash?: string
  readonly signal?: AbortSignal | undefined
}

/** A response, or what an error response says. */
type S3Outcome = { readonly response: S3Response } | { readonly error: S3Error; readonly tries: number }

/** Corrections from responses: clock, region, keys. Each once a request, so that a wrong one ends. */
const correctionsMax = 3
/** Source: AWS, "Error responses": a request is valid for 15 minutes. */
const clockErrorCodes: ReadonlySet<string> = new Set(['RequestTimeTooSkewed', 'RequestExpired'])
const clockSkewMs = 5 * 60_000
const expiredKeyCodes: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'])
const regionErrorCodes: ReadonlySet<string> = new Set([
  'AuthorizationHeaderMalformed',
  'PermanentRedirect',
  'IllegalLocationConstraintException',
])

export class S3Transport {
  readonly bucket: string
  #settings: S3Settings
  readonly #options: z.output<typeof s3TransportOptions>
  readonly #clock: Clock
  readonly #wallNow: () => number
  readonly #renewed: (() => S3Settings) | undefined
  readonly #random: () => number
  readonly #reports: OutageReports
  /** Null before the first request. */
  #opened: Promise<Connections> | null = null
  /** What the server's clock is ahead of this machine's, ms. */
  #clockOffsetMs = 0
  #region: string
  readonly counts = { requests: 0, retries: 0 }

  constructor(
    bucket: string,
    settings: S3Settings,
    { clock, wallNow, renewed, onWait, ...given }: S3TransportOptions = {},
  ) {
    this.bucket = bucket
    this.#settings = settings
    this.#region = settings.region
    this.#options = s3TransportOptions.parse(given)
    this.#clock = clock ?? systemClock
    this.#wallNow = wallNow ?? Date.now
    this.#renewed = renewed
    this.#reports = outageReports(onWait)
    this.#random = seededRandom(this.#options.seed)
  }

  /**
   * Sends a request. Statuses below 400, and 4xx that a retry does not change, are returned.
   *
   * @param onUnknown called when a try may have been carried out although no response said so
   * @throws {StoreUnavailableError} every try failed
   */
  async send(request: S3Request, onUnknown?: () => void): Promise<S3Outcome> {
    const corrected = new Set<string>()
    for (let tries = 1; ; tries++) {
      const outcome = await this.#try(request)
      if ('response' in outcome) {
        if (tries > 1) this.#reports.ended()
        return outcome
      }
      if ('error' in outcome) {
        const what = corrected.size < correctionsMax ? this.#correct(outcome.error, outcome.date) : null
        if (what !== null && !corrected.has(what)) {
          corrected.add(what)
          continue
        }
        if (!isTransient(outcome.error)) return { error: outcome.error, tries }
      }
      onUnknown?.()
      if (tries >= this.#options.triesMax) {
        this.#reports.ended()
        throw this.#unavailable(request, outcome.reason, tries, outcome.cause)
      }
      this.counts.retries++
      const waitMs = Math.max(this.#backoffMs(tries), outcome.waitMs ?? 0)
      const [url, { triesMax }] = [this.#shown(request.key), this.#options]
      this.#reports.retrying({ url, reason: outcome.reason, tries, triesMax, waitMs })
      await this.#clock.sleep(waitMs, request.signal)
    }
  }

  /** Waits after failure number `failures`: exponential back-off with jitter. */
  backoff(failures: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(this.#backoffMs(failures), signal)
  }

  get triesMax(): number {
    return this.#options.triesMax
  }

  /** The error for a refusal that the caller cannot use. */
  refusal(error: S3Error, key: string): StoreAccessError {
    const { status, code, message } = error
    const said = processSecrets.words([status, code, message].filter(Boolean).join(' '))
    const details = { status, code, store: this.#shown('') }
    return new StoreAccessError(say`${this.#shown(key)} was refused with ${said}. ${this.#advice(error)}`, { details })
  }

  async close(): Promise<void> {
    await (await this.#opened)?.dispatcher.close()
  }

  #open(): Promise<Connections> {
    this.#opened ??= openConnections(this.#options)
    return this.#opened
  }

  #shown(key: string): string {
    return `s3://${this.bucket}/${key}`
  }

  #advice({ status, code }: S3Error): string {
    const { credentials, credentialsFrom } = this.#settings
    if (code === 'NoSuchBucket') return say`Check the name of the bucket and AWS_ENDPOINT_URL.`
    if (clockErrorCodes.has(code)) return say`Set the clock of this machine.`
    if (status !== 401 && status !== 403 && !expiredKeyCodes.has(code))
      return say`Check AWS_ENDPOINT_URL and AWS_REGION.`
    if (credentials === null) return say`No keys are set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`
    if (code === 'SignatureDoesNotMatch' || code === 'InvalidAccessKeyId') {
      return say`Check the keys, which are from ${credentialsFrom}, and that no proxy changes requests.`
    }
    return say`The keys are from ${credentialsFrom}; they need s3:GetObject, s3:PutObject, s3:DeleteObject on the objects and
      s3:ListBucket on the bucket.`
  }

  #backoffMs(failures: number): number {
    const { backoffMs, backoffMsMax } = this.#options
    return Math.min(backoffMsMax, backoffMs * 2 ** (failures - 1)) * (0.5 + this.#random() / 2)
  }

  async #try(
    request: S3Request,
  ): Promise<
    | { response: S3Response }
    | { error: S3Error; date: string | undefined; reason: string; waitMs: number | null; cause?: undefined }
    | { reason: string; waitMs: null; cause: unknown }
  > {
    try {
      const response = await this.#sendOnce(request)
      if (response.status < 300 || response.status === 304) return { response }
      const error = parseError(response, await readText(response))
      const { status, code, message } = error
      const reason = processSecrets.words([status, code, message].filter(Boolean).join(' '))
      const waitMs = parseRetryAfter(response.headers['retry-after'])
      const capped = waitMs === null ? null : Math.min(waitMs, this.#options.backoffMsMax)
      return { error, date: response.headers.date, reason, waitMs: capped }
    } catch (cause) {
      if (request.signal?.aborted) throw request.signal.reason
      if (!isConnectionFailure(cause)) throw cause
      return { reason: [errorCode(cause), errorMessage(cause)].filter(Boolean).join(' '), waitMs: null, cause }
    }
  }

  async #sendOnce(request: S3Request): Promise<S3Response> {
    this.counts.requests++
    const { method, key, query = {}, body, bodyHash = emptyHash, signal } = request
    const endpoint = this.#settings.endpoint ?? awsEndpoint(this.#region)
    const addressing = addressingOf(endpoint, this.bucket, this.#settings.addressing)
    const url = objectUrl(endpoint, this.bucket, key, addressing, canonicalQuery(query))
    const headers = signed(
      { method, url, headers: request.headers ?? {}, bodyHash },
      {
        credentials: this.#settings.credentials,
        region: this.#region,
        nowMs: this.#wallNow() + this.#clockOffsetMs,
      },
    )
    if (signal !== undefined) setMaxListeners(0, signal)
    const { undiciRequest, dispatcher } = await this.#open()
    const response = await undiciRequest(url, {
      dispatcher,
      method,
      ...wireBody(body === undefined ? { headers } : { headers, body }),
      headersTimeout: this.#options.headersMs,
      bodyTimeout: this.#options.idleMs,
      ...(signal === undefined ? {} : { signal }),
    })
    return { status: response.statusCode, headers: flatHeaders(response.headers), body: response.body }
  }

  /** Applies what an error says about clock, region or keys. Returns what was changed; null if nothing was. */
  #correct({ status, code, region }: S3Error, date: string | undefined): 'clock' | 'region' | 'keys' | null {
    const offsetMs = Date.parse(date ?? '') - this.#wallNow()
    // A response to HEAD has no code.
    const skewed = clockErrorCodes.has(code) || (status === 403 && code === '' && Math.abs(offsetMs) > clockSkewMs)
    if (skewed && !Number.isNaN(offsetMs)) {
      this.#clockOffsetMs = offsetMs
      return 'clock'
    }
    const elsewhere = regionErrorCodes.has(code) || (code === '' && (status === 301 || status === 400))
    if (elsewhere && region !== undefined && region !== this.#region && /^[\w-]+$/.test(region)) {
      this.#region = region
      return 'region'
    }
    if (expiredKeyCodes.has(code) && this.#renewed !== undefined) {
      const renewed = this.#renewed()
      const same = renewed.credentials?.sessionToken === this.#settings.credentials?.sessionToken
      this.#settings = { ...this.#settings, credentials: renewed.credentials, credentialsFrom: renewed.credentialsFrom }
      return same ? null : 'keys'
    }
    return null
  }

  #unavailable({ key }: S3Request, reason: string, tries: number, cause: unknown): Error {
    return new StoreUnavailableError(
      say`${this.#shown(key)} failed, last with ${reason}, after ${count(tries, 'try')}. Run the same command again: it resumes`,
      { cause, details: { tries, store: this.#shown('') } },
    )
  }
}

function isTransient({ status, code }: S3Error): boolean {
  if (status === 501) return false
  return status === 408 || status === 429 || status >= 500 || code === 'RequestTimeout' || code === 'SlowDown'
}
