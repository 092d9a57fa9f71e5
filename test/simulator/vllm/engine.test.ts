import t from 'tap'
import { generator, logNormal } from '../../../lib/simulator/random.js'
import {
  blockHashes,
  closedForm,
  Engine,
  type EngineOptions,
  type EngineResult,
  enginePresets,
  type Load,
  namedHashes,
} from '../../../lib/simulator/vllm/index.js'
import { KvBlocks } from '../../../lib/simulator/vllm/kv-blocks.js'

const small: EngineOptions = {
  stepMs: 10,
  prefillMs: 1,
  decodeMs: 2,
  contextMs: 0,
  runningMax: 4,
  batchedTokensMax: 64,
  kvBlocks: 64,
}

/** Runs requests that are all submitted at once; their results in order of submission. */
function runAll(engine: Engine, requests: readonly { promptTokens: number; outputTokens: number; key?: number }[]) {
  const results: (EngineResult | undefined)[] = requests.map(() => undefined)
  for (const [place, { key, ...request }] of requests.entries()) {
    const hashes = key === undefined ? {} : { hashes: namedHashes(key, Math.floor(request.promptTokens / 16)) }
    engine.submit({ ...request, ...hashes }, (result) => {
      results[place] = result
    })
  }
  while (engine.nextEventMs !== null) engine.advance()
  return results as EngineResult[]
}

/**
 * Keeps `inFlight` requests going, and measures from `warmMs` to `untilMs` of simulated time. The first ones are as
 * if cut from their middle, at even distances: else all would prefill and end together, again and again.
 */
function steady(options: EngineOptions, load: Load, warmMs: number, untilMs: number) {
  const engine = new Engine(options)
  const { inFlight, promptTokens, outputTokens } = load
  const next = () => {
    engine.submit({ promptTokens, outputTokens }, next)
  }
  for (let place = 1; place <= inFlight; place++) {
    engine.submit({ promptTokens, outputTokens: Math.ceil((outputTokens * place) / inFlight) }, next)
  }
  engine.advance(warmMs)
  const before = engine.metrics.generationTokens
  engine.advance(untilMs)
  const tokensPerSecond = ((engine.metrics.generationTokens - before) * 1_000) / (untilMs - warmMs)
  return { tokensPerSecond, requestsPerSecond: tokensPerSecond / outputTokens, engine }
}

t.test('one request alone takes one prefill step and a step a token, to the millisecond', async (t) => {
  const [alone] = runAll(new Engine(small), [{ promptTokens: 20, outputTokens: 3 }])
  t.match(alone, { arrivedMs: 0, startedMs: 0, firstTokenMs: 10 + 20, doneMs: 30 + 2 * 12, preemptions: 0 })
})

t.test('a long prompt is prefilled in chunks beside what is decoding, first come first served', async (t) => {
  const [first, second, third] = runAll(new Engine(small), [
    { promptTokens: 10, outputTokens: 10 },
    { promptTokens: 100, outputTokens: 1 },
    { promptTokens: 5, outputTokens: 1 },
  ])
  // Step 1: 10 + 54 of the second. Step 2: one token, 46 more, and the third's 5.
  t.equal(first?.firstTokenMs, 10 + 64)
  t.equal(second?.doneMs, 74 + 10 + 2 + 46 + 5)
  t.equal(third?.doneMs, second?.doneMs)
})

t.test('no more run at once than runningMax, and who waits is counted', async (t) => {
  const engine = new Engine(small)
  for (let request = 0; request < 10; request++) engine.submit({ promptTokens: 2, outputTokens: 5 }, () => {})
  engine.advance()
  t.match(engine.stats(), { running: 4, waiting: 6 })
  t.equal(engine.metrics.waiting, 6)
  while (engine.nextEventMs !== null) {
    t.ok(engine.stats().running <= 4)
    engine.advance()
  }
  t.equal(engine.metrics.success.stop, 10)
  t.equal(engine.metrics.generationTokens, 50)
  t.match(engine.stats(), { running: 0, waiting: 0, kvUsage: 0 })
})

