import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { ServerError } from '../../../lib/errors.js'
import { firstTokenLogprobs } from '../../../lib/llm/protocol/logprobs.js'
import { parseReplies, type ReplyContext } from '../../../lib/llm/protocol/reply-body.js'
import { StreamedReply } from '../../../lib/llm/protocol/streamed-reply.js'
import { encodeEntry, entryResult } from '../../../lib/storage/replies/reply-pack.js'

const asked = (prompts = 1, body: object = {}): ReplyContext => ({ endpoint: 'there', prompts, body: { ...body } })
const usage = { prompt_tokens: 7, completion_tokens: 3 }
const choice = (content: unknown, more: object = {}) => ({
  index: 0,
  message: { content },
  finish_reason: 'stop',
  ...more,
})
const parse = (body: unknown, prompts = 1, request: object = {}) =>
  parseReplies(typeof body === 'string' ? body : JSON.stringify(body), asked(prompts, request))
const one = (content: unknown, more: object = {}) => parse({ choices: [choice(content, more)], usage })[0]

const streamed = (events: string, body: object = {}) => {
  const reply = new StreamedReply(asked(1, body))
  for (const character of events) reply.push(character)
  return reply.end()
}
const delta = (content: unknown, more: object = {}) =>
  JSON.stringify({ choices: [{ index: 0, delta: { content }, ...more }] })
const stop = JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage })

const malformed = { code: 'KUN_SERVER', details: { kind: 'malformed' } }

t.test('Content in parts is joined, thoughts and pictures left out', async (t) => {
  const parts = [
    { type: 'thinking', thinking: [{ type: 'text', text: '想' }] },
    { type: 'text', text: '水往' },
    { type: 'image_url', image_url: {} },
    { type: 'output_text', text: '低处' },
    '流。',
    null,
  ]
  t.equal(one(parts)?.text, '水往低处流。')
  t.equal(streamed(`data: ${delta(parts)}\n\ndata: ${stop}\n\n`).text, '水往低处流。')
  t.throws(() => one({ text: '水' }), malformed)
  t.throws(() => one(7), { code: 'KUN_SERVER' })
})

t.test('A reply without a finish reason is marked so, whole and streamed', async (t) => {
  for (const reason of [null, undefined, '', {}, []]) {
    t.equal(one('水', { finish_reason: reason })?.finishReason, 'missing', JSON.stringify(reason))
  }
  t.equal(one('水', { finish_reason: { type: 'abort', message: 'x' } })?.finishReason, 'abort')
  t.equal(streamed(`data: ${delta('水')}\n\ndata: [DONE]\n\n`).finishReason, 'missing')
  t.equal(streamed(`data: ${delta('水', { finish_reason: '' })}\n\ndata: ${stop}\n\n`).finishReason, 'stop')
  t.throws(() => streamed(`data: ${delta('水')}\n\n`), { code: 'KUN_SERVER', details: { kind: 'stream' } })
})

t.test('An error inside a 200, a stream or a choice decides by its code and words', async (t) => {
  const refusal = { code: 'data_inspection_failed', message: 'Output data may contain inappropriate content.' }
  const trouble = { code: 502, message: 'upstream GPU pool exhausted' }
  const refused = { code: 'KUN_REQUEST_REFUSED', details: { reason: 'content-refused', words: refusal.message } }
  const failed = { code: 'KUN_SERVER', details: { kind: 'status', words: trouble.message } }
  for (const [error, expected] of [
    [refusal, refused],
    [trouble, failed],
  ] as const) {
    t.throws(() => parse({ error }), expected)
    t.throws(() => parse({ choices: [choice('半句')], error }), expected)
    t.throws(() => parse({ choices: [choice('半句', { error })] }), expected)
    t.throws(() => streamed(`data: ${delta('半')}\n\ndata: ${JSON.stringify({ error })}\n\n`), expected)
    t.throws(() => streamed(`event: error\ndata: ${JSON.stringify(error)}\n\n`), expected)
    t.throws(() => streamed(`data: ${delta('半', { error })}\n\n`), expected)
  }
  t.match(parse({ choices: [choice('水')], error: null, usage })[0], { text: '水' })
})

t.test('A reply of thoughts only is marked so; thoughts beside a text are omitted and counted', async (t) => {
  t.match(one('', { message: { content: null, reasoning_content: '想' } }), { text: '', onlyThoughts: true })
  t.match(one('', { message: { content: '', reasoning: '想' } }), { text: '', onlyThoughts: true })
  t.notHas(one('', { message: { content: '水', reasoning: '想' } }), { onlyThoughts: true })
  t.match(
    streamed(`data: ${JSON.stringify({ choices: [{ delta: { reasoning_content: '想' } }] })}\n\ndata: ${stop}\n\n`),
    { onlyThoughts: true },
  )
})

