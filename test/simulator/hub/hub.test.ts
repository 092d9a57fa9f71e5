import { createHash, randomBytes } from 'node:crypto'
import { commit, createBranch, createRepo, downloadFile, listFiles, pathsInfo, whoAmI } from '@huggingface/hub'
import t, { type Test } from 'tap'
import { type HubOptions, startHub } from '../../../lib/simulator/hub/index.js'

const accessToken = 'hf_test'
const repo = 'datasets/me/demo'

async function started(t: Test, options: Partial<HubOptions> = {}) {
  const hub = await startHub({ directory: t.testdir(), ...options })
  t.teardown(() => hub.close())
  return { hub, client: { repo, hubUrl: hub.url, accessToken } as const }
}

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

function refusal(call: Promise<unknown>): Promise<number | undefined> {
  return call.then(
    () => undefined,
    (error: { statusCode: number }) => error.statusCode,
  )
}

t.test('the real client creates, commits small, large and multipart files, lists and reads them back', async (t) => {
  const { hub, client } = await started(t, { multipartFromBytes: 250_000, partBytes: 100_000, pageEntries: 2 })
  t.equal((await whoAmI({ hubUrl: hub.url, accessToken })).auth.accessToken?.role, 'write')
  await createRepo({ ...client, visibility: 'private' })
  const contents: Record<string, Buffer> = {
    'README.md': Buffer.from('# demo\n'),
    'data/a.parquet': randomBytes(100_000),
    'data/b.parquet': randomBytes(250_001),
    'notes/中文.txt': Buffer.from('你好'),
  }
  const operations = Object.entries(contents).map(([path, bytes]) => ({
    operation: 'addOrUpdate' as const,
    path,
    content: new Blob([new Uint8Array(bytes)]),
  }))
  const made = await commit({ ...client, title: 'first', operations })
  const listed = await gather(listFiles({ ...client, recursive: true }))
  const files = listed.filter(({ type }) => type === 'file').map(({ path }) => path)
  t.same(files, Object.keys(contents).sort(), 'over several pages')
  for (const [path, bytes] of Object.entries(contents)) {
    const blob = await downloadFile({ ...client, path, revision: made?.commit.oid as string })
    t.same(Buffer.from(await (blob as Blob).arrayBuffer()), bytes, path)
    t.same(await hub.content('me/demo', path), bytes)
  }
  const [info] = await pathsInfo({ ...client, paths: ['data/b.parquet', 'missing'] })
  t.equal(
    info?.lfs?.oid,
    createHash('sha256')
      .update(contents['data/b.parquet'] as Buffer)
      .digest('hex'),
  )
  t.ok(hub.log.some(({ host, method }) => host === 'cdn' && method === 'PUT'))
})

t.test('a stale parent is 412, a taken branch 409, a pull request leaves main alone', async (t) => {
  const { hub, client } = await started(t)
  const first = hub.seed('me/demo', { 'a.txt': 'a' })
  hub.seed('me/demo', { 'b.txt': 'b' })
  const operations = [{ operation: 'delete' as const, path: 'a.txt' }]
  t.equal(await refusal(commit({ ...client, title: 'x', operations, parentCommit: first })), 412)
  await createBranch({ ...client, branch: 'next' })
  t.equal(await refusal(createBranch({ ...client, branch: 'next' })), 409)
  const opened = await commit({ ...client, title: 'x', operations, isPullRequest: true })
  t.match(opened?.pullRequestUrl, /discussions\/1$/)
  t.same(Object.keys(hub.tree('me/demo')), ['a.txt', 'b.txt'])
  t.same(Object.keys(hub.tree('me/demo', 'refs/pr/1')), ['b.txt'])
})

