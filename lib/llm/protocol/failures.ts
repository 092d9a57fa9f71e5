/**
 * Classifies failures: the server's (ServerError, retried) or the request's (RequestRefusedError, never retried).
 * One function for every error of a server: a response status, an `error` inside a 200, a stream or a choice.
 * Whether a record causes a server failure is decided later (health.ts), by the requests that pass beside it.
 */
import { RequestRefusedError, ServerError } from '../../errors.js'
import { say } from '../../language/say.js'
import { readErrorBody, type ServerErrorInfo } from './error-body.js'
import { type Meaning, meaningOf } from './failure-table.js'
import { type Headers, rateLimitsOf, retryAfterMs } from './rate-limits.js'

/** Characters of a server's words that are kept. */
const detailCharsMax = 300

/**
 * Kind of a ServerError: `details.kind`.
 *
 * 'account': arrears, balance, quota, billing: never about a record, and waiting does not help.
 * 'loading': the model is not ready yet: waiting helps.
 */
export type FailureKind =
  | 'busy'
  | 'status'
  | 'connection'
  | 'deadline'
  | 'malformed'
  | 'stream'
  | 'access'
  | 'account'
  | 'loading'

/**
 * Why a request was refused: `details.reason` of RequestRefusedError.
 *
 * 'content-refused': moderation of this one record. 'field': the server does not accept a field of the request, named
 * in `details.field`; not about the record. 'refused': anything else.
 */
type RefusalReason = 'context-length' | 'content-refused' | 'field' | 'refused'

/** Context of an error that its classification depends on: endpoint and request. */
export interface RequestContext {
  readonly endpoint: string
  /** Names of the request's fields. */
  readonly fields?: readonly string[]
  readonly headers?: Headers
}

/** Statuses that mean overload. */
const busyStatuses = new Set([429, 503, 529])
/** Statuses of a wrong address, key or model. Redirects count: a POST is not repeated at another address. */
const accessStatuses = new Set([301, 302, 303, 307, 308, 401, 403, 404, 405, 407, 410])
const refusedStatuses = new Set([400, 413, 422])

/** Converts a response that is not a reply to an error; `body` is already redacted. */
export function failureOfStatus(
  status: number,
  body: string,
  asked: RequestContext,
): ServerError | RequestRefusedError {
  return failureOf(readErrorBody(body), status, asked)
}

/**
 * Converts a server's error to an error class, by its codes, then its words, then the status. The status named by an
 * error inside a 200 replaces that 200.
 *
 * `details`: kind or reason, status, words, serverCode, retryAfterMs, and what rate-limits.ts reads.
 */
export function failureOf(
  said: ServerErrorInfo,
  httpStatus: number,
  asked: RequestContext,
): ServerError | RequestRefusedError {
  const status = httpStatus === 200 ? (said.status ?? 200) : httpStatus
  const words = shorten(said.words)
  // Inside a 200, the status in the error is its code.
  const serverCode = said.serverCode ?? (httpStatus === 200 && said.status !== null ? String(said.status) : null)
  const details = {
    status: httpStatus,
    words,
    ...(serverCode === null ? {} : { serverCode }),
    ...waits(said, asked.headers),
  }
  const { endpoint } = asked
  const means = meaningOf(said.codes, said.words, status) ?? meaningOfStatus(status)
  const serverError = (kind: FailureKind, what: string) =>
    new ServerError(`${endpoint} ${what} (${status}): ${words}`, { details: { kind, ...details } })
  switch (means) {
    case 'account':
      return serverError(means, 'refuses the account')
    case 'loading':
      return serverError(means, 'is still loading its model')
    case 'busy':
      return serverError(means, 'is full')
    case 'access':
      return serverError(means, 'refuses access or does not know the model')
    case 'content-refused':
    case 'context-length':
      return refused(means, `${endpoint} refused the request (${status}): ${words}`, details)
    case 'refused': {
      const field = fieldOf(said, asked.fields ?? [])
      if (field === null) return refused(means, `${endpoint} refused the request (${status}): ${words}`, details)
      return refused('field', `${endpoint} does not take '${field}' (${status}): ${words}`, { ...details, field })
    }
    default:
      return serverError('status', 'responded with an error')
  }
}

