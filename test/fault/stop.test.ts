import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { fastClock } from '../llm/clock.js'
import { command } from '../support/commands.js'
import { bytesOn, differing, documents, miniRecipe, nobody, runMini } from './mini-run.js'

// Many whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

const root = t.testdir()
const input = join(root, 'documents.jsonl')
writeFileSync(input, documents(14).join('\n'))

/** What the run in `directory` has otherwise than one from its replies alone. */
async function otherwise(directory: string): Promise<string[]> {
  const again = `${directory}-again`
  await runMini({ directory: again, endpoint: nobody, input, set: [`replies.from=["${directory}"]`] })
  return differing(await bytesOn(nodeFiles, again), await bytesOn(nodeFiles, directory))
}

t.test('the server is away for ten minutes: the run waits, goes on, and rejects nothing for it', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const run = { endpoint: server.url, input, set: ['servers.outageMaxMs=30min'] }
  await runMini({ ...run, directory: join(root, 'plain') })
  const expected = await bytesOn(nodeFiles, join(root, 'plain'))

  const speed = 300
  const clock = fastClock(speed)
  const events: string[] = []
  const directory = join(root, 'outage')
  const startedMs = clock.now()
  server.setFaults([{ kind: 'engine-death', after: 40, times: 1, reviveAfterMs: 600_000 / speed }])
  t.equal(await runMini({ ...run, directory }, { clock, onEvent: (message) => events.push(message) }), 'input')
  const seconds = Math.round((clock.now() - startedMs) / 1000)
  t.ok(seconds >= 600, `${seconds} s passed on its clock`)
  t.ok(events.length > 1, `said so: ${events.join(' | ')}`)
  t.strictSame(differing(await bytesOn(nodeFiles, directory), expected), [], 'the bytes of a run without an outage')
})

t.test(
  'away for longer than outageMaxMs: stopped with exit code 3, and it goes on when the server is back',
  async (t) => {
    const server = await startSimulator({ nonce: true })
    t.teardown(() => server.close())
    const directory = join(root, 'gone')
    const run = { directory, endpoint: server.url, input, set: ['servers.outageMaxMs=10min'] }
    server.setFaults([{ kind: 'engine-death', after: 40, times: 1 }])
    // Faster, the deadline of a probe passes while a busy machine answers it, and repeated probes count as requests.
    await t.rejects(runMini(run, { clock: fastClock(100) }), {
      code: 'KUN_OUTAGE',
      exitCode: 3,
      message: /failed every request for \d+ s.*EngineCore encountered an issue.*run again/,
    })
    await server.revive()
    t.equal(await runMini(run), 'input')
    t.strictSame(await otherwise(directory), [])
  },
)

t.test('Ctrl-C once lets what is in flight reach the replies, twice stops at once; both go on', async (t) => {
  const server = await startSimulator({ nonce: true, preset: 'delay', latencyMs: 150 })
  t.teardown(() => server.close())
  const recipe = join(root, 'recipe.yaml')
  writeFileSync(recipe, miniRecipe(server.url, input))
  for (const signals of [1, 2]) {
    const directory = join(root, `stopped-${signals}`)
    const args = ['run', recipe, '--out', directory]
    const run = command('bin/kun-stream.js', args)
    await askedAbout(20)
    run.child.kill('SIGINT')
    if (signals === 2) {
      await run.said('a second signal stops immediately')
      run.child.kill('SIGINT')
    }
    const ended = await run.ended
    t.match(ended, { code: 3, err: /every reply received is kept\. Resume with: .* run / }, `${signals} signals`)
    const inFlight = server.requests().filter(({ key, complete }) => key !== null && !complete).length
    if (signals === 1) t.equal(inFlight, 0, 'no request was cut off')
    t.equal((await command('bin/kun-stream.js', args).ended).code, 0)
    const keys = server.requests().flatMap(({ key, complete }) => (key !== null && complete ? [key] : []))
    if (signals === 1) t.equal(new Set(keys).size, keys.length, 'nothing was asked twice')
    t.strictSame(await otherwise(directory), [])
  }

  /** Resolves when the server saw so many more requests about records. */
  async function askedAbout(more: number): Promise<void> {
    const count = () => server.requests().filter(({ key }) => key !== null).length
    const until = count() + more
    while (count() < until) await new Promise((resolve) => setTimeout(resolve, 5))
  }
})
