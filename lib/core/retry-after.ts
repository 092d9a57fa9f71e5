/** Parses the Retry-After header. The caller limits how long it waits. */

/**
 * Returns the milliseconds of a Retry-After, which is seconds or a date; at least 0. Null if it is absent or invalid.
 * Source: RFC 9110, 10.2.3.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number = Date.now()): number | null {
  if (header === undefined || header.trim() === '') return null
  const seconds = Number(header)
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - nowMs
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null
}
