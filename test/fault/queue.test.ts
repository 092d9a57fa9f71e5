/** A queue under chaos: workers that are killed, Redis paused, killed and emptied; and the unit of a worker that is lost. */

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { assembleTiny, manifestLines, plannedIds, prepareTiny } from '../support/divided.js'
import { mainInProcess } from '../support/main-in-process.js'
import {
  asked,
  checkMs,
  countDone,
  lockMs,
  queueName as name,
  startRedis,
  startWorker,
  until,
  type Worker,
} from '../support/queue-processes.js'
import { openWorkerHere } from '../support/queue-worker.js'
import { Random, testSeed } from '../support/random.js'
import { redisMissing } from '../support/redis.js'
import { bytesOf, runTiny } from '../support/session.js'

const skip = redisMissing
/** Kills by SIGKILL. KUN_KILLS=14 is the long form, which takes some minutes. */
const kills = Number(process.env.KUN_KILLS ?? 3)
// Processes start slowly on a machine that is busy with others.
t.setTimeout(580_000)

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
    // A kill takes a unit, so that more of them want more units.
    const set = [`output.candidatesPerCut=${kills > 3 ? 1 : 4}`]
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
    // A kill at each of these numbers of results, and disasters after some of them, the last one after the last kill.
    for (let killed = 0; killed < kills; killed++) {
      const share = Math.floor((ids.length * (killed + 1)) / (kills + 2))
      await until(() => countDone(divided, ids) >= share, `${share} results`)
      await until(() => busy().length > 0, 'a worker with a unit')
      await end('SIGKILL')
      if (killed < kills - 1) team.add(start())
      else working = here.work()
      const disaster = disasters.findIndex((_, at) => killed === Math.ceil((kills * (at + 1)) / disasters.length) - 1)
      await disasters[disaster]?.()
    }
    await end('SIGTERM')
    await until(() => countDone(divided, ids) === ids.length, 'every result')
    t.match(await working, { failed: 0 })
    for (const worker of team) t.equal(await worker.ended, 0, worker.messages().replaceAll(/[{}#]/g, ' '))
    t.strictSame(
      ends.slice(0, kills),
      Array.from({ length: kills }, () => 'SIGKILL'),
    )
    // The last one may have had nothing left to do.
    t.ok([3, 0, undefined].includes(ends[kills] as number | undefined))
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
