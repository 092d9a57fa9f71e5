import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from '@huggingface/hub'
import t, { type Test } from 'tap'
import type { Clock } from '../../lib/core/types.js'
import { parseRateLimit } from '../../lib/hub/request-budget.js'
import { hubSettings } from '../../lib/hub/settings.js'
import { type HubTransportOptions, hubTransport } from '../../lib/hub/transport.js'
import { type Hub, type HubOptions, startHub } from '../../lib/simulator/hub/index.js'
import { type HubShardsOptions, hubShards } from '../../lib/sources/hub-shards.js'
import type { Shard } from '../../lib/sources/shard.js'

const token = 'hf_test'
const never = new AbortController().signal
const mapping = { text: 'text' }

/** Time that passes only by waiting, and remembers for how long. */
function patientClock(): Clock & { waits: number[] } {
  const waits: number[] = []
  let now = 0
  return {
    waits,
    now: () => now,
    sleep: async (waitMs, signal) => {
      signal?.throwIfAborted()
      waits.push(waitMs)
      now += waitMs
    },
  }
}

async function started(t: Test, options: Partial<HubOptions> = {}, fetchOptions: HubTransportOptions = {}) {
  const hub = await startHub({ directory: join(t.testdir({ hub: {}, cache: {} }), 'hub'), ...options })
  const clock = patientClock()
  const settings = hubSettings({ hubUrl: hub.url, token, environment: {} })
  const transport = hubTransport(settings, fetchOptions, clock)
  t.teardown(async () => {
    await hub.close()
    await transport.close()
  })
  const shards = (more: Partial<HubShardsOptions> = {}) =>
    hubShards({ repo: 'me/corpus', files: 'data/**', split: 'a', mapping, token, hubUrl: hub.url, transport, ...more })
  return { hub, clock, settings, transport, shards }
}

async function bytesOf(shard: Shard, offset = 0, signal = never): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of shard.open(offset, signal)) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces)
}

function served(hub: Hub): number {
  return hub.log.filter(({ method }) => method === 'GET').reduce((sum, { bytesOut }) => sum + bytesOut, 0)
}

t.test('globs are listed over pages, sorted by code unit, and pinned to the commit', async (t) => {
  const { hub, shards } = await started(t, { pageEntries: 2, xet: true })
  const names = ['data/b.jsonl', 'data/a.jsonl', 'data/deep/c.jsonl', 'other/d.jsonl', 'data/é 中文.jsonl']
  const commit = hub.seed('me/corpus', Object.fromEntries(names.map((name) => [name, `{"text":"${name}"}\n`])))
  const listed = await shards({ files: ['data/**/*.jsonl'] })
  t.equal(listed.commit, commit)
  const paths = ['data/a.jsonl', 'data/b.jsonl', 'data/deep/c.jsonl', 'data/é 中文.jsonl']
  t.same(
    listed.shards.map(({ path }) => path),
    paths,
  )
  hub.seed('me/corpus', { 'data/a.jsonl': 'changed on main\n' })
  for (const shard of listed.shards) {
    t.equal((await bytesOf(shard)).toString(), `{"text":"${shard.path}"}\n`, shard.path)
    t.match(shard.version, new RegExp(`^${commit} [0-9a-f]{40,64}$`))
  }
  const without = await shards({ files: ['data/**', '!**/deep/*', '!**/a.*'] })
  t.same(
    without.shards.map(({ path }) => path),
    ['data/b.jsonl', 'data/é 中文.jsonl'],
    'what begins with ! takes out',
  )
  await t.rejects(shards({ files: 'nothing/*' }), { code: 'KUN_SOURCE_NOT_FOUND', message: /of 5 listed/ } as never)
})

t.test('connections broken at random places in every shard give the same bytes, each downloaded once', async (t) => {
  const seed = 20_26
  t.comment(`seed ${seed}`)
  const { hub, shards } = await started(t, { xet: true })
  const contents = Object.fromEntries(
    Array.from({ length: 4 }, (_, number) => [`data/${number}.bin`, randomBytes(1_500_000 + number)]),
  )
  hub.seed('me/corpus', contents)
  hub.faults.add({ kind: 'cut', match: '/cdn', rate: 0.7, times: -1, seed })
  const { shards: found } = await shards()
  for (const shard of found) {
    t.ok((await bytesOf(shard)).equals(contents[shard.path] as Buffer), shard.path)
    t.ok((await bytesOf(shard, 700_000)).equals((contents[shard.path] as Buffer).subarray(700_000)), 'from the middle')
  }
  const cuts = hub.log.filter(({ fault }) => fault === 'cut').length
  t.ok(cuts > 8, `${cuts} connections were cut`)
  const wanted = found.reduce((sum, { sizeBytes }) => sum + (sizeBytes as number) * 2 - 700_000, 0)
  t.ok(served(hub) <= wanted * 1.05, `${served(hub)} bytes served for ${wanted}`)
})

