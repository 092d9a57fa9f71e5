/** A record that kills the workers of a queue, which are processes; and a worker that is stopped, or has no queue. */
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AbortedError } from '../../lib/errors.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { readQueueAddress } from '../../lib/queue/queue-address.js'
import { UnitQueue } from '../../lib/queue/unit-queue.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { openUnits } from '../../lib/units/open-units.js'
import { assembleTiny, plannedIds, prepareTiny } from '../support/divided.js'
import { mainInProcess } from '../support/main-in-process.js'
import {
  checkMs,
  countDone,
  lockMs,
  queueName as name,
  program,
  startRedis,
  startWorker,
  until,
} from '../support/queue-processes.js'
import { openWorkerHere } from '../support/queue-worker.js'
import { redisMissing } from '../support/redis.js'
import { projectRoot } from '../support/root.js'

const skip = redisMissing
// Processes start slowly on a machine that is busy with others.
t.setTimeout(580_000)

const preload = join(projectRoot, 'dist/test/fault/kill-at-request.js')

t.test('a record that kills its worker is found and rejected, and nothing else is', { skip }, async (t) => {
  const root = t.testdir()
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const redis = await startRedis(root)
  const directory = join(root, 'run')
  // A few documents in cuts of one: few attempts find the record.
  const shard = join(root, 'few.jsonl')
  const texts = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'), 'utf8')
  writeFileSync(shard, `${texts.split('\n').slice(0, 12).join('\n')}\n`)
  const set = ['output.candidatesPerCut=2', 'read.blockBytes=1KiB', `sources[0].files=["${shard}"]`]
  await prepareTiny({ directory, endpoint: server.url, small: true, set })
  const ids = await plannedIds(directory)
  const run = await openUnits(directory)
  t.teardown(() => run.close())
  const unit = ids[2] as string
  const records = await run.candidates(unit)
  t.equal(records.length, 2)
  // It begins with the title of its document, which no other record does.
  const record = records[0] as string
  const poison = JSON.stringify((await textOf(directory, unit, record)).slice(0, 30)).slice(1, -1)
  const environment = { NODE_OPTIONS: `--import=${preload}`, KUN_TEST_POISON: poison }
  // As a supervisor does: a worker that was killed is started again.
  for (let losses = 0; losses < 2; losses++) {
    const worker = startWorker(root, directory, redis, 2, environment)
    t.equal(await worker.ended, 'SIGKILL')
  }
  // The next one never starts the unit: the record would be seen.
  let seen = 0
  subscribe('undici:request:create', (message) => {
    const { body } = (message as { request: { body: unknown } }).request
    if (Buffer.from((body ?? '') as string | Uint8Array).includes(poison)) seen++
  })
  const here = { directory, url: redis.url, name, lockMs, checkMs, lossesMax: 2 }
  await t.rejects((await openWorkerHere(here)).work(), {
    code: 'KUN_UNITS_SET_ASIDE',
    message: `1 unit set aside after repeated failures: ${unit}`,
  })
  t.equal(countDone(directory, ids), ids.length - 1)
  const failures = await run.failures(unit)
  t.match(failures, [{ code: 'KUN_UNIT_LOST', message: '2 workers were lost with it' }])
  t.equal(failures.length, 1)

  const queue = ['--queue', redis.url, '--queue-name', name]
  const list = await mainInProcess(t, ['units', 'ls', directory, ...queue])
  t.match(list.stdout, new RegExp(`set aside +${unit}.*KUN_UNIT_LOST × 1`))
  t.equal(seen, 0, 'no other worker sent the record')
  const bisect = await withProgram({ ...environment, argv: program }, () =>
    mainInProcess(t, ['units', 'bisect', directory, unit, ...queue]),
  )
  t.equal(bisect.code, 0)
  t.match(bisect.stdout, `record ${record} will be rejected with the reason unit-poison`)
  t.equal((await run.candidates(unit)).length, records.length - 1)

  t.match(await (await openWorkerHere(here)).work(), { committed: 1 })
  t.equal(seen, 0, 'the record is no longer sent')
  t.equal((await assembleTiny(directory)).end, 'complete')
  const rejected: string[] = []
  for (const file of await nodeFiles.list(join(directory, 'rejects'))) {
    const part = await openPart(join(directory, 'rejects', file))
    for await (const row of rowsOf(part)) if (row.reason === 'unit-poison') rejected.push(String(row.id))
    await part.close()
  }
  t.strictSame(rejected, [record])
})

t.test('a worker that is stopped returns its unit, and commits without its queue', { skip }, async (t) => {
  const root = t.testdir()
  const server = await startSimulator({ preset: 'delay', latencyMs: { min: 50, max: 150 }, seed: 1 })
  t.teardown(() => server.close())
  const redis = await startRedis(root)
  const directory = join(root, 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true })
  const ids = await plannedIds(directory)
  const stop = new AbortController()
  const here = { directory, url: redis.url, name, lockMs, checkMs }
  const onTaken = (): void => stop.abort(new AbortedError('stopped'))
  await t.rejects((await openWorkerHere({ ...here, onTaken, signal: stop.signal })).work(), { code: 'KUN_ABORTED' })
  const address = await readQueueAddress({ queue: redis.url })
  const queue = await UnitQueue.open({ address, name })
  t.strictSame(await queue.counts(), { waiting: ids.length, delayed: 0, active: 0, failed: 0 })
  await queue.close()

  let paused: string | null = null
  const alone = await openWorkerHere({
    ...here,
    onTaken: (unit) => {
      if (paused === null) redis.signal('SIGSTOP')
      paused ??= unit
    },
  })
  const working = alone.work()
  await until(() => paused !== null && countDone(directory, [paused]) === 1, 'a result without a queue')
  redis.signal('SIGCONT')
  t.match(await working, { failed: 0 })
  t.equal(countDone(directory, ids), ids.length)
})

/** Environment of the processes that a command in this process starts, and the program that it starts itself with. */
async function withProgram<T>(
  { argv, ...environment }: { readonly argv: string } & Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = { argv: process.argv[1] as string, env: { ...process.env } }
  process.argv[1] = argv
  Object.assign(process.env, environment)
  try {
    return await work()
  } finally {
    process.argv[1] = before.argv
    for (const name of Object.keys(environment)) {
      if (before.env[name] === undefined) delete process.env[name]
      else process.env[name] = before.env[name]
    }
  }
}

/** The text of a record of a unit file. */
async function textOf(directory: string, unit: string, record: string): Promise<string> {
  const { readUnitFile } = await import('../../lib/units/unit-file.js')
  const { unitKey } = await import('../../lib/units/unit-keys.js')
  for await (const { records } of readUnitFile(join(directory, unitKey(Number(unit.slice(0, 6)))))) {
    for (const each of records) if ('id' in each && each.id === record) return each.text
  }
  throw new Error(`${record} is not in ${unit}`)
}