t.test('Implausible token counts are estimated from the texts, and marked as estimates', async (t) => {
  const text = '水往低处流，人往高处走。'
  const messages = [{ role: 'user', content: '水往哪里流？' }]
  const counted = (usage: unknown) => parse({ choices: [choice(text)], usage }, 1, { messages })[0]
  const none: unknown[] = [undefined, null, 'a lot', [], {}, { prompt_tokens: 7, completion_tokens: 0 }]
  none.push(
    { prompt_tokens: 7, completion_tokens: -3 },
    { prompt_tokens: 7, completion_tokens: null },
    { prompt_tokens: 7, completion_tokens: 1e300 },
  )
  for (const usage of none) {
    const reply = counted(usage)
    t.match(reply, { usageEstimated: true, completionTokens: 10 }, JSON.stringify(usage))
  }
  t.match(counted({ completion_tokens: 3 }), { usageEstimated: true, promptTokens: 5, completionTokens: 3 })
  t.strictSame(counted({ prompt_tokens: '7', completion_tokens: '3' }), counted(usage), 'numbers as strings')
  t.notHas(counted(usage), { usageEstimated: true })
  t.match(streamed(`data: ${delta(text, { finish_reason: 'stop' })}\n\n`), {
    usageEstimated: true,
    completionTokens: 10,
  })
})

t.test(
  'A choice whose index is not a place in the list is a faulty answer, not a reply of another prompt',
  async (t) => {
    const at = (...indexes: unknown[]) => ({
      choices: indexes.map((index, place) => choice(`回答${place}`, { index })),
      usage,
    })
    for (const index of [0.5, -1, 1, 'a', '-1', 1e21, {}, true])
      t.throws(() => parse(at(index)), malformed, String(index))
    t.throws(() => parse(at(0, 0), 2), malformed, 'twice')
    t.throws(() => parse(at(0, 2), 2), malformed, 'too large')
    t.throws(() => parse(at(0), 2), malformed, 'too few')
    t.throws(() => parse(at(0, 1, 2), 2), malformed, 'not so many a prompt')
    for (const choices of [{ 0: choice('水') }, 'none', 7]) t.throws(() => parse({ choices }), malformed)
    t.strictSame(
      parse(at('1', 0), 2).map(({ text }) => text),
      ['回答1', '回答0'],
    )
    t.strictSame(
      parse(at(undefined, null), 2).map(({ text }) => text),
      ['回答0', '回答1'],
    )
    t.strictSame(
      parse(at(3, 2, 1, 0), 2).map(({ text }) => text),
      ['回答3', '回答1'],
      'two samples a prompt: the first',
    )
  },
)

t.test('A label token is read in every form that servers send', async (t) => {
  const inChat = (entries: object[]) => firstTokenLogprobs({ content: [{ ...entries[0], top_logprobs: entries }] })
  t.strictSame(inChat([{ token: '�', logprob: -0.1, bytes: [229, 165, 189] }]), { 好: -0.1 })
  t.strictSame(inChat([{ token: '�', logprob: -0.1, bytes: [229, 183] }]), { '\ufffd': -0.1 })
  t.strictSame(
    inChat([
      { token: 'å¥½', logprob: -0.1 },
      { token: 'å·®', logprob: -2 },
    ]),
    { 好: -0.1, 差: -2 },
  )
  t.strictSame(
    inChat([
      { token: 'Ġå¥½', logprob: -0.1 },
      { token: '▁差', logprob: -2 },
    ]),
    { ' 好': -0.1, ' 差': -2 },
  )
  t.strictSame(inChat([{ token: 'bytes:\\xe5\\xa5\\xbd', logprob: -0.1 }]), { 好: -0.1 })
  t.strictSame(inChat([{ token: 'bytes:\\xe5', logprob: -0.1 }]), { '\ufffd': -0.1 })
  t.strictSame(inChat([{ token: '<0xE5><0xA5><0xBD>', logprob: -0.1 }]), { 好: -0.1 })
  t.strictSame(
    inChat([
      { token: 'good', logprob: -0.1 },
      { token: 'naïve', logprob: -2 },
    ]),
    { good: -0.1, naïve: -2 },
  )
  t.equal(inChat([{ token: 'token_id:1314', logprob: -0.1 }]), undefined)
  t.equal(firstTokenLogprobs({ top_logprobs: [{ 'token_id:5': -1 }] }), undefined)
  t.equal(firstTokenLogprobs(null), undefined)
  t.equal(firstTokenLogprobs({ content: [] }), undefined)
})

t.test(
  'A number that is not a log-probability is kept as null; so are the numbers that JSON does not have',
  async (t) => {
    const body = (value: string) =>
      `{"choices":[{"index":0,"text":"好 NaN","finish_reason":"length","logprobs":{"top_logprobs":[{"好":${value},"差":-2}]}}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`
    for (const value of ['1e999', '-1e999', 'NaN', 'Infinity', '-Infinity', 'null', '0.5', '"-0.1"', 'true']) {
      t.match(parse(body(value))[0], { text: '好 NaN', firstTokenLogprobs: { 好: null, 差: -2 } }, value)
    }
    t.strictSame(parse(body('-0'))[0]?.firstTokenLogprobs, { 好: 0, 差: -2 })
  },
)

