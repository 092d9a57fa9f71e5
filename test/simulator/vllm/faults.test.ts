import { once } from 'node:events'
import t from 'tap'
import { Pool, request } from 'undici'
import { faultRule } from '../../../lib/simulator/vllm/fault-rules.js'
import { Faults } from '../../../lib/simulator/vllm/faults.js'
import { type FaultKind, type Simulator, startCuttingProxy } from '../../../lib/simulator/vllm/index.js'
import { article, ask, events, get, type Json, post, started } from '../support.js'

const good = '【指令】请说明城市轨道交通的优点，并分析建设成本。【/指令】'
const label = `【文本】${article}【/文本】`

const answers: readonly [FaultKind, number, RegExp, boolean][] = [
  ['context-length', 400, /context length/, false],
  ['bad-request', 400, /temperature/, false],
  ['model-not-found', 404, /does not exist/, false],
  ['rate-limited', 429, /slow down/, true],
  ['rate-limited-bare', 429, /slow down/, false],
  ['overloaded', 503, /overloaded/, true],
  ['overloaded-bare', 503, /overloaded/, false],
  ['engine-error', 500, /Internal/, false],
]

for (const [kind, status, message, retryAfter] of answers) {
  t.test(`${kind} is answered with ${status}, as vLLM or a proxy would, and the next request passes`, async (t) => {
    const simulator = await started(t)
    const reply = await ask(simulator, label, {}, { 'x-simulate-error': kind })
    t.equal(reply.status, status)
    t.match(reply.body.error.message, message)
    t.equal(reply.body.error.code, status)
    t.equal(reply.headers['retry-after'] !== undefined, retryAfter)
    t.equal((await ask(simulator, label)).status, 200)
    t.match(simulator.stats().faults, { requests: 2, byKind: { [kind]: 1 } })
  })
}

t.test('a header that names no fault is refused, so that a test cannot pass for want of one', async (t) => {
  const simulator = await started(t)
  const { status, text } = await ask(simulator, label, {}, { 'x-simulate-error': 'enigne-error' })
  t.equal(status, 400)
  t.match(text, /X-Simulate-Error\.kind.*enigne-error/)
})

