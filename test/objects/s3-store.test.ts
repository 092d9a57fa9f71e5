import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Clock } from '../../lib/core/types.js'
import { openObjectStore } from '../../lib/objects/open-store.js'
import type { S3Fault } from '../../lib/simulator/s3/index.js'
import { contract, keysOf, text } from './contract.js'
import { s3Bench } from './s3-support.js'

t.test('a bucket with a prefix is an object store', async (t) => {
  const { open } = await s3Bench(t)
  contract(t, async () => open())
})

t.test('stores with different prefixes, or none, do not see each other’s keys', async (t) => {
  const { open } = await s3Bench(t)
  const [whole, run] = [open({}, 's3://kun'), open({}, 's3://kun/run/')]
  await run.put('a', Buffer.from('run'))
  t.equal(await whole.get('a'), null)
  t.equal(text(await whole.get('run/a')), 'run')
  t.same([whole.url, run.url, run.directory], ['s3://kun/', 's3://kun/run', null])
  await t.rejects(run.get(`${'x/'.repeat(511)}x`), { code: 'KUN_CONTRACT' }, 'with its prefix it is too long')
})

t.test('a listing of many pages is complete and in order', async (t) => {
  const { open, server } = await s3Bench(t, { pageKeys: 7 })
  const store = open()
  const keys = Array.from({ length: 30 }, (_, at) => `p/${String(at).padStart(3, '0')}`)
  for (const key of keys.toReversed()) await store.put(key, Buffer.from(key))
  t.same(await keysOf(store, 'p/'), keys)
  t.equal(server.log.filter(({ path }) => path.includes('continuation-token')).length, 4)
  server.faults.add({ kind: 'stale-list', objects: 2 })
  t.same(await keysOf(store, 'p/'), keys.slice(2), 'a listing may lag behind')
  t.equal(text(await store.get('p/000')), 'p/000', 'a look by name does not')
})

/** A fault that ends, and the operations that must survive it wherever it strikes. */
const passing: readonly S3Fault[] = [
  { kind: 'reset' },
  { kind: 'lost' },
  { kind: 'status', status: 503, code: 'SlowDown' },
  { kind: 'cut' },
]

t.test('a fault at any request changes no result', async (t) => {
  const { open, server } = await s3Bench(t, { partBytesMin: 1 })
  const directory = t.testdir({ file: 'kun-stream '.repeat(1000) })
  let requests = 0
  for (const fault of passing) {
    for (let from = 1; ; from++) {
      const prefix = `s3://kun/${fault.kind}${fault.status ?? ''}/${from}`
      const store = open({ partBytes: 4000 }, prefix)
      server.faults.set([{ ...fault, from }])
      const [before, uploads] = [server.log.length, server.openUploads]
      const what = `${fault.kind} ${fault.status ?? ''} at request ${from}`
      t.equal(await store.putIfAbsent('k', Buffer.from('mine')), true, what)
      t.equal(await store.putIfAbsent('k', Buffer.from('other')), false, what)
      t.equal(await store.putIfAbsent('big', Buffer.alloc(9000, 'big')), true, what)
      t.equal(await store.putIfAbsent('big', Buffer.alloc(9000, 'other')), false, what)
      await store.putFile('f', join(directory, 'file'))
      t.equal(await store.getFile('f', join(directory, 'copy')), true, what)
      t.equal(text(await store.get('k')), 'mine', what)
      t.same(await store.head('big'), { bytes: 9000 }, what)
      t.same(await keysOf(store, ''), ['big', 'f', 'k'], what)
      await store.remove('k')
      t.equal(await store.get('k'), null, what)
      // A start of an upload whose answer was lost is started again.
      if (fault.kind !== 'lost') t.equal(server.openUploads, uploads, what)
      if (!server.log.slice(before).some((entry) => entry.fault !== null)) break
      requests = from
    }
  }
  t.ok(requests > 15, `${requests} requests`)
})

t.test('an answer lost after success is told from another’s object by the writer’s token', async (t) => {
  const { open, server } = await s3Bench(t)
  const other = open()
  server.faults.set([{ kind: 'lost', match: '^PUT' }])
  t.equal(await other.putIfAbsent('k/1', Buffer.from('same')), true, 'stored, and the answer was lost')
  // Between the two tries of ours another writes the same bytes.
  const clock: Clock = {
    now: () => 0,
    sleep: async () => {
      t.equal(await other.putIfAbsent('k/2', Buffer.from('same')), true)
    },
  }
  server.faults.set([{ kind: 'reset', match: '^PUT' }])
  t.equal(await open({ transport: { clock } }).putIfAbsent('k/2', Buffer.from('same')), false)
})

