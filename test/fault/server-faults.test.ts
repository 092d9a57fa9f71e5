import t, { type Test } from 'tap'
import { VirtualTime } from '../../bench/llm-virtual.js'
import { ServerError } from '../../lib/errors.js'
import type { Client } from '../../lib/llm/protocol/client.js'
import { type OpenServersOptions, openServers } from '../../lib/llm/scheduler/model-servers.js'
import type { Answer } from '../../lib/llm/types.js'
import {
  type FaultRuleOptions,
  type SimulatorOptions,
  startCuttingProxy,
  startSimulator,
} from '../../lib/simulator/vllm/index.js'
import type { Reply } from '../../lib/storage/replies/types.js'
import { fastClock } from '../llm/clock.js'
import { call, chat, chatReply, modelServer, until } from '../llm/model-server.js'

const count = 80
const good = (reply: Reply): string | null => {
  if (reply.text === '') return 'empty'
  if (/(.{2,8})\1{5}/u.test(reply.text)) return 'looping'
  return reply.finishReason === 'length' ? 'cut-off' : null
}

interface Result {
  readonly answers: readonly Answer[]
  readonly reasons: readonly string[]
  readonly retries: number
  readonly events: readonly string[]
}

/** Asks a server about `count` records under a fault; each must come to a reply or a verdict, once. */
async function ask(
  t: Test,
  faults: FaultRuleOptions[],
  more: Partial<SimulatorOptions> = {},
  options: Partial<OpenServersOptions> = {},
  model: { deadlineMs?: number; stream?: boolean } = {},
): Promise<Result> {
  const simulator = await startSimulator({ seed: 11, ...more })
  t.teardown(() => simulator.close())
  const events: string[] = []
  const servers = await openServers({
    models: { writer: { model: 'm', endpoints: [simulator.url], ...model } },
    seed: 5,
    clock: fastClock(100),
    onEvent: ({ kind }) => events.push(kind),
    ...options,
  })
  t.teardown(() => servers.close())
  simulator.setFaults(faults)
  const writer = servers.model('writer')
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      writer.ask(call(n, { request: chat(`记录${n}。春天的花园里有很多花。`, { max_tokens: 200 }), fault: good })),
    ),
  )
  const reasons = answers.map((answer) => ('verdict' in answer ? answer.verdict.reason : 'reply'))
  await servers.close()
  await simulator.close()
  return { answers, reasons, retries: servers.metrics().retries, events }
}

const all = (reason: string) => new Array(count).fill(reason)
const only = (n: number, reason: string) => all('reply').map((reply, place) => (place === n ? reason : reply))

const passing: [FaultRuleOptions, Partial<SimulatorOptions>?][] = [
  [{ kind: 'rate-limited', rate: 0.2, retryAfterSeconds: 1 }],
  [{ kind: 'rate-limited-bare', rate: 0.2 }],
  [{ kind: 'overloaded', rate: 0.2, retryAfterSeconds: 1 }],
  [{ kind: 'overloaded-bare', rate: 0.2 }],
  [{ kind: 'engine-error', rate: 0.2 }],
  [{ kind: 'engine-error', until: 60 }],
  [{ kind: 'engine-death', after: 20, times: 1, reviveAfterMs: 200 }],
  [{ kind: 'reset', rate: 0.2 }],
  [{ kind: 'reset-in-body', rate: 0.2 }],
  [{ kind: 'truncated-json', rate: 0.2 }],
  [{ kind: 'choices-missing', times: 20 }],
  [{ kind: 'choices-shuffled' }],
  [{ kind: 'model-not-found', after: 10, until: 20 }],
]

for (const [fault, more] of passing) {
  t.test(`A server's fault costs no record: ${JSON.stringify(fault)}`, async (t) => {
    const { reasons, retries } = await ask(t, [fault], more)
    t.strictSame(reasons, all('reply'))
    if (fault.kind !== 'choices-shuffled') t.ok(retries > 0, `${retries} retries`)
  })
}

t.test('A hanging request is given up at its deadline and asked again', async (t) => {
  const { reasons, retries } = await ask(t, [{ kind: 'hang', rate: 0.1 }], {}, {}, { deadlineMs: 20_000 })
  t.strictSame(reasons, all('reply'))
  t.ok(retries > 0)
})

