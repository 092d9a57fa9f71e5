import type { ServerResponse } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { type Client, httpClient } from '../../../lib/llm/protocol/client.js'
import type { RateLimits } from '../../../lib/llm/protocol/rate-limits.js'
import { chatReply, modelServer } from '../model-server.js'

const mib = 1024 * 1024
const json = { 'content-type': 'application/json' }
const events = { 'content-type': 'text/event-stream' }

/** A client of a server that answers every POST as the test says. */
async function answeredBy(t: Test, answer: (response: ServerResponse) => unknown): Promise<Client> {
  const server = await modelServer(t, ({ response }) => {
    void answer(response)
  })
  const client = httpClient(server.url, 2)
  t.teardown(() => client.close())
  return client
}

const send = (client: Client, more: { stream?: boolean; onLimits?: (limits: RateLimits) => void } = {}) =>
  client.send(
    { kind: 'chat', body: { model: 'm', top_k: 5 }, prompts: 1, headers: {}, stream: false, ...more },
    AbortSignal.timeout(30_000),
  )

/** Writes until the other side has had enough; resolves with the number of bytes that were taken. */
function writeWithoutEnd(response: ServerResponse, part: Buffer): Promise<number> {
  let bytes = 0
  return new Promise((resolve) => {
    response.once('close', () => resolve(bytes))
    const write = () => {
      while (!response.destroyed) {
        bytes += part.length
        if (!response.write(part)) {
          response.once('drain', write)
          return
        }
      }
    }
    write()
  })
}

const malformed = { code: 'KUN_SERVER', details: { kind: 'malformed' } }
const replyText = JSON.stringify(chatReply('水往低处流。'))
const eventText = [
  { choices: [{ index: 0, delta: { content: '水往低处流。' }, finish_reason: null }] },
  { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: { prompt_tokens: 7, completion_tokens: 3 } },
]
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .join('')
const expected = [{ text: '水往低处流。', finishReason: 'stop', promptTokens: 7, completionTokens: 3 }]

