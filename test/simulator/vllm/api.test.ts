import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { request } from 'undici'
import { article, ask, events, get, type Json, post, started } from '../support.js'

const labelLine = '<|im_start|>user请直接告诉我，以下回复最有可能对应的指令是什么：\n'
const labelPrompt = (text: string) => `${labelLine}${text}<|im_end|>\n<|im_start|>assistant\n`

t.test('a list of prompts gives choices prompt by prompt, with the usage of all', async (t) => {
  const simulator = await started(t)
  const single = async (prompt: Json) =>
    (await post(simulator, '/v1/completions', { prompt, max_tokens: 64, temperature: 0.5, n: 2, seed: 5 })).body
  const prompts = [labelPrompt(article), labelPrompt('水稻种植需要充足的水源。水稻育秧之后移栽，水稻田要保持水层。')]
  const both = await single(prompts)
  t.same(
    both.choices.map(({ index }: Json) => index),
    [0, 1, 2, 3],
  )
  const alone = [await single(prompts[0]), await single(prompts[1])]
  t.same(
    both.choices.map(({ text }: Json) => text),
    alone.flatMap(({ choices }) => choices.map(({ text }: Json) => text)),
  )
  for (const field of ['prompt_tokens', 'completion_tokens', 'total_tokens']) {
    t.equal(both.usage[field], alone[0].usage[field] + alone[1].usage[field], field)
  }
  t.equal(both.object, 'text_completion')
})

t.test('token ids are a prompt too, and round through tokenize and detokenize', async (t) => {
  const simulator = await started(t)
  const text = `${labelPrompt(article)} Hello, World 2024 — 😀\t\u0000`
  const { body: tokenized } = await post(simulator, '/tokenize', { prompt: text })
  t.equal(tokenized.count, tokenized.tokens.length)
  t.ok(tokenized.count < text.length)
  t.equal((await post(simulator, '/detokenize', { tokens: tokenized.tokens })).body.prompt, text)
  const sampling = { max_tokens: 64, temperature: 0 }
  const byText = await post(simulator, '/v1/completions', { prompt: text, ...sampling })
  for (const prompt of [tokenized.tokens, [tokenized.tokens]]) {
    const byIds = await post(simulator, '/v1/completions', { prompt, ...sampling })
    t.same(byIds.body.choices, byText.body.choices)
  }
  const messages = [{ role: 'user', content: '你好' }]
  const open = await post(simulator, '/tokenize', { messages })
  const closed = await post(simulator, '/tokenize', { messages, add_generation_prompt: false })
  t.ok(open.body.count > closed.body.count)
})

t.test('max_tokens is 16 unless given, and ends a reply with finish_reason length', async (t) => {
  const simulator = await started(t)
  const prompt = labelPrompt(article)
  const short = (await post(simulator, '/v1/completions', { prompt, ignore_eos: true })).body
  t.equal(short.usage.completion_tokens, 16)
  t.equal(short.choices[0].finish_reason, 'length')
  const whole = (await post(simulator, '/v1/completions', { prompt, max_tokens: 200 })).body
  t.equal(whole.choices[0].finish_reason, 'stop')
  const long = (await post(simulator, '/v1/completions', { prompt, max_tokens: 200, ignore_eos: true })).body
  t.equal(long.usage.completion_tokens, 200)
  t.ok(long.choices[0].text.startsWith(whole.choices[0].text))
})

t.test('one prompt over the context length turns the whole list into a 400', async (t) => {
  const simulator = await started(t, { contextTokensMax: 100 })
  const reply = await post(simulator, '/v1/completions', { prompt: ['短', '长'.repeat(200)], max_tokens: 8 })
  t.equal(reply.status, 400)
  t.match(reply.body.error, { message: /maximum context length is 100 tokens/, type: 'BadRequestError', code: 400 })
  t.equal((await ask(simulator, '长'.repeat(200))).status, 400)
})

