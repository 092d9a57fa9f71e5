import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { KunStreamError } from '../../lib/errors.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { FailingFiles } from '../support/failing-files.js'
import { Random, testSeed } from '../support/random.js'
import { bytesOn, differing, documents, runMini } from './mini-run.js'

// Many whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

const seed = testSeed()
/** KUN_ALL=1 fails every operation, one a run; else as many, spread over the run from a seeded start. */
const failures = process.env.KUN_ALL === '1' ? Number.POSITIVE_INFINITY : 9
const root = t.testdir()
const input = join(root, 'documents.jsonl')
writeFileSync(input, documents(12).join('\n'))
const server = await startSimulator({ seed })
t.teardown(() => server.close())
const unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))

const run = (directory: string) => ({ directory, endpoint: server.url, input })
const plain = join(root, 'plain')
const counting = new FailingFiles(0, '')
await runMini(run(plain), { files: counting })
const expected = await bytesOn(nodeFiles, plain)

t.test(`the Nth file operation fails: a clean stop that resumes to the same bytes (seed ${seed})`, async (t) => {
  const stride = Math.max(1, counting.operations / failures)
  const start = new Random(seed).next() * stride
  t.ok(counting.operations > 150, `${counting.operations} operations in a run`)
  const kinds = [
    { errno: 'EIO', lasting: false },
    { errno: 'ENOSPC', lasting: true },
    { errno: 'EMFILE', lasting: false },
  ] as const
  for (let place = 0; start + place * stride < counting.operations; place++) {
    const at = 1 + Math.floor(start + place * stride)
    const { errno, lasting } = kinds[place % kinds.length] as (typeof kinds)[number]
    const directory = join(root, `failed-${at}`)
    const files = new FailingFiles(at, errno, lasting)
    const error = await runMini(run(directory), { files }).then(
      () => null,
      (error: unknown) => error,
    )
    const what = `${errno} at ${at} (${files.failed})`
    // A run that cannot read or write the starts of its drift reports that and goes on.
    const goesOn = !lasting && files.failed?.includes('brakes.json')
    if (files.failed === null || goesOn) t.equal(error, null, `${what}: the run ends`)
    else {
      const stopped = error as KunStreamError
      t.match(stopped, { code: 'KUN_STORAGE', exitCode: 3, details: { errno } }, `${what}: ${stopped?.message}`)
      // What cannot even be unlocked stays locked, as after a kill; its process is this one.
      const unlocked = !lasting && !files.failed.includes('lock.json')
      if (unlocked) t.notOk(existsSync(join(directory, 'lock.json')), `${what}: the lock is let go`)
      else await nodeFiles.remove(join(directory, 'lock.json'))
    }
    await runMini(run(directory))
    t.strictSame(differing(await bytesOn(nodeFiles, directory), expected), [], `${what}: resumed`)
  }
  t.strictSame(unhandled, [])
})

t.test(
  `the Nth request fails: asked again, or a clean stop that resumes to the same bytes (seed ${seed})`,
  async (t) => {
    const kinds = [
      'engine-error',
      'reset',
      'truncated-json',
      'rate-limited',
      'reset-in-body',
      'overloaded-bare',
    ] as const
    const before = server.stats().faults.requests
    await runMini(run(join(root, 'counted')))
    const requests = server.stats().faults.requests - before
    const stride = Math.max(1, requests / failures)
    const start = new Random(seed + 1).next() * stride
    for (let place = 0; start + place * stride < requests; place++) {
      const at = Math.floor(start + place * stride)
      const kind = kinds[place % kinds.length] as (typeof kinds)[number]
      const directory = join(root, `refused-${at}`)
      server.setFaults([{ kind, after: at, times: 1, retryAfterSeconds: 0.05 }])
      const error = await runMini(run(directory)).then(
        () => null,
        (error: unknown) => error,
      )
      server.setFaults([])
      // Probes are not asked again: what they find is pinned.
      if (error !== null) {
        t.ok(error instanceof KunStreamError, `${kind} at ${at}: ${error}`)
        t.notOk(existsSync(join(directory, 'lock.json')))
        await runMini(run(directory))
      }
      t.strictSame(differing(await bytesOn(nodeFiles, directory), expected), [], `${kind} at ${at} of ${requests}`)
    }
    t.strictSame(unhandled, [])
  },
)