t.test('when KV blocks run out the newest is preempted and computed again, and nothing is lost', async (t) => {
  const engine = new Engine({ ...small, kvBlocks: 8 })
  const results = runAll(engine, Array(4).fill({ promptTokens: 30, outputTokens: 40 }))
  t.ok(engine.metrics.preemptions > 0)
  t.equal(results[0]?.preemptions, 0, 'the oldest never is')
  t.ok(results.every((result) => result !== undefined))
  t.equal(engine.metrics.generationTokens, 160)
  t.equal(engine.metrics.promptTokens, 120)
  t.equal(engine.stats().kvUsage, 0)
})

t.test('a prompt whose blocks are cached is not computed again, but for its last token', async (t) => {
  const engine = new Engine(small)
  const [cold] = runAll(engine, [{ promptTokens: 48, outputTokens: 1, key: 1 }])
  const [warm] = runAll(engine, [{ promptTokens: 48, outputTokens: 1, key: 1 }])
  const [other] = runAll(engine, [{ promptTokens: 48, outputTokens: 1, key: 2 }])
  const took = (result: EngineResult | undefined) => (result?.doneMs ?? 0) - (result?.arrivedMs ?? 0)
  t.equal(took(cold), 10 + 48)
  t.equal(took(warm), 10 + 16)
  t.equal(took(other), 10 + 48)
  t.match(engine.metrics, { prefixCacheQueries: 144, prefixCacheHits: 32 })
})

t.test('block hashes agree as far as the tokens do', async (t) => {
  const tokens = Array.from({ length: 100 }, (_, place) => (place * 7_919) % 100_000)
  const changed = tokens.map((token, place) => (place === 40 ? token + 1 : token))
  const [a, b] = [blockHashes(tokens), blockHashes(changed)]
  t.equal(a.length, 6)
  t.same(
    a.map((hash, place) => hash === b[place]),
    [true, true, false, false, false, false],
  )
})

t.test('freed blocks are found until they are taken, least recently used first', async (t) => {
  const kv = new KvBlocks(3)
  const blocks = [kv.take(), kv.take(), kv.take()]
  for (const [place, block] of blocks.entries()) kv.name(block, 100 + place)
  kv.release(blocks)
  t.equal(kv.free, 3)
  t.same(kv.cached([100, 101, 102], 9), { blocks: 3, unused: 3 })
  t.equal(kv.share(100), blocks[0])
  kv.take()
  t.same(kv.cached([100, 101, 102], 9), { blocks: 2, unused: 1 }, 'the last of the sequence went first')
})

t.test('an aborted request gives its place and its blocks back, wherever it was', async (t) => {
  const engine = new Engine({ ...small, runningMax: 1 })
  let called = 0
  const tickets = [0, 1, 2].map(() => engine.submit({ promptTokens: 20, outputTokens: 5 }, () => called++))
  engine.advance()
  t.equal(tickets[1]?.abort(), true)
  t.equal(tickets[0]?.abort(), true)
  t.equal(tickets[0]?.abort(), false)
  t.match(engine.stats(), { running: 0, waiting: 1, kvUsage: 0 })
  while (engine.nextEventMs !== null) engine.advance()
  t.equal(called, 1)
  t.equal(engine.metrics.success.abort, 2)
})

t.test('a capped queue refuses, an unbounded one does not', async (t) => {
  const capped = new Engine({ ...small, queueMax: 2 })
  const asked = { promptTokens: 1, outputTokens: 1 }
  t.same(
    [1, 2, 3].map(() => capped.submit(asked, () => {}) !== null),
    [true, true, false],
  )
  const unbounded = new Engine(small)
  t.ok(Array.from({ length: 5_000 }, () => unbounded.submit(asked, () => {})).every((ticket) => ticket !== null))
  t.throws(() => unbounded.submit({ promptTokens: 64 * 16, outputTokens: 1 }, () => {}), { code: 'KUN_INVALID_OPTION' })
})

t.test('half the capacity gives half the tokens, double gives double', async (t) => {
  const { engine, tokensPerSecond } = steady(small, { inFlight: 4, promptTokens: 8, outputTokens: 20 }, 5_000, 25_000)
  const measured = (speed: number) => {
    engine.setCapacity({ speed })
    engine.advance(engine.nowMs + 5_000)
    const before = engine.metrics.generationTokens
    engine.advance(engine.nowMs + 20_000)
    return (engine.metrics.generationTokens - before) / 20
  }
  t.ok(Math.abs(measured(0.5) / tokensPerSecond - 0.5) < 0.02)
  t.ok(Math.abs(measured(2) / tokensPerSecond - 2) < 0.05)
})

