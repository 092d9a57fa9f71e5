/** Processor time by thread: threads may end while it is read. */
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { threadWatch } from '../../bench/thread-seconds.js'

/** Threads that are started while the times are read. */
const threads = 40

t.test('threads that end while the times are read are left out', async (t) => {
  const { spent } = threadWatch()
  let running = 0
  let started = 0
  let mostAll = 0
  const next = (): void => {
    if (started++ >= threads) return
    running++
    new Worker('', { eval: true }).once('exit', () => {
      running--
      next()
    })
  }
  for (let slot = 0; slot < 4; slot++) next()
  while (running > 0) {
    for (let times = 0; times < 50; times++) mostAll = Math.max(mostAll, spent().all)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(mostAll > 0 || process.platform !== 'linux', `${mostAll} s`)
})
