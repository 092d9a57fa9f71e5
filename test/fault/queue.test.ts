/** Workers on a queue as processes: killed, paused, without a queue, with a record that kills them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { readQueueAddress } from '../../lib/queue/queue-address.js'
import { UnitQueue } from '../../lib/queue/unit-queue.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { openUnits } from '../../lib/units/open-units.js'
import { assembleTiny, manifestLines, plannedIds, prepareTiny } from '../support/divided.js'
import { Random, testSeed } from '../support/random.js'
import { RedisServer, redisMissing } from '../support/redis.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny } from '../support/session.js'

const skip = redisMissing
// Processes start slowly on a machine that is busy with others.
t.setTimeout(580_000)

const program = join(projectRoot, 'dist/bin/kun-stream.js')
const preload = join(projectRoot, 'dist/test/fault/kill-at-request.js')
const [lockMs, checkMs] = [3_000, 1_500]
const locks = ['--lock', `${lockMs}ms`, '--check', `${checkMs}ms`, '--straggler', '2s']
const name = 'test'
const inFlightMax = 64

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

function command(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Worker {
  const child = spawn(process.execPath, [program, ...args], {
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
  const log = args[args.indexOf('--log') + 1]
  return {
    child,
    taken: () =>
      linesOf(log ?? '')
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

function startWorker(
  root: string,
  directory: string,
  redis: RedisServer,
  environment = {},
  options: readonly string[] = [],
): Worker {
  const log = join(root, `worker-${++logs}.log`)
  const args = ['worker', directory, '--queue', redis.url, '--queue-name', name, ...locks, ...options, '--log', log]
  return command(args, environment)
}

/** Checks the exit code; shows the messages if it is another one. */
async function endsWith(t: Test, code: number, worker: Worker): Promise<void> {
  const end = await worker.ended
  if (end !== code) t.comment(worker.messages())
  t.equal(end, code)
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

async function countDone(directory: string, ids: readonly string[]): Promise<number> {
  const run = await openUnits(directory, { readOnly: true })
  let done = 0
  for (const id of ids) if (await run.isDone(id)) done++
  await run.close()
  return done
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
    const server = await startSimulator({ preset: 'delay', latencyMs: { min: 50, max: 400 }, seed, requestLog })
    t.teardown(() => server.close())
    const redis = await startRedis(root)
    const [single, divided] = [join(root, 'single'), join(root, 'divided')]
    const set = ['output.candidatesPerCut=4']
    await runTiny({ directory: single, endpoint: server.url, small: true, set })
    const before = asked(requestLog).total
    await prepareTiny({ directory: divided, endpoint: server.url, small: true, set })
    const ids = await plannedIds(divided)
    const enqueue = ['enqueue', divided, '--queue', redis.url, '--queue-name', name, '--json']
    const filled = command(enqueue)
    await endsWith(t, 0, filled)
    t.match(JSON.parse(filled.messages()), {
      planned: ids.length,
      done: 0,
      added: ids.length,
      setAside: 0,
      complete: true,
    })

    // A pause of Redis ends every lock: units of living workers are counted as lost, too.
    const start = (): Worker => startWorker(root, divided, redis, {}, ['--losses', '100'])
    const team = new Set([1, 2, 3].map(start))
    let kills = 0
    const killOne = async (): Promise<void> => {
      const living = [...team].filter(({ child }) => child.exitCode === null && child.signalCode === null)
      const victim = living[random.between(0, living.length - 1)]
      if (victim === undefined) return
      victim.child.kill('SIGKILL')
      await victim.ended
      team.delete(victim)
      team.add(start())
      kills++
    }
    const disasters: (() => Promise<void>)[] = [
      async () => {
        redis.signal('SIGSTOP')
        await delay(4_000)
        redis.signal('SIGCONT')
      },
      async () => {
        await redis.kill()
        await delay(1_500)
        await redis.run()
      },
      async () => {
        await redis.command('FLUSHALL')
        await endsWith(t, 0, command(enqueue))
      },
    ]
    // One kill and one disaster at each of these numbers of results.
    for (const [at, disaster] of disasters.entries()) {
      const share = Math.floor((ids.length * (at + 1)) / (disasters.length + 2))
      await until(async () => (await countDone(divided, ids)) >= share, `${share} results`)
      await killOne()
      await disaster()
      await delay(random.between(0, 500))
      await killOne()
    }
    await until(async () => (await countDone(divided, ids)) === ids.length, 'every result')
    for (const worker of team) await endsWith(t, 0, worker)
    t.equal(kills, 6)
    t.equal((await assembleTiny(divided)).end, 'complete')
    t.strictSame(bytesOf(divided), bytesOf(single))
    t.strictSame(manifestLines(divided), manifestLines(single))
    const { total, again } = asked(requestLog)
    t.comment(`${ids.length} units, ${kills} kills, ${total - before} requests, ${again - before} of them again`)
  },
)