t.test('without metadata, equal content after a lost answer counts as ours, and other content does not', async (t) => {
  const { open, server } = await s3Bench(t)
  const [mine, other] = [open(), open()]
  server.faults.set([
    { kind: 'lost', match: '^PUT' },
    { kind: 'no-metadata', match: '^HEAD' },
  ])
  t.equal(await mine.putIfAbsent('k/1', Buffer.from('mine')), true)
  await other.put('k/2', Buffer.from('thei'))
  server.faults.set([
    { kind: 'reset', match: '^PUT' },
    { kind: 'no-metadata', match: '^HEAD' },
  ])
  t.equal(await mine.putIfAbsent('k/2', Buffer.from('mine')), false)
})

t.test('a conflict with a write in progress is tried again, and ends at a limit', async (t) => {
  const { open, server } = await s3Bench(t, { partBytesMin: 1 })
  const conflict: S3Fault = {
    kind: 'status',
    status: 409,
    code: 'ConditionalRequestConflict',
    match: '^PUT|POST.*uploadId',
  }
  server.faults.set([{ ...conflict, times: 3 }])
  t.equal(await open().putIfAbsent('a', Buffer.from('a')), true)
  server.faults.set([{ ...conflict, match: '^POST.*uploadId', times: 2 }])
  t.equal(await open({ partBytes: 1000 }).putIfAbsent('b', Buffer.alloc(3500)), true)
  t.equal(server.openUploads, 0, 'uploads that conflicted are aborted')
  server.faults.set([{ ...conflict, times: -1 }])
  const lasting = open({ transport: { triesMax: 3, backoffMs: 0 } }).putIfAbsent('c', Buffer.from('c'))
  await t.rejects(lasting, { code: 'KUN_STORE_UNAVAILABLE', exitCode: 3, message: /each of 3 tries conflicted/ })
})

t.test('an upload that is completed with an error inside a response of 200 is completed again', async (t) => {
  const { open, server } = await s3Bench(t, { partBytesMin: 1 })
  server.faults.set([{ kind: 'error-inside', match: '^POST.*uploadId', times: 2 }])
  const store = open({ partBytes: 1000 })
  t.equal(await store.putIfAbsent('a', Buffer.alloc(3500, 'a')), true)
  t.same(await store.head('a'), { bytes: 3500 })
  server.faults.set([{ kind: 'error-inside', match: '^POST.*uploadId', times: -1 }])
  await t.rejects(store.putIfAbsent('b', Buffer.alloc(3500, 'a')))
  t.equal(server.openUploads, 0)
})

t.test('of two large objects for one key the one that is completed first wins', async (t) => {
  const { open } = await s3Bench(t, { partBytesMin: 1 })
  const stores = Array.from({ length: 4 }, () => open({ partBytes: 1000 }))
  const won = await Promise.all(stores.map((store, at) => store.putIfAbsent('big', Buffer.alloc(20_000, `${at}`))))
  t.equal(won.filter(Boolean).length, 1)
  t.equal(text(await open().get('big')), `${won.indexOf(true)}`.repeat(20_000))
})

t.test('a store that stays down ends after a limited number of tries, resumable', async (t) => {
  const { open, server } = await s3Bench(t)
  for (const fault of [{ kind: 'reset' }, { kind: 'status', status: 503 }] as const) {
    server.faults.set([{ ...fault, times: -1 }])
    const before = server.log.length
    const store = open({ transport: { triesMax: 4, backoffMs: 0 } })
    await t.rejects(store.get('a'), { code: 'KUN_STORE_UNAVAILABLE', exitCode: 3, message: /4 tries/ })
    t.equal(server.log.length - before, 4)
  }
})

