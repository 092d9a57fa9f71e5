import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { bytesOf, runTiny, startTiny } from '../support/session.js'

t.test('a paused run sends nothing, resumes, and has the bytes of one that was not paused', async (t) => {
  const server = await startSimulator({ preset: 'delay', latencyMs: 5 })
  t.teardown(() => server.close())
  const [directory, other] = [join(t.testdir(), 'run'), join(t.testdirName, 'other')]
  const run = await startTiny({ directory, endpoint: server.url, small: true, set: ['servers.outageMaxMs=1000'] })
  const inFlight = (): number => run.progress().servers.endpoints.reduce((sum, each) => sum + each.inFlight, 0)
  const until = async (met: () => boolean): Promise<void> => {
    for (let tries = 0; !met() && tries < 5_000; tries++) await new Promise((resolve) => setTimeout(resolve, 2))
    t.ok(met(), String(met))
  }
  await until(() => run.progress().servers.tokens > 0)
  run.pause()
  t.ok(run.isPaused)
  await until(() => inFlight() === 0)
  const sent = server.requests().length
  const { waiting } = run.progress().servers
  t.ok(waiting > 0, `${waiting} calls wait`)
  // Longer than the tick that retries and checks outages, many times.
  const before = performance.now()
  await until(() => performance.now() - before > 1_500)
  t.equal(server.requests().length, sent, 'nothing was sent')
  run.resume()
  t.equal(await run.done, 'input')
  await runTiny({ directory: other, endpoint: server.url, small: true })
  t.strictSame(bytesOf(directory), bytesOf(other))
})
