/** What a run does when its servers are not there, not ready or not paid for at the start. */
import { createServer } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { HandClock } from '../../../bench/hand-clock.js'
import { seededRandom } from '../../../lib/core/random.js'
import { type OpenServersOptions, openServers } from '../../../lib/llm/scheduler/model-servers.js'
import { testSeed } from '../../support/random.js'
import { errorBody, type FakeServer } from '../../support/servers/base.js'
import { vllmServer } from '../../support/servers/vllm.js'
import { fastClock } from '../clock.js'
import { type Answerer, call, chatReply, modelServer, sendJson } from '../model-server.js'

t.setTimeout(120_000)

/** A port that nothing listens at. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function opened(t: Test, endpoints: readonly string[], more: Partial<OpenServersOptions> = {}) {
  const events: string[] = []
  const servers = await openServers({
    models: { writer: { model: 'm', endpoints: [...endpoints] } },
    seed: 1,
    clock: fastClock(20),
    onEvent: ({ kind, words }) => events.push(`${kind}: ${words}`),
    ...more,
  }).catch((error: Error) => Object.assign(error, { events }))
  if (servers instanceof Error) throw servers
  t.teardown(() => servers.close())
  return { servers, events }
}

const unpaid: Answerer = ({ response }) =>
  sendJson(response, 402, { error: { message: 'Insufficient Balance', code: 'invalid_request_error' } })

t.test('The run waits for a server that is started with it, with a line that says how long', async (t) => {
  const port = await freePort()
  let started = false
  const lines: string[] = []
  const { servers } = await opened(t, [`http://127.0.0.1:${port}/v1`], {
    servers: { startMaxMs: 60_000 },
    onEvent: ({ kind, words }) => {
      lines.push(`${kind}: ${words}`)
      // It starts when the run waits for it.
      if (!started) void modelServer(t, () => chatReply('好'), port)
      started = true
    },
  })
  t.match(
    lines[0],
    /^endpoint-waiting: not reachable \(.*ECONNREFUSED.*\); waiting for it \(servers\.startMaxMs 60 s\)$/,
  )
  t.match(await servers.model('writer').ask(call(1)), { reply: { text: '好' } })
})

t.test('An unreachable server is a recipe error after startMaxMs, immediately with 0', async (t) => {
  const address = `http://127.0.0.1:${await freePort()}/v1`
  const wrong = { code: 'KUN_ENDPOINT', exitCode: 2, message: /no endpoint of model 'writer' responds.*ECONNREFUSED/ }
  await t.rejects(opened(t, [address], { servers: { startMaxMs: 5000 } }), {
    ...wrong,
    events: [/^endpoint-waiting: not reachable/],
  })
  await t.rejects(opened(t, [address], { servers: { startMaxMs: 0 } }), { ...wrong, events: [] })
})

t.test('The run waits for a loading server up to outageMaxMs, then exit code 3 with its error text', async (t) => {
  let left = 60
  const server = await modelServer(t, ({ response }) =>
    left-- > 0
      ? sendJson(response, 503, { error: { message: 'Loading model', type: 'unavailable_error' } })
      : chatReply('好'),
  )
  const { events } = await opened(t, [server.url])
  t.match(
    events[0],
    /^endpoint-waiting: not ready \(.*Loading model.*\); waiting for it \(servers\.outageMaxMs 1800 s\)/,
  )
  left = Number.POSITIVE_INFINITY
  await t.rejects(opened(t, [server.url], { servers: { outageMaxMs: 3000 } }), {
    code: 'KUN_OUTAGE',
    exitCode: 3,
    message: /Loading model/,
  })
})

t.test('An account that is refused at the start: exit code 3 with the error text of the server', async (t) => {
  const server = await modelServer(t, unpaid)
  await t.rejects(opened(t, [server.url]), { code: 'KUN_ACCOUNT', exitCode: 3, message: /Insufficient Balance/ })
})

t.test(
  'If one of two endpoints refuses the account, the other does the work, and the error text is reported',
  async (t) => {
    const [poor, rich] = [await modelServer(t, unpaid), await modelServer(t)]
    const { servers, events } = await opened(t, [poor.url, rich.url])
    t.match(events.join('\n'), /endpoint-down: .*Insufficient Balance/)
    t.match(await servers.model('writer').ask(call(1)), { reply: { text: '好' } })
  },
)

t.test('An account that is refused in mid-run ends it without a verdict on any record', async (t) => {
  const server = await modelServer(t)
  const { servers } = await opened(t, [server.url])
  const writer = servers.model('writer')
  t.match(await writer.ask(call(0)), { reply: { text: '好' } })
  server.answer = unpaid
  const ends = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => writer.ask(call(n + 1))))
  for (const end of ends)
    t.match(end, { status: 'rejected', reason: { code: 'KUN_ACCOUNT', message: /Insufficient Balance/ } })
})

t.test('A server that begins to refuse a field in mid-run ends it, without a verdict on any record', async (t) => {
  const server = await modelServer(t)
  const { servers } = await opened(t, [server.url], { servers: { outageMaxMs: 20_000 } })
  const writer = servers.model('writer')
  const refuses =
    (field: string): Answerer =>
    (asked) =>
      field in asked.body && JSON.stringify(asked.body.messages).includes('text 1')
        ? sendJson(asked.response, 400, { error: { message: `Unsupported parameter: '${field}'`, param: field } })
        : chatReply('好')
  server.answer = refuses('seed')
  t.match(await writer.ask(call(1)), { verdict: { reason: 'refused' } }, 'one record alone is refused')
  t.match(await writer.ask(call(2)), { reply: {} })
  server.answer = ({ body, response }) =>
    'seed' in body
      ? sendJson(response, 400, { error: { message: "Unsupported parameter: 'seed'", param: 'seed' } })
      : chatReply('好')
  const ends = await Promise.allSettled(Array.from({ length: 12 }, (_, n) => writer.ask(call(n + 20))))
  for (const end of ends) t.match(end, { status: 'rejected', reason: { exitCode: 3, message: /seed/ } })
})

/** Opens servers on a clock that passes time whenever nothing has come to the server for some turns of the event loop. */
async function openedByHand(server: FakeServer, received: () => number): Promise<unknown> {
  const clock = new HandClock()
  let isOpen = false
  const opening = openServers({ models: { writer: { model: 'qwen-x', endpoints: [server.url] } }, seed: 1, clock })
  const ended = opening.finally(() => {
    isOpen = true
  })
  ended.catch(() => undefined) // thrown below
  for (let [turns, seen] = [0, received()]; !isOpen; turns++) {
    await setImmediate()
    if (received() !== seen) [turns, seen] = [0, received()]
    if (turns < 50) continue
    clock.advance(500)
    turns = 0
  }
  const servers = await ended
  await servers.close()
  return servers.capabilities()
}

t.test('A request that hangs once at the start, among others that fail, is waited for and pins nothing', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const next = seededRandom(seed)
  const server = await vllmServer(t)
  const undisturbed = await openedByHand(server, () => server.answered.length)
  const requests = server.answered.length
  // A third of the places in each run of the test, others with each seed.
  for (let hangs = seed % 3; hangs < requests; hangs += 3) {
    const troubled = await vllmServer(t)
    const fails = Array.from({ length: requests }, () => next() < 0.15)
    let received = 0
    troubled.intercept = () => {
      const place = received++
      if (place === hangs) return 'never'
      return fails[place] ? { status: 503, body: errorBody('Service unavailable', 'overloaded', 503) } : null
    }
    t.strictSame(await openedByHand(troubled, () => received), undisturbed, `request ${hangs} of ${requests} hangs`)
  }
})
