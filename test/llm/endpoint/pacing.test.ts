import t from 'tap'
import { type Behaviour, type VirtualAnswer, virtualRun } from '../virtual-models.js'

t.setTimeout(240_000)

/** What a server says of its limit. */
type Says = 'headers' | 'only Retry-After' | 'nothing'

interface Limit {
  readonly requests: number
  readonly windowMs: number
  /** Time of a reply; a refusal comes in 5 ms. */
  readonly replyMs: number
  readonly says: Says
}

/** A window that begins with its first request, or with the clock; all requests count, refused ones do not. */
function fixedWindow({ requests, windowMs, replyMs, says }: Limit): VirtualAnswer {
  let window = -1
  let used = 0
  return ({ nowMs, texts }) => {
    if (texts[0] === '/health') return { reply: '' }
    const now = Math.floor(nowMs / windowMs)
    if (now > window) used = 0
    window = now
    const resetMs = (now + 1) * windowMs - nowMs
    if (used >= requests) return refusal(says, 0, resetMs, resetMs)
    used++
    return reply(says, replyMs, requests - used, resetMs)
  }
}

/** Refills evenly; the reset that it names is when it is full again, as of OpenAI. */
function tokenBucket({ requests, windowMs, replyMs, says }: Limit): VirtualAnswer {
  let left = requests
  let atMs = 0
  const rate = requests / windowMs
  return ({ nowMs, texts }) => {
    if (texts[0] === '/health') return { reply: '' }
    left = Math.min(requests, left + rate * (nowMs - atMs))
    atMs = nowMs
    if (left < 1) return refusal(says, 0, (requests - left) / rate, (1 - left) / rate)
    left--
    return reply(says, replyMs, Math.floor(left), (requests - left) / rate)
  }
}

function refusal(says: Says, remaining: number, resetMs: number, waitMs: number): Behaviour {
  const retryAfter = String(Math.ceil(waitMs / 1000))
  if (says === 'headers') return { status: 429, headers: limitHeaders(remaining, resetMs) }
  return says === 'nothing' ? { status: 429 } : { status: 429, headers: { 'retry-after': retryAfter } }
}

function reply(says: Says, ms: number, remaining: number, resetMs: number): Behaviour {
  return { reply: '好', ms, ...(says === 'headers' && { headers: limitHeaders(remaining, resetMs) }) }
}

function limitHeaders(remaining: number, resetMs: number): Record<string, string> {
  const reset = resetMs < 1000 ? `${Math.ceil(resetMs)}ms` : `${(resetMs / 1000).toFixed(3)}s`
  return { 'x-ratelimit-remaining-requests': String(remaining), 'x-ratelimit-reset-requests': reset }
}

const servers = { 'a fixed window': fixedWindow, 'a token bucket': tokenBucket } as const
const limits = [
  { requests: 60, windowMs: 60_000, records: 500, usedMin: 0.9 },
  { requests: 600, windowMs: 60_000, records: 1500, usedMin: 0.9 },
  // A second is the finest that Retry-After says, and no longer than the first waits: half of a window may go unused.
  { requests: 5, windowMs: 1000, records: 400, usedMin: 0.65 },
] as const

for (const [name, server] of Object.entries(servers)) {
  for (const says of ['headers', 'only Retry-After', 'nothing'] as const) {
    for (const { requests, windowMs, records, usedMin } of limits) {
      for (const replyMs of says === 'headers' ? [300, 6000] : [2000]) {
        const each = `${requests} requests in ${windowMs / 1000} s, replies in ${replyMs / 1000} s`
        t.test(`A server with ${name} of ${each}, that says ${says}, gets few requests too many`, async (t) => {
          const answer = server({ requests, windowMs, replyMs, says })
          const run = await virtualRun({ answer, records, inFlightMax: 64, boundMs: 4 * 3_600_000 })
          t.notOk(run.hangs)
          t.equal(run.error, null)
          t.ok(
            run.ends.every((end) => end === 'reply'),
            'every record gets its reply',
          )
          const each = run.requests / records
          const rate = records / Math.max(1, run.tookMs - replyMs)
          const used = rate / (requests / windowMs)
          t.comment(`${each.toFixed(3)} requests a reply, ${(100 * used).toFixed(0)} % of the limit`)
          t.ok(each <= 1.3, `${each} requests a reply`)
          t.ok(used >= (says === 'headers' && replyMs < windowMs ? 0.9 : usedMin), `${used} of the limit`)
        })
      }
    }
  }
}
