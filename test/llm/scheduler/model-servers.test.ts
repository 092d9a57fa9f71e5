import t from 'tap'
import { KunStreamError } from '../../../lib/errors.js'
import { openServers } from '../../../lib/llm/scheduler/model-servers.js'
import { call, chat, chatReply, type Gate, gate, modelServer, promptOf, sendJson, until } from '../model-server.js'
import { openModel } from '../open-model.js'

t.test('A call comes back with its reply, and what was sent is what the recipe says', async (t) => {
  const server = await modelServer(t, (asked) => chatReply(`答：${promptOf(asked)}`))
  const model = await openModel({
    model: {
      model: 'm/x',
      endpoints: [server.url],
      apiKey: 'sk-secret',
      headers: { 'X-Team': 'kun' },
      chatTemplateKwargs: { enable_thinking: false },
      extraBody: { top_k: 20 },
    },
    seed: 1,
    probe: false,
  })
  t.teardown(() => model.servers.close())
  const answer = await model.ask(call(1, { request: chat('春天', { temperature: 0.5, max_tokens: 64 }) }))
  t.match(answer, {
    attempt: 0,
    reply: { text: '答：春天', finishReason: 'stop', promptTokens: 7, completionTokens: 3 },
  })
  const [sent] = server.asked
  t.equal(sent?.path, '/v1/chat/completions')
  t.match(sent?.headers, { authorization: 'Bearer sk-secret', 'x-team': 'kun' })
  t.match(sent?.body, { model: 'm/x', temperature: 0.5, max_tokens: 64, top_k: 20 })
  t.strictSame(sent?.body.chat_template_kwargs, { enable_thinking: false })
  t.type(sent?.body.seed, 'number')
})

t.test(
  'A bad reply is asked again with another seed, and three of them are a verdict with the last words',
  async (t) => {
    const seeds: unknown[] = []
    const server = await modelServer(t, ({ body }) => {
      seeds.push(body.seed)
      return chatReply('')
    })
    const model = await openModel({ model: { model: 'x', endpoints: [server.url] }, seed: 1, probe: false })
    t.teardown(() => model.servers.close())
    const answer = await model.ask(call(1, { fault: (reply) => (reply.text === '' ? 'empty' : null) }))
    t.match(answer, { verdict: { reason: 'empty-reply' } })
    t.equal(new Set(seeds).size, 3)
  },
)

t.test('A server error is asked again with the same seed, on a slot of its own', async (t) => {
  const seeds: unknown[] = []
  const server = await modelServer(t, ({ body, response }) => {
    seeds.push(body.seed)
    if (seeds.length > 2) return chatReply('好')
    return sendJson(response, 500, { error: { message: 'engine' } })
  })
  const model = await openModel({ model: { model: 'x', endpoints: [server.url] }, seed: 1, probe: false })
  t.teardown(() => model.servers.close())
  t.match(await model.ask(call(1)), { reply: { text: '好' }, attempt: 0 })
  t.equal(seeds.length, 3)
  t.equal(new Set(seeds).size, 1)
})

t.test('A text over the context is a verdict at once, with the words of the server', async (t) => {
  const message = "This model's maximum context length is 512 tokens"
  const server = await modelServer(t, ({ response }) => sendJson(response, 400, { error: { message } }))
  const model = await openModel({ model: { model: 'x', endpoints: [server.url] }, seed: 1, probe: false })
  t.teardown(() => model.servers.close())
  t.strictSame(await model.ask(call(1)), { verdict: { reason: 'context-length', detail: message } })
  t.equal(server.asked.length, 1)
})

