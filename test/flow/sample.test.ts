import { join } from 'node:path'
import t from 'tap'
import { parseRecipe } from '../../lib/recipe/index.js'
import { sampleDirectory, sampleSettings, settingsOf } from '../../lib/recipe/run-settings.js'
import type { Counters } from '../../lib/run/accounting.js'
import { startKunRun } from '../../lib/run/run.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { mainInProcess } from '../support/main-in-process.js'
import { bytesOf, runTiny, tinyRecipe } from '../support/session.js'

t.test('a sample goes through every stage, and the run asks none of its requests again', async (t) => {
  const server = await startSimulator({ nonce: true })
  t.teardown(() => server.close())
  // Those of probes have no key.
  const requested = () => server.requests().flatMap(({ key, body }) => (key === null ? [] : [body]))
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

t.test('a sample of 20 records opens with three requests a server, which the run does not repeat', async (t) => {
  const [recordsMax, stages] = [20, 3]
  for (const serverCount of [1, 3]) {
    const servers = await Promise.all(Array.from({ length: serverCount }, () => startSimulator({})))
    t.teardown(() => Promise.all(servers.map((server) => server.close())))
    const asked = () =>
      servers.flatMap((server) =>
        server.requests().map(({ key, path, body }) => ({ key, text: `${server.url}${path} ${body}` })),
      )
    const recipe = tinyRecipe('http://127.0.0.1:9/v1', true)
      .replace(/^ {2}judge:.*\n/m, '')
      .replaceAll('model: judge', 'model: writer')
    const endpoints = `models.writer.endpoints=${JSON.stringify(servers.map(({ url }) => url))}`
    const folder = t.testdir()
    const ended = async (name: string, sample?: number) => {
      const prepared = await settingsOf(parseRecipe(recipe, 'tiny.yaml', [endpoints]), join(folder, name))
      const settings = sample === undefined ? prepared.settings : await sampleSettings(prepared.settings, sample)
      const run = await startKunRun(settings)
      await run.done
      await prepared.close()
      return run.capabilities
    }
    await ended('run', recordsMax)
    const sampled = asked()
    t.equal(sampled.filter(({ key }) => key === null).length, 3 * serverCount, `to open ${serverCount}`)
    t.ok(sampled.length > recordsMax && sampled.length <= recordsMax * stages * 1.2, `${sampled.length} in all`)
    if (serverCount > 1) continue
    const capabilities = await ended('run')
    const texts = asked().map(({ text }) => text)
    t.equal(new Set(texts).size, texts.length, 'the run repeats no request of the sample, of records or of probes')
    t.strictSame(capabilities, await ended('alone'), 'and finds what a run without a sample finds')
    t.strictSame(bytesOf(join(folder, 'run')), bytesOf(join(folder, 'alone')))
  }
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

t.test('--sample --json prints one object with the counts of the sample in place of the pairs', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir({ 'tiny.yaml': tinyRecipe(server.url, true) })
  const [recipe, directory] = [join(root, 'tiny.yaml'), join(root, 'run')]
  const { code, stdout } = await mainInProcess(t, ['run', recipe, '--out', directory, '--sample', '3', '--json'])
  t.equal(code, 0)
  const result = JSON.parse(stdout)
  const common = { command: 'run', name: 'tiny', directory: sampleDirectory(directory), sample: 3 }
  t.match(result, { ...common, code: 0, reason: 'done', documents: 3, cuts: 1 })
  t.ok(result.requests > 0 && result.rows + result.rejects >= 3)
  const away = ['--set', 'models.writer.endpoints=["http://127.0.0.1:9/v1"]', '--set', 'servers.startMaxMs=1']
  const failed = await mainInProcess(t, ['run', recipe, '--out', directory, '--sample', '3', '--json', ...away])
  t.equal(failed.code, 2)
  t.match(JSON.parse(failed.stdout), { ...common, code: 2, reason: 'KUN_ENDPOINT' })
})
