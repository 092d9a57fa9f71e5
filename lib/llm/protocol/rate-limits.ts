/**
 * Parses rate-limit headers: how long to wait, how many requests and tokens are left, and until when.
 * Pure; pacer.ts applies them.
 */
import { parseRetryAfter } from '../../core/retry-after.js'

/** Headers of a response, names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Remaining quota of a limit and its reset; null if the server does not report it. */
export interface RateLimits {
  readonly requestsRemaining: number | null
  /** From the response on, ms. */
  readonly requestsResetMs: number | null
  readonly tokensRemaining: number | null
  readonly tokensResetMs: number | null
}

/** Longest wait that a server may ask for, ms. */
const waitMaxMs = 120_000

/** A reset further away than this is a date in the past or the future, not a wait, ms: a day. */
const resetMaxMs = 86_400_000

/** Seconds since 1970 are larger than this, and milliseconds a thousand times larger. */
const epochSecondsMin = 1e9
const epochMsMin = 1e12

/** Returns the wait of `retry-after-ms` or `retry-after`, at most two minutes; null if neither is valid. */
export function retryAfterMs(headers: Headers, nowMs: number = Date.now()): number | null {
  const exact = headerNumber(headers, 'retry-after-ms') ?? headerNumber(headers, 'x-ms-retry-after-ms')
  const askedMs = exact ?? parseRetryAfter(header(headers, 'retry-after'), nowMs)
  return askedMs === null ? null : Math.min(Math.max(0, askedMs), waitMaxMs)
}

/**
 * Returns the limits in the headers of a response, or null if there are none.
 *
 * Read: `x-ratelimit-remaining-requests`, `-tokens`, `x-ratelimit-reset-requests`, `-tokens` (OpenAI and those like it),
 * `x-ratelimit-remaining`, `ratelimit-remaining` and their resets (proxies, the IETF draft).
 * Example: {'x-ratelimit-remaining-requests': '3', 'x-ratelimit-reset-requests': '6m0s'} → 3 left, whole in 360,000 ms
 */
export function rateLimitsOf(headers: Headers, nowMs: number = Date.now()): RateLimits | null {
  if (!namesLimits(headers)) return null
  const requests = [...named('remaining', 'requests'), 'x-ratelimit-remaining', 'ratelimit-remaining']
  const requestsReset = [...named('reset', 'requests'), 'x-ratelimit-reset', 'ratelimit-reset']
  const remaining = (names: readonly string[]) => first(names, (name) => headerNumber(headers, name))
  const reset = (names: readonly string[]) => first(names, (name) => parseReset(header(headers, name), nowMs))
  const draft = draftLimit(header(headers, 'ratelimit'))
  const limits: RateLimits = {
    requestsRemaining: remaining(requests) ?? draft.remaining,
    requestsResetMs: reset(requestsReset) ?? draft.resetMs,
    tokensRemaining: remaining(named('remaining', 'tokens')),
    tokensResetMs: reset(named('reset', 'tokens')),
  }
  return limits.requestsRemaining === null && limits.tokensRemaining === null ? null : limits
}

/** Returns the limits that failures.ts stored in the `details` of a failure; null if there are none. */
export function limitsOfDetails(details: Readonly<Record<string, unknown>>): RateLimits | null {
  const number = (name: keyof RateLimits) => (typeof details[name] === 'number' ? (details[name] as number) : null)
  const limits = {
    requestsRemaining: number('requestsRemaining'),
    requestsResetMs: number('requestsResetMs'),
    tokensRemaining: number('tokensRemaining'),
    tokensResetMs: number('tokensResetMs'),
  }
  return limits.requestsRemaining === null && limits.tokensRemaining === null ? null : limits
}

/** Quick check, run for every reply: most servers send no limits. */
function namesLimits(headers: Headers): boolean {
  for (const name in headers) if (name.includes('ratelimit')) return true
  return false
}

/**
 * Milliseconds until a reset: '1s', '6m0s', '120ms', '1h2m3.5s', seconds, seconds or milliseconds since 1970, or a
 * date; null for anything else.
 */
export function parseReset(value: string | undefined, nowMs: number): number | null {
  const text = value?.trim() ?? ''
  if (text === '') return null
  const waitMs = durationMs(text) ?? instantMs(text, nowMs)
  return waitMs === null || !(waitMs <= resetMaxMs) ? null : Math.max(0, waitMs)
}

/** Parses a duration with units, which may be mixed; a bare number is not a duration. */
function durationMs(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|h|m|s|d))+$/.test(text)) return null
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s|d)/g)
  const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[String(unit)] as number), 0)
}

function instantMs(text: string, nowMs: number): number | null {
  const value = Number(text)
  if (!Number.isFinite(value)) {
    const atMs = Date.parse(text)
    return Number.isNaN(atMs) ? null : atMs - nowMs
  }
  if (value < 0) return null
  if (value >= epochMsMin) return value - nowMs
  return value >= epochSecondsMin ? value * 1000 - nowMs : value * 1000
}

/** The IETF draft's one header: `limit=100, remaining=50, reset=30` or `"default";r=50;t=30`. */
function draftLimit(value: string | undefined): { remaining: number | null; resetMs: number | null } {
  const remaining = /(?:\bremaining|;\s*r)\s*=\s*(\d{1,15})/i.exec(value ?? '')
  const reset = /(?:\breset|;\s*t)\s*=\s*(\d{1,9})/i.exec(value ?? '')
  return {
    remaining: remaining === null ? null : Number(remaining[1]),
    resetMs: reset === null ? null : Number(reset[1]) * 1000,
  }
}

function named(what: 'remaining' | 'reset', of: 'requests' | 'tokens'): string[] {
  return [`x-ratelimit-${what}-${of}`, `ratelimit-${what}-${of}`, `anthropic-ratelimit-${of}-${what}`]
}

function first<T>(names: readonly string[], read: (name: string) => T | null): T | null {
  for (const name of names) {
    const value = read(name)
    if (value !== null) return value
  }
  return null
}

function headerNumber(headers: Headers, name: string): number | null {
  const text = header(headers, name)?.trim()
  const value = text === undefined || !/^\d+(?:\.\d+)?$/.test(text) ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : null
}

function header(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}