t.test('retries are reported once an outage, so that no command waits in silence', async (t) => {
  const { server } = await s3Bench(t)
  const environment = { HOME: '/nonexistent', ...server.environment }
  const reported: string[] = []
  const clock: Clock = { now: () => 0, sleep: async () => undefined }
  const options = { readOnly: true, s3: { environment, transport: { clock } } }
  const store = await openObjectStore('s3://kun/run', { ...options, onEvent: (message) => reported.push(message) })
  t.teardown(() => store.close())
  server.faults.set([{ kind: 'status', status: 503, code: 'SlowDown', match: '^GET', times: 3 }])
  t.equal(await store.get('absent'), null)
  t.equal(await store.get('absent'), null)
  t.match(reported, [/^s3:\/\/kun\/run\/absent failed with 503 SlowDown.*: retrying in \S+ s, try 2 of 8$/])
  t.equal(reported.length, 1)
  server.faults.set([{ kind: 'reset', match: '^GET', times: -1 }])
  await t.rejects(store.get('absent'), { code: 'KUN_STORE_UNAVAILABLE' })
  t.ok(reported.length > 2, 'long waits of a second outage are reported, too')
})

t.test('a clock that is wrong is corrected by the server’s, for a look by HEAD too', async (t) => {
  for (const hours of [-5, 5]) {
    const { open, server } = await s3Bench(t, { now: () => Date.now() + hours * 3_600_000 })
    t.equal(await open().head('a'), null)
    const store = open()
    t.equal(await store.putIfAbsent('a', Buffer.from('a')), true)
    t.equal(text(await store.get('a')), 'a')
    t.equal(server.log.filter(({ status }) => status === 403).length, 2, 'one refusal a client')
  }
})

t.test('the region that a response names is used', async (t) => {
  const { open, server } = await s3Bench(t, { region: 'cn-north-1' })
  const store = open({ environment: { ...server.environment, AWS_REGION: 'eu-west-3' } })
  t.equal(await store.putIfAbsent('a', Buffer.from('a')), true)
  t.equal(server.log.length, 2)
})

t.test('keys that have expired are read again from the profile', async (t) => {
  const keys = { accessKeyId: 'id-of-account', secretAccessKey: 'secret-of-account', sessionToken: 'token-number-2' }
  const { open, server } = await s3Bench(t, { keys })
  const credentials = join(t.testdir(), 'credentials')
  const written = (token: string) =>
    writeFileSync(
      credentials,
      `[other]\naws_access_key_id = x\n[job]\naws_access_key_id=${keys.accessKeyId}\n` +
        `aws_secret_access_key = ${keys.secretAccessKey}\naws_session_token = ${token}\n`,
    )
  written('token-number-1')
  const environment = {
    AWS_ENDPOINT_URL_S3: server.url,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_PROFILE: 'job',
    AWS_SHARED_CREDENTIALS_FILE: credentials,
  }
  const store = open({ environment })
  await t.rejects(store.get('a'), { code: 'KUN_STORE_ACCESS', exitCode: 2, message: /ExpiredToken/ })
  written('token-number-2')
  t.equal(await store.get('a'), null)
})

t.test('a refusal says what to change, and shows no secret', async (t) => {
  const { open, server } = await s3Bench(t)
  const wrong = { ...server.environment, AWS_SECRET_ACCESS_KEY: 'not-the-secret-of-it' }
  const cases = [
    [open({ environment: wrong }), /SignatureDoesNotMatch.*AWS_ACCESS_KEY_ID/s],
    [open({ environment: { AWS_ENDPOINT_URL: server.url, HOME: '/nonexistent' } }), /AccessDenied.*No keys are set/s],
    [open({}, 's3://missing/run'), /NoSuchBucket.*name of the bucket/s],
  ] as const
  for (const [store, message] of cases) {
    const calls = [() => store.get('a'), () => store.putIfAbsent('a', Buffer.from('a')), () => keysOf(store, '')]
    for (const call of calls) {
      const error = (await call().catch((each: unknown) => each)) as Error & { code: string }
      t.match(error, { code: 'KUN_STORE_ACCESS', exitCode: 2, message })
      t.notMatch(JSON.stringify([error, error.message, error.stack]), /not-the-secret|simulated-secret/)
    }
  }
})

t.test('a store that ignores conditions, or does not know them, is refused when it is opened', async (t) => {
  for (const [conditions, message] of [
    ['ignored', /s3:\/\/kun\/run accepted a second write/],
    ['refused', /does not implement conditional writes/],
  ] as const) {
    const { server } = await s3Bench(t, { conditions })
    const s3 = { environment: server.environment, transport: { backoffMs: 0 } }
    await t.rejects(openObjectStore('s3://kun/run', { s3 }), { code: 'KUN_STORE_REFUSED', exitCode: 2, message })
    const store = await openObjectStore('s3://kun/run', { s3, readOnly: true })
    t.same(await keysOf(store, ''), [], 'no trial object is left')
    await store.close()
  }
})