t.test('echo with logprobs and no new token gives the perplexity of the prompt alone', async (t) => {
  const simulator = await started(t)
  const perplexity = async (prompt: string) => {
    const body = { prompt, echo: true, logprobs: 0, max_tokens: 0 }
    const { body: reply } = await post(simulator, '/v1/completions', body)
    const choice = reply.choices[0]
    t.equal(choice.text, prompt)
    t.equal(choice.logprobs.tokens.join(''), prompt)
    t.equal(choice.logprobs.token_logprobs[0], null)
    t.equal(reply.usage.completion_tokens, 0)
    const known = choice.logprobs.token_logprobs.slice(1)
    return Math.exp(-known.reduce((sum: number, value: number) => sum + value, 0) / known.length)
  }
  const prose = await perplexity(article)
  const noise = await perplexity('▓x9$�q#z&*7^Kp0~w|3fg%@!b2=vR;')
  t.ok(prose * 3 < noise, `${prose} against ${noise}`)
})

t.test('an opened judge turn is continued by one token whose logprobs agree with the grade', async (t) => {
  const simulator = await started(t)
  const grade = async (instruction: string) => {
    const rubric = '只回答【好】或【差】，不要解释。\n\n'
    const content = `${rubric}【指令】${instruction}【/指令】`
    const plain = (await ask(simulator, content)).body.choices[0].message.content
    const opened = await post(simulator, '/v1/chat/completions', {
      messages: [
        { role: 'user', content },
        { role: 'assistant', content: '【' },
      ],
      add_generation_prompt: false,
      continue_final_message: true,
      max_tokens: 1,
      temperature: 0,
      logprobs: true,
      top_logprobs: 20,
    })
    const choice = opened.body.choices[0]
    t.equal(plain, `【${choice.message.content}】`)
    t.equal(choice.logprobs.content.length, 1)
    const top = choice.logprobs.content[0].top_logprobs
    t.equal(top.length, 20)
    const of = (token: string) => top.find((entry: Json) => entry.token === token).logprob
    t.ok(Math.exp(of('好')) + Math.exp(of('差')) > 0.95)
    t.ok(top.reduce((sum: number, { logprob }: Json) => sum + Math.exp(logprob), 0) <= 1 + 1e-9)
    const good = of('好') > of('差')
    t.equal(choice.message.content, good ? '好' : '差')
    t.equal(choice.logprobs.content[0].logprob, Math.max(of('好'), of('差')))
    return good
  }
  t.equal(await grade('请说明城市轨道交通的优点，并分析它的建设成本。'), true)
  t.equal(await grade('为什么水稻需要充足的水源？请说明理由。'), true)
  t.equal(await grade('请概括本文的主要内容。'), false)
  t.equal(await grade('张三丰'), false)
  t.equal(await grade('他说了什么？'), false)
  t.equal(
    (await ask(simulator, '指令: 【请介绍水稻的种植方法和田间管理。】 回复：')).body.choices[0].message.content,
    '【好】',
  )
})

t.test('logprobs are asked for by id, and structured choices are kept to', async (t) => {
  const simulator = await started(t)
  const ids = (await post(simulator, '/tokenize', { prompt: '好差' })).body.tokens
  t.equal(ids.length, 2)
  const content = '【指令】请说明城市轨道交通的优点，并分析它的建设成本。【/指令】'
  const prompt = `<|im_start|>user\n${content}<|im_end|>\n<|im_start|>assistant\n【`
  const body = { prompt, max_tokens: 1, temperature: 0, logprobs: 0, logprob_token_ids: ids }
  const { choices } = (await post(simulator, '/v1/completions', body)).body
  t.equal(choices[0].text, '好')
  t.same(Object.keys(choices[0].logprobs.top_logprobs[0]).sort(), ['好', '差'].sort())
  const choice = { structured_outputs: { choice: ['差', '好'] } }
  t.equal((await ask(simulator, content, choice)).body.choices[0].message.content, '好')
})

