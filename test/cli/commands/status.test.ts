import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { planOf, planText } from '../../../lib/cli/commands/plan.js'
import { statusOf, statusText } from '../../../lib/cli/commands/status.js'
import { watchStatus } from '../../../lib/cli/watch-status.js'
import { openObjectStore } from '../../../lib/objects/open-store.js'
import { parseRecipe } from '../../../lib/recipe/index.js'
import { appendTimings, type CallTimings } from '../../../lib/report/timings.js'
import type { UnitProgress } from '../../../lib/report/unit-progress.js'
import { startS3 } from '../../../lib/simulator/s3/index.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { lockRunDirectory } from '../../../lib/storage/lock/lock.js'
import { resultKey } from '../../../lib/units/unit-keys.js'
import { UnitProgressReader } from '../../../lib/units/unit-progress.js'
import { writeFailure } from '../../../lib/units/unit-result.js'
import { generateTiny, plannedIds, prepareTiny } from '../../support/divided.js'
import { mainInProcess } from '../../support/main-in-process.js'
import { runTiny, tinyRecipe } from '../../support/session.js'

const noUnits: UnitProgress = {
  ...{
    planned: 0,
    planComplete: false,
    done: 0,
    begun: 0,
    failed: 0,
    setAside: 0,
    failedAttempts: 0,
    candidates: 0,
    candidatesDone: 0,
  },
  ...{ rows: 0, tokens: 0, workSeconds: 0, unitsPerSecond: null, secondsLeft: null },
}

const call: CallTimings = {
  startedAt: '2026-01-01T10:00:00.000Z',
  seconds: 600,
  end: 'input',
  host: 'here',
  node: 'v20',
  bottleneck: 'servers',
  peakMemoryBytes: 2e8,
  peakReorderBytes: 0,
  readBytes: 1,
  readBytesPerSecond: 1,
  cuts: 1,
  tokens: 1,
  tokensPerSecond: 1234,
  retries: 0,
  repliesServedFromDisk: 0,
  nodes: [],
  endpoints: [],
}

t.test('plan prints what would be read and called, status what is committed; neither writes', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const directory = join(root, 'run')
  const plan = (...set: string[]) => planOf(parseRecipe(tinyRecipe(server.url, true), 'tiny.yaml', set), directory)
  const before = stripVTControlCharacters(planText(await plan()))
  t.match(before, /^tiny would read 2 shards, 2\d\d kB\n {2}skypile +1 shard +1\d\d kB/)
  t.match(before, /\n {2}label +1 call {2}to writer at http.*run does not contain a run\.$/s)
  t.equal(existsSync(directory), false)
  await t.rejects(statusOf(directory), { code: 'KUN_USAGE', message: /cannot be read: there is no such directory/ })
  await t.rejects(statusOf(root), { code: 'KUN_USAGE', message: /is not a run directory/ })

  await runTiny({ directory, endpoint: server.url, small: true })
  t.match(await plan(), { state: 'resumes', differences: [], cutsCommitted: Number })
  t.match(await plan('kun.score.keepAtLeast=0.4'), {
    state: 'refused',
    differences: ['kun.score.keepAtLeast: 0.5 in the directory, 0.4 in the recipe'],
  })
  const { splits } = JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8'))
  t.match(await statusOf(directory), { name: 'tiny', rows: splits.skypile.rows, holder: null, lastCall: null })

  const now = new Date('2026-01-01T10:12:00Z')
  const said = async () => stripVTControlCharacters(statusText(await statusOf(directory), 80, now))
  t.match(await said(), /^tiny: \d+ cuts are committed, \d+ rows.*\n\nNo run is in progress\.$/s)
  await appendTimings(directory, call)
  t.match(
    await said(),
    /The last one ended at the end of its input, 2 min ago\.\n {2}1234 tokens\/s.*bottleneck: the model servers/,
  )
  await appendTimings(directory, { ...call, end: 'KUN_DRIFT' })
  t.match(await said(), /The last one was stopped by KUN_DRIFT, 2 min ago; run it again to resume/)
  await appendTimings(directory, { ...call, end: 'running' })
  t.match(await said(), /The last one was killed/)
  const lock = await lockRunDirectory(directory)
  t.match(await said(), new RegExp(`A run is in progress: process ${process.pid} on .*, for 10 min\n`))
  await lock.release()
  writeFileSync(join(directory, 'timings.json'), '{')
  t.match(await said(), /No run is in progress\.$/)
})

