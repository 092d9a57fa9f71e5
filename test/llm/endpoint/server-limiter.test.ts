import t from 'tap'
import { pollMs } from '../../../lib/llm/endpoint/limiter.js'
import { ServerLimiter } from '../../../lib/llm/endpoint/server-limiter.js'

/** What lies between the limiter and a server: one request at a time passes, then each takes its way. */
interface Way {
  /** Time in which one request passes, ms. */
  passMs: number
  /** Time that every request takes beside, all at once, ms. */
  roundTripMs: number
  /** Share of the requests in flight that the server has. */
  atServer: number
}

const sample = { kvUsage: 0.1, preemptions: 0, generationTokens: 0 }

/** Calls that never run out, for `seconds`. @returns requests finished in the last third, a second, and the median limit in it */
function drive(limiter: ServerLimiter, way: Way, seconds: number, fromMs = 0): { perSecond: number; limit: number } {
  let freeAtMs = fromMs
  let inFlight = 0
  const finishing: { sentMs: number; endMs: number }[] = []
  const untilMs = fromMs + seconds * 1000
  const lateMs = untilMs - (seconds * 1000) / 3
  const limits: number[] = []
  let finished = 0
  for (let nowMs = fromMs; nowMs < untilMs; nowMs++) {
    while ((finishing[0]?.endMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const { sentMs } = finishing.shift() as { sentMs: number }
      inFlight--
      limiter.noteFinished({ atMs: nowMs, latencyMs: nowMs - sentMs, tokens: 50 })
      if (nowMs >= lateMs) finished++
    }
    limiter.noteWaiting()
    for (; inFlight < limiter.limit; inFlight++) {
      freeAtMs = Math.max(freeAtMs, nowMs) + way.passMs
      finishing.push({ sentMs: nowMs, endMs: freeAtMs + way.roundTripMs })
    }
    if (nowMs % pollMs === 0) {
      limiter.noteSample({ ...sample, atMs: nowMs, running: Math.round(inFlight * way.atServer), waiting: 0 }, inFlight)
      if (nowMs >= lateMs) limits.push(limiter.limit)
    }
  }
  limits.sort((a, b) => a - b)
  return { perSecond: finished / (seconds / 3), limit: limits[Math.floor(limits.length / 2)] ?? 0 }
}

t.test('Requests that do not reach the server are not piled up: the limit stays near what the way holds', (t) => {
  for (const [passMs, roundTripMs] of [
    [1, 5],
    [1, 100],
    [0.5, 200],
    [4, 20],
  ] as const) {
    const holds = roundTripMs / passMs + 1
    const { perSecond, limit } = drive(new ServerLimiter(8192), { passMs, roundTripMs, atServer: 0.02 }, 120)
    t.ok(perSecond > 0.9 * (1000 / passMs), `${perSecond} a second of ${1000 / passMs}`)
    t.ok(limit <= Math.max(64, 3 * holds), `limit ${limit}, where ${holds} fill the way`)
  }
  t.end()
})

t.test('The limit of a server that is far away and fast grows while more requests finish', (t) => {
  const { perSecond, limit } = drive(new ServerLimiter(8192), { passMs: 0.1, roundTripMs: 100, atServer: 0.1 }, 120)
  t.ok(perSecond > 9_000, `${perSecond} a second of 10,000`)
  t.ok(limit < 3_000, `limit ${limit}, where 1,000 fill the way`)
  t.end()
})

t.test('Once the server has the requests, its queue decides again, and the other way round', (t) => {
  const limiter = new ServerLimiter(8192)
  const way: Way = { passMs: 1, roundTripMs: 5, atServer: 0.02 }
  drive(limiter, way, 20)
  t.match(limiter.reason, /at the server/)
  const before = limiter.limit
  way.atServer = 1
  way.roundTripMs = 1_000
  drive(limiter, way, 10, 20_000)
  t.notMatch(limiter.reason, /at the server/)
  t.ok(limiter.limit > before)
  way.atServer = 0.02
  way.roundTripMs = 5
  const { limit } = drive(limiter, way, 60, 30_000)
  t.match(limiter.reason, /at the server/)
  t.ok(limit < 100, `${limit}`)
  way.roundTripMs = 300
  t.ok(drive(limiter, way, 60, 90_000).perSecond > 900, 'a longer way is filled, too')
  limiter.restart()
  t.equal(limiter.reason, 'back')
  t.end()
})

t.test('A server that refuses more than a few requests is sent fewer, wherever the others are', (t) => {
  const limiter = new ServerLimiter(8192)
  drive(limiter, { passMs: 1, roundTripMs: 5, atServer: 0.02 }, 20)
  for (let burst = 0; burst < 12; burst++) limiter.noteOverload(20_000 + burst * 3_000, limiter.limit)
  t.ok(limiter.limit <= 8, `${limiter.limit}`)
  t.end()
})

t.test('One sample between two batches, or few requests in flight, do not change the law', (t) => {
  const limiter = new ServerLimiter(1000)
  const look = (running: number, inFlight: number, atMs: number): void => {
    limiter.noteWaiting()
    limiter.noteSample({ ...sample, atMs, running, waiting: 0 }, inFlight)
  }
  look(0, 32, 500)
  t.equal(limiter.limit, 32, 'an empty sample grows nothing')
  look(32, 32, 1000)
  t.equal(limiter.limit, 64)
  look(0, 64, 1500)
  look(64, 64, 2000)
  look(0, 8, 2500)
  look(0, 8, 3000)
  t.notMatch(limiter.reason, /at the server/)
  t.end()
})
