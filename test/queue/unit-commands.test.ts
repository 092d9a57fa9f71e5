/** The commands enqueue and units on a real Redis server: units that are retried and skipped, a plan that grows, TLS. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openObjectStore } from '../../lib/objects/open-store.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { LockRenewal, type LockReport } from '../../lib/queue/lock-renewal.js'
import { readQueueAddress } from '../../lib/queue/queue-address.js'
import { UnitQueue } from '../../lib/queue/unit-queue.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { openUnits } from '../../lib/units/open-units.js'
import { planDoneKey } from '../../lib/units/unit-keys.js'
import { writeFailure } from '../../lib/units/unit-result.js'
import { assembleTiny, generateTiny, plannedIds, prepareTiny } from '../support/divided.js'
import { mainInProcess } from '../support/main-in-process.js'
import { freePort, RedisServer, redisMissing } from '../support/redis.js'
import { projectRoot } from '../support/root.js'

const skip = redisMissing
t.setTimeout(200_000)
const name = 'test'

/** A prepared run of a few units; no server is called. */
async function prepared(t: Test, endpoint = 'http://127.0.0.1:9'): Promise<string> {
  const root = t.testdir()
  const shard = join(root, 'few.jsonl')
  const texts = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'), 'utf8')
  writeFileSync(shard, `${texts.split('\n').slice(0, 13).join('\n')}\n`)
  const sources = [{ split: 'skypile', preset: 'skypile', files: shard }]
  const set = [`sources=${JSON.stringify(sources)}`, 'output.candidatesPerCut=5', 'read.blockBytes=1KiB']
  const directory = join(root, 'run')
  await prepareTiny({ directory, endpoint, small: true, set }, false)
  return directory
}

async function startRedis(t: Test, lines: readonly string[] = []): Promise<RedisServer> {
  const redis = await RedisServer.start(t.testdirName, lines)
  t.teardown(() => redis.kill())
  return redis
}

async function openQueue(t: Test, url: string, caFile?: string): Promise<UnitQueue> {
  const address = await readQueueAddress({ queue: url, ...(caFile !== undefined && { caFile }) })
  const queue = await UnitQueue.open({ address, name, connectMsMax: 10_000 }, true)
  t.teardown(() => queue.close())
  return queue
}

t.test('units retry puts units that were set aside in front, and forgets their failures', { skip }, async (t) => {
  const directory = await prepared(t)
  const redis = await startRedis(t)
  const options = ['--queue', redis.url, '--queue-name', name]
  const [first = '', bad = ''] = await plannedIds(directory)
  const store = await openObjectStore(directory)
  for (let tries = 0; tries < 3; tries++) await writeFailure(store, bad, `${tries}`.repeat(16), new Error('bad unit'))
  await store.close()
  const filled = await mainInProcess(t, ['enqueue', directory, ...options])
  t.match(filled.stdout, '1 unit set aside after repeated failures')
  t.match((await mainInProcess(t, ['units', 'ls', directory, ...options])).stdout, `set aside  ${bad}`)

  const neither = await mainInProcess(t, ['units', 'retry', directory, ...options])
  t.match(neither, { code: 2, stderr: /give the ids of units, or --all/ })
  const unknown = await mainInProcess(t, ['units', 'retry', directory, `000099-${'a'.repeat(20)}`, ...options])
  t.match(unknown, { code: 2, stderr: /is not in the plan/ })

  const again = await mainInProcess(t, ['units', 'retry', directory, '--all', ...options])
  t.match(again, { code: 0, stdout: '1 unit put back in the queue' })
  const queue = await openQueue(t, redis.url)
  const taken = await queue.take()
  t.match(taken, { unit: bad, forgiven: 3, losses: 0, admission: 'start' })
  t.match(await queue.take(), { unit: first, forgiven: 0 })
  // One that a worker holds is left alone.
  const held = await mainInProcess(t, ['units', 'retry', directory, bad, ...options])
  t.match(held, { code: 0, stdout: '0 units put back', stderr: '1 unit left alone' })
})