/** A small generator, so that a failure can be repeated. */
function numbers(seed: number): (max: number) => number {
  let state = seed
  return (max) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * max)
  }
}

/** None where the body is the server's failure. */
function parseIfReply(body: string) {
  try {
    return parse(body)
  } catch (error) {
    if (error instanceof ServerError) return []
    throw error
  }
}

t.test('A reply read back from the log equals the one that was judged', async (t) => {
  const seed = Date.now() % 2 ** 32
  t.comment(`seed ${seed}`)
  const next = numbers(seed)
  const pick = <T>(of: readonly T[]): T => of[next(of.length)] as T
  const values = [-0.1, 0, -0, Infinity, -Infinity, 5, null, '3', undefined, {}, [], true, -1e-320, 1e21, 0.5]
  const texts = [
    '水',
    '',
    '\ud800',
    '\0\x1b',
    '<think>想</think>好',
    '<x:think>想',
    '\u2028',
    '__proto__',
    '👩‍👧',
    '\ufeff好',
    null,
    undefined,
  ]
  const tokens = [
    '好',
    '差',
    '__proto__',
    'constructor',
    'toString',
    '1',
    '0',
    '\ud83d',
    'Ġ好',
    '',
    '\ufffd',
    'hasOwnProperty',
  ]
  let judged = 0
  for (let round = 0; round < 3000; round++) {
    const entries = Array.from({ length: next(4) }, () => ({
      token: pick(tokens),
      logprob: pick(values),
      bytes: pick([undefined, null, [229], [300]]),
    }))
    const body = {
      choices: [
        choice(pick(texts), {
          finish_reason: pick(['stop', 'length', null, '', 'x\ud800', 7, -0, {}]),
          logprobs: pick([
            null,
            undefined,
            { content: [{ ...entries[0], top_logprobs: entries }] },
            { top_logprobs: [Object.fromEntries(entries.map(({ token, logprob }) => [token, logprob]))] },
          ]),
          message: { content: pick(texts), reasoning_content: pick(texts) },
        }),
      ],
      usage: pick([usage, null, { prompt_tokens: pick(values), completion_tokens: pick(values) }]),
    }
    const [reply] = parseIfReply(
      JSON.stringify(body).replaceAll('null', () => pick(['null', '1e999', '-1e999', 'NaN'])),
    )
    if (reply === undefined) continue
    judged++
    const kept = entryResult(encodeEntry({ key: new Uint8Array(16), block: 0, result: { reply } }))
    if (isDeepStrictEqual(kept, { reply })) continue
    t.strictSame(kept, { reply }, JSON.stringify(body))
    return
  }
  t.ok(judged > 500, `${judged} replies were kept`)
})

t.test('A stream is read with any line ends, comments, names, and several lines of data', async (t) => {
  const expected = { text: '你好', finishReason: 'stop', promptTokens: 7, completionTokens: 3 }
  const events = [delta('你'), delta('好'), stop, '[DONE]']
  const forms: Readonly<Record<string, string>> = {
    LF: events.map((event) => `data: ${event}\n\n`).join(''),
    CR: events.map((event) => `data: ${event}\r\r`).join(''),
    'CR LF': events.map((event) => `data: ${event}\r\n\r\n`).join(''),
    'no blank after the colon': events.map((event) => `data:${event}\n\n`).join(''),
    comments: events.map((event) => `: ping\n\nid: 4\nretry: 10\n: ping\ndata: ${event}\n\n`).join(''),
    names: events.map((event) => `event: message\ndata: ${event}\n\n`).join(''),
    'several lines': events.map((event) => `data: ${event.replace(':', ':\ndata: ')}\n\n`).join(''),
    'no blank lines': events.map((event) => `data: ${event}\n`).join(''),
    'a byte order mark': `\ufeff${events.map((event) => `data: ${event}\n\n`).join('')}`,
    'no end of the last line': events.map((event) => `data: ${event}`).join('\n\n'),
  }
  for (const [name, text] of Object.entries(forms)) t.strictSame(streamed(text), expected, name)
})

t.test('JSON that begins with a byte order mark is read, deep JSON is not a crash', async (t) => {
  t.match(parse(`\ufeff${JSON.stringify({ choices: [choice('水')], usage })}`)[0], { text: '水' })
  const deep = (of: string, close: string) => of.repeat(200_000) + close.repeat(200_000)
  t.throws(() => parse(deep('[', ']')), { code: 'KUN_SERVER' })
  t.throws(() => parse(`{"error":${deep('[', ']')}}`), { code: 'KUN_SERVER' })
  t.throws(() => parse(`{"error":{"message":${deep('[', ']')}}}`), { code: 'KUN_SERVER' })
  t.throws(() => parse(`{"choices":${deep('[', ']')}}`), { code: 'KUN_SERVER' })
})