const blamed: [FaultRuleOptions, string][] = [
  [{ kind: 'context-length', match: '记录7。' }, 'context-length'],
  [{ kind: 'bad-request', match: '记录7。' }, 'refused'],
  [{ kind: 'engine-error', match: '记录7。' }, 'server-error'],
  [{ kind: 'reset', match: '记录7。' }, 'server-error'],
  [{ kind: 'truncated-json', match: '记录7。' }, 'server-error'],
  [{ kind: 'hang', match: '记录7。' }, 'deadline'],
  [{ kind: 'empty', match: '记录7。' }, 'empty-reply'],
  [{ kind: 'looping', match: '记录7。' }, 'looping-reply'],
  [{ kind: 'finish-length', match: '记录7。' }, 'cut-off-reply'],
]

for (const [fault, reason] of blamed) {
  t.test(`A record that fails while others pass is a verdict: ${fault.kind} → ${reason}`, async (t) => {
    const { reasons } = await ask(t, [fault], {}, {}, { deadlineMs: 5000 })
    t.strictSame(reasons, only(7, reason))
  })
}

t.test('A last record that fails alone is told from a dead server by the probe’s own request', async (t) => {
  const simulator = await startSimulator({ faults: [{ kind: 'engine-error', match: '坏' }] })
  t.teardown(() => simulator.close())
  const servers = await openServers({
    models: { writer: { model: 'm', endpoints: [simulator.url] } },
    seed: 5,
    clock: fastClock(100),
  })
  t.teardown(() => servers.close())
  const answer = await servers.model('writer').ask(call(1, { request: chat('坏') }))
  t.match(answer, { verdict: { reason: 'server-error' } })
})

t.test('A server that stays away ends the run as an outage, resumable, without a verdict', async (t) => {
  const asked = ask(t, [{ kind: 'engine-death', after: 10 }], {}, { servers: { outageMaxMs: 20_000 } })
  await t.rejects(asked, { code: 'KUN_OUTAGE', exitCode: 3 })
})

t.test('A server that answers its probe and fails every record is an outage too', async (t) => {
  const asked = ask(t, [{ kind: 'engine-error', match: '记录' }], {}, { servers: { outageMaxMs: 20_000 } })
  await t.rejects(asked, { code: 'KUN_OUTAGE' })
})

t.test('A deadline stands still while the circuit is open: ten minutes of outage cost a request nothing', async (t) => {
  const time = new VirtualTime()
  const [deadlineMs, outageMs, tickMs] = [1000, 600_000, 100]
  let dead = false
  let hanging: { readonly sentMs: number; endedMs: number | null } | null = null
  const gone = () => new ServerError('refused', { details: { kind: 'connection', words: 'refused' } })
  const client: Client = {
    label: 'http://virtual/v1',
    send: async ({ body }, signal) => {
      if (hanging === null && JSON.stringify(body).includes('text 1"')) {
        const asked = { sentMs: time.now(), endedMs: null as number | null }
        hanging = asked
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            asked.endedMs = time.now()
            reject(signal.reason)
          })
        })
      }
      if (dead) throw gone()
      return [{ text: '好', finishReason: 'stop', promptTokens: 1, completionTokens: 1 }]
    },
    fetch: async () => {
      if (dead) throw gone()
      return { status: 200, text: '{"choices":[{"index":0,"message":{"content":"好"},"finish_reason":"stop"}]}' }
    },
    close: async () => undefined,
  }
  const servers = await openServers({
    models: {
      writer: { model: 'm', endpoints: ['http://virtual/v1'], deadlineMs, limiter: 'fixed', inFlightMax: 16 },
    },
    seed: 5,
    probe: false,
    clock: time,
    servers: { outageMaxMs: 2 * outageMs },
    connect: () => client,
  })
  t.teardown(() => servers.close())
  const writer = servers.model('writer')
  const answers: Promise<Answer>[] = [writer.ask(call(1))]
  const endedMs = () => (hanging as { endedMs: number | null } | null)?.endedMs ?? null
  await time.run(() => false, deadlineMs * 0.9)
  t.equal(endedMs(), null)
  dead = true
  for (let n = 2; n < 8; n++) answers.push(writer.ask(call(n)))
  await time.run(() => servers.metrics().endpoints[0]?.down === true, deadlineMs)
  t.equal(servers.metrics().endpoints[0]?.down, true)
  const downMs = time.now()
  await time.run(() => false, downMs + outageMs)
  t.equal(endedMs(), null, 'ten minutes out, a tenth of a second before its deadline')
  dead = false
  await time.run(() => servers.metrics().endpoints[0]?.down === false)
  const upMs = time.now()
  let settled = false
  void Promise.all(answers).finally(() => {
    settled = true
  })
  await time.run(() => settled)
  const spentMs = (endedMs() as number) - (upMs - downMs)
  t.ok(spentMs > deadlineMs && spentMs <= deadlineMs + 2 * tickMs, `ended after ${spentMs} ms of service`)
  for (const answer of await Promise.all(answers)) t.match(answer, { reply: { text: '好' } })
})