/** The model used up its tokens before it wrote anything: OpenAI refuses this, others end with `length`. */
export function isOutOfTokens(status: number, body: string): boolean {
  return status === 400 && /could not finish the message because max_tokens|model output limit was reached/i.test(body)
}

/** Converts the error of a connection: refused, reset, broken. */
export function failureOfConnection(error: unknown, endpoint: string): ServerError {
  if (error instanceof ServerError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const words = shorten(error instanceof Error ? error.message || code : String(error))
  // Without the cause: an undici error may hold the request with its headers.
  return new ServerError(say`no response from ${endpoint} (${code}): ${words}`, {
    details: { kind: 'connection', system: code, words },
  })
}

/** Puts an error text on one line and shortens it for a reject. */
export function shorten(words: string): string {
  const line = words.replace(/\s+/g, ' ').trim()
  return line.length > detailCharsMax ? `${line.slice(0, detailCharsMax - 1)}…` : line
}

type Details = Readonly<Record<string, string | number | boolean | null>>

function refused(reason: RefusalReason, message: string, details: Details): RequestRefusedError {
  return new RequestRefusedError(message, { details: { reason, ...details } })
}

function meaningOfStatus(status: number): Meaning | 'refused' | null {
  if (busyStatuses.has(status)) return 'busy'
  if (status === 402) return 'account'
  if (accessStatuses.has(status)) return 'access'
  if (status === 451) return 'content-refused'
  if (status === 413) return 'context-length'
  return refusedStatuses.has(status) ? 'refused' : null
}

function waits({ waitMs }: ServerErrorInfo, headers: Headers = {}): Details {
  const asked = retryAfterMs(headers) ?? (waitMs === null ? null : retryAfterMs({ 'retry-after-ms': String(waitMs) }))
  return { ...(asked === null ? {} : { retryAfterMs: asked }), ...rateLimitsOf(headers) }
}

/** Fields that contain the record: an error about them is about the record. */
const recordFields = new Set(['messages', 'prompt', 'input', 'model'])

const objection =
  /unrecogni[sz]ed|unknown|unexpected|unsupported|not (?:support|allow|permit|valid|implemented)|extra_forbidden|invalid|must be|should be|out of range|range of|greater than|less than|exceeds?|max(?:imum)? allowed|cannot|can't|only|must not|不支持|无效|非法|范围|未知|必须/i

/** Returns the field of the request that an error blames, or null. */
function fieldOf({ words, param }: ServerErrorInfo, fields: readonly string[]): string | null {
  const known = fields.filter((field) => !recordFields.has(field))
  const base = param?.replace(/[[.].*$/, '') ?? null
  if (base !== null && known.includes(base)) return base
  if (!objection.test(words)) return null
  // The longest first: an error about top_logprobs is not about logprobs.
  const longest = [...known].sort((a, b) => b.length - a.length)
  return longest.find((field) => named(field, words)) ?? null
}

/** An English word (`stop`, `seed`) counts only if it is quoted as a name. */
function named(field: string, words: string): boolean {
  const plain = /^[a-z]+$/.test(field) && !distinctiveFields.has(field)
  const escaped = field.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const pattern = plain
    ? `["'\`“‘.]${escaped}["'\`”’]|(?:parameter|argument|field|key|参数|字段)s?[ :：]{1,3}${escaped}\\b`
    : `(?<![A-Za-z0-9_])${escaped}(?![A-Za-z0-9_])`
  return new RegExp(pattern, 'i').test(words)
}

const distinctiveFields = new Set(['logprobs', 'temperature'])
