import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AbortedError } from '../../lib/errors.js'
import type { Counters } from '../../lib/run/accounting.js'
import type { KunRun } from '../../lib/run/run.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { type Simulator, startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { recordBodies } from '../support/record-requests.js'
import { bytesOf, runTiny, startTiny, type TinyRun } from '../support/session.js'

type Tap = { teardown: (close: () => unknown) => void }

/** A server whose every reply is another one: only kept replies can give the same bytes again. */
async function nonceServer(t: Tap, options: Parameters<typeof startSimulator>[0] = {}): Promise<Simulator> {
  const server = await startSimulator({ nonce: true, ...options })
  t.teardown(() => server.close())
  return server
}

/** Starts a run and resolves with it when it has committed `cuts` cuts, or ended. */
async function untilCuts(run: TinyRun, cuts: number): Promise<KunRun> {
  let committed = 0
  let reached = (): void => {}
  const gate = new Promise<void>((resolve) => {
    reached = resolve
  })
  const session = await startTiny({
    ...run,
    session: {
      onStep: (step, when) => {
        if (step === 'manifest-fsync' && when === 'after' && ++committed === cuts) reached()
      },
    },
  })
  await Promise.race([gate, session.done.catch(() => undefined)])
  return session
}

t.test('stopped again and again, by drain or at once, a run ends as one from its replies alone', async (t) => {
  const server = await nonceServer(t)
  const directory = join(t.testdir(), 'run')
  const run = { directory, endpoint: server.url, small: true }
  let cuts = 0
  for (let stops = 0; stops < 3; stops++) {
    const session = await untilCuts(run, 1)
    if (stops % 2 === 0) await session.stop(new AbortedError('drained'))
    else session.abort(new AbortedError('at once'))
    await t.rejects(session.done, { code: 'KUN_ABORTED', exitCode: 3 })
    const committed = (await readManifest(directory)).length
    t.ok(committed > cuts, `${committed} cuts are committed`)
    cuts = committed
  }
  t.equal(await runTiny(run), 'input')
  t.ok((await readManifest(directory)).length > cuts)

  const asked = recordBodies(server).length
  const again = join(directory, '../again')
  t.equal(await runTiny({ ...run, directory: again, set: [`replies.from=["${directory}"]`] }), 'input')
  t.strictSame(bytesOf(again), bytesOf(directory), 'a run from the replies alone gives the same bytes')
  t.equal(recordBodies(server).length, asked, 'and asks for no record')
})

t.test('what was received by a drain is not asked for again', async (t) => {
  const server = await nonceServer(t)
  const run = { directory: join(t.testdir(), 'run'), endpoint: server.url, small: true }
  const first = await untilCuts(run, 1)
  await first.stop(new AbortedError('drained'))
  await t.rejects(first.done, { code: 'KUN_ABORTED' })
  await runTiny(run)
  const bodies = recordBodies(server)
  t.ok(bodies.length > 100)
  t.equal(new Set(bodies).size, bodies.length, `${bodies.length} requests, no two alike`)
})

t.test('in phases, one model at a time at one address, a run gives the bytes of one pass', async (t) => {
  const directory = join(t.testdir(), 'run')
  const writer = await nonceServer(t, { models: ['writer'] })
  const run = { directory, endpoint: writer.url, small: true }
  t.equal(await runTiny({ ...run, session: { through: 'label' } }), 'input')
  t.same(await readManifest(directory), [], 'a phase commits no cut')
  await writer.close()
  // The judge takes the writer's place.
  const judge = await nonceServer(t, { models: ['judge'], port: writer.port })
  t.equal(await runTiny(run), 'input')
  const labels = recordBodies(judge).filter((body) => body.includes('"model":"writer"'))
  t.equal(labels.length, 0, 'no label was asked for again')
  const again = join(directory, '../again')
  await runTiny({ ...run, directory: again, set: [`replies.from=["${directory}"]`] })
  t.strictSame(bytesOf(again), bytesOf(directory))
})

t.test('a recipe that alters the output is refused on the directory; one that does not is taken', async (t) => {
  const server = await nonceServer(t)
  const run = { directory: join(t.testdir(), 'run'), endpoint: server.url, small: true }
  await runTiny(run)
  const before = bytesOf(run.directory)
  const asked = recordBodies(server).length
  await t.rejects(runTiny({ ...run, set: ['kun.score.keepAtLeast=0.4'] }), {
    code: 'KUN_RUN_MISMATCH',
    message: /keepAtLeast/,
  })
  await runTiny({ ...run, set: ['workers.threads=2', 'models.judge.inFlightMax=3'] })
  t.strictSame(bytesOf(run.directory), before, 'a finished run, run again, stays as it is')
  t.equal(recordBodies(server).length, asked, 'and asks for no record')
})

