/**
 * Workers on a queue: killed, stopped, without a queue, with a record that kills them. Those that are killed are processes;
 * the others run in this process.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { AbortedError } from '../../lib/errors.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { readQueueAddress } from '../../lib/queue/queue-address.js'
import { UnitQueue } from '../../lib/queue/unit-queue.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { openUnits } from '../../lib/units/open-units.js'
import { resultKey } from '../../lib/units/unit-keys.js'
import { assembleTiny, manifestLines, plannedIds, prepareTiny } from '../support/divided.js'
import { mainInProcess } from '../support/main-in-process.js'
import { openWorkerHere } from '../support/queue-worker.js'
import { Random, testSeed } from '../support/random.js'
import { RedisServer, redisMissing } from '../support/redis.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny } from '../support/session.js'

const skip = redisMissing
// Processes start slowly on a machine that is busy with others.
t.setTimeout(580_000)

const program = join(projectRoot, 'dist/bin/kun-stream.js')
const preload = join(projectRoot, 'dist/test/fault/kill-at-request.js')
const [lockMs, checkMs] = [2_000, 800]
const locks = ['--lock', `${lockMs}ms`, '--check', `${checkMs}ms`, '--straggler', '2s']
const name = 'test'

interface Worker {
  readonly child: ChildProcess
  /** Units that it took, as its log says. */
  taken(): string[]
  messages(): string
  readonly ended: Promise<number | NodeJS.Signals>
}

const workers = new Set<ChildProcess>()
t.teardown(() => {
  for (const child of workers) child.kill('SIGKILL')
})

let logs = 0

function startWorker(
  root: string,
  directory: string,
  redis: RedisServer,
  losses: number,
  environment: NodeJS.ProcessEnv = {},
): Worker {
  const log = join(root, `worker-${++logs}.log`)
  const queue = ['--queue', redis.url, '--queue-name', name, '--losses', String(losses)]
  const child = spawn(process.execPath, [program, 'worker', directory, ...queue, ...locks, '--log', log], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  workers.add(child)
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      words += piece
    })
  }
  return {
    child,
    taken: () =>
      linesOf(log)
        .map((line) => JSON.parse(line) as { event?: string; msg?: string; unit?: string })
        .filter((entry) => (entry.event ?? entry.msg) === 'unit-taken')
        .map(({ unit = '' }) => unit),
    messages: () => words,
    ended: once(child, 'close').then(([code, signal]) => {
      workers.delete(child)
      return (signal ?? code) as number | NodeJS.Signals
    }),
  }
}

/** The last line may not be complete. */
function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(0, -1)
  } catch {
    return [] // not written yet
  }
}

