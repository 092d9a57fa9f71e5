import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { recipeOfRun } from '../../lib/cli/commands/rebuild.js'
import { settingsOf } from '../../lib/recipe/run-settings.js'
import { startKunRun } from '../../lib/run/run.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { lockRunDirectory } from '../../lib/storage/lock/lock.js'
import { isAboutRecord } from '../support/record-requests.js'
import { bytesOf, runTiny } from '../support/session.js'

t.test(
  'loosening keepAtLeast from 0.5 to 0.4 sends no label and no score request, and polishes only what is newly admitted',
  async (t) => {
    // Its grades are a matter of the text: without a nonce the same ones in every run.
    const server = await startSimulator({})
    t.teardown(() => server.close())
    const root = t.testdir()
    const directory = join(root, 'run')
    const threshold = (value: number) => `kun.score.keepAtLeast=${value}`
    await runTiny({ directory, endpoint: server.url, set: [threshold(0.5), 'kun.label.variants=1'] })
    const before = bytesOf(directory)
    const askedBefore = server.requests().length
    const polished = (requests: ReturnType<typeof server.requests>) =>
      requests.filter(
        ({ body }) => isAboutRecord({ body }) && body.includes('"model":"judge"') && !/"max_tokens":1\b/.test(body),
      )

    const rebuilt = join(root, 'rebuilt')
    const recipe = await recipeOfRun(directory, rebuilt, [threshold(0.4)])
    const prepared = await settingsOf(recipe, rebuilt)
    mkdirSync(rebuilt)
    const other = await lockRunDirectory(rebuilt)
    await t.rejects(startKunRun(prepared.settings), { code: 'KUN_RUN_LOCKED' }, 'while another process works on --out')
    await other.release()
    t.same(readdirSync(rebuilt), [])
    const session = await startKunRun(prepared.settings)
    t.equal(await session.done, 'input')
    await prepared.close()
    const counters = Object.values(session.progress().counters)
    const later = server.requests().slice(askedBefore)
    const aboutRecords = later.filter(isAboutRecord)
    t.equal(aboutRecords.filter(({ body }) => body.includes('"model":"writer"')).length, 0, 'no label request')
    t.equal(aboutRecords.length, polished(later).length, 'no score request')
    const old = polished(server.requests().slice(0, askedBefore)).length
    const admitted = counters.reduce((sum, { stages }) => sum + (stages.polish?.in ?? 0), 0) - old
    t.ok(admitted > 3 && old > 100, `${old} were polished, ${admitted} are newly admitted`)
    t.equal(aboutRecords.length, admitted, 'one polish request for each')
    t.strictSame(bytesOf(directory), before, 'the old run stays as it is')

    const again = join(root, 'again')
    const whole = await settingsOf(await recipeOfRun(rebuilt, again, []), again)
    await (await startKunRun(whole.settings)).done
    await whole.close()
    t.strictSame(bytesOf(again), bytesOf(rebuilt), 'a rebuilt run is rebuilt from both, to the same bytes')
    await t.rejects(recipeOfRun(directory, directory, []), { code: 'KUN_USAGE', message: /name another directory/ })
    await t.rejects(recipeOfRun(root, again, []), { code: 'KUN_USAGE', message: /does not contain a run/ })
  },
)
