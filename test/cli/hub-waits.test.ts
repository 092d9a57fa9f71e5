import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startHub } from '../../lib/simulator/hub/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { command } from '../support/commands.js'
import { projectRoot } from '../support/root.js'
import { addCuts } from '../support/run-directory.js'
import { tinyRecipe } from '../support/session.js'

const token = 'hf_writer'
const shard = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'))

/** The command as users start it. */
function kunStream(hubUrl: string, args: readonly string[]) {
  return command('bin/kun-stream.js', args, { NO_COLOR: '1', HF_ENDPOINT: hubUrl, HF_TOKEN: token })
}

/** Lines that report a retry. */
const waitsIn = (err: string): string[] => err.split('\n').filter((line) => line.includes('retrying'))

t.test(
  'hub ls reports once that it retries a Hub that refuses connections, and lists once the Hub is up',
  async (t) => {
    const directory = join(t.testdir({}), 'hub')
    const before = await startHub({ directory })
    const { url } = before
    await before.close()
    const listing = kunStream(url, ['hub', 'ls', 'me/corpus'])
    await listing.said('retrying')
    const hub = await startHub({ directory, port: Number(new URL(url).port) })
    t.teardown(() => hub.close())
    hub.seed('me/corpus', { 'data/a.jsonl': shard })
    const { code, out, err } = await listing.ended
    t.equal(code, 0, err)
    t.match(out, /data\/a\.jsonl\n$/)
    const waits = waitsIn(err)
    const [first] = waits
    t.equal(waits.length, 1, err)
    t.match(
      first,
      /^http:\S+\/api\/datasets\/me\/corpus\/revision\/main failed with ECONNREFUSED .*: retrying in 1 s, /,
    )
    t.match(first, /, try 2 of 8$/)
  },
)

t.test('a run reports retries of a listing that times out and of a shard, without secrets', async (t) => {
  const root = t.testdir({})
  const [hub, server] = [await startHub({ directory: join(root, 'hub'), lfsFromBytes: 1 }), await startSimulator({})]
  t.teardown(() => Promise.all([hub.close(), server.close()]))
  hub.seed('me/corpus', { 'data/a.jsonl': shard })
  hub.faults.set([
    { kind: 'stall', match: '/revision/' },
    { kind: 'reset', match: 'GET /cdn' },
  ])
  const recipe = join(root, 'recipe.yaml')
  writeFileSync(recipe, tinyRecipe(server.url, true))
  const from = ['sources[0].hub=me/corpus', 'sources[0].files=data/**', 'hub.headersMs=1s']
  const args = ['run', recipe, '--out', join(root, 'run'), ...from.flatMap((pair) => ['--set', pair])]
  const { code, err } = await kunStream(hub.url, args).ended
  t.equal(code, 0, err)
  const waits = waitsIn(err)
  const [listing, reading] = waits
  t.equal(waits.length, 2, err)
  t.match(listing, /\/revision\/main failed with UND_ERR_HEADERS_TIMEOUT .*: retrying in /)
  t.match(reading, /^http:\/\/localhost:\d+\/content\/\S+ failed with \S.*: retrying in /)
  t.notMatch(waits.join(), /\?|hf_/, 'no signature and no token')
})

t.test('publish reports a retry in one line, even if the response is a long page', async (t) => {
  const root = t.testdir({ run: {} })
  const hub = await startHub({ directory: join(root, 'hub') })
  t.teardown(() => hub.close())
  await addCuts(join(root, 'run'), { cuts: 1 })
  hub.faults.set([{ kind: 'status', status: 503, error: `busy\n${'and more '.repeat(100)}`, match: '/whoami' }])
  const { code, err } = await kunStream(hub.url, ['publish', join(root, 'run'), '--repo', 'me/demo']).ended
  t.equal(code, 0, err)
  const waits = waitsIn(err)
  t.match(waits, [/^http:\S+\/api\/whoami-v2 failed with 503 busy and more .{0,120}: retrying in 1 s, try 2 of 8$/])
  t.equal(waits.length, 1)
})