t.test(
  'A request form that no record gets through stops the run; one refused record among others is a verdict',
  async (t) => {
    let bad = (text: string): boolean => text === 'text 2'
    const server = await modelServer(t, (asked) =>
      bad(promptOf(asked)) ? sendJson(asked.response, 400, { error: { message: 'bad field' } }) : chatReply('好'),
    )
    const open = () => openModel({ model: { model: 'x', endpoints: [server.url] }, seed: 1, probe: false })
    const model = await open()
    t.strictSame(await model.ask(call(2)), { verdict: { reason: 'refused', detail: 'bad field' } })
    await model.servers.close()
    bad = () => true
    const other = await open()
    await t.rejects(other.ask(call(1)), {
      code: 'KUN_ENDPOINT',
      message: /accepts no request of stage 'label': bad field/,
    })
    await other.servers.close()
  },
)

t.test('Two models at one address share its slots, and the later stage goes first', async (t) => {
  const gates = new Map<string, Gate>()
  let most = 0
  let now = 0
  const order: string[] = []
  const server = await modelServer(t, async (asked) => {
    const text = promptOf(asked)
    order.push(text)
    most = Math.max(most, ++now)
    const mine = gate()
    gates.set(text, mine)
    await mine.opened
    now--
    return chatReply('好')
  })
  const shared = { endpoints: [server.url], limiter: 'fixed' as const, inFlightMax: 2 }
  const servers = await openServers({
    models: { writer: { model: 'w', ...shared }, judge: { model: 'j', ...shared } },
    seed: 1,
    probe: false,
  })
  t.teardown(() => servers.close())
  const [writer, judge] = [servers.model('writer'), servers.model('judge')]
  const asks = [0, 1, 2, 3].map((n) => writer.ask(call(n, { request: chat(`label ${n}`) })))
  asks.push(...[2, 3].map((n) => judge.ask(call(n, { stage: 'score', stageOrder: 1, request: chat(`score ${n}`) }))))
  for (let done = 0; done < 6; done++) {
    await until(() => order.length > done && gates.size > done)
    await until(() => order.length >= Math.min(6, done + 2))
    gates.get(order[done] as string)?.open()
  }
  await Promise.all(asks)
  t.equal(most, 2)
  t.strictSame(order, ['label 0', 'label 1', 'score 2', 'score 3', 'label 2', 'label 3'])
})

t.test('No secret is in an error: neither the key that a server repeats nor the password of an address', async (t) => {
  const server = await modelServer(t, ({ response, headers }) =>
    sendJson(response, 401, { error: { message: `Incorrect API key provided: ${headers.authorization}` } }),
  )
  const url = server.url.replace('http://', 'http://user:hunter22@')
  const model = await openModel({
    model: { model: 'x', endpoints: [url], apiKey: 'sk-secret', headers: { 'X-Token': 'tok-123' } },
    seed: 1,
    probe: false,
  })
  t.teardown(() => model.servers.close())
  const error = await model.ask(call(1)).catch((caught) => caught)
  t.ok(error instanceof KunStreamError)
  t.equal(error.code, 'KUN_ENDPOINT')
  const shown = JSON.stringify([error.message, error.stack, error.details, error.cause, model.servers.metrics()])
  for (const secret of ['sk-secret', 'hunter22', 'tok-123'])
    t.notOk(shown.includes(secret), `${secret} is not in ${shown}`)
})

t.test('Two models at one address share its connections, so they must be of one user', async (t) => {
  const address = (user: string) => `http://${user}127.0.0.1:9/v1`
  const open = (one: string, other: string) =>
    openServers({
      models: { writer: { model: 'w', endpoints: [address(one)] }, judge: { model: 'j', endpoints: [address(other)] } },
      seed: 1,
      probe: false,
    })
  for (const [one, other] of [
    ['', 'me:secret-1@'],
    ['me:secret-1@', 'me:secret-2@'],
  ] as const) {
    await t.rejects(open(one, other), {
      code: 'KUN_ENDPOINT',
      message: /'judge' and 'writer' name http:\/\/127.0.0.1:9\/v1 /,
    } as never)
    await t.rejects(open(one, other), { message: /^(?!.*secret)/ } as never, 'without the password')
  }
  await (await open('me:secret-1@', 'me:secret-1@')).close()
})
