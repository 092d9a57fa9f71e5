import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AbortedError } from '../../lib/errors.js'
import type { FaultRuleOptions } from '../../lib/simulator/vllm/fault-rules.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { recordBodies } from '../support/record-requests.js'
import { bytesOf, runTiny, startTiny, type TinyRun } from '../support/session.js'

type Tap = { teardown: (close: () => unknown) => void; testdir: () => string }

async function setUp(t: Tap, options: Parameters<typeof startSimulator>[0] = {}) {
  const server = await startSimulator({ nonce: true, ...options })
  t.teardown(() => server.close())
  return { server, run: { directory: join(t.testdir(), 'run'), endpoint: server.url } as TinyRun }
}

/** The run as it is, and the one that its replies alone give, have the same bytes. */
async function sameFromReplies(
  t: Tap & { strictSame: (a: unknown, b: unknown, why: string) => unknown },
  run: TinyRun,
) {
  const again = join(run.directory, '../again')
  await runTiny({ ...run, directory: again, set: [...(run.set ?? []), `replies.from=["${run.directory}"]`] })
  t.strictSame(bytesOf(again), bytesOf(run.directory), 'its replies alone give the same bytes')
}

t.test('tokensMax drains: exit code 3, says which limit; runs for as much each end as one', async (t) => {
  const { server, run } = await setUp(t, { preset: 'delay', latencyMs: 2 })
  const limited = { ...run, small: true, set: ['limits.tokensMax=3000'] }
  let stops = 0
  for (; stops < 50; stops++) {
    const stopped = await runTiny(limited).then(
      () => null,
      (error: unknown) => error,
    )
    if (stopped === null) break
    t.match(stopped, { code: 'KUN_LIMIT', exitCode: 3, message: /limits\.tokensMax is reached: [\d,]+ tokens/ })
  }
  t.ok(stops > 1 && stops < 50, `stopped ${stops} times`)
  const bodies = recordBodies(server)
  t.equal(new Set(bodies).size, bodies.length, `${bodies.length} requests, none made twice`)
  await sameFromReplies(t, { ...run, small: true })
})

t.test('hoursMax drains, and the run goes on where it was', async (t) => {
  const { run } = await setUp(t, { preset: 'delay', latencyMs: 40 })
  const slow = ['models.writer.inFlightMax=4', 'models.judge.inFlightMax=4']
  await t.rejects(runTiny({ ...run, small: true, set: [...slow, 'limits.hoursMax=0.0001'] }), {
    code: 'KUN_LIMIT',
    exitCode: 3,
    message: /limits\.hoursMax is reached: 0\.0001 hours/,
  })
  t.equal(
    await runTiny({ ...run, small: true, set: ['limits.hoursMax=10000'] }),
    'input',
    'a long limit is no short timer',
  )
  await sameFromReplies(t, { ...run, small: true })
})

t.test('a stop lets every request in flight reach the replies, though others wait for a slot', async (t) => {
  const { server, run } = await setUp(t, { preset: 'delay', latencyMs: 60 })
  const set = ['models.writer.inFlightMax=8', 'models.judge.inFlightMax=8']
  const session = await startTiny({ ...run, small: true, set })
  while (server.stats().open < 8) await new Promise((resolve) => setTimeout(resolve, 5))
  await session.stop(new AbortedError('stopped in flight'))
  await t.rejects(session.done, { code: 'KUN_ABORTED', message: 'stopped in flight' })
  t.equal(server.stats().aborted, 0, 'none was cut off')
  await runTiny({ ...run, small: true })
  const bodies = recordBodies(server)
  t.equal(new Set(bodies).size, bodies.length, `${bodies.length} requests, none made twice`)
})

/** A window of 40 records, where the product has 400: the input has 237 attempts. */
const brakes = ['brakes.windowRecords=40', 'brakes.shareFallMax=0.4', 'brakes.lengthRatioMax=4', 'kun.label.variants=3']
const drifts: [string, FaultRuleOptions['kind'], RegExp][] = [
  ['turns to English', 'english', /Chinese|kept|format/],
  ['turns to empty replies', 'empty', /kept|format|length/],
  ['falls to half its yield', 'half-yield', /Stage 'score': the share of records kept/],
]
const after = 250

for (const [what, kind, words] of drifts) {
  t.test(`a server that ${what} stops the run, resumable`, async (t) => {
    const { server, run } = await setUp(t, { faults: [{ kind, after }] })
    const small = true
    const set = [...brakes, 'models.writer.inFlightMax=4', 'models.judge.inFlightMax=4']
    const stopped = await runTiny({ ...run, small, set }).then(
      () => null,
      (error: unknown) => error,
    )
    const cuts = (await readManifest(run.directory)).length
    t.match(stopped, { code: 'KUN_DRIFT', exitCode: 3, message: words })
    const asked = server.stats().requests - after
    t.comment(`${(stopped as Error)?.message}; ${asked} requests after the change, ${cuts} cuts`)
    t.ok(asked > 0 && asked < 500, `${asked} requests after the change`)
    server.setFaults([])
    t.equal(await runTiny({ ...run, small, set }), 'input', 'what was kept of the drift does not stop it again')
    await sameFromReplies(t, { ...run, small, set })
  })
}

t.test('a server that came back as another model is noticed by the next call of run', async (t) => {
  const { server, run } = await setUp(t, { preset: 'delay', latencyMs: 5 })
  const small = true
  const set = [...brakes, 'models.writer.inFlightMax=2', 'models.judge.inFlightMax=2']
  const path = join(run.directory, 'brakes.json')
  const session = await startTiny({ ...run, small, set })
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5))
  await session.stop(new AbortedError('stopped'))
  await t.rejects(session.done, { message: 'stopped' })
  server.setFaults([{ kind: 'english' }])
  await t.rejects(runTiny({ ...run, small, set }), { code: 'KUN_DRIFT', message: /delete brakes\.json/ })
  rmSync(path)
  t.equal(await runTiny({ ...run, small, set }), 'input', 'where the change is meant')
  const begins: string[] = []
  writeFileSync(path, '{')
  await runTiny({ ...run, small, set: brakes, session: { onEvent: (message) => begins.push(message) } })
  t.match(begins.join(), /cannot read brakes\.json, drift detection starts from scratch/)
})

t.test('brakes: false never stops a run, and neither alters a byte', async (t) => {
  const { run } = await setUp(t)
  t.equal(await runTiny({ ...run, small: true, set: ['brakes.windowRecords=20'] }), 'input')
  await sameFromReplies(t, { ...run, small: true })
})
