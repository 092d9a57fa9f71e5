import t from 'tap'
import { processSecrets } from '../../../lib/core/redaction.js'
import { parseRetryAfter } from '../../../lib/core/retry-after.js'
import { httpClient } from '../../../lib/llm/protocol/client.js'
import { failureOfStatus } from '../../../lib/llm/protocol/failures.js'
import { parseReplies } from '../../../lib/llm/protocol/reply-body.js'
import { canonicalJson, replyKey, requestSeed } from '../../../lib/llm/protocol/request-identity.js'
import { StreamedReply } from '../../../lib/llm/protocol/streamed-reply.js'
import { openServers } from '../../../lib/llm/scheduler/model-servers.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { fastClock } from '../clock.js'
import { call, chatReply, gate, modelServer, sendJson, until } from '../model-server.js'
import { openModel } from '../open-model.js'

const one = { endpoint: 'there', prompts: 1, body: {} }

t.test('Thinking never enters a text, tagged or in a field of its own', (t) => {
  const [reply] = parseReplies(
    JSON.stringify(chatReply('答案', { message: { content: '答案', reasoning_content: '想' } })),
    one,
  )
  t.equal(reply?.text, '答案')
  t.equal(parseReplies(JSON.stringify(chatReply(null)), one)[0]?.text, '')
  t.end()
})

t.test('A stream is put together wherever its bytes are cut, and one that ends early is the server’s failure', (t) => {
  const chunk = (delta: unknown, finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ delta, finish_reason: finish }] })}\n\n`
  const usage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 4, completion_tokens: 9 } })}\n\n`
  const whole = `${chunk({ role: 'assistant' })}: ping\n\n${chunk({ content: '<think>想</think>你' })}${chunk({ content: '好' }, 'stop')}${usage}data: [DONE]\n\n`
  for (let cut = 0; cut <= whole.length; cut++) {
    const reply = new StreamedReply(one)
    reply.push(whole.slice(0, cut))
    reply.push(whole.slice(cut))
    t.strictSame(reply.end(), { text: '你好', finishReason: 'stop', promptTokens: 4, completionTokens: 9 })
  }
  const early = new StreamedReply(one)
  early.push(chunk({ content: '你' }))
  t.throws(() => early.end(), { code: 'KUN_SERVER' })
  t.end()
})

t.test('Log-probabilities of the first token come from both kinds of reply', (t) => {
  const top = [
    { token: '好', logprob: -0.1 },
    { token: '差', logprob: -2.4 },
  ]
  const inChat = chatReply('好', { logprobs: { content: [{ token: '好', logprob: -0.1, top_logprobs: top }] } })
  t.strictSame(parseReplies(JSON.stringify(inChat), one)[0]?.firstTokenLogprobs, { 好: -0.1, 差: -2.4 })
  const inCompletion = { choices: [{ index: 0, text: '好', logprobs: { top_logprobs: [{ 好: -0.1, 差: -2.4 }] } }] }
  t.strictSame(parseReplies(JSON.stringify(inCompletion), one)[0]?.firstTokenLogprobs, { 好: -0.1, 差: -2.4 })
  t.end()
})

t.test('Keys and seeds follow from the record, stage, attempt and request, whatever the order of its fields', (t) => {
  t.equal(canonicalJson({ b: [1, { d: undefined, c: '字' }], a: null }), '{"a":null,"b":[1,{"c":"字"}]}')
  const keys = [
    replyKey('r', 's', 0, '{}'),
    replyKey('r', 's', 1, '{}'),
    replyKey('r', 't', 0, '{}'),
    replyKey('q', 's', 0, '{}'),
  ]
  t.equal(new Set(keys.map((key) => key.toString('hex'))).size, 4)
  t.equal(requestSeed(1, 'r', 's', 0), requestSeed(1, 'r', 's', 0))
  t.not(requestSeed(1, 'r', 's', 0), requestSeed(2, 'r', 's', 0))
  t.end()
})

t.test('Retry-After is read in seconds and as a date, and bounded', (t) => {
  t.equal(parseRetryAfter('2'), 2000)
  t.equal(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4000), 6000)
  t.equal(parseRetryAfter('-3'), 0)
  t.match(
    failureOfStatus(429, '', { endpoint: 'there', headers: { 'retry-after': '999999' } }).details,
    { retryAfterMs: 120_000 },
    'at most two minutes',
  )
  t.equal(parseRetryAfter('soon'), null)
  t.equal(parseRetryAfter(undefined), null)
  t.end()
})