t.test('a reset comes before the reply, or after half of it', async (t) => {
  const simulator = await started(t)
  await t.rejects(ask(simulator, label, {}, { 'x-simulate-error': 'reset' }), { code: 'ECONNRESET' })
  const half = await request(`${simulator.url}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ messages: [{ role: 'user', content: label }] }),
    headers: { 'x-simulate-error': 'reset-in-body' },
  })
  t.equal(half.statusCode, 200)
  let bytes = 0
  half.body.on('data', (chunk) => {
    bytes += chunk.length
  })
  const [error] = await once(half.body, 'error')
  t.ok(error)
  t.ok(bytes < Number(half.headers['content-length']))
  t.same(
    simulator.requests().map(({ complete }) => complete),
    [false, false],
  )
})

t.test('truncated JSON is a whole HTTP reply', async (t) => {
  const simulator = await started(t)
  const { status, text, headers } = await ask(simulator, label, {}, { 'x-simulate-error': 'truncated-json' })
  t.equal(status, 200)
  t.equal(Buffer.byteLength(text), Number(headers['content-length']))
  t.throws(() => JSON.parse(text))
  const stream = await ask(simulator, label, { stream: true }, { 'x-simulate-error': 'truncated-json' })
  t.equal(events(stream.text).done, false)
})

t.test('a request that hangs is given up by the client, and others pass meanwhile', async (t) => {
  const simulator = await started(t)
  const abort = new AbortController()
  const hanging = request(`${simulator.url}/completions`, {
    method: 'POST',
    body: '{"prompt":"x"}',
    headers: { 'x-simulate-error': 'hang' },
    signal: abort.signal,
  })
  t.equal((await ask(simulator, label)).status, 200)
  t.equal(simulator.stats().open, 1)
  abort.abort()
  await t.rejects(hanging)
})

t.test('choices go missing, or come out of order with their right index', async (t) => {
  const simulator = await started(t)
  const body = { prompt: [label, good, '你好'], max_tokens: 50, temperature: 0 }
  const choices = async (kind: string) =>
    (await post(simulator, '/v1/completions', body, { 'x-simulate-error': kind })).body.choices
  const right = await choices('')
  t.same(await choices('choices-missing'), right.slice(0, 2))
  t.same(await choices('choices-shuffled'), right.toReversed())
})

t.test('content faults give a well-formed reply that is cut, empty, looping or English', async (t) => {
  const simulator = await started(t)
  const choice = async (kind: string) => (await ask(simulator, label, {}, { 'x-simulate-error': kind })).body.choices[0]
  const right = await choice('')
  const cut = await choice('finish-length')
  t.equal(cut.finish_reason, 'length')
  t.ok(right.message.content.startsWith(cut.message.content) && cut.message.content !== right.message.content)
  t.equal((await choice('empty')).message.content, '')
  t.match((await choice('looping')).message.content, /^(.{2,8})\1{20,}/u)
  t.match((await choice('english')).message.content, /^[\p{ASCII}]{50,}$/u)
})

t.test(
  'half the yield: half of the instructions that were good are graded down, the same ones each time',
  async (t) => {
    const simulator = await started(t)
    const grades = () =>
      Promise.all(
        Array.from({ length: 60 }, async (_, place) => {
          const asked = `【指令】请说明第${place}条城市轨道交通的优点，并分析建设成本。【/指令】`
          return (await ask(simulator, asked)).body.choices[0].message.content
        }),
      )
    t.ok((await grades()).every((grade) => grade === '【好】'))
    simulator.setFaults([{ kind: 'half-yield' }])
    const halved = await grades()
    const bad = halved.filter((grade) => grade === '【差】').length
    t.ok(bad > 15 && bad < 45, `${bad} of 60`)
    t.same(await grades(), halved)
  },
)

t.test('metrics go away at a request, and come back with the next rules', async (t) => {
  const simulator = await started(t, { faults: [{ kind: 'metrics-missing', after: 1 }] })
  await ask(simulator, label)
  t.equal((await get(simulator, '/metrics')).status, 200)
  t.equal((await ask(simulator, label)).status, 200)
  t.equal((await get(simulator, '/metrics')).status, 404)
  simulator.setFaults([])
  t.equal((await get(simulator, '/metrics')).status, 200)
})

t.test('rules strike after a number, up to one, on a match, or so many times; POST replaces them', async (t) => {
  const simulator = await started(t)
  const statuses = async (count: number, content = label) => {
    const all: number[] = []
    for (let request = 0; request < count; request++) all.push((await ask(simulator, content)).status)
    return all
  }
  await statuses(2)
  const set = (faults: Json) => post(simulator, '/admin/faults', { faults })
  t.equal((await set([{ kind: 'engine-error', after: 2, until: 4 }])).status, 200)
  t.same(await statuses(5), [200, 200, 500, 500, 200])
  await set([
    { kind: 'overloaded', times: 1 },
    { kind: 'context-length', match: '水稻' },
  ])
  t.same(await statuses(2), [503, 200])
  t.same(await statuses(1, '水稻'), [400])
  t.same((await get(simulator, '/admin/faults')).body.faults.length, 2)
  const wrong = await set([{ kind: 'nonsense' }])
  t.equal(wrong.status, 400)
  t.match(wrong.body.error.message, /faults\.0\.kind.*nonsense/)
  t.same((await get(simulator, '/admin/faults')).body.faults.length, 2, 'wrong rules change nothing')
})

t.test(
  'a rate hits its share, by the seed; a repeated request passes transport faults but not content faults',
  async (t) => {
    const judged = (seed: number, kind: FaultKind, body: (place: number) => string) => {
      const faults = new Faults(seed, [faultRule.parse({ kind, rate: 0.2 })])
      return Array.from({ length: 2_000 }, (_, place) => faults.ruleFor(body(place), undefined) !== null)
    }
    const hits = judged(1, 'engine-error', () => 'same')
    const share = hits.filter(Boolean).length / hits.length
    t.ok(share > 0.17 && share < 0.23, `${share}`)
    t.same(
      judged(1, 'engine-error', () => 'same'),
      hits,
    )
    t.notSame(
      judged(2, 'engine-error', () => 'same'),
      hits,
    )
    t.equal(new Set(judged(1, 'empty', () => 'same')).size, 1)
    const byBody = judged(1, 'empty', (place) => `body ${place}`)
    const reversed = judged(1, 'empty', (place) => `body ${1_999 - place}`)
    t.same(reversed.toReversed(), byBody, 'in whatever order they come')
  },
)

t.test('an engine that dies answers 500, is unhealthy, then refuses connections until it is revived', async (t) => {
  const rule = { kind: 'engine-death', after: 1, times: 1, refuseAfter: 2 } as const
  const simulator = await started(t, { preset: 'delay', latencyMs: 1, faults: [rule] })
  const { port } = simulator
  t.equal((await ask(simulator, label)).status, 200)
  t.equal((await ask(simulator, label)).status, 500)
  t.equal((await get(simulator, '/health')).status, 503)
  t.equal((await ask(simulator, label)).status, 500)
  t.equal((await ask(simulator, label)).status, 500)
  await refused(simulator)
  await simulator.revive()
  t.equal(simulator.port, port)
  t.equal((await get(simulator, '/health')).status, 200)
  t.equal((await ask(simulator, label)).status, 200)
})

t.test('a death ends what was under way with a 500, and revival can be scheduled', async (t) => {
  const rule = { kind: 'engine-death', match: 'deadly', refuseAfter: 1, reviveAfterMs: 30 } as const
  const simulator = await started(t, { preset: 'delay', latencyMs: 600_000, faults: [rule] })
  const open = ask(simulator, label)
  while (simulator.stats().running === 0) await new Promise(setImmediate)
  t.equal((await ask(simulator, 'deadly')).status, 500)
  t.equal((await open).status, 500)
  t.equal(simulator.stats().running, 0)
  const healthy = async (): Promise<boolean> => (await get(simulator, '/health').catch(() => null))?.status === 200
  while (!(await healthy())) await new Promise(setImmediate)
})

t.test('a proxy cuts a silent connection, and leaves one alone on which pieces come', async (t) => {
  const silent = await started(t, { preset: 'delay', latencyMs: 60_000 })
  const proxy = await startCuttingProxy({ target: silent.url, silentMs: 50 })
  t.teardown(() => proxy.close())
  await t.rejects(post(proxy, '/v1/completions', { prompt: 'x' }))
  t.equal(proxy.cuts(), 1)

  const talking = await started(t, { preset: 'delay', latencyMs: 800 })
  const second = await startCuttingProxy({ target: talking.url, silentMs: 400 })
  t.teardown(() => second.close())
  const pool = new Pool(new URL(second.url).origin)
  t.teardown(() => pool.close())
  const body = JSON.stringify({ prompt: 'x', stream: true, max_tokens: 64, ignore_eos: true })
  const reply = await pool.request({ path: '/v1/completions', method: 'POST', body })
  t.equal(events(await reply.body.text()).done, true)
})

async function refused(simulator: Simulator): Promise<void> {
  let code: unknown
  while (code !== 'ECONNREFUSED') {
    code = await get(simulator, '/health').then(
      () => 'answered',
      (error: Json) => error.code,
    )
    await new Promise(setImmediate)
  }
}