t.test('tokens, private and gated repositories are refused as the Hub refuses them', async (t) => {
  const tokens = {
    hf_writer: { name: 'me', role: 'write' as const },
    hf_reader: { name: 'you', role: 'read' as const },
  }
  const { hub } = await started(t, { tokens })
  hub.seed('me/secret', { 'a.txt': 'a' }, { private: true })
  hub.seed('me/gated', { 'a.txt': 'a' }, { gated: 'manual' })
  const answers = async (path: string, token?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`${hub.url}${path}`, { headers, redirect: 'manual' })
    await response.arrayBuffer()
    return [response.status, response.headers.get('x-error-code')]
  }
  t.same(await answers('/api/datasets/me/secret'), [401, 'RepoNotFound'])
  t.same(await answers('/api/datasets/me/secret', 'hf_reader'), [404, 'RepoNotFound'])
  t.same(await answers('/api/datasets/me/secret', 'hf_writer'), [200, null])
  t.same(await answers('/api/datasets/me/secret', 'hf_unknown'), [401, null])
  t.same(await answers('/api/datasets/me/gated'), [200, null])
  t.same(await answers('/datasets/me/gated/resolve/main/a.txt', 'hf_reader'), [403, 'GatedRepo'])
  t.same(await answers('/datasets/me/gated/resolve/main/a.txt'), [401, 'GatedRepo'])
  t.same(await answers('/datasets/me/gated/resolve/main/missing', 'hf_writer'), [404, 'EntryNotFound'])
  t.same(await answers('/api/datasets/me/gated/revision/nowhere'), [404, 'RevisionNotFound'])
})

t.test('faults meet the requests they are told to, by option and over HTTP', async (t) => {
  const { hub } = await started(t, { faults: [{ kind: 'rate-limit', match: '^GET /api', waitSeconds: 7 }] })
  hub.seed('me/demo', { 'a.bin': randomBytes(50_000) })
  const api = `${hub.url}/api/datasets/me/demo`
  const limited = await fetch(api)
  t.same([limited.status, limited.headers.get('ratelimit')], [429, '"api";r=0;t=7'])
  t.equal((await fetch(api)).status, 200, 'once by default')
  const set = (faults: object[]) => fetch(`${hub.url}/admin/faults`, { method: 'POST', body: JSON.stringify(faults) })
  const file = `${hub.url}/datasets/me/demo/resolve/main/a.bin`
  const range = { headers: { range: 'bytes=10-19' } }
  t.equal((await (await fetch(file, range)).arrayBuffer()).byteLength, 10)
  await set([{ kind: 'cut', match: '/cdn', afterBytes: 1000 }])
  await t.rejects(fetch(file).then((response) => response.arrayBuffer()))
  await set([{ kind: 'truncate', match: '/cdn', afterBytes: 1000 }])
  t.equal((await (await fetch(file)).arrayBuffer()).byteLength, 1000, 'a short body that ends without an error')
  await set([{ kind: 'ignore-range', match: '/cdn' }])
  const whole = await fetch(file, range)
  t.same([whole.status, (await whole.arrayBuffer()).byteLength], [200, 50_000])
  await set([{ kind: 'reset', match: 'GET /api', from: 2, times: -1 }])
  t.equal((await fetch(api)).status, 200)
  await t.rejects(fetch(api))
  t.ok(hub.log.some(({ fault, status }) => fault === 'reset' && status === 0))
})

t.test('requests over the rate of a window are refused until the next window', async (t) => {
  let now = 0
  const { hub } = await started(t, { apiRate: { requestsMax: 2, windowMs: 300_000 }, now: () => now })
  hub.seed('me/demo', { 'a.txt': 'a' })
  const ask = async () => (await fetch(`${hub.url}/api/datasets/me/demo`)).status
  t.same([await ask(), await ask(), await ask()], [200, 200, 429])
  now = 300_000
  t.equal(await ask(), 200)
})

t.test('what was committed is there after a restart', async (t) => {
  const directory = t.testdir()
  const first = await startHub({ directory })
  first.seed('me/demo', { 'a.txt': 'kept' })
  await first.close()
  const second = await startHub({ directory })
  t.teardown(() => second.close())
  t.equal((await second.content('me/demo', 'a.txt')).toString(), 'kept')
})
