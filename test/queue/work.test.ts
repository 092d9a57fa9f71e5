/** Workers on a real Redis server: who gets which unit, what happens to one that fails, and when a worker ends. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { AbortedError, OutageError, UnitsSetAsideError, WorkerLostError } from '../../lib/errors.js'
import { fillQueue } from '../../lib/queue/fill-queue.js'
import { LockRenewal, type LockReport } from '../../lib/queue/lock-renewal.js'
import { readQueueAddress } from '../../lib/queue/queue-address.js'
import { QueueSession } from '../../lib/queue/queue-session.js'
import { type TakenUnit, UnitQueue, type UnitQueueOptions } from '../../lib/queue/unit-queue.js'
import { type WorkOptions, workOnQueue } from '../../lib/queue/work.js'
import { RedisServer, redisMissing } from '../support/redis.js'
import { MemoryRun } from './memory-run.js'

const skip = redisMissing
let server: RedisServer
let runs = 0
const sessions: QueueSession[] = []

t.before(async () => {
  if (!skip) server = await RedisServer.start(t.testdir({ redis: {} }))
})
t.afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close()
})
t.teardown(async () => server?.kill())

async function openSession(
  name: string,
  { lockMs = 3_000, checkMs = 1_000, waitMsMax = 20_000, retryMs = 100 } = {},
): Promise<QueueSession> {
  const address = await readQueueAddress({ queue: server.url })
  const options: UnitQueueOptions = { address, name, lockMs, checkMs }
  const session = new QueueSession({ address, waitMsMax, open: () => UnitQueue.open(options, true, retryMs) })
  sessions.push(session)
  return session
}

const newName = (): string => `run-${++runs}`

/** Starts a worker on a queue of this name. */
async function work(
  name: string,
  run: MemoryRun,
  options: Partial<WorkOptions> & Pick<WorkOptions, 'generator'>,
  own = {},
) {
  return workOnQueue({ run, session: await openSession(name, own), resultCheckMs: 50, ...options })
}

t.test('one worker gets the units in order of the cut, and ends when all are done', { skip }, async (t) => {
  const run = new MemoryRun(5)
  const name = newName()
  const order: string[] = []
  // Added in another order, and twice.
  const session = await openSession(name)
  for (const unit of [...run.units].reverse()) await session.call((queue) => queue.add([unit, unit]))
  const end = await work(name, run, { generator: run.worker('a', (id) => void order.push(id)) })
  t.strictSame(
    order,
    run.units.map(({ id }) => id),
  )
  t.strictSame(end, { committed: 5, already: 0, failed: 0 })
})

t.test('workers fill an empty queue from the plan, also after its data was removed', { skip }, async (t) => {
  const run = new MemoryRun(12)
  const name = newName()
  let flushed = false
  const attempt = async (): Promise<void> => {
    if (!flushed && run.results.size === 4) {
      flushed = true
      await server.command('FLUSHALL')
    }
  }
  const ends = await Promise.all([
    work(name, run, { generator: run.worker('a', attempt) }),
    work(name, run, { generator: run.worker('b', attempt) }),
  ])
  t.equal(flushed, true)
  t.equal(run.results.size, 12)
  t.equal(ends[0].committed + ends[1].committed, 12)
})

t.test('a unit that fails three times is set aside, and the others are done', { skip }, async (t) => {
  const run = new MemoryRun(3)
  const bad = '000001-unit'
  const order: string[] = []
  const generator = run.worker('a', (id) => {
    order.push(id)
    if (id === bad) throw new Error('bad unit')
  })
  const name = newName()
  await t.rejects(work(name, run, { generator }), UnitsSetAsideError)
  t.equal(run.failed.get(bad)?.length, 3)
  t.strictSame([...run.results.keys()].sort(), ['000000-unit', '000002-unit'])
  const session = await openSession(name)
  t.strictSame((await session.call((queue) => queue.counts())).failed, 1)
  // A queue that was lost does not try it again either.
  await server.command('FLUSHALL')
  const filled = await fillQueue(run, session)
  t.strictSame(filled, { planned: 3, done: 2, added: 0, setAside: 1, complete: true })
  await t.rejects(work(name, run, { generator }), UnitsSetAsideError)
  t.equal(order.filter((id) => id === bad).length, 3)
})