t.test('a body that ends early, an ignored Range and an expired signature are noticed and mended', async (t) => {
  let now = 0
  const { hub, shards } = await started(t, { signedUrlMs: 1000, now: () => now })
  const content = randomBytes(400_000)
  hub.seed('me/corpus', { 'data/a.bin': content })
  const { shards: found } = await shards()
  const shard = found[0] as Shard
  hub.faults.set([
    { kind: 'truncate', match: '/cdn', afterBytes: 100_000 },
    { kind: 'ignore-range', match: '/cdn', from: 2, times: 2 },
  ])
  t.ok((await bytesOf(shard)).equals(content), 'read on where the short body ended')
  hub.faults.set([
    { kind: 'cut', match: '/cdn', afterBytes: 100_000 },
    { kind: 'ignore-range', match: '/cdn', times: -1 },
  ])
  t.ok((await bytesOf(shard)).equals(content), 'what a server without ranges sends twice is thrown away')
  now = 5000
  hub.faults.set([])
  t.same(Buffer.from(await shard.read(1000, 50, never)), content.subarray(1000, 1050), 'resolved again')
  t.ok(hub.log.some(({ host, status }) => host === 'cdn' && status === 403))
})

t.test('a file that is not the one listed is ShardChangedError: size, ETag, sha256', async (t) => {
  const { hub, shards } = await started(t)
  hub.seed('me/corpus', { 'data/a.bin': randomBytes(100_000), 'data/b.txt': 'small, in Git' })
  const first = async () => (await shards()).shards[0] as Shard
  const changed = { code: 'KUN_SHARD_CHANGED' } as never
  const faults = [
    [{ kind: 'wrong-size', match: '/resolve/' }],
    [{ kind: 'wrong-size', match: 'GET /cdn' }],
    [{ kind: 'wrong-etag', match: '/resolve/' }],
    [
      { kind: 'cut', match: '/cdn' },
      { kind: 'wrong-etag', match: '/cdn', from: 2 },
    ],
    [{ kind: 'corrupt', match: '/cdn' }],
  ] as const
  for (const fault of faults) {
    const shard = await first()
    hub.faults.set(fault)
    await t.rejects(bytesOf(shard), changed, JSON.stringify(fault))
    hub.faults.set([])
  }
  hub.faults.set([{ kind: 'wrong-size', match: '/tree/' }])
  const { shards: misjudged } = await shards({ files: 'data/b.txt' })
  await t.rejects(bytesOf(misjudged[0] as Shard), changed, 'the listing is wrong')
})

t.test('a reader that stops takes no more; an aborted one rejects with the reason', async (t) => {
  const { hub, shards } = await started(t)
  hub.seed('me/corpus', { 'data/a.bin': Buffer.alloc(64 * 1024 * 1024, 'x') })
  const shard = (await shards()).shards[0] as Shard
  for await (const piece of shard.open(0, never)) {
    t.ok(piece.length > 0)
    break
  }
  const stop = new AbortController()
  const reading = bytesOf(shard, 0, stop.signal)
  stop.abort(new Error('enough'))
  await t.rejects(reading, { message: 'enough' } as never)
  await t.rejects(bytesOf(shard, 0, AbortSignal.abort(new Error('before'))), { message: 'before' } as never)
  t.ok(served(hub) < 60 * 1024 * 1024, `${served(hub)} bytes served of 64 MiB`)
})