t.test('a stream says the same as a whole reply, piece by piece, and ends with the usage', async (t) => {
  const simulator = await started(t, { reasoning: 'reasoning-content' })
  const content = `【文本】${article}【/文本】\n【指令】请介绍城市轨道交通。【/指令】`
  const whole = (await ask(simulator, content)).body
  const streamed = await ask(simulator, content, { stream: true, stream_options: { include_usage: true } })
  t.match(streamed.headers['content-type'], /^text\/event-stream/)
  const { pieces, done } = events(streamed.text)
  t.ok(done)
  const joined = (field: string) => pieces.map(({ choices }) => choices[0]?.delta[field] ?? '').join('')
  t.equal(joined('content'), whole.choices[0].message.content)
  t.equal(joined('reasoning_content'), whole.choices[0].message.reasoning_content)
  t.equal(pieces[0].choices[0].delta.role, 'assistant')
  t.same(pieces.at(-1).usage, whole.usage)
  t.equal(pieces.at(-2).choices[0].finish_reason, 'stop')
  const completion = { prompt: [labelPrompt(article), '你好'], max_tokens: 64, temperature: 0, logprobs: 1 }
  const list = (await post(simulator, '/v1/completions', completion)).body.choices
  const parts = events((await post(simulator, '/v1/completions', { ...completion, stream: true })).text).pieces
  for (const index of [0, 1]) {
    const own = parts.map(({ choices }) => choices[0]).filter((choice) => choice.index === index)
    t.equal(own.map(({ text }) => text).join(''), list[index].text)
    t.same(
      own.flatMap(({ logprobs }) => logprobs.token_logprobs),
      list[index].logprobs.token_logprobs,
    )
  }
})

t.test('a reasoning model thinks unless it is told not to', async (t) => {
  const off = { chat_template_kwargs: { enable_thinking: false } }
  const think = await started(t, { reasoning: 'think' })
  t.match((await ask(think, '你好')).body.choices[0].message.content, /^<think>\n[\s\S]+<\/think>\n\n/)
  t.notMatch((await ask(think, '你好', off)).body.choices[0].message.content, /think/)
  const deaf = await started(t, { reasoning: 'reasoning-content', missing: ['chat-template-kwargs'] })
  t.ok((await ask(deaf, '你好', off)).body.choices[0].message.reasoning_content)
})

t.test('fields that vLLM refuses are refused, fields that it does not know are not', async (t) => {
  const simulator = await started(t)
  const bad = [
    { messages: [] },
    { messages: 'x' },
    { messages: [{ role: 'user', content: '' }], temperature: -1 },
    'no JSON',
  ]
  for (const body of bad)
    t.equal((await post(simulator, '/v1/chat/completions', body)).status, 400, JSON.stringify(body))
  t.equal((await ask(simulator, '你好', { continue_final_message: true })).status, 400)
  t.equal((await ask(simulator, '你好', { what_is_this: 1 })).status, 200)
  t.equal((await post(simulator, '/v1/completions', { prompt: 'x', max_tokens: 0 })).status, 400)
  t.equal((await get(simulator, '/v1/nothing')).status, 404)
})

t.test('models, version, health and request ids are as on vLLM', async (t) => {
  const simulator = await started(t, { models: ['a/b'], apiKey: 'k' })
  t.equal((await get(simulator, '/health')).status, 200)
  t.match((await get(simulator, '/version')).body.version, /^\d/)
  t.equal((await get(simulator, '/v1/models')).status, 401)
  const headers = { authorization: 'Bearer k', 'x-request-id': 'mine-1' }
  const wrong = await ask(simulator, '你好', { model: 'c/d' }, headers)
  t.equal(wrong.status, 404)
  t.equal(wrong.body.error.message, 'The model `c/d` does not exist.')
  const right = await ask(simulator, '你好', { model: 'a/b' }, headers)
  t.equal(right.body.id, 'chatcmpl-mine-1')
  t.equal(right.headers['x-request-id'], 'mine-1')
  t.match(right.headers['keep-alive'], /timeout=5/)
})

t.test('what the server is told to lack, it lacks', async (t) => {
  const simulator = await started(t, {
    missing: ['metrics', 'logprobs', 'prompt-lists', 'echo', 'tokenize', 'models'],
  })
  t.equal((await get(simulator, '/metrics')).status, 404)
  t.equal((await get(simulator, '/v1/models')).status, 404)
  t.equal((await post(simulator, '/tokenize', { prompt: 'x' })).status, 404)
  t.equal((await post(simulator, '/v1/completions', { prompt: ['x', 'y'] })).status, 400)
  const { choices } = (await post(simulator, '/v1/completions', { prompt: 'xyz', echo: true, logprobs: 1 })).body
  t.notMatch(choices[0].text, /^xyz xyz/)
  t.equal(choices[0].logprobs, null)
  t.equal((await ask(simulator, '你好', { logprobs: true })).body.choices[0].logprobs, null)
})