t.test('a worker whose units all fail ends, before it has failed the units of the others', { skip }, async (t) => {
  const run = new MemoryRun(20)
  const generator = run.worker('broken', () => {
    throw new WorkerLostError('no memory on this machine')
  })
  await t.rejects(work(newName(), run, { generator }), WorkerLostError)
  t.equal([...run.failed.values()].flat().length, 3)
})

t.test('a unit comes back at once from a worker whose server is down', { skip }, async (t) => {
  const run = new MemoryRun(4)
  const name = newName()
  const down = run.worker('down', () => {
    throw new OutageError('server down')
  })
  await t.rejects(work(name, run, { generator: down }), OutageError)
  const order: string[] = []
  await work(name, run, { generator: run.worker('b', (id) => void order.push(id)) })
  t.strictSame(
    order,
    run.units.map(({ id }) => id),
  )
})

t.test('a worker that is stopped returns its unit, which the next one takes first', { skip }, async (t) => {
  const run = new MemoryRun(3)
  const name = newName()
  const stop = new AbortController()
  const stopped = run.worker('a', () => {
    stop.abort()
    throw new AbortedError('stopped')
  })
  await t.rejects(work(name, run, { generator: stopped, signal: stop.signal }), { code: 'KUN_ABORTED' })
  const session = await openSession(name)
  t.strictSame(await session.call((queue) => queue.counts()), { waiting: 3, delayed: 0, active: 0, failed: 0 })
  t.equal((await session.call((queue) => queue.take()))?.unit, '000000-unit')
})

t.test('the last unit is assigned a second time, and the slower worker abandons it', { skip }, async (t) => {
  const run = new MemoryRun(11)
  const name = newName()
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const slow = run.worker('slow', async (_, signal) => {
    begin()
    if (!signal.aborted) await once(signal, 'abort')
    throw signal.reason
  })
  const first = work(name, run, { generator: slow, stragglerMs: 100 })
  await begun
  const second = work(name, run, { generator: run.worker('fast', () => delay(5)), stragglerMs: 100 })
  const ends = await Promise.all([first, second])
  t.equal(run.results.size, 11)
  t.equal(run.results.get('000000-unit'), 'fast')
  t.equal(ends[0].already + ends[1].already, 1)
})

t.test('a unit with two jobs is set aside after as many lost workers as one with a single job', { skip }, async (t) => {
  const address = await readQueueAddress({ queue: server.url })
  for (const lossesMax of [1, 2, 3]) {
    const queue = await UnitQueue.open({ address, name: newName(), lockMs: 400, checkMs: 200, lossesMax }, true)
    t.teardown(() => queue.close())
    const unit = '000000-unit'
    await queue.add([{ id: unit, cut: 0 }])
    let lost = 0
    for (const end = performance.now() + 60_000; performance.now() < end; await delay(20)) {
      const taken = await queue.take()
      if (taken?.admission === 'set-aside') break
      if (taken?.admission === 'later') await queue.putOff(taken)
      if (taken?.admission !== 'start') continue
      // Its lock is never renewed: this worker is lost, and another one is assigned before anyone can know.
      lost++
      if (lost === 1) await queue.addSecond({ unit, forgiven: 0 })
    }
    t.equal(lost, lossesMax)
  }
})

t.test(
  'units are completed, failed and returned over a connection that was opened after they were taken',
  { skip },
  async (t) => {
    const session = await openSession(newName())
    await session.call((queue) => queue.add([0, 1, 2].map((cut) => ({ id: `unit-${cut}`, cut }))))
    const taken = []
    for (let unit = 0; unit < 3; unit++) taken.push((await session.call((queue) => queue.take())) as TakenUnit)
    const [done, failed, returned] = taken as [TakenUnit, TakenUnit, TakenUnit]
    await session.close()
    t.equal(await session.call((queue) => queue.complete(done)), true)
    t.equal(await session.call((queue) => queue.fail(failed, 'KUN_FAILED', true)), true)
    t.equal(await session.call((queue) => queue.release(returned)), true)
    t.strictSame(await session.call((queue) => queue.counts()), { waiting: 1, delayed: 0, active: 0, failed: 1 })
    t.equal(await session.call((queue) => queue.complete(done)), false, 'it is no longer in the queue')
  },
)