t.test('What a server can do is found by effect, and what it cannot is degraded to', async (t) => {
  const whole = await startSimulator({ models: ['m'] })
  const poor = await startSimulator({
    models: ['m'],
    missing: ['metrics', 'logprobs', 'prompt-lists', 'echo', 'tokenize', 'models', 'chat-template-kwargs'],
  })
  t.teardown(() => Promise.all([whole.close(), poor.close()]))
  const open = (url: string, pinned?: object) =>
    openModel({
      model: { model: 'm', endpoints: [url] },
      seed: 1,
      ...(pinned === undefined ? {} : { pinned: pinned as never }),
    })
  const rich = await open(whole.url)
  t.match(rich.capabilities, {
    server: /^vllm /,
    contextTokensMax: 32768,
    metrics: true,
    promptLists: true,
    logprobs: true,
    chatTemplateKwargs: true,
    unsupported: [],
  })
  t.strictSame(JSON.parse(JSON.stringify(rich.capabilities)), rich.capabilities)
  await rich.servers.close()
  const bare = await open(poor.url)
  t.match(bare.capabilities, { metrics: false, promptLists: false, logprobs: false })
  t.match(await bare.ask(call(1)), { reply: {} }, 'works though /v1/models fails')
  t.equal(bare.servers.metrics().endpoints[0]?.limiter, 'goodput')
  await bare.servers.close()
  await t.rejects(open(poor.url, rich.capabilities), {
    code: 'KUN_ENDPOINT',
    message: /lacks logprobs/,
  })
})

t.test('A model that the server does not have is refused at the start, with the server’s words', async (t) => {
  const simulator = await startSimulator({ models: ['m'] })
  t.teardown(() => simulator.close())
  const opened = openModel({ model: { model: 'other', endpoints: [simulator.url] }, seed: 1 })
  await t.rejects(opened, { code: 'KUN_ENDPOINT', exitCode: 2, message: /model 'other' \(404\).*does not exist/ })
})

t.test('Prompts of one token go as lists, and one that is refused is bisected out', async (t) => {
  const sizes: number[] = []
  const server = await modelServer(t, ({ path, body, response }) => {
    if (path !== '/v1/completions') return sendJson(response, 404, { detail: 'Not Found' })
    const prompts = body.prompt as string[]
    sizes.push(Array.isArray(prompts) ? prompts.length : 1)
    if (prompts.includes('text 5')) {
      return sendJson(response, 400, { error: { message: 'maximum context length is 4 tokens' } })
    }
    const list = Array.isArray(prompts) ? prompts : [prompts]
    const choices = list.map((prompt, index) => ({ index, text: prompt.slice(-1), finish_reason: 'stop' })).reverse()
    return { choices, usage: { prompt_tokens: list.length, completion_tokens: list.length } }
  })
  const servers = await openServers({
    models: { judge: { model: 'm', endpoints: [server.url], promptsPerRequest: 8, limiter: 'fixed', inFlightMax: 8 } },
    seed: 1,
  })
  t.teardown(() => servers.close())
  sizes.length = 0
  const sampling = { max_tokens: 1, temperature: 0 }
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, n) =>
      servers.model('judge').ask(call(n, { request: { kind: 'completion', prompt: `text ${n}`, sampling } })),
    ),
  )
  for (const [n, answer] of answers.entries()) {
    if (n === 5) t.match(answer, { verdict: { reason: 'context-length' } })
    else t.match(answer, { reply: { text: `${n}`.slice(-1) } })
  }
  t.ok(Math.max(...sizes) > 4, `${sizes}`)
})

t.test('A signal takes its calls out, waiting or under way, and leaves the others', async (t) => {
  const open = gate()
  const server = await modelServer(t, async () => {
    await open.opened
    return chatReply('好')
  })
  const model = await openModel({
    model: { model: 'x', endpoints: [server.url], limiter: 'fixed', inFlightMax: 2 },
    seed: 1,
    probe: false,
  })
  t.teardown(() => model.servers.close())
  const stop = new AbortController()
  const stopped = [0, 1, 2, 3].map((n) => model.ask(call(n, { signal: stop.signal })))
  const other = model.ask(call(9))
  await until(() => server.asked.length === 2)
  stop.abort(new Error('enough'))
  for (const ask of stopped) await t.rejects(ask, { message: 'enough' })
  open.open()
  t.match(await other, { reply: { text: '好' } })
})

t.test('A drain lets what is under way finish and be kept, and sends nothing more', async (t) => {
  const open = gate()
  const server = await modelServer(t, async () => {
    await open.opened
    return chatReply('好')
  })
  const model = await openModel({
    model: { model: 'x', endpoints: [server.url], limiter: 'fixed', inFlightMax: 2 },
    seed: 1,
    probe: false,
    clock: fastClock(10),
  })
  t.teardown(() => model.servers.close())
  const asks = [0, 1, 2, 3].map((n) => model.ask(call(n)))
  const settled = Promise.allSettled(asks)
  await until(() => server.asked.length === 2)
  const drained = model.servers.drain()
  open.open()
  await drained
  t.strictSame(
    (await settled).map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
  )
  t.equal(server.asked.length, 2)
})

t.test('The key of a reply is sent with each request and is not a secret; the headers of the model are', async (t) => {
  const server = await modelServer(t)
  const client = httpClient(server.url, 1)
  t.teardown(() => client.close())
  const headers = { authorization: 'Bearer sk-of-this-test-alone' }
  const { signal } = new AbortController()
  const sent = Array.from({ length: 300 }, (_, number) => `key-of-reply-${number}`)
  for (const key of sent) {
    await client.send({ kind: 'chat', body: {}, prompts: 1, headers, key, stream: false }, signal)
  }
  t.strictSame(
    server.asked.map((each) => each.headers['x-kun-key']),
    sent,
  )
  const text = `sk-of-this-test-alone ${sent.join(' ')}`
  t.equal(processSecrets.text(text), `*** ${sent.join(' ')}`)
})
