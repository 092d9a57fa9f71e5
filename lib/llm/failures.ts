/**
 * Failures told apart, by status and effect: the server's (asked again) or the request's (refused for good).
 * Whether a server failure is really the record's is judged later, by what passes beside it.
 */
import { parseRetryAfter } from '../core/retry-after.js'
import { RequestRefusedError, ServerError } from '../errors.js'
import { errorMessage } from './wire.js'

/** Characters of a server's words that are kept. */
const DETAIL_CHARS_MAX = 300

/** Longest wait that a Retry-After may ask for, ms. */
const RETRY_AFTER_MAX_MS = 120_000

/** What kind of failure a ServerError is: `details.kind`. */
export type FailureKind = 'busy' | 'status' | 'connection' | 'deadline' | 'malformed' | 'stream' | 'access'

/** Statuses by which a server says that it is full, not broken. */
const BUSY = new Set([429, 503, 529])

/** An answer that is no reply, as the error it comes to; `words` is its body, secrets taken out already. */
export function failureOfStatus(
  status: number,
  body: string,
  retryAfter: string | undefined,
  endpoint: string,
): ServerError | RequestRefusedError {
  const words = shorten(errorMessage(body))
  if (BUSY.has(status)) {
    const askedMs = parseRetryAfter(retryAfter)
    const retryAfterMs = askedMs === null ? null : Math.min(askedMs, RETRY_AFTER_MAX_MS)
    return new ServerError(`${endpoint} is full (${status}): ${words}`, {
      details: { kind: 'busy', status, words, ...(retryAfterMs === null ? {} : { retryAfterMs }) },
    })
  }
  if (status === 401 || status === 403 || status === 404) {
    return new ServerError(`${endpoint} refuses access or does not know the model (${status}): ${words}`, {
      details: { kind: 'access', status, words },
    })
  }
  if (status === 400 || status === 413 || status === 422) {
    const contextLength = status === 413 || /context length|context size|maximum length/i.test(words)
    return new RequestRefusedError(`${endpoint} refused the request (${status}): ${words}`, {
      details: { reason: contextLength ? 'context-length' : 'refused', status, words },
    })
  }
  return new ServerError(`${endpoint} answered ${status}: ${words}`, { details: { kind: 'status', status, words } })
}

/** A request that got no answer: refused, reset, cut off. */
export function failureOfConnection(error: unknown, endpoint: string): ServerError {
  if (error instanceof ServerError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  const words = shorten(error instanceof Error ? error.message || code : String(error))
  // The cause stays out: an undici error may hold the request with its headers.
  return new ServerError(`No answer from ${endpoint} (${code}): ${words}`, {
    details: { kind: 'connection', system: code, words },
  })
}

/** A server's words on one line, cut to what a reject may hold. */
export function shorten(words: string): string {
  const line = words.replace(/\s+/g, ' ').trim()
  return line.length > DETAIL_CHARS_MAX ? `${line.slice(0, DETAIL_CHARS_MAX - 1)}…` : line
}