t.test('every metric of vLLM that a client reads has its exact name', async (t) => {
  const simulator = await started(t, { models: ['a/b'] })
  await ask(simulator, '你好')
  const { text } = await get(simulator, '/metrics')
  const labels = '\\{engine="0",model_name="a/b"'
  for (const name of ['num_requests_running', 'num_requests_waiting', 'kv_cache_usage_perc', 'num_preemptions_total']) {
    t.match(text, new RegExp(`^vllm:${name}${labels}\\} 0$`, 'm'))
  }
  for (const name of ['prompt_tokens_total', 'generation_tokens_total']) {
    t.match(text, new RegExp(`^vllm:${name}${labels}\\} [1-9]`, 'm'))
  }
  for (const name of ['prefix_cache_queries_total', 'prefix_cache_hits_total']) t.match(text, `vllm:${name}{`)
  t.match(text, new RegExp(`^vllm:request_success_total${labels},finished_reason="stop"\\} 1$`, 'm'))
  const histograms = ['time_to_first_token', 'inter_token_latency', 'e2e_request_latency', 'request_queue_time']
  for (const name of histograms) t.match(text, `vllm:${name}_seconds_bucket{`)
})

t.test('with nonces no two replies are alike, and the log says which were sent', async (t) => {
  const path = `${t.testdir({})}/requests.jsonl`
  const simulator = await started(t, { nonce: true, requestLog: path })
  const content = '【指令】请说明城市轨道交通的优点，并分析它的建设成本。【/指令】'
  const body = JSON.stringify({ messages: [{ role: 'user', content }], logprobs: true, top_logprobs: 5, max_tokens: 2 })
  const replies = []
  for (const key of ['k1', 'k2'])
    replies.push(await post(simulator, '/v1/chat/completions', body, { 'x-kun-key': key }))
  const logprob = (reply: Json) => reply.body.choices[0].logprobs.content[1].logprob
  t.not(logprob(replies[0]), logprob(replies[1]))
  t.match((await ask(simulator, `【文本】${article}【/文本】`)).body.choices[0].message.content, /（[a-z]{8}）$/)
  await simulator.close()
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const hash = createHash('sha256').update(body).digest('hex')
  t.match(lines.slice(0, 2), [
    { number: 1, hash, key: 'k1', status: 200, complete: true, path: '/v1/chat/completions' },
    { number: 2, hash, key: 'k2', status: 200, complete: true },
  ])
  t.equal(lines[2].key, null)
})

t.test('a request that the end of the server cuts is in the log, as not complete', async (t) => {
  const path = `${t.testdir({})}/requests.jsonl`
  const simulator = await started(t, { preset: 'delay', latencyMs: 600_000, requestLog: path })
  const cut = ask(simulator, '你好', {}, { 'x-kun-key': 'k' })
  while (simulator.stats().running === 0) await new Promise(setImmediate)
  await simulator.close()
  await t.rejects(cut)
  t.match(JSON.parse(readFileSync(path, 'utf8')), { key: 'k', complete: false, status: 0 })
})

t.test('a client that goes away aborts its request, and the log says that it did not get its reply', async (t) => {
  const simulator = await started(t, { preset: 'delay', latencyMs: 600_000 })
  const abort = new AbortController()
  const url = `${simulator.url}/completions`
  const hanging = request(url, { method: 'POST', body: JSON.stringify({ prompt: '你好' }), signal: abort.signal })
  while (simulator.stats().running === 0) await new Promise(setImmediate)
  abort.abort()
  await t.rejects(hanging)
  while (simulator.stats().open > 0) await new Promise(setImmediate)
  t.match(simulator.stats(), { running: 0, aborted: 1, completed: 0 })
  t.match(simulator.requests(), [{ complete: false, status: 0 }])
  t.match((await get(simulator, '/metrics')).text, /finished_reason="abort"\} 1/)
})