t.test('with a cache the shard is downloaded once, whole, and goes on after a broken run', async (t) => {
  const { hub, shards } = await started(t)
  const content = randomBytes(300_000)
  const cache = join(t.testdirName, 'cache')
  hub.seed('me/corpus', { 'data/a.bin': content })
  const open = async () => (await shards({ cache })).shards[0] as Shard
  hub.faults.set([
    { kind: 'cut', match: '/cdn', afterBytes: 200_000 },
    { kind: 'reset', match: '/cdn', from: 2, times: -1 },
  ])
  await t.rejects(bytesOf(await open()), { code: 'KUN_HUB_UNAVAILABLE' } as never)
  hub.faults.set([])
  t.ok((await bytesOf(await open())).equals(content))
  t.ok(served(hub) < 320_000, 'the part on disk was not asked for again')
  const before = hub.log.length
  const again = await open()
  t.same(Buffer.from(await again.read(5, 10, never)), content.subarray(5, 15))
  t.ok(
    hub.log.slice(before).every(({ path }) => !path.includes('/resolve/')),
    'read from disk',
  )
  t.equal(readdirSync(cache).length, 1)
})

t.test('every refusal says what to do', async (t) => {
  const tokens = { hf_reader: { name: 'you', role: 'read' as const } }
  const { hub, shards, transport } = await started(t, { tokens })
  hub.seed('me/corpus', { 'data/a.bin': 'x' })
  hub.seed('me/gated', { 'data/a.bin': 'x' }, { gated: 'manual' })
  hub.seed('me/secret', { 'data/a.bin': 'x' }, { private: true })
  const refused = async (message: RegExp, options: Partial<HubShardsOptions>, read = false) => {
    const attempt = async () => {
      const listed = await shards({ token: 'hf_reader', ...options })
      if (read) await bytesOf(listed.shards[0] as Shard)
    }
    await t.rejects(attempt(), { code: 'KUN_HUB_ACCESS', message } as never, String(message))
  }
  await refused(/there is no dataset me\/missing .* cannot see it\. Check owner\/name/, { repo: 'me/missing' })
  await refused(/or it is private and the token from the option token cannot see it/, { repo: 'me/secret' })
  await refused(/has no revision v9: see .*\/branches/, { revision: 'v9' })
  await refused(/me\/gated is gated: request access on http.*\/datasets\/me\/gated/, { repo: 'me/gated' }, true)
  await refused(/does not know the token from the option token.*create a new one/, { token: 'hf_revoked' })
  await refused(/does not know the token from the option token/, { token: 'secret' })
  await refused(/env:NO_SUCH_VARIABLE, but NO_SUCH_VARIABLE is not set/, { token: 'env:NO_SUCH_VARIABLE' })
  await t.rejects(shards({ repo: 'no-slash' }), /write owner\/name/)
  const offline = hubTransport({ ...hubSettings({ hubUrl: hub.url, environment: {} }), offline: true })
  await t.rejects(offline.request(hub.url), { code: 'KUN_HUB_ACCESS', message: /HF_HUB_OFFLINE is set/ } as never)
  await Promise.all([offline.close(), transport])
})

t.test('the environment and the token file mean what they mean elsewhere', async (t) => {
  const home = t.testdir({})
  mkdirSync(join(home, '.cache', 'huggingface'), { recursive: true })
  writeFileSync(join(home, '.cache', 'huggingface', 'token'), 'hf_file\n')
  writeFileSync(join(home, 'token'), 'hf_home\n')
  const from = (environment: Record<string, string>, given?: string) =>
    hubSettings({ environment: { HOME: home, ...environment }, token: given })
  t.equal(from({}).token, 'hf_file')
  t.equal(from({ HF_HOME: home }).token, 'hf_home')
  t.equal(from({ HF_HOME: home, HF_TOKEN: 'hf_variable' }).token, 'hf_variable')
  t.equal(from({ HF_TOKEN: 'hf_variable', MINE: 'hf_mine' }, 'env:MINE').token, 'hf_mine')
  t.equal(from({ HF_HOME: join(home, 'none') }).token, undefined)
  t.equal(from({ HF_HOME: '~' }).token, 'hf_home', 'as the Python client: ~ is expanded')
  t.equal(from({ HF_HOME: `$WHERE/$\{THERE}`, WHERE: home, THERE: '' }).token, 'hf_home', 'and variables')
  t.equal(from({ HF_HOME: '$NONE' }).token, undefined, 'a variable that is not set stays as it is')
  t.equal(from({ HF_TOKEN_PATH: '~/token' }).token, 'hf_home')
  t.equal(from({ XDG_CACHE_HOME: '$HOME/.cache' }).token, 'hf_file')
  t.equal(from({ HF_HOME: '', HF_TOKEN: ' \n', HF_TOKEN_PATH: '' }).token, 'hf_file', 'what is empty is not set')
  t.equal(from({ HF_TOKEN: ' hf_\r\nvariable\n' }).token, 'hf_variable')
  t.equal(from({ HUGGING_FACE_HUB_TOKEN: 'hf_old' }).token, 'hf_old')
  t.equal(from({ HF_TOKEN: 'hf_variable', HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }).token, undefined)
  t.equal(from({}, 'file:~/token').token, 'hf_home')
  t.equal(from({ HF_ENDPOINT: ' ' }).url, 'https://huggingface.co')
  t.match(from({}), { url: 'https://huggingface.co', mirrored: false, offline: false })
  const mirror = from({ HF_ENDPOINT: 'https://mirror.example/', HF_HUB_OFFLINE: '1' })
  t.match(mirror, { url: 'https://mirror.example', mirrored: true, offline: true })
})

