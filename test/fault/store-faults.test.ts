/** Runs in units over a store that fails: at every operation of prepare, and as S3 does. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { StorageError } from '../../lib/errors.js'
import type { ObjectStore } from '../../lib/objects/object-store.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { type S3Fault, type SimulatedS3, startS3 } from '../../lib/simulator/s3/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { assembleTiny, generateTiny, plannedIds, prepareTiny } from '../support/divided.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny } from '../support/session.js'

t.setTimeout(400_000)

/** A source of a few documents: some candidates in three units. */
function fewDocuments(root: string): string[] {
  const shard = join(root, 'few.jsonl')
  const texts = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'), 'utf8')
  writeFileSync(shard, `${texts.split('\n').slice(0, 13).join('\n')}\n`)
  return [
    `sources=${JSON.stringify([{ split: 'skypile', preset: 'skypile', files: shard }])}`,
    'output.candidatesPerCut=5',
    'read.blockBytes=1KiB',
  ]
}

const operations = ['putIfAbsent', 'put', 'putFile', 'get', 'getFile', 'head', 'remove'] as const

/** Lets operation `failAt` fail; every second time after it was done, as when the response is lost. */
class FailingStore {
  #count = 0
  failed: string | null = null

  constructor(readonly failAt: number) {}

  around(store: ObjectStore): ObjectStore {
    const fail = (name: string, key: unknown): never => {
      this.failed = `${name} ${String(key)}`
      throw new StorageError(`operation ${this.failAt} of the store failed`)
    }
    return new Proxy(store, {
      get: (_, name) => {
        const value = store[name as keyof ObjectStore]
        if (typeof value !== 'function') return value
        const call = (value as (...args: unknown[]) => Promise<unknown>).bind(store)
        if (!(operations as readonly (string | symbol)[]).includes(name)) return call
        return async (...args: unknown[]) => {
          if (++this.#count !== this.failAt) return call(...args)
          if (this.failAt % 2 === 1) return fail(String(name), args[0])
          await call(...args)
          return fail(String(name), args[0])
        }
      },
    })
  }
}

t.test('a failure at any operation of the store in prepare leaves a plan that the next call completes', async (t) => {
  const root = t.testdir()
  const set = fewDocuments(root)
  // No server is asked for anything.
  const run = { endpoint: 'http://127.0.0.1:9', set, small: true }
  const directory = join(root, 'run')
  await prepareTiny({ ...run, directory }, false)
  const ids = await plannedIds(directory)
  t.ok(ids.length >= 3, `${ids.length} units`)
  let failures = 0
  for (let failAt = 1; ; failAt++) {
    rmSync(directory, { recursive: true, force: true })
    const failing = new FailingStore(failAt)
    const failure = await prepareTiny({ ...run, directory, around: (store) => failing.around(store) }, false).catch(
      (error: Error) => error,
    )
    if (failing.failed === null) break
    failures++
    if (!(failure instanceof StorageError)) t.fail(`${failing.failed}: no failure`)
    await prepareTiny({ ...run, directory }, false)
    t.strictSame(await plannedIds(directory), ids, failing.failed)
  }
  t.ok(failures > ids.length * 2, `${failures} operations failed`)
})

async function startBucket(t: Test, root: string): Promise<SimulatedS3> {
  const s3 = await startS3({ directory: root })
  t.teardown(() => s3.close())
  const before = { ...process.env }
  Object.assign(process.env, s3.environment)
  t.teardown(() => {
    for (const name of Object.keys(s3.environment)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
  return s3
}

t.test('what S3 does to generate and assemble changes no byte', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir({ bucket: {} })
  const s3 = await startBucket(t, join(root, 'bucket'))
  const set = fewDocuments(root)
  const [single, work, into] = [join(root, 'single'), join(root, 'work'), join(root, 'out')]
  await runTiny({ directory: single, endpoint: server.url, set, small: true })
  const directory = 's3://kun/run'
  await prepareTiny({ directory, work, endpoint: server.url, set, small: true })
  const ids = await plannedIds(directory)

  const results = 'PUT .*/results/'
  const generating: S3Fault[] = [
    { kind: 'lost', match: results },
    { kind: 'status', status: 409, code: 'ConditionalRequestConflict', match: results, from: 2 },
    { kind: 'status', status: 412, code: 'PreconditionFailed', match: results, from: 4 },
    { kind: 'reset', match: results, from: 5 },
    { kind: 'status', status: 503, code: 'SlowDown', match: 'PUT .*/attempts/' },
    { kind: 'status', status: 500, code: 'InternalError', match: 'GET .*/units/' },
    { kind: 'cut', match: 'GET .*/units/', from: 2 },
    { kind: 'slow', waitMs: 300, match: 'PUT .*/attempts/', from: 3 },
    { kind: 'stale-list', match: 'list-type', times: -1 },
  ]
  s3.faults.set(generating)
  t.strictSame(
    await generateTiny(directory, ids),
    ids.map(() => 'committed'),
  )
  const seen = (): (string | null)[] => s3.log.map(({ fault }) => fault)
  const kinds = (faults: readonly S3Fault[]): string[] => [...new Set(faults.map(({ kind }) => kind))]
  t.strictSame(
    kinds(generating).filter((kind) => !seen().includes(kind)),
    [],
    'every fault was met',
  )
  const assembling: S3Fault[] = [
    { kind: 'cut', match: 'GET .*/attempts/' },
    { kind: 'reset', match: 'GET .*/results/' },
    { kind: 'status', status: 503, code: 'SlowDown', match: 'GET .*/attempts/', from: 3 },
    { kind: 'lost', match: 'GET .*/plan/' },
    { kind: 'stale-list', match: 'list-type', times: -1 },
  ]
  const before = s3.log.length
  s3.faults.set(assembling)
  t.match(await assembleTiny(directory, [], into), { end: 'complete', cuts: ids.length })
  t.ok(s3.log.slice(before).filter(({ fault }) => fault !== null).length >= 4, 'faults were met')
  t.strictSame(bytesOf(into), bytesOf(single))
  t.match(await verifyDirectory(into), { findings: [] })
})

t.test('of two hosts that prepare into one bucket the first one prepares, and the other is told which', async (t) => {
  const root = t.testdir({ bucket: {} })
  await startBucket(t, join(root, 'bucket'))
  const set = fewDocuments(root)
  const run = { directory: 's3://kun/run', endpoint: 'http://127.0.0.1:9', set, small: true }
  const works = [join(root, 'first'), join(root, 'second')] as const
  const ends = await Promise.allSettled(works.map((work) => prepareTiny({ ...run, work }, false)))
  const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error & { code: string }] : []))
  const [winner, loser] = ends[0]?.status === 'fulfilled' ? works : [...works].reverse()
  t.equal(refused.length, 1)
  t.match(refused[0], { code: 'KUN_RUN_LOCKED', message: `in ${winner}: continue there` })
  const ids = await plannedIds(run.directory)
  // Once the plan is complete there is nothing left to write: any host may look.
  t.match(await prepareTiny({ ...run, work: loser as string }, false), { added: 0, units: ids.length })
  t.match(await prepareTiny({ ...run, work: winner as string }, false), { added: 0, units: ids.length })
})
