import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { authorization } from '../../lib/hub/context.js'
import { listDataset } from '../../lib/hub/listing.js'
import { hubSettings } from '../../lib/hub/settings.js'
import { hubTransport } from '../../lib/hub/transport.js'

t.test('a token goes only to the Hub that it is for, over https or to this machine', async (t) => {
  const from = (environment: Record<string, string>, more = {}) => hubSettings({ environment, ...more })
  const own = { HF_TOKEN: 'hf_own', HF_TOKEN_PATH: '/none' }
  t.equal(from(own).token, 'hf_own')
  t.equal(from(own, { hubUrl: 'https://huggingface.co/' }).token, 'hf_own')
  t.match(from(own, { hubUrl: 'https://elsewhere.example' }), {
    token: undefined,
    tokenWithheld: /belongs to https:\/\/huggingface.co/,
  })
  t.match(from(own, { hubUrl: 'http://huggingface.co' }), { token: undefined })
  t.match(from({ ...own, HF_ENDPOINT: 'http://mirror.example' }), { token: undefined, tokenWithheld: /unencrypted/ })
  t.equal(from({ ...own, HF_ENDPOINT: 'https://mirror.example' }).token, 'hf_own')
  t.equal(
    from({ ...own, HF_ENDPOINT: 'https://mirror.example' }, { hubUrl: 'https://huggingface.co' }).token,
    undefined,
  )
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'hub.localhost']) {
    t.equal(from({ ...own, HF_ENDPOINT: `http://${host}:8080` }).token, 'hf_own', host)
  }
  for (const host of ['127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1', 'notlocalhost']) {
    t.equal(from({ ...own, HF_ENDPOINT: `http://${host}` }).token, undefined, host)
  }
  const mine = { MINE: 'eyJ2ZXIi.abc' }
  t.equal(from(mine, { hubUrl: 'https://elsewhere.example/hf', token: 'env:MINE' }).token, 'eyJ2ZXIi.abc')
  t.throws(
    () => from(mine, { hubUrl: 'http://elsewhere.example', token: 'env:MINE' }),
    /from MINE is not sent to http:.*unencrypted/,
  )
  t.equal(from({ HF_TOKEN: 'eyJ2ZXIi.abc', HF_ENDPOINT: 'https://jf.example/api' }).token, 'eyJ2ZXIi.abc')
  t.throws(() => from({ HF_TOKEN: 'eyJ2ZXIi.abc' }), /does not begin with hf_ \(12 characters\).*HF_ENDPOINT/)
})

t.test(
  'a token of another form reaches a Hub of its own; a page of a listing elsewhere and a redirect are asked without',
  async (t) => {
    const asked: { host: string; path: string; authorization: string | undefined }[] = []
    let other = ''
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      const { url: path = '', headers } = request
      asked.push({ host: String(headers.host), path, authorization: headers.authorization })
      const send = (body: unknown, more = {}) =>
        response.writeHead(200, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body))
      if (path.includes('/revision/')) return send({ sha: 'a'.repeat(40) })
      const file = (name: string) => [{ type: 'file', path: name, size: 3, oid: 'b'.repeat(40) }]
      if (path.includes('cursor=2')) return send(file('b.jsonl'))
      if (path.includes('/tree/')) return send(file('a.jsonl'), { link: `<${other}/api/tree?cursor=2>; rel="next"` })
      return response.writeHead(302, { location: `${other}/signed?X-Amz-Signature=abc` }).end()
    }
    const start = async (listener: typeof answer) => {
      const http = createServer(listener).listen(0, '127.0.0.1')
      await once(http, 'listening')
      t.teardown(() => http.close())
      return `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    }
    const url = await start(answer)
    other = await start((request, response) => {
      if (request.url?.includes('cursor')) return answer(request, response)
      asked.push({ host: 'other', path: request.url ?? '', authorization: request.headers.authorization })
      return response.end('{}\n')
    })
    const settings = hubSettings({ environment: { HF_TOKEN: 'eyJ2ZXIi.abc', HF_ENDPOINT: url } })
    const transport = hubTransport(settings)
    t.teardown(() => transport.close())
    const { files } = await listDataset({ repo: 'me/set', files: '**', settings, transport })
    t.strictSame(
      files.map(({ path }) => path),
      ['a.jsonl', 'b.jsonl'],
    )
    const read = await transport.request(`${url}/datasets/me/set/resolve/main/a.jsonl`, {
      headers: authorization(settings),
    })
    t.equal(await read.body.text(), '{}\n')
    const own = asked.filter(({ host }) => url.endsWith(host))
    t.ok(
      own.length >= 3 && own.every((each) => each.authorization === 'Bearer eyJ2ZXIi.abc'),
      'the Hub is sent the token',
    )
    const elsewhere = asked.filter(({ host }) => !url.endsWith(host))
    t.strictSame(
      elsewhere.map((each) => each.authorization),
      [undefined, undefined],
      'no other host is',
    )
  },
)
