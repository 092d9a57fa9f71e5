/** What a server asks a client to wait, as HTTP says it. How long a wait is obeyed belongs to whoever asks. */

/**
 * Milliseconds of a Retry-After: seconds, or a date; at least 0. Null when it is absent or neither.
 * Source: RFC 9110, 10.2.3.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number = Date.now()): number | null {
  if (header === undefined || header.trim() === '') return null
  const seconds = Number(header)
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null
}
