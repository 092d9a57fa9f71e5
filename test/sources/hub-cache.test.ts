import t from 'tap'
import { cachedShard } from '../../lib/sources/hub-cache.js'
import type { Shard } from '../../lib/sources/index.js'

t.test('a path or a commit that leads out of the cache is refused', async (t) => {
  const shard: Shard = {
    split: 's',
    path: 'data/a.bin',
    sizeBytes: 1,
    version: 'c0ffee 1',
    mapping: { text: 'text' },
  } as never
  t.equal(cachedShard(shard, 'cache', 'me/corpus', null).path, 'data/a.bin')
  for (const wrong of [{ path: '../../../../outside' }, { path: 'a/../../../../../b' }, { version: '../../../.. 1' }]) {
    t.throws(() => cachedShard({ ...shard, ...wrong }, 'cache', 'me/corpus', null), { code: 'KUN_HUB_ACCESS' })
  }
})
