import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cachedFile } from '../../lib/hub/cache.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { hubShards } from '../../lib/sources/hub-shards.js'
import type { RangedFile } from '../../lib/storage/ranged-file.js'

t.test('a path or a commit that leads out of the cache is refused', async (t) => {
  const file: RangedFile = {
    path: 'data/a.bin',
    sizeBytes: 1,
    version: 'c0ffee 1',
    open: async function* () {},
    read: async () => new Uint8Array(),
  }
  t.equal(cachedFile(file, 'cache', 'me/corpus', null).path, 'data/a.bin')
  for (const wrong of [{ path: '../../../../outside' }, { path: 'a/../../../../../b' }, { version: '../../../.. 1' }]) {
    t.throws(() => cachedFile({ ...file, ...wrong }, 'cache', 'me/corpus', null), { code: 'KUN_HUB_ACCESS' })
  }
})

t.test(
  'bytes with another sha256 do not stay: neither those of one go nor those that went on from a part',
  async (t) => {
    const root = t.testdir({ hub: {}, cache: {} })
    const hub = await startHub({ directory: join(root, 'hub') })
    t.teardown(() => hub.close())
    const content = randomBytes(300_000)
    hub.seed('me/corpus', { 'a.bin': content })
    const cache = join(root, 'cache')
    const mapping = { text: 'text' }
    const read = async (signal: AbortSignal) => {
      const token = 'hf_test'
      const listed = await hubShards({
        repo: 'me/corpus',
        files: '*',
        split: 's',
        mapping,
        hubUrl: hub.url,
        token,
        cache,
      })
      try {
        return await listed.shards[0]?.read(0, content.length, signal)
      } finally {
        await listed.close()
      }
    }
    const left = () => readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((path) => /a\.bin/.test(path))
    const changed = { code: 'KUN_SHARD_CHANGED', message: /sha256/ } as never
    const never = new AbortController().signal
    hub.faults.set([{ kind: 'corrupt', match: 'GET /cdn' }])
    await t.rejects(read(never), changed)
    t.same(left(), [])
    const stop = new AbortController()
    hub.faults.set([
      { kind: 'cut', match: 'GET /cdn', afterBytes: 100_000 },
      { kind: 'stall', match: 'GET /cdn', from: 2 },
    ])
    const stalled = read(stop.signal)
    while (!hub.log.some(({ fault }) => fault === 'cut')) await new Promise(setImmediate)
    stop.abort(new Error('enough'))
    await t.rejects(stalled, { message: 'enough' })
    t.match(left(), [/a\.bin\.part$/])
    hub.faults.set([{ kind: 'corrupt', match: 'GET /cdn' }])
    await t.rejects(read(never), changed)
    t.same(left(), [])
    hub.faults.set([])
    t.same(Buffer.from((await read(never)) as Uint8Array), content)
  },
)