t.test('units skip rejects every record of a unit, and the rest is as before', { skip }, async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = await prepared(t, server.url)
  const ids = await plannedIds(directory)
  const [, unit = ''] = ids
  const run = await openUnits(directory, { readOnly: true })
  t.teardown(() => run.close())
  const records = await run.candidates(unit)
  const { code, stdout, stderr } = await mainInProcess(t, ['units', 'skip', directory, unit])
  t.equal(code, 0)
  t.match(stdout, `${unit}: ${records.length} records will be rejected with the reason unit-poison`)
  t.match(stderr, `generate ${directory} --unit ${unit}`)
  t.strictSame(await run.candidates(unit), [])
  await generateTiny(directory, ids)
  t.match(await assembleTiny(directory), { end: 'complete' })
  const rejected: string[] = []
  for (const file of await nodeFiles.list(join(directory, 'rejects'))) {
    const part = await openPart(join(directory, 'rejects', file))
    for await (const row of rowsOf(part)) if (row.reason === 'unit-poison') rejected.push(String(row.id))
    await part.close()
  }
  t.strictSame(rejected, records)
})

t.test('enqueue --follow adds what prepare plans meanwhile, and ends with the last unit', { skip }, async (t) => {
  const directory = await prepared(t)
  const redis = await startRedis(t)
  const ids = await plannedIds(directory)
  const [plan, done] = [join(directory, 'plan/000000.jsonl'), join(directory, planDoneKey)]
  const whole = readFileSync(plan)
  // As after the first unit.
  renameSync(done, `${done}.later`)
  writeFileSync(plan, `${whole.toString('utf8').split('\n')[0]}\n`)
  const following = mainInProcess(t, [
    'enqueue',
    directory,
    '--queue',
    redis.url,
    '--queue-name',
    name,
    '--follow',
    '--json',
  ])
  const queue = await openQueue(t, redis.url)
  for (const end = performance.now() + 60_000; performance.now() < end; await delay(50))
    if ((await queue.counts()).waiting === 1) break
  writeFileSync(plan, whole)
  renameSync(`${done}.later`, done)
  const { code, stdout } = await following
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { planned: ids.length, added: ids.length, complete: true })
  t.equal((await queue.counts()).waiting, ids.length)
})

/** Redis may be built without TLS, which then does not know the option. */
const tlsMissing = ((): string | false => {
  if (redisMissing !== false) return redisMissing
  const { stdout, stderr } = spawnSync('redis-server', ['--port', '0', '--tls-port', 'none'], {
    encoding: 'utf8',
    timeout: 10_000,
  })
  return /Bad directive/.test(stdout + stderr) ? 'redis-server is built without TLS' : false
})()

t.test(
  'over TLS, units are added, held and completed; a certificate that nobody vouches for is refused',
  { skip: tlsMissing },
  async (t) => {
    const directory = await prepared(t)
    const keys = join(t.testdirName, 'keys')
    mkdirSync(keys)
    const [key, certificate] = [join(keys, 'key.pem'), join(keys, 'certificate.pem')]
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', certificate, ...names], {
      stdio: 'ignore',
    })
    const port = await freePort()
    const redis = await startRedis(t, [
      ...[`tls-port ${port}`, `tls-cert-file ${certificate}`, `tls-key-file ${key}`, 'tls-auth-clients no'],
    ])
    t.not(redis.port, port)
    process.env.KUN_TEST_QUEUE = `rediss://localhost:${port}`
    t.teardown(() => delete process.env.KUN_TEST_QUEUE)
    const options = ['--queue', 'env:KUN_TEST_QUEUE', '--queue-name', name]
    const filled = await mainInProcess(t, ['enqueue', directory, ...options, '--queue-ca', certificate])
    t.match(filled, { code: 0, stdout: /3 units in the queue/ }, filled.stderr.replaceAll(/[{}#]/g, ' '))
    const unknown = await mainInProcess(t, ['enqueue', directory, ...options])
    t.match(unknown, { code: 2, stderr: /refused the connection: .*certificate/ })

    for (const host of ['localhost', '127.0.0.1']) {
      const url = `rediss://${host}:${port}`
      const queue = await openQueue(t, url, certificate)
      const taken = await queue.take()
      if (taken === null) throw new Error('no unit')
      const address = await readQueueAddress({ queue: url, caFile: certificate })
      const renewed = new Promise<LockReport>((resolve) => {
        LockRenewal.start({ address, name, lockMs: 60_000 }, resolve).then((renewal) => {
          t.teardown(() => renewal.close())
          renewal.hold({ jobId: taken.jobId, token: taken.token })
        }, resolve)
      })
      t.match(await renewed, { jobId: taken.jobId, state: 'renewed' }, `the lock is renewed over TLS to ${host}`)
      t.equal(await queue.complete(taken), true)
    }
  },
)
