import t, { type Test } from 'tap'
import type { LevelResult } from '../../lib/server-bench/results.js'
import { type ServerBenchOptions, serverBench } from '../../lib/server-bench/server-bench.js'
import { type SimulatorOptions, startSimulator } from '../../lib/simulator/vllm/index.js'

async function simulated(t: Test, options: SimulatorOptions) {
  const simulator = await startSimulator(options)
  t.teardown(() => simulator.close())
  return simulator
}

function options(url: string, more: Partial<ServerBenchOptions> = {}): ServerBenchOptions {
  return {
    ...{ url, model: 'm', concurrencyMax: 4, seed: 1, workloads: ['label', 'score'], secondsPerLevel: 0.3 },
    ...{ requestsMax: 5000, repeats: 1, limiter: false, onWorkload: () => undefined, onLevel: () => undefined },
    ...{ onStep: () => undefined, signal: new AbortController().signal, ...more },
  }
}

t.test('a benchmark of a server that replies after a fixed time: levels, lengths, lists of prompts', async (t) => {
  const { url } = await simulated(t, { preset: 'delay', latencyMs: 20 })
  const result = await serverBench(options(url))
  t.match(result, { kind: 'bench-server', model: 'm', complete: true, url })
  const [label, score] = result.sweeps
  t.same([...new Set(label?.levels.map(({ concurrency }) => concurrency))].slice(0, 2), [1, 2])
  t.ok(Math.abs((label?.promptTokens ?? 0) - 500) < 75, `about 500 tokens in: ${label?.promptTokens}`)
  t.ok(Math.abs((label?.outputTokens ?? 0) - 60) < 12, `about 60 tokens out: ${label?.outputTokens}`)
  t.equal(score?.outputTokens, 1)
  for (const level of label?.levels ?? []) {
    t.ok(level.latencyMs.p50 >= 19, `${level.latencyMs.p50} ms, of 20`)
    t.ok(level.requestsPerSecond <= (1000 / 19) * level.concurrency, `${level.requestsPerSecond}/s`)
    t.ok(level.firstTokenMs !== null && level.firstTokenMs.p50 <= level.latencyMs.p50)
  }
  t.equal(result.lists?.[0]?.promptsPerRequest, 1)
  t.equal(result.lists?.[0]?.timesSingle, 1)
})

t.test('no request is sent beyond the limit, and what was measured is returned', async (t) => {
  const simulator = await simulated(t, { preset: 'delay', latencyMs: 5 })
  const result = await serverBench(options(simulator.url, { requestsMax: 8, workloads: ['label'] }))
  t.equal(result.complete, false)
  t.equal(result.sweeps[0]?.ended, 'requests-max')
  t.ok(result.requests <= 8)
})

t.test('a stop signal ends the measurement with the levels so far', async (t) => {
  const { url } = await simulated(t, { preset: 'delay', latencyMs: 5 })
  const stop = new AbortController()
  const seen: LevelResult[] = []
  const onLevel = (_: unknown, level: LevelResult) => {
    seen.push(level)
    if (seen.length === 2) stop.abort(new Error('stopped'))
  }
  const result = await serverBench(options(url, { onLevel, signal: stop.signal }))
  t.match(result, { complete: false, sweeps: [{ ended: 'stopped' }] })
  t.same(result.sweeps[0]?.levels, seen)
})

t.test('a server that fails most requests ends the sweep with its message', async (t) => {
  const simulator = await simulated(t, { preset: 'delay', latencyMs: 5 })
  const onWorkload = () => simulator.setFaults([{ kind: 'bad-request', after: 12 }])
  const result = await serverBench(options(simulator.url, { workloads: ['label'], onWorkload }))
  t.equal(result.sweeps[0]?.ended, 'failures')
  t.match(result.sweeps[0]?.failures[0]?.[0], /temperature must be non-negative/)
})

t.test('a server that does not respond, or not for this model, is an error', async (t) => {
  const { url } = await simulated(t, { models: ['a'] })
  await t.rejects(serverBench(options(url, { model: 'b' })), { code: 'KUN_ENDPOINT' })
})

t.test('the limiter is measured against the best rate of the sweep', async (t) => {
  const { url } = await simulated(t, { preset: 'delay', latencyMs: 20 })
  const result = await serverBench(options(url, { workloads: ['score'], limiter: true }))
  const limiter = result.sweeps[0]?.limiter
  t.ok(limiter !== null && limiter !== undefined && limiter.limit >= 1 && limiter.limit <= 4)
  t.ok(limiter !== null && limiter !== undefined && limiter.rate > 0 && limiter.shareOfBest > 0)
})
