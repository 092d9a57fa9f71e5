import { join } from 'node:path'
import t from 'tap'
import { parseRecipe } from '../../lib/recipe/index.js'
import { settingsOf } from '../../lib/recipe/run-settings.js'
import { sampleDirectory, sampleSettings } from '../../lib/recipe/sample.js'
import type { Counters } from '../../lib/run/accounting.js'
import { startKunRun } from '../../lib/run/run.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { bytesOf, runTiny, tinyRecipe } from '../support/session.js'

t.test('a sample goes through every stage, and the run asks none of its requests again', async (t) => {
  const server = await startSimulator({ nonce: true })
  t.teardown(() => server.close())
  // Those of probes have no seed, or say hello.
  const requested = () =>
    server.requests().flatMap(({ body }) => (body.includes('"seed"') && !body.includes('你好') ? [body] : []))
  const directory = join(t.testdir(), 'run')
  const sample = async (): Promise<void> => {
    const prepared = await settingsOf(parseRecipe(tinyRecipe(server.url, true), 'tiny.yaml'), directory)
    try {
      const run = await startKunRun(await sampleSettings(prepared.settings, 8), { fresh: 'discard' })
      t.equal(await run.done, 'input')
    } finally {
      await prepared.close()
    }
  }
  await sample()
  const first = requested()
  t.ok(first.length > 3, `${first.length} requests`)
  const sampled = sampleDirectory(directory)
  const counters = (await readManifest(sampled)).at(-1)?.counters as Counters
  const sum = (of: (own: Counters[string]) => number) => Object.values(counters).reduce((all, own) => all + of(own), 0)
  t.equal(
    sum(({ documents }) => documents),
    8,
  )
  t.ok(sum(({ candidates }) => candidates) <= 8, 'one chunk of each record')
  t.match(await verifyDirectory(sampled), { findings: [] })
  await sample()
  t.equal(requested().length, first.length, 'sampled again, nothing is asked again')

  t.equal(await runTiny({ directory, endpoint: server.url, small: true }), 'input')
  const all = requested()
  t.equal(new Set(all).size, all.length, 'the run asks nothing that the sample has asked')
  t.ok(all.length > first.length)
  const replayed = join(directory, '../replayed')
  await runTiny({ directory: replayed, endpoint: server.url, small: true, set: [`replies.from=["${directory}"]`] })
  t.strictSame(bytesOf(replayed), bytesOf(directory), 'its own replies are complete')
  t.equal(requested().length, all.length)
})

t.test(
  'the directory of a sample is its own: a run is not replaced, and a sample is not resumed as a run',
  async (t) => {
    const server = await startSimulator({})
    t.teardown(() => server.close())
    const directory = join(t.testdir(), 'run')
    const other = sampleDirectory(directory)
    await runTiny({ directory: other, endpoint: server.url, small: true, set: ['limits.rowsMax=1'] })
    const settings = async (endpoint: string) => {
      const prepared = await settingsOf(parseRecipe(tinyRecipe(endpoint, true), 'tiny.yaml'), directory)
      await prepared.close()
      return prepared
    }
    await t.rejects(sampleSettings((await settings(server.url)).settings, 2), {
      code: 'KUN_USAGE',
      message: /holds a run that is not a sample/,
    })
    const elsewhere = join(directory, '../elsewhere')
    const prepared = await settingsOf(parseRecipe(tinyRecipe(server.url, true), 'tiny.yaml'), elsewhere)
    const run = await startKunRun(await sampleSettings(prepared.settings, 2), { fresh: 'discard' })
    await run.done
    await prepared.close()
    await t.rejects(runTiny({ directory: sampleDirectory(elsewhere), endpoint: server.url, small: true }), {
      code: 'KUN_RUN_MISMATCH',
      message: /sample/,
    })
    const used = await settingsOf(parseRecipe(tinyRecipe(server.url, true), 'tiny.yaml'), elsewhere)
    await used.close()
    t.match(used.sampled, { directory: sampleDirectory(elsewhere), records: 2 })
    const moved = await settingsOf(parseRecipe(tinyRecipe('http://127.0.0.1:9/v1', true), 'tiny.yaml'), elsewhere)
    await moved.close()
    t.equal(moved.sampled, null, 'with other servers it is not used: their capabilities may differ')
  },
)