t.test('429 waits as long as the Hub says, 5xx and resets wait with jitter, a 404 is not asked again', async (t) => {
  const { hub, clock, transport, settings } = await started(t, {}, { backoffMs: 100, triesMax: 4 })
  hub.seed('me/corpus', { 'a.txt': 'a' })
  const url = `${settings.url}/api/datasets/me/corpus`
  const ask = async () => {
    clock.waits.length = 0
    const answer = await transport.request(url)
    await answer.body.dump()
    return { status: answer.status, waits: [...clock.waits] }
  }
  hub.faults.set([{ kind: 'rate-limit', waitSeconds: 55 }])
  const limited = await ask()
  t.equal(limited.status, 200)
  const waited = limited.waits.reduce((sum, wait) => sum + wait, 0)
  t.ok(waited >= 55_000 && waited < 57_000, `waited ${waited} ms`)
  hub.faults.set([{ kind: 'status', status: 503, waitSeconds: 9 }])
  t.ok(((await ask()).waits[0] as number) >= 9000, 'Retry-After')
  hub.faults.set([{ kind: 'status', status: 500, times: 2 }, { kind: 'reset' }])
  const { waits, status } = await ask()
  t.same([status, waits.length], [200, 3])
  t.ok(
    waits.every((wait, at) => wait >= 50 * 2 ** at && wait <= 100 * 2 ** at),
    `waits ${waits}`,
  )
  hub.faults.set([{ kind: 'reset', times: -1 }])
  const gone = {
    code: 'KUN_HUB_UNAVAILABLE',
    exitCode: 3,
    message: /after 4 tries.*Run the same command again/,
  } as never
  await t.rejects(ask(), gone)
  hub.faults.set([{ kind: 'rate-limit', waitSeconds: 3600 }])
  await t.rejects(ask(), { code: 'KUN_HUB_UNAVAILABLE', message: /asks to wait 3600 s/ } as never)
  hub.faults.set([{ kind: 'status', status: 404 }])
  t.same(await ask(), { status: 404, waits: [] })
})

t.test('requests stay within the budget of a window', async (t) => {
  const { hub, clock, transport, settings } = await started(t, {}, { apiRequestsMax: 3, windowMs: 60_000 })
  hub.seed('me/corpus', { 'a.txt': 'a' })
  for (let request = 0; request < 7; request++) {
    await (await transport.request(`${settings.url}/api/datasets/me/corpus`)).body.dump()
  }
  t.same(clock.waits, [60_000, 60_000])
})

t.test('the Hub client works through our fetch, pages and redirects included, and keeps the error code', async (t) => {
  const { hub, transport } = await started(t, { pageEntries: 1 })
  hub.seed('me/corpus', { 'a.txt': 'a', 'b.txt': 'b' })
  hub.faults.set([{ kind: 'status', status: 502, times: 2 }])
  const client = { hubUrl: hub.url, fetch: transport.fetch, accessToken: token }
  const paths: string[] = []
  for await (const { path } of listFiles({ ...client, repo: 'datasets/me/corpus' })) paths.push(path)
  t.same(paths, ['a.txt', 'b.txt'])
  const missing = listFiles({ ...client, repo: 'datasets/me/none' }).next()
  await t.rejects(missing, { statusCode: 404, data: { errorCode: 'RepoNotFound' } } as never)
})

t.test('headers of limits are read as the Hub writes them', async (t) => {
  t.same(parseRateLimit('"api";r=0;t=55'), { requestsLeft: 0, waitMs: 55_000 })
  t.equal(parseRateLimit(undefined), null)
})
