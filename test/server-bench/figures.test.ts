import t from 'tap'
import { compared, noiseOf } from '../../lib/server-bench/noise.js'
import { figuresOf, quantiles, type RequestRecord } from '../../lib/server-bench/request-record.js'
import type { LevelResult, ServerBenchResult } from '../../lib/server-bench/results.js'

function request(startMs: number, endMs: number, more: Partial<RequestRecord> = {}): RequestRecord {
  return { startMs, firstMs: null, endMs, prompts: 1, promptTokens: 500, outputTokens: 60, failure: '', ...more }
}

t.test('requests that the measured time cuts off count by their share of it', async (t) => {
  // One in flight, 700 ms each: 1 / 0.7 requests a second, whatever part of a request the ends of the span cut off.
  const records = Array.from({ length: 6 }, (_, at) => request(700 * at, 700 * (at + 1)))
  const { requestsPerSecond, outputTokensPerSecond, latencyMs, firstTokenMs } = figuresOf(records, {
    fromMs: 1000,
    toMs: 3000,
  })
  t.ok(Math.abs(requestsPerSecond - 1 / 0.7) < 1e-9)
  t.ok(Math.abs(outputTokensPerSecond - 60 / 0.7) < 1e-9)
  t.equal(latencyMs.p50, 700)
  t.equal(firstTokenMs, null)
})

t.test('a stream gives the time to the first token and the time of each further one', async (t) => {
  const records = [request(0, 1000, { firstMs: 410, outputTokens: 60 }), request(0, 500, { failure: 'HTTP 500' })]
  const figures = figuresOf(records, { fromMs: 0, toMs: 1000 })
  t.same(figures.firstTokenMs, { p50: 410, p95: 410 })
  t.same(figures.decodeMsPerToken, { p50: 10, p95: 10 })
  t.match(figures, { requests: 1, failures: 1, requestsPerSecond: 1 })
})

t.test('requests that are longer than the measured time have a latency, too', async (t) => {
  const { requests, requestsPerSecond, latencyMs } = figuresOf([request(0, 4000)], { fromMs: 1000, toMs: 2000 })
  t.same([requests, requestsPerSecond, latencyMs.p50], [0, 0.25, 4000])
})

t.test('quantiles are nearest ranks', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at)
  t.same(quantiles(hundred), { p50: 50, p95: 95 })
  t.equal(quantiles([]), null)
})

function level(concurrency: number, rate: number, repeat = 1): LevelResult {
  const times = { latencyMs: { p50: 1, p95: 1 }, firstTokenMs: null, decodeMsPerToken: null }
  return {
    ...{ concurrency, repeat, seconds: 1, requests: 1, failures: 0, requestsPerSecond: rate, ...times },
    ...{ promptTokensPerSecond: rate, outputTokensPerSecond: rate, server: null, clientBusy: 0 },
  }
}

function benchmark(levels: readonly LevelResult[]): ServerBenchResult {
  const ended = 'flat' as const
  const sweep = { workload: 'label' as const, promptTokens: 500, outputTokens: 60, unit: 'tokens' as const, levels }
  return {
    ...{ format: 1, kind: 'bench-server', version: '0', madeAt: '', url: '', model: 'm', server: 's' },
    ...{ contextTokensMax: null, lists: null, requests: 1, seconds: 1, complete: true },
    settings: { secondsPerLevel: 1, concurrencyMax: 8, requestsMax: 9, repeats: 2, seed: 1 },
    sweeps: [{ ...sweep, knee: null, noise: noiseOf(levels, 'tokens'), limiter: null, ended, failures: [] }],
  }
}

t.test('a difference within the noise of repeated levels is not marked, one beyond it is', async (t) => {
  const before = benchmark([level(1, 100), level(1, 104, 2), level(8, 500), level(8, 480, 2)])
  const now = benchmark([level(1, 98), level(1, 103, 2), level(8, 300), level(8, 310, 2)])
  t.match(compared(before, now), [
    { concurrency: 1, differs: false },
    { concurrency: 8, differs: true },
  ])
  t.ok((compared(before, now)[1]?.ratio ?? 1) < 0.65)
})

t.test('without repeats the noise is unknown and nothing is marked', async (t) => {
  const before = benchmark([level(1, 100)])
  const [only] = compared(before, benchmark([level(1, 10)]))
  t.match(only, { noiseRatio: null, differs: false })
  t.ok(Math.abs((only?.ratio ?? 0) - 0.1) < 1e-9)
})
