import t from 'tap'
import { parseReset, rateLimitsOf, retryAfterMs } from '../../../lib/llm/protocol/rate-limits.js'

const nowMs = Date.parse('2026-01-01T00:00:00Z')

t.test('A reset is parsed in every form that servers use', async (t) => {
  const forms: Readonly<Record<string, number | null>> = {
    '1s': 1000,
    '6m0s': 360_000,
    '120ms': 120,
    '1h2m3.5s': 3_723_500,
    '7.66s': 7660,
    '30': 30_000,
    '0': 0,
    '0.5': 500,
    [String(nowMs / 1000 + 20)]: 20_000,
    [String(nowMs + 1500)]: 1500,
    [String(nowMs / 1000 - 20)]: 0,
    '2026-01-01T00:00:05Z': 5000,
    'Thu, 01 Jan 2026 00:00:07 GMT': 7000,
    '': null,
    soon: null,
    '-3': null,
    '2d': null,
    '1e400': null,
  }
  for (const [text, waitMs] of Object.entries(forms)) t.equal(parseReset(text, nowMs), waitMs, text)
  t.equal(parseReset(undefined, nowMs), null)
})

t.test('Remaining quota is read from the headers of each family; without headers there is none', async (t) => {
  const none = { requestsRemaining: null, requestsResetMs: null, tokensRemaining: null, tokensResetMs: null }
  const families = [
    [
      {
        'x-ratelimit-remaining-requests': '3',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '6m0s',
      },
      { requestsRemaining: 3, requestsResetMs: 1000, tokensRemaining: 0, tokensResetMs: 360_000 },
    ],
    [
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowMs + 9000) },
      { requestsRemaining: 0, requestsResetMs: 9000 },
    ],
    [
      { 'ratelimit-remaining': '5', 'ratelimit-reset': '30' },
      { requestsRemaining: 5, requestsResetMs: 30_000 },
    ],
    [{ ratelimit: 'limit=100, remaining=50, reset=30' }, { requestsRemaining: 50, requestsResetMs: 30_000 }],
    [{ ratelimit: '"default";r=50;t=30' }, { requestsRemaining: 50, requestsResetMs: 30_000 }],
    [
      { 'anthropic-ratelimit-requests-remaining': '2', 'anthropic-ratelimit-requests-reset': '2026-01-01T00:00:05Z' },
      { requestsRemaining: 2, requestsResetMs: 5000 },
    ],
    [{ 'x-ratelimit-remaining-tokens': '12' }, { tokensRemaining: 12 }],
  ] as const
  for (const [headers, limits] of families) t.strictSame(rateLimitsOf(headers, nowMs), { ...none, ...limits })
  for (const headers of [
    {},
    { 'x-ratelimit-remaining': 'many' },
    { 'x-ratelimit-remaining-requests': '-1' },
    { 'x-ratelimit-reset': '5' },
  ]) {
    t.equal(rateLimitsOf(headers, nowMs), null, JSON.stringify(headers))
  }
})

t.test('A wait is read in milliseconds first, and bounded to two minutes', async (t) => {
  t.equal(retryAfterMs({ 'retry-after-ms': '250', 'retry-after': '1' }), 250)
  t.equal(retryAfterMs({ 'retry-after': '2' }), 2000)
  t.equal(retryAfterMs({ 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' }, nowMs), 7000)
  t.equal(retryAfterMs({ 'retry-after': '86400' }), 120_000)
  t.equal(retryAfterMs({ 'retry-after-ms': 'x', 'retry-after': 'y' }), null)
  t.equal(retryAfterMs({}), null)
})