/** Rows of all splits, from stats.json. */
function rowsOf(directory: string): number {
  const { splits } = JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8'))
  return Object.values(splits as Record<string, { rows: number }>).reduce((sum, { rows }) => sum + rows, 0)
}

t.test('rowsMax gives exactly that many rows; continued, the bytes are those of a run without it', async (t) => {
  const server = await nonceServer(t)
  const run = { directory: join(t.testdir(), 'run'), endpoint: server.url, small: true }
  const limited = (rows: number) => ({ ...run, set: [`limits.rowsMax=${rows}`] })
  const otherPace = ['workers.threads=2', 'models.judge.inFlightMax=2', `replies.from=["${run.directory}"]`]
  for (const rows of [1, 20]) {
    t.equal(await runTiny(limited(rows)), 'limit')
    t.equal(rowsOf(run.directory), rows)
    t.match(await verifyDirectory(run.directory), { findings: [], rows: { skypile: rows } })
    const bytes = bytesOf(run.directory)
    t.equal(await runTiny(limited(rows)), 'limit', 'run again, it has nothing to do')
    t.strictSame(bytesOf(run.directory), bytes)
    const replayed = join(run.directory, `../replayed${rows}`)
    await runTiny({ ...run, directory: replayed, set: [`limits.rowsMax=${rows}`, ...otherPace] })
    t.strictSame(bytesOf(replayed), bytes, 'the same replies give the same bytes')
  }
  t.equal(await runTiny(limited(5)), 'limit', 'a lower limit deletes nothing')
  t.equal(rowsOf(run.directory), 20)
  t.equal(await runTiny(run), 'input')
  const whole = join(run.directory, '../whole')
  const asked = recordBodies(server).length
  t.equal(await runTiny({ ...run, directory: whole, set: [`replies.from=["${run.directory}"]`] }), 'input')
  t.strictSame(bytesOf(whole), bytesOf(run.directory))
  t.equal(recordBodies(server).length, asked, 'and asks for no record')
})

t.test('with rowsMax few requests are sent beyond those that the rows need', async (t) => {
  const server = await nonceServer(t)
  const run = { directory: join(t.testdir(), 'run'), endpoint: server.url }
  t.equal(await runTiny({ ...run, set: ['limits.rowsMax=10', 'kun.score.keepAtLeast=0'] }), 'limit')
  t.equal(rowsOf(run.directory), 10)
  const asked = recordBodies(server).length
  const served = (await readManifest(run.directory)).at(-1)?.counters as Counters
  const { label, score, polish } = Object.values(served).reduce(
    (sum, { stages }) => ({
      label: sum.label + (stages.label?.in ?? 0),
      score: sum.score + (stages.score?.in ?? 0),
      polish: sum.polish + (stages.polish?.in ?? 0),
    }),
    { label: 0, score: 0, polish: 0 },
  )
  const needed = label + score + polish
  t.ok(asked <= 2 * needed + 10, `${asked} requests, ${needed} of them are needed`)
})

t.test('a run that is killed at any step of reopening a limited cut loses and repeats nothing', async (t) => {
  const server = await nonceServer(t)
  const run = { directory: join(t.testdir(), 'run'), endpoint: server.url, small: true }
  await runTiny({ ...run, set: ['limits.rowsMax=20'] })
  for (let step = 0; step < 4; step++) {
    let steps = 0
    const killed = {
      onStep: () => {
        if (steps++ === step) throw new Error('killed')
      },
    }
    await t.rejects(runTiny({ ...run, session: killed }), { message: 'killed' })
  }
  t.equal(await runTiny(run), 'input')
  const asked = recordBodies(server).length
  t.match(await verifyDirectory(run.directory), { findings: [] })
  const whole = join(run.directory, '../whole')
  t.equal(await runTiny({ ...run, directory: whole, set: [`replies.from=["${run.directory}"]`] }), 'input')
  t.strictSame(bytesOf(whole), bytesOf(run.directory))
  t.equal(recordBodies(server).length, asked, 'and asks for no record')
})

t.test('files that no manifest line names do not count: they are gone after a resume', async (t) => {
  const server = await nonceServer(t)
  const run = { directory: join(t.testdir(), 'run'), endpoint: server.url, small: true }
  await runTiny({ ...run, set: ['limits.rowsMax=20'] })
  const part = `skypile-${String((await readManifest(run.directory)).length).padStart(6, '0')}-000.parquet`
  const path = join(run.directory, 'data', part)
  writeFileSync(path, 'half a file')
  await runTiny({ ...run, set: ['limits.rowsMax=20'] })
  t.notOk(existsSync(path), 'what a kill left of the next cut')
})