t.test('a busy main thread does not lose its unit', { skip }, async (t) => {
  const name = newName()
  const address = await readQueueAddress({ queue: server.url })
  const reports: LockReport[] = []
  const renewal = await LockRenewal.start({ address, name, lockMs: 3_000 }, (report) => reports.push(report))
  t.teardown(() => renewal.close())
  const session = await openSession(name)
  const other = await openSession(name)
  await session.call((queue) => queue.add([{ id: 'a', cut: 0 }]))
  const taken = await session.call((queue) => queue.take())
  renewal.hold({ jobId: 'a', token: taken?.token ?? '' })
  await delay(200)
  const end = performance.now() + 4_500
  while (performance.now() < end);
  await delay(1_500) // two checks of the other worker
  t.equal(await other.call((queue) => queue.take()), null)
  t.equal(
    reports.some(({ state }) => state === 'renewed'),
    true,
  )
  t.equal(taken !== null && (await session.call((queue) => queue.complete(taken))), true)
})

t.test('a result is committed without the queue, and the worker gives up after its limit', { skip }, async (t) => {
  const own = await RedisServer.start(t.testdir({}))
  const address = await readQueueAddress({ queue: own.url })
  const options: UnitQueueOptions = { address, name: 'run', connectMsMax: 200 }
  const trouble: string[] = []
  const session = new QueueSession({
    address,
    waitMsMax: 1_000,
    open: () => UnitQueue.open(options, true),
    onTrouble: (error) => trouble.push(error === null ? 'over' : 'began'),
  })
  sessions.push(session)
  const run = new MemoryRun(2)
  const generator = run.worker('a', () => own.kill())
  await t.rejects(workOnQueue({ run, session, generator }), { code: 'KUN_QUEUE' })
  t.equal(run.results.size, 1)
  t.strictSame(trouble, ['began'])
})

t.test('an ACL user of the prefix suffices, and a wrong password is named without it', { skip }, async (t) => {
  const rights = '+@read +@write +@scripting +@connection +@transaction -@dangerous +info'.split(' ')
  await server.command('ACL', 'SETUSER', 'kun', 'on', '>a-long-password', '~kun:*', 'resetchannels', '-@all', ...rights)
  const open = async (password: string): Promise<UnitQueue> => {
    const address = await readQueueAddress({ queue: `redis://kun:${password}@127.0.0.1:${server.port}` })
    return UnitQueue.open({ address, name: newName(), connectMsMax: 5_000 }, true)
  }
  const queue = await open('a-long-password')
  await queue.add([0, 1, 2, 3].map((cut) => ({ id: `unit-${cut}`, cut })))
  const [a, b, c] = [await queue.take(), await queue.take(), await queue.take()]
  if (a === null || b === null || c === null) throw new Error('a unit is missing')
  t.strictSame(
    [await queue.complete(a), await queue.fail(b, 'KUN_FAILED', true), await queue.release(c)],
    [true, true, true],
  )
  await queue.addSecond({ unit: 'unit-3', forgiven: 2 })
  const second = (await queue.jobs(['waiting'])).find(({ jobId }) => jobId !== 'unit-3' && jobId.startsWith('unit-3'))
  t.equal(second?.forgiven, 2, 'the second job forgives what the first one does')
  t.strictSame(await queue.counts(), { waiting: 3, delayed: 0, active: 0, failed: 1 })
  t.equal(await queue.remove('unit-1'), true)
  t.equal(await queue.claimFilling(1_000), true)
  await queue.close()
  const other = server.client('kun', 'a-long-password')
  await other.connect()
  await t.rejects(other.get('another-run'), /NOPERM/)
  await t.rejects(other.flushall(), /NOPERM/)
  other.disconnect()
  const error = await open('not-the-password').catch((refused: Error) => refused)
  t.match(error, { code: 'KUN_QUEUE_ACCESS' })
  t.notMatch(String((error as Error).message), /password-|not-the/)
})