t.test('A reply that never ends is aborted at 8 MiB, whole and streamed, and its connection closed', async (t) => {
  const event = Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content: '水'.repeat(1000) } }] })}\n\n`)
  for (const [type, part] of [
    [json, Buffer.alloc(64 * 1024, ' ')],
    [events, event],
    [events, Buffer.alloc(64 * 1024, 'x')],
  ] as const) {
    let written: Promise<number> = Promise.resolve(0)
    const client = await answeredBy(t, (response) => {
      response.writeHead(200, type)
      written = writeWithoutEnd(response, part)
    })
    const before = process.memoryUsage().rss
    await t.rejects(send(client, { stream: type === events }), { ...malformed, message: /8388608 bytes/ })
    // What the sockets of both sides hold besides.
    t.ok((await written) < 32 * mib, `${await written} bytes were taken`)
    t.ok(process.memoryUsage().rss - before < 256 * mib, 'memory is bounded')
  }
})

t.test('A reply that announces more than 8 MiB, or decompresses to more, is aborted', async (t) => {
  const announced = await answeredBy(t, (response) => {
    response.writeHead(200, { ...json, 'content-length': 64 * mib })
    void writeWithoutEnd(response, Buffer.alloc(64 * 1024, ' '))
  })
  await t.rejects(send(announced), malformed)
  const bomb = gzipSync(Buffer.alloc(256 * mib, ' '))
  t.ok(bomb.length < mib)
  const bombed = await answeredBy(t, (response) => {
    response.writeHead(200, { ...json, 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb)
  })
  const before = process.memoryUsage().rss
  await t.rejects(send(bombed), { ...malformed, message: /8388608 bytes/ })
  t.ok(process.memoryUsage().rss - before < 128 * mib, 'memory is bounded')
})

t.test('A reply of just under 8 MiB is read', async (t) => {
  const text = '水'.repeat(2.6 * mib)
  const client = await answeredBy(t, (response) => response.writeHead(200, json).end(JSON.stringify(chatReply(text))))
  const [reply] = await send(client)
  t.equal(reply?.text.length, text.length)
})

t.test(
  'A compressed reply is read, whole and streamed; one that is not what its header says is a failure',
  async (t) => {
    const encodings = { gzip: gzipSync, 'x-gzip': gzipSync, br: brotliCompressSync, deflate: deflateSync }
    for (const [encoding, compress] of Object.entries(encodings)) {
      for (const [type, text] of [
        [json, replyText],
        [events, eventText],
      ] as const) {
        const client = await answeredBy(t, (response) => {
          response.writeHead(200, { ...type, 'content-encoding': encoding }).end(compress(text))
        })
        t.strictSame(await send(client, { stream: type === events }), expected, `${encoding} ${text.slice(0, 9)}`)
      }
      const cut = await answeredBy(t, (response) => {
        response.writeHead(200, { ...json, 'content-encoding': encoding }).end(compress(replyText).subarray(0, 30))
      })
      await t.rejects(send(cut), { code: 'KUN_SERVER' }, `${encoding} cut off`)
      const plain = await answeredBy(t, (response) => {
        response.writeHead(200, { ...json, 'content-encoding': encoding }).end(replyText)
      })
      await t.rejects(send(plain), malformed, `${encoding} in name only`)
    }
    const both = await answeredBy(t, (response) => {
      response.writeHead(200, { ...json, 'content-encoding': 'deflate, gzip' }).end(gzipSync(deflateSync(replyText)))
    })
    t.strictSame(await send(both), expected)
    const unknown = await answeredBy(t, (response) =>
      response.writeHead(200, { ...json, 'content-encoding': 'lz4' }).end('x'),
    )
    await t.rejects(send(unknown), { ...malformed, message: /content-encoding lz4/ })
  },
)

t.test('The content of a body, not its type, decides how it is read; characters may be cut anywhere', async (t) => {
  const bytewise = (type: object, text: string) =>
    answeredBy(t, async (response) => {
      response.writeHead(200, { ...type })
      for (const byte of Buffer.from(text)) {
        response.write(Buffer.of(byte))
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
    })
  t.strictSame(await send(await bytewise(events, eventText), { stream: true }), expected)
  t.strictSame(await send(await bytewise(json, replyText)), expected)
  t.strictSame(
    await send(await bytewise(events, `\n ${replyText}`), { stream: true }),
    expected,
    'asked to stream, sent whole',
  )
  t.strictSame(await send(await bytewise({}, eventText), { stream: true }), expected, 'events without their type')
  const [before, after] = replyText.split('低')
  const [broken] = await send(
    await answeredBy(t, (response) => {
      response
        .writeHead(200, json)
        .end(Buffer.concat([Buffer.from(before as string), Buffer.of(0xff), Buffer.from(after as string)]))
    }),
  )
  t.match(broken?.text, /\ufffd/, 'bytes that are not UTF-8 stay visible')
})

t.test('An error that repeats a large prompt is classified by its beginning', async (t) => {
  const client = await answeredBy(t, (response) => {
    response.writeHead(400, json).write('{"error":{"message":"maximum context length is 4096 tokens: ')
    void writeWithoutEnd(response, Buffer.alloc(64 * 1024, '水'))
  })
  await t.rejects(send(client), { code: 'KUN_REQUEST_REFUSED', details: { reason: 'context-length', status: 400 } })
})

t.test('Limits in response headers are reported, for a success and for a failure', async (t) => {
  const headers = {
    'x-ratelimit-remaining-requests': '3',
    'x-ratelimit-reset-requests': '6m0s',
    'retry-after-ms': '250',
  }
  const limits = { requestsRemaining: 3, requestsResetMs: 360_000, tokensRemaining: null, tokensResetMs: null }
  const passing = await answeredBy(t, (response) => response.writeHead(200, { ...json, ...headers }).end(replyText))
  let seen: RateLimits | null = null
  await send(passing, {
    onLimits: (limits) => {
      seen = limits
    },
  })
  t.strictSame(seen, limits)
  const full = await answeredBy(t, (response) => response.writeHead(429, { ...json, ...headers }).end('{}'))
  await t.rejects(send(full), { code: 'KUN_SERVER', details: { kind: 'busy', retryAfterMs: 250, ...limits } })
})
