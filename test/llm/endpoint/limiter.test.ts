import t from 'tap'
import { endpoints, stages } from '../../../bench/llm-flow.js'
import { drive, limiters, type Scenario } from '../../../bench/llm-limiter.js'
import { QueueLimiter } from '../../../lib/llm/endpoint/limiter.js'
import { parseServerMetrics } from '../../../lib/llm/protocol/server-metrics.js'

const scenario: Scenario = {
  preset: 'qwen3-8b-h100',
  seed: 7,
  durationMs: 60_000,
  warmUpMs: 20_000,
  promptTokens: [200, 600],
  outputMean: 200,
  outputSigma: 1,
  outputMax: 1024,
}

t.test('The queue limiter brings 97 % of what an endless queue brings, with few waiting and few preempted', (t) => {
  const endless = drive(limiters.fixed5000(), scenario)
  const held = drive(limiters.queue(), scenario)
  t.ok(held.tokensPerSecond >= 0.97 * endless.tokensPerSecond, `${held.tokensPerSecond} of ${endless.tokensPerSecond}`)
  t.ok(held.preemptions <= held.requests / 100)
  t.ok(held.waitingShare <= 0.15, `${held.waitingShare}`)
  t.end()
})

t.test(
  'Where the KV cache is the bottleneck, requests are admitted by tokens: at most 1 % preempted at the rate of a full cache',
  (t) => {
    const tight = { ...scenario, promptTokens: [300, 700] as const, engine: { kvBlocks: 1875, runningMax: 128 } }
    const full = drive(limiters.fixed5000(), tight)
    const held = drive(limiters.queue(), tight)
    t.ok(full.preemptions > full.requests / 5, 'an endless queue preempts')
    t.ok(held.preemptions <= held.requests / 100, `${held.preemptions} of ${held.requests}`)
    t.ok(held.tokensPerSecond >= 0.99 * full.tokensPerSecond, `${held.tokensPerSecond} of ${full.tokensPerSecond}`)
    t.end()
  },
)

t.test('The rate holds after capacity halves and doubles again', (t) => {
  const changes = [
    { atMs: 20_000, speed: 0.5 },
    { atMs: 40_000, speed: 1 },
  ]
  const endless = drive(limiters.fixed5000(), { ...scenario, changes })
  const held = drive(limiters.queue(), { ...scenario, changes })
  t.ok(held.tokensPerSecond >= 0.97 * endless.tokensPerSecond, `${held.tokensPerSecond} of ${endless.tokensPerSecond}`)
  t.end()
})

t.test('Without metrics, goodput alone brings 80 %, and no long queue', (t) => {
  const endless = drive(limiters.fixed5000(), scenario)
  const held = drive(limiters.goodput(), scenario)
  t.ok(held.tokensPerSecond >= 0.8 * endless.tokensPerSecond, `${held.tokensPerSecond} of ${endless.tokensPerSecond}`)
  t.ok(held.waitingShare <= 0.15, `${held.waitingShare}`)
  t.end()
})

t.test('An answer of 429 takes requests away once a burst; nothing is added that nobody waits for', (t) => {
  const limiter = new QueueLimiter(1000)
  const sample = { running: 20, waiting: 0, kvUsage: 0.1, preemptions: 0, generationTokens: 0 }
  limiter.noteSample({ ...sample, atMs: 500 }, 20)
  t.equal(limiter.limit, 32, 'nobody waited')
  limiter.noteWaiting()
  limiter.noteSample({ ...sample, atMs: 1000 }, 32)
  t.equal(limiter.limit, 64)
  limiter.noteOverload(1100, 64)
  limiter.noteOverload(1110, 64)
  t.equal(limiter.limit, 44)
  t.end()
})

t.test('Metrics are read by name, summed over ranks; a page without them is none', (t) => {
  const text = [
    '# TYPE vllm:num_requests_running gauge',
    'vllm:num_requests_running{engine="0",model_name="a b"} 3.0',
    'vllm:num_requests_running{engine="1",model_name="a b"} 4',
    'vllm:num_requests_waiting{engine="0"} 2',
    'vllm:gpu_cache_usage_perc{engine="0"} 0.2',
    'vllm:gpu_cache_usage_perc{engine="1"} 0.6',
    'vllm:num_preemptions_total{engine="0"} 1.2e+03',
    'vllm:generation_tokens_total 77',
    'vllm:request_success_total{finished_reason="stop"} 5',
  ].join('\n')
  const figures = parseServerMetrics(text, 9)
  t.match(figures, { atMs: 9, running: 7, waiting: 2, kvUsage: 0.6, preemptions: 1200, generationTokens: 77 })
  t.equal(parseServerMetrics('<html>not found</html>', 0), null)
  t.match(parseServerMetrics('sglang:num_running_reqs{} 1\nsglang:num_queue_reqs{} 0\n', 0), { running: 1, waiting: 0 })
  t.end()
})

t.test(
  'An endpoint that died and came back is filled again, though calls that failed there wait at the head',
  async (t) => {
    const { bySecond, lost, replies } = await endpoints({
      durationMs: 24_000,
      speeds: [1, 1],
      death: { atMs: 8000, backMs: 12_000 },
    })
    t.equal(lost, 0)
    t.ok(replies > 0)
    const [dead = [], other = []] = bySecond
    const sum = (seconds: readonly number[]) => seconds.reduce((total, tokens) => total + tokens, 0)
    t.ok(sum(dead.slice(16)) > sum(other.slice(16)) / 10, `${sum(dead.slice(16))} beside ${sum(other.slice(16))}`)
  },
)

t.test('The first row of three stages on one server is finished within twice the time of its own calls', async (t) => {
  const { firstRowMs, firstRowOwnMs } = await stages(26_000, true)
  t.ok(firstRowMs <= 2 * firstRowOwnMs, `${firstRowMs} for ${firstRowOwnMs}`)
})
