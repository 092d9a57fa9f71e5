import { request } from 'node:http'
import t from 'tap'
import { startPageServer } from '../../lib/pages/page-server.js'

/** Sends a request with exactly these headers. */
function send(url: string, headers: Record<string, string>, method = 'GET', body = ''): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve([response.statusCode ?? 0, text]))
    })
    sent.on('error', reject).end(body)
  })
}

const setUp = (port = 0) =>
  startPageServer({
    port,
    portOption: '--port',
    page: async () => '<p>page',
    get: { view: async (query) => ({ asked: query.get('q') }) },
    post: { control: async (body) => ({ body }) },
    event: { everyMs: 10, read: async () => ({ now: 1 }) },
  })

t.test('only the address with the token is served, and only to this machine', async (t) => {
  const server = await setUp()
  t.teardown(() => server.close())
  const { host, origin } = new URL(server.url)
  const status = async (url: string, headers: Record<string, string> = {}) => (await send(url, { host, ...headers }))[0]
  t.match(host, /^127\.0\.0\.1:\d+$/)
  t.match(server.url, /\/[\w-]{24}\/$/, '144 random bits')
  t.equal(await status(server.url), 200)
  t.equal(await status(server.url, { host: 'localhost:9' }), 200, 'a forwarded port')
  t.equal(await status(server.url, { host: 'evil.example' }), 421, 'a name that resolves to this machine')
  t.equal(await status(server.url, { host: '127.0.0.1.evil.example:80' }), 421)
  for (const path of ['/', '/view', '/x/view', `${new URL(server.url).pathname.slice(0, -2)}/view`, '//view'])
    t.equal(await status(`${origin}${path}`), 403, path)
  t.equal(await status(`${server.url}nothing`), 404)
  t.equal(await status(`${server.url}constructor`), 404)
  t.strictSame(await send(`${server.url}view?q=%3C`, { host }), [200, '{"asked":"<"}'])
})

t.test('a change needs JSON and no foreign origin', async (t) => {
  const server = await setUp()
  t.teardown(() => server.close())
  const { host, origin } = new URL(server.url)
  const json = { host, 'content-type': 'application/json' }
  const post = async (headers: Record<string, string>, body = '{"a":1}') =>
    (await send(`${server.url}control`, headers, 'POST', body))[0]
  t.equal(await post(json), 200)
  t.equal(await post({ ...json, origin }), 200)
  t.equal(await post({ ...json, origin: 'https://evil.example' }), 400)
  t.equal(await post({ host, 'content-type': 'text/plain' }), 400, 'a form of another site')
  t.equal(await post(json, '{'), 400)
  t.equal(await post(json, `"${'x'.repeat(1024 * 1024)}"`), 400, 'over the limit')
  t.equal((await send(`${server.url}control`, json, 'DELETE'))[0], 405)
})

t.test('a port in use is named, with the option that changes it', async (t) => {
  const server = await setUp()
  t.teardown(() => server.close())
  const port = Number(new URL(server.url).port)
  await t.rejects(setUp(port), {
    code: 'KUN_USAGE',
    exitCode: 2,
    message: `port ${port} is in use; choose another one, or 0 for a free one: --port=0`,
  })
})

t.test('a page that listens receives events, and closing does not wait for it', async (t) => {
  const server = await setUp()
  const response = await fetch(`${server.url}events`)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  t.ok(
    Buffer.from((await reader.read()).value ?? [])
      .toString()
      .startsWith('data: {"now":1}\n\n'),
  )
  t.equal(server.listeners, 1)
  await server.close()
})
