import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { Piscina } from 'piscina'
import t, { type Test } from 'tap'
import { Deadline, Deadlines } from '../../lib/workers/deadlines.js'
import { Threads } from '../../lib/workers/threads.js'
import { newProgress } from '../../lib/workers/wire.js'

/** What the tasks of the tests ask for. */
const entry = `
  import { workerData } from 'node:worker_threads'
  if (workerData?.fails) throw new Error('cannot be loaded')
  export default (port) => new Promise((resolve) => {
    port.on('close', resolve)
    port.on('message', ({ does, value, progress }) => {
      if (progress) Atomics.store(progress, 0, 1)
      if (does === 'exit') process.exit(value)
      if (does === 'throw') throw new Error(value)
      if (does === 'hang') for (;;);
      port.postMessage({ value })
    })
  })
`

function threadsOf(t: Test, count: number, workerData: unknown = null): Threads {
  const folder = t.testdir({ 'entry.mjs': entry })
  const filename = pathToFileURL(`${folder}/entry.mjs`).href
  const threads = new Threads(new Piscina({ filename, minThreads: count, maxThreads: count, workerData }), count)
  t.teardown(() => threads.close())
  return threads
}

const unlimited = () => new Deadline(newProgress())

t.test('every task has its own reply, with fewer threads than tasks', async (t) => {
  const threads = threadsOf(t, 3)
  const values = Array.from({ length: 40 }, (_, value) => value)
  const replies = await Promise.all(values.map((value) => threads.run({ value }, unlimited())))
  t.strictSame(
    replies,
    values.map((value) => ({ value })),
  )
})

t.test('a thread that dies rejects its task alone, and is replaced each time', async (t) => {
  const threads = threadsOf(t, 1)
  for (let round = 0; round < 3; round++) {
    const tasks = [{ does: 'exit', value: 3 }, { value: 'first' }, { does: 'throw', value: 'why' }, { value: 'second' }]
    const settled = await Promise.allSettled(tasks.map((task) => threads.run(task, unlimited())))
    t.match(settled, [
      { reason: { message: 'worker exited with code: 3' } },
      { value: { value: 'first' } },
      { reason: { message: 'why' } },
      { value: { value: 'second' } },
    ])
  }
})

t.test('threads that cannot be loaded are not started over and over', async (t) => {
  const threads = threadsOf(t, 2, { fails: true })
  const settled = await Promise.allSettled([1, 2, 3, 4].map((value) => threads.run({ value }, unlimited())))
  t.ok(settled.every(({ status }) => status === 'rejected'))
  await t.rejects(threads.run({ value: 5 }, unlimited()), { message: 'Terminating worker thread' })
})

t.test('a task that takes too long is rejected, and the next one runs in another thread', async (t) => {
  const threads = threadsOf(t, 1)
  await threads.run({ value: 'loaded' }, unlimited())
  const deadlines = new Deadlines(200)
  t.teardown(() => deadlines.close())
  const progress = newProgress()
  const deadline = deadlines.begin(progress)
  const [late, next] = await Promise.allSettled([
    threads.run({ does: 'hang', progress }, deadline),
    threads.run({ value: 'next' }, unlimited()),
  ])
  t.equal(late?.status, 'rejected')
  t.equal(deadline.aborted, true)
  t.match(next, { value: { value: 'next' } })
})

t.test('a task that cannot be sent is rejected, and the thread goes on', async (t) => {
  const threads = threadsOf(t, 1)
  await t.rejects(threads.run({ value: () => 1 }, unlimited()), { name: 'DataCloneError' })
  t.strictSame(await threads.run({ value: 2 }, unlimited()), { value: 2 })
})

t.test('closing rejects tasks that run and tasks that wait', async (t) => {
  const threads = threadsOf(t, 1)
  const tasks = [threads.run({ does: 'hang' }, unlimited()), threads.run({ value: 1 }, unlimited())]
  const settled = Promise.allSettled(tasks)
  await threads.close()
  for (const each of await settled) t.match(each, { reason: { message: 'Terminating worker thread' } })
  await t.rejects(threads.run({ value: 2 }, unlimited()))
})

t.test('threads without work keep no process alive, and work again after a rest', async (t) => {
  const folder = t.testdir({ 'entry.mjs': entry })
  const filename = JSON.stringify(pathToFileURL(`${folder}/entry.mjs`).href)
  const module = (path: string) => JSON.stringify(new URL(`../../lib/workers/${path}.js`, import.meta.url).href)
  const opened = `
    import { Piscina } from ${JSON.stringify(import.meta.resolve('piscina'))}
    const { Threads } = await import(${module('threads')})
    const { Deadline } = await import(${module('deadlines')})
    const { newProgress } = await import(${module('wire')})
    const threads = new Threads(new Piscina({ filename: ${filename}, minThreads: 2, maxThreads: 2 }), 2)
    const run = (value) => threads.run({ value }, new Deadline(newProgress()))`
  const rounds = `
    for (let round = 0; round < 3; round++) {
      const replies = await Promise.all([run(1), run(2), run(3)])
      console.log(replies.map(({ value }) => value).join(' '))
      await new Promise((resolve) => setTimeout(resolve, 300))
    }`
  for (const [script, output] of [
    [opened, ''],
    [`${opened}; await run(1)`, ''],
    [opened + rounds, '1 2 3\n1 2 3\n1 2 3\n'],
  ] as const) {
    const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    t.strictSame([ended.status, ended.stdout, ended.stderr], [0, output, ''])
  }
})