/** Polls. */
async function until(holds: () => boolean | Promise<boolean>, what: string, msMax = 120_000): Promise<void> {
  const end = performance.now() + msMax
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${msMax / 1000} s: ${what}`)
    await delay(50)
  }
}

async function startRedis(root: string): Promise<RedisServer> {
  const folder = join(root, 'redis')
  mkdirSync(folder)
  const redis = await RedisServer.start(folder)
  t.teardown(() => redis.kill())
  return redis
}

function countDone(directory: string, ids: readonly string[]): number {
  return ids.filter((id) => existsSync(join(directory, resultKey(id)))).length
}

/** Requests about records, by the key of the client: how many, and how many of them were asked for more than once. */
function asked(log: string): { total: number; again: number } {
  const keys = linesOf(log)
    .map((line) => JSON.parse(line) as { key: string | null; complete: boolean })
    .filter(({ key, complete }) => key !== null && complete)
    .map(({ key }) => key)
  return { total: keys.length, again: keys.length - new Set(keys).size }
}

t.test(
  'workers that are killed, and a queue that is paused, killed and emptied, give the bytes of one run',
  { skip },
  async (t) => {
    const seed = testSeed()
    t.comment(`seed ${seed}`)
    const random = new Random(seed)
    const root = t.testdir()
    const requestLog = join(root, 'requests.jsonl')
    const server = await startSimulator({ preset: 'delay', latencyMs: { min: 100, max: 300 }, seed, requestLog })
    t.teardown(() => server.close())
    const redis = await startRedis(root)
    const [single, divided] = [join(root, 'single'), join(root, 'divided')]
    const set = ['output.candidatesPerCut=4']
    await runTiny({ directory: single, endpoint: server.url, small: true, set })
    const before = asked(requestLog).total
    await prepareTiny({ directory: divided, endpoint: server.url, small: true, set })
    const ids = await plannedIds(divided)
    const enqueue = async (): Promise<void> => {
      const queue = ['--queue', redis.url, '--queue-name', name]
      const { code, stdout, stderr } = await mainInProcess(t, ['enqueue', divided, ...queue, '--json'])
      t.equal(code, 0, stderr)
      const { planned, done, added, setAside, complete } = JSON.parse(stdout)
      t.strictSame({ planned, sum: done + added, setAside, complete }, { ...filledWhole, sum: ids.length })
    }
    const filledWhole = { planned: ids.length, setAside: 0, complete: true }
    await enqueue()

    // A pause of Redis ends every lock: units of living workers are counted as lost, too.
    const start = (): Worker => startWorker(root, divided, redis, 1_000)
    const team = new Set([start(), start()])
    // Joins after the last kill.
    const here = await openWorkerHere({ directory: divided, url: redis.url, name, lockMs, checkMs, lossesMax: 1_000 })
    let working: Promise<unknown> = Promise.resolve()
    /** Those that have had a unit. */
    const busy = (): Worker[] =>
      [...team].filter(
        (each) => each.child.exitCode === null && each.child.signalCode === null && each.taken().length > 0,
      )
    const ends: (number | NodeJS.Signals)[] = []
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      const choice = busy()
      const victim = choice[random.between(0, choice.length - 1)]
      if (victim === undefined) return
      victim.child.kill(signal)
      team.delete(victim)
      ends.push(await victim.ended)
    }
    const disasters: (() => Promise<void>)[] = [
      async () => {
        redis.signal('SIGSTOP')
        await delay(lockMs + checkMs)
        redis.signal('SIGCONT')
      },
      async () => {
        await redis.kill()
        await delay(500)
        await redis.run()
      },
      async () => {
        await redis.command('FLUSHALL')
        await enqueue()
      },
    ]
    // One kill and one disaster at each of these numbers of results.
    for (const [at, disaster] of disasters.entries()) {
      const share = Math.floor((ids.length * (at + 1)) / (disasters.length + 2))
      await until(() => countDone(divided, ids) >= share, `${share} results`)
      await until(() => busy().length > 0, 'a worker with a unit')
      await end('SIGKILL')
      if (at < disasters.length - 1) team.add(start())
      else working = here.work()
      await disaster()
    }
    await end('SIGTERM')
    await until(() => countDone(divided, ids) === ids.length, 'every result')
    t.match(await working, { failed: 0 })
    for (const worker of team) t.equal(await worker.ended, 0, worker.messages().replaceAll(/[{}#]/g, ' '))
    t.strictSame(ends.slice(0, 3), ['SIGKILL', 'SIGKILL', 'SIGKILL'])
    // The last one may have had nothing left to do.
    t.ok([3, 0, undefined].includes(ends[3] as number | undefined))
    t.equal((await assembleTiny(divided)).end, 'complete')
    t.strictSame(bytesOf(divided), bytesOf(single))
    t.strictSame(manifestLines(divided), manifestLines(single))
    const { total, again } = asked(requestLog)
    t.comment(`${ids.length} units, ${total - before} requests, ${again - before} of them again`)
  },
)

t.test('the unit of a lost worker is taken up, and only what was in flight is asked for again', { skip }, async (t) => {
  const root = t.testdir()
  const requestLog = join(root, 'requests.jsonl')
  const server = await startSimulator({ preset: 'delay', latencyMs: { min: 20, max: 60 }, seed: 1, requestLog })
  t.teardown(() => server.close())
  const redis = await startRedis(root)
  const directory = join(root, 'run')
  // One unit with everything.
  const set = ['output.candidatesPerCut=100000', 'output.blocksPerCutMax=100000']
  await prepareTiny({ directory, endpoint: server.url, small: true, set })
  t.equal((await plannedIds(directory)).length, 1)
  let takenAt = Number.POSITIVE_INFINITY
  const onTaken = (): void => {
    takenAt = performance.now()
  }
  // Opened before the other one starts: its loss is noticed by a worker that waits.
  const next = await openWorkerHere({ directory, url: redis.url, name, lockMs, checkMs, onTaken })
  // The unit of the first one cannot end: after some replies there are no more.
  server.setFaults([{ kind: 'hang', after: 80 }])
  const lost = startWorker(root, directory, redis, 3)
  await until(() => (server.stats().faults.byKind.hang ?? 0) > 0, 'a request without a reply')
  const working = next.work()
  const began = performance.now()
  await until(() => performance.now() - began > lockMs + 2 * checkMs, 'the time in which a lost unit is found')
  t.equal(takenAt, Number.POSITIVE_INFINITY, 'a unit in hand is not assigned')
  const before = asked(requestLog)
  t.ok(before.total > 0)
  const open = server.stats().faults.byKind.hang ?? 0
  server.setFaults([])
  lost.child.kill('SIGKILL')
  const start = performance.now()
  await lost.ended
  t.strictSame(await working, { committed: 1, already: 0, failed: 0 })
  t.comment(`taken up after ${((takenAt - start) / 1000).toFixed(1)} s`)
  t.ok(takenAt - start <= lockMs + checkMs + 5_000, 'within lock + check + 5 s')
  const { total, again } = asked(requestLog)
  t.comment(`${before.total} requests before the loss and ${open} without a reply, ${total} in all, ${again} again`)
  t.ok(total > before.total)
  t.equal(again, before.again, 'no reply that was stored is asked for again')
})

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