t.test('the unit of a lost worker is taken up, and only what was in flight is asked for again', { skip }, async (t) => {
  const root = t.testdir()
  const requestLog = join(root, 'requests.jsonl')
  const server = await startSimulator({ preset: 'delay', latencyMs: { min: 1_500, max: 3_000 }, seed: 1, requestLog })
  t.teardown(() => server.close())
  const redis = await startRedis(root)
  const directory = join(root, 'run')
  // One unit with everything.
  const set = ['output.candidatesPerCut=100000', 'output.blocksPerCutMax=100000']
  await prepareTiny({ directory, endpoint: server.url, small: true, set })
  t.equal((await plannedIds(directory)).length, 1)
  const team = [startWorker(root, directory, redis), startWorker(root, directory, redis)]
  await until(() => team.every(({ messages }) => messages().includes('takes units from')), 'two workers')
  await until(() => asked(requestLog).total >= 30, 'thirty replies')
  const lost = team.find(({ taken }) => taken().length === 1) as Worker
  const next = team.find((worker) => worker !== lost) as Worker
  lost.child.kill('SIGKILL')
  await lost.ended
  const start = performance.now()
  await until(() => next.taken().length === 1, 'the unit is taken up')
  const tookMs = performance.now() - start
  t.comment(`taken up after ${(tookMs / 1000).toFixed(1)} s`)
  t.ok(tookMs <= lockMs + checkMs + 5_000)
  await endsWith(t, 0, next)
  const { total, again } = asked(requestLog)
  t.comment(`${total} requests, ${again} again`)
  t.ok(again <= 2 * inFlightMax, 'asked for again: those in flight at two models, and those of the last 100 ms')
})

t.test('a record that kills its worker is found and rejected, and nothing else is', { skip }, async (t) => {
  const root = t.testdir()
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const redis = await startRedis(root)
  const directory = join(root, 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true, set: ['output.candidatesPerCut=4'] })
  const ids = await plannedIds(directory)
  const run = await openUnits(directory)
  t.teardown(() => run.close())
  const unit = ids[1] as string
  const records = await run.candidates(unit)
  const record = records[2] as string
  const poison = await textOf(directory, unit, record)
  const environment = {
    NODE_OPTIONS: `--import=${preload}`,
    KUN_TEST_POISON: JSON.stringify(poison.slice(0, 30)).slice(1, -1),
  }
  const ends: (number | NodeJS.Signals)[] = []
  // As a supervisor does: a worker that was killed is started again.
  for (let worker: Worker | null = null; ends.length < 6 && (worker === null || ends.at(-1) === 'SIGKILL'); ) {
    worker = startWorker(root, directory, redis, environment, ['--losses', '2'])
    ends.push(await worker.ended)
    if (ends.at(-1) !== 'SIGKILL') t.match(worker.messages(), `1 unit set aside after repeated failures: ${unit}`)
  }
  t.strictSame(ends, ['SIGKILL', 'SIGKILL', 1])
  t.equal(await countDone(directory, ids), ids.length - 1)
  t.strictSame(
    (await run.failures(unit)).map(({ code }) => code),
    ['KUN_UNIT_LOST'],
  )

  const queue = ['--queue', redis.url, '--queue-name', name]
  const list = command(['units', 'ls', directory, ...queue])
  await endsWith(t, 0, list)
  t.match(list.messages(), new RegExp(`set aside +${unit}.*KUN_UNIT_LOST × 1`))
  const bisect = command(['units', 'bisect', directory, unit, ...queue], environment)
  await endsWith(t, 0, bisect)
  t.match(bisect.messages(), `record ${record} will be rejected with the reason unit-poison`)
  t.equal((await run.candidates(unit)).length, records.length - 1)

  const last = startWorker(root, directory, redis, environment)
  await endsWith(t, 0, last)
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
  const stopped = startWorker(root, directory, redis)
  await until(() => stopped.taken().length > 0, 'a unit is taken')
  stopped.child.kill('SIGTERM')
  await endsWith(t, 3, stopped)
  const address = await readQueueAddress({ queue: redis.url })
  const queue = await UnitQueue.open({ address, name })
  const { active, failed, waiting } = await queue.counts()
  await queue.close()
  t.strictSame({ active, failed }, { active: 0, failed: 0 })
  t.equal(waiting + (await countDone(directory, ids)), ids.length)

  const alone = startWorker(root, directory, redis)
  await until(() => alone.taken().length > 0, 'a unit is taken')
  const unit = alone.taken()[0] as string
  redis.signal('SIGSTOP')
  await until(async () => (await countDone(directory, [unit])) === 1, 'a result without a queue')
  redis.signal('SIGCONT')
  await endsWith(t, 0, alone)
  t.equal(await countDone(directory, ids), ids.length)
})

/** The text of a record of a unit file. */
async function textOf(directory: string, unit: string, record: string): Promise<string> {
  const { readUnitFile } = await import('../../lib/units/unit-file.js')
  const { unitKey } = await import('../../lib/units/unit-keys.js')
  for await (const { records } of readUnitFile(join(directory, unitKey(Number(unit.slice(0, 6)))))) {
    for (const each of records) if ('id' in each && each.id === record) return each.text
  }
  throw new Error(`${record} is not in ${unit}`)
}