for (const [name, { engine }] of Object.entries(enginePresets)) {
  t.test(`${name}: the throughput curve is the closed form's up to what the KV cache holds`, async (t) => {
    const fits = (engine.kvBlocks * 16) / 1_000
    for (const inFlight of [1, 4, 16, 64, 256].filter((count) => count <= fits)) {
      const load = { inFlight, promptTokens: 300, outputTokens: 600 }
      const { tokensPerSecond } = steady(engine, load, 20_000, 140_000)
      const ratio = tokensPerSecond / closedForm(engine, load).tokensPerSecond
      t.ok(ratio > 0.97 && ratio < 1.03, `${inFlight} in flight: ${ratio.toFixed(3)} of the closed form`)
    }
  })
}

t.test('the 8B preset meets the published figures', async (t) => {
  const { engine } = enginePresets['qwen3-8b-h100']
  const between = 1_000 / closedForm(engine, { inFlight: 1, promptTokens: 1, outputTokens: 500 }).tokensPerSecond
  t.ok(between >= 10 && between <= 15, `${between} ms between tokens alone`)
  const near = (value: number, published: number, share: number, what: string) =>
    t.ok(Math.abs(value / published - 1) < share, `${what}: ${value.toFixed(1)}, published ${published}`)
  const measured = (inFlight: number, promptTokens: number, outputTokens: number) =>
    steady(engine, { inFlight, promptTokens, outputTokens }, 40_000, 200_000)
  near(measured(320, 400, 1_000).tokensPerSecond, 6_400, 0.05, 'tokens/s saturated')
  near(measured(280, 512, 1_000).requestsPerSecond, 6, 0.1, 'documents/s at 512 in, 1,000 out')
  near(measured(600, 512, 64).requestsPerSecond, 33, 0.1, 'documents/s at 512 in, 64 out')
  near(measured(600, 512, 1).requestsPerSecond, 45, 0.05, 'one-token judge')
  const tiny = enginePresets['qwen3-0.6b-h100'].engine
  near(
    steady(tiny, { inFlight: 512, promptTokens: 400, outputTokens: 1_000 }, 40_000, 200_000).tokensPerSecond,
    13_500,
    0.05,
    '0.6B',
  )
})

t.test('too many in flight cost preemptions and tokens, as on vLLM', async (t) => {
  const { engine } = enginePresets['qwen3-8b-h100']
  const load = { promptTokens: 400, outputTokens: 1_000 }
  const right = steady(engine, { ...load, inFlight: 320 }, 40_000, 160_000)
  const many = steady(engine, { ...load, inFlight: 2_000 }, 40_000, 160_000)
  t.ok(many.engine.metrics.preemptions > 20 * (right.engine.metrics.preemptions + 1))
  t.ok(many.tokensPerSecond < right.tokensPerSecond)
})

t.test('a random load with aborts ends with every token and block accounted for', async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))
  t.comment(`SEED=${seed}`)
  const random = generator(seed)
  const engine = new Engine({ ...small, runningMax: 16, kvBlocks: 40 })
  let expected = 0
  let done = 0
  let aborted = 0
  for (let request = 0; request < 500; request++) {
    const promptTokens = 1 + Math.floor(random() * 200)
    const outputTokens = 1 + Math.min(200, Math.floor(logNormal(20, 1, random(), random())))
    const hashes = namedHashes(Math.floor(random() * 5), Math.floor(promptTokens / 16))
    const ticket = engine.submit({ promptTokens, outputTokens, hashes }, () => {
      done++
      expected += outputTokens
    })
    if (random() < 0.5) engine.advance(engine.nowMs + random() * 100)
    if (random() < 0.1 && ticket?.abort()) aborted++
    t.ok(engine.stats().kvUsage <= 1 && engine.stats().running <= 16)
  }
  while (engine.nextEventMs !== null) engine.advance()
  t.equal(done + aborted, 500)
  t.match(engine.stats(), { running: 0, waiting: 0, kvUsage: 0 })
  t.ok(engine.metrics.generationTokens >= expected)
  t.match(engine.metrics.success, { stop: done, abort: aborted })
})