t.test('status of a run in units counts results and failed attempts, without a worker or a queue', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true, set: ['output.candidatesPerCut=40'] })
  const ids = await plannedIds(directory)
  const planned = ids.length
  t.ok(planned > 2, `${planned} units`)
  const last = ids.at(-1) as string
  t.match((await statusOf(directory)).units, { planned, planComplete: true, done: 0, failed: 0, secondsLeft: null })

  await generateTiny(directory, ids.slice(0, 2))
  const store = await openObjectStore(directory)
  await writeFailure(store, last, 'a'.repeat(16), new Error('no memory'))
  await writeFailure(store, last, 'b'.repeat(16), new Error('no memory'))
  await store.close()
  const status = await statusOf(directory)
  t.match(status.units, { planned, done: 2, failed: 1, failedAttempts: 2, rows: Number, tokens: Number })
  const { candidates = 0, candidatesDone = 0 } = status.units ?? {}
  t.ok(candidatesDone >= 80 && candidatesDone < candidates, `${candidatesDone} of ${candidates} candidates`)
  t.ok((status.units?.secondsLeft ?? 0) > 0)
  const said = stripVTControlCharacters(statusText(status, 80))
  t.match(said, `Units: 2 of ${planned} are generated (${Math.floor(200 / planned)} %), `)
  t.match(said, '1 unit without a result: 2 attempts failed')
  t.match(said, /units an hour, .+ a unit, about .+ left/)
})

t.test('status of a bucket counts its units', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir({ bucket: {} })
  const s3 = await startS3({ directory: join(root, 'bucket') })
  t.teardown(() => s3.close())
  const before = { ...process.env }
  Object.assign(process.env, s3.environment)
  t.teardown(() => {
    for (const name of Object.keys(s3.environment)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
  const directory = 's3://kun/run'
  t.match(await mainInProcess(t, ['status', directory]), {
    code: 2,
    stderr: /s3:\/\/kun\/run has no run\.json: prepare a recipe there first/,
  })
  const set = ['output.candidatesPerCut=40']
  await prepareTiny({ directory, work: join(root, 'work'), endpoint: server.url, small: true, set })
  const ids = await plannedIds(directory)
  await generateTiny(directory, ids.slice(0, 2))
  const { code, stdout } = await mainInProcess(t, ['status', directory, '--json'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { directory, name: 'tiny', units: { planned: ids.length, done: 2, planComplete: true } })
  const said = stripVTControlCharacters((await mainInProcess(t, ['status', directory])).stdout)
  t.match(said, `tiny: units in ${directory}`)
  t.match(said, `Units: 2 of ${ids.length} are generated`)
  t.match(await mainInProcess(t, ['verify', directory]), { code: 2, stderr: /is a bucket: give the run directory/ })
})

t.test('the progress of units reads each result and each full file of the plan once', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true, set: ['output.candidatesPerCut=20'] })
  const [first = '', second = '', third = ''] = await plannedIds(directory)
  await generateTiny(directory, [first, second])
  const store = await openObjectStore(directory, { readOnly: true })
  const keys: string[] = []
  const get = (key: string): Promise<Uint8Array | null> => {
    keys.push(key)
    return store.get(key)
  }
  const reader = new UnitProgressReader(
    new Proxy(store, { get: (_, name) => (name === 'get' ? get : bound(store, name)) }),
  )
  const read = async (): Promise<[UnitProgress | null, string[]]> => [await reader.read(), keys.splice(0).sort()]
  const results = [first, second].map(resultKey)
  t.match(await read(), [{ done: 2 }, ['plan/000000.jsonl', 'plan/done.json', ...results]])
  t.match(await read(), [{ done: 2, planComplete: true }, { length: 0 }])
  await generateTiny(directory, [third])
  await writeFailure(store, third, 'a'.repeat(16), new Error('of an attempt before'))
  const [progress, again] = await read()
  t.strictSame(again, [resultKey(third)])
  t.strictSame(progress, await new UnitProgressReader(store).read(), 'as read anew')
  t.match(progress, { done: 3, failed: 0 })
})

t.test('status --watch continues while units are left, though no process holds the run', async (t) => {
  const units = { ...noUnits, planned: 2, planComplete: true }
  const found = [1, 2].map((done) => ({
    directory: 'run',
    name: 'tiny',
    holder: null,
    progress: null,
    units: { ...units, done },
  }))
  const lines: string[] = []
  const write = t.capture(process.stdout, 'write', (text: string) => lines.push(text) > 0)
  const last = await watchStatus(
    async () => found[lines.length] as (typeof found)[number],
    (status) => `${status.units.done} done`,
  )
  write.restore()
  t.equal(last, found[1])
  t.strictSame(lines, ['1 done\n'])
})

function bound<T extends object>(object: T, name: string | symbol): unknown {
  const value = object[name as keyof T]
  return typeof value === 'function' ? value.bind(object) : value
}