t.test('When the metrics go away the endpoint is limited by goodput, and nothing else changes', async (t) => {
  const simulator = await startSimulator({})
  t.teardown(() => simulator.close())
  const servers = await openServers({
    models: { writer: { model: 'm', endpoints: [simulator.url] } },
    seed: 5,
    clock: fastClock(100),
  })
  t.teardown(() => servers.close())
  t.equal(servers.metrics().endpoints[0]?.limiter, 'queue')
  simulator.setFaults([{ kind: 'metrics-missing' }])
  t.match(await servers.model('writer').ask(call(0)), { reply: {} })
  await until(() => servers.metrics().endpoints[0]?.limiter === 'goodput')
  t.match(await servers.model('writer').ask(call(1)), { reply: {} })
})

t.test('Through a proxy that cuts silent connections, streamed replies come whole and are asked once', async (t) => {
  const simulator = await startSimulator({ preset: 'qwen3-8b-h100', speed: 4 })
  t.teardown(() => simulator.close())
  const proxy = await startCuttingProxy({ target: simulator.url, silentMs: 400 })
  t.teardown(() => proxy.close())
  const servers = await openServers({
    models: { writer: { model: 'm', endpoints: [proxy.url], stream: true } },
    seed: 5,
    probe: false,
  })
  t.teardown(() => servers.close())
  const sampling = { max_tokens: 300, min_tokens: 300, ignore_eos: true }
  const asks = [1, 2, 3].map((n) =>
    servers.model('writer').ask(call(n, { request: chat(`${'春'.repeat(50)}${n}`, sampling) })),
  )
  for (const answer of await Promise.all(asks)) t.match(answer, { attempt: 0, reply: { text: /./ } })
  t.equal(servers.metrics().retries, 0)
})

t.test('One of two endpoints is killed and comes back: every record gets its reply', async (t) => {
  const [one, two] = [await startSimulator({ seed: 1 }), await startSimulator({ seed: 2 })]
  t.teardown(() => Promise.all([one.close(), two.close()]))
  const events: string[] = []
  const servers = await openServers({
    models: { writer: { model: 'm', endpoints: [one.url, two.url] } },
    seed: 5,
    clock: fastClock(50),
    onEvent: ({ kind }) => events.push(kind),
  })
  t.teardown(() => servers.close())
  const writer = servers.model('writer')
  const askMany = async (from: number, count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, (_, n) => writer.ask(call(from + n))))
    t.ok(answers.every((answer) => 'reply' in answer))
  }
  await askMany(0, 100)
  one.kill(1)
  await askMany(100, 200)
  t.ok(events.includes('endpoint-down'))
  await one.revive()
  await until(() => events.includes('endpoint-up'))
  const before = one.stats().requests
  await askMany(300, 100)
  t.ok(one.stats().requests > before, 'the one that came back is used again')
})

t.test(
  'An endpoint that is down at the start is probed in later; if none answers, the recipe is told so',
  async (t) => {
    const simulator = await startSimulator({})
    t.teardown(() => simulator.close())
    const dead = await modelServer(t, () => chatReply('好'))
    await dead.close()
    const open = (endpoints: string[]) =>
      openServers({ models: { writer: { model: 'm', endpoints } }, seed: 5, clock: fastClock(50) })
    await t.rejects(open([dead.url]), { code: 'KUN_ENDPOINT', exitCode: 2 })
    const servers = await open([dead.url, simulator.url])
    t.teardown(() => servers.close())
    t.match(await servers.model('writer').ask(call(1)), { reply: {} })
  },
)
