import t, { type Test } from 'tap'
import { s3Settings } from '../../lib/objects/s3/settings.js'
import { S3Transport } from '../../lib/objects/s3/transport.js'
import type { SimulatedS3Options } from '../../lib/simulator/s3/index.js'
import { bucketOf, s3Shards } from '../../lib/sources/s3-shards.js'
import type { Shard } from '../../lib/sources/shard.js'
import { s3Bench } from '../objects/s3-support.js'

const never = new AbortController().signal
const mapping = { text: 'text' }

async function started(t: Test, options: Partial<SimulatedS3Options> = {}) {
  const { server, open } = await s3Bench(t, options)
  const settings = s3Settings({ HOME: '/nonexistent', ...server.environment })
  const transport = new S3Transport('kun', settings, { backoffMs: 0 })
  t.teardown(() => transport.close())
  const corpus = open({}, 's3://kun')
  const list = async (...files: string[]) => (await s3Shards({ files, split: 'a', mapping, transport })).shards
  return { server, corpus, list }
}

async function bytesOf(shard: Shard, offset = 0): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of shard.open(offset, never)) pieces.push(Uint8Array.from(piece))
  return Buffer.concat(pieces)
}

t.test('objects are listed by globs, in order of their keys, each pinned by ETag and size', async (t) => {
  const { corpus, list } = await started(t, { pageKeys: 3 })
  for (const key of ['c/b.jsonl', 'c/a.jsonl', 'c/deep/x.jsonl', 'c/deep/y.txt', 'other/z.jsonl', 'c/a.jsonl.zst']) {
    await corpus.put(key, Buffer.from(key))
  }
  const paths = async (...files: string[]) => (await list(...files)).map(({ path }) => path)
  t.same(await paths('s3://kun/c/*.jsonl'), ['c/a.jsonl', 'c/b.jsonl'])
  t.same(await paths('s3://kun/c/**'), ['c/a.jsonl', 'c/a.jsonl.zst', 'c/b.jsonl', 'c/deep/x.jsonl', 'c/deep/y.txt'])
  t.same(await paths('s3://kun/**/*.jsonl', '!s3://kun/c/deep/**'), ['c/a.jsonl', 'c/b.jsonl', 'other/z.jsonl'])
  t.same(await paths('s3://kun/c/{a,b}.jsonl', 's3://kun/c/b.jsonl'), ['c/a.jsonl', 'c/b.jsonl'])
  const [shard] = await list('s3://kun/c/a.jsonl')
  t.match(shard, { sizeBytes: 9, version: /^[0-9a-f]{32} 9$/, split: 'a' })
  const missing = { code: 'KUN_SOURCE_NOT_FOUND', message: /s3:\/\/kun\/none\/\*\.jsonl \(of 0 listed\)/ }
  await t.rejects(list('s3://kun/c/*.jsonl', 's3://kun/none/*.jsonl'), missing)
})

t.test('a shard is read from any offset, over connections that break and servers that ignore ranges', async (t) => {
  const { corpus, list, server } = await started(t)
  const content = Buffer.from('0123456789'.repeat(40_000))
  await corpus.put('big.jsonl', content)
  const [shard] = (await list('s3://kun/*.jsonl')) as [Shard]
  t.ok((await bytesOf(shard)).equals(content))
  t.ok((await bytesOf(shard, 123_456)).equals(content.subarray(123_456)))
  t.ok(Buffer.from(await shard.read(399_990, 10, never)).equals(content.subarray(399_990)))
  server.faults.set([
    { kind: 'cut', match: '^GET', times: 3, afterBytes: 100_000 },
    { kind: 'status', status: 503, match: '^GET', from: 2 },
  ])
  t.ok((await bytesOf(shard)).equals(content))
  server.faults.set([{ kind: 'ignore-range', match: '^GET', times: -1 }])
  t.ok((await bytesOf(shard, 1000)).equals(content.subarray(1000)))
  server.faults.set([{ kind: 'cut', match: '^GET', times: -1, afterBytes: 0 }])
  await t.rejects(bytesOf(shard), { code: 'KUN_STORE_UNAVAILABLE', exitCode: 3, message: /no byte after 0 of 400000/ })
})

t.test('an object that was replaced or removed since it was listed stops the run', async (t) => {
  const { corpus, list } = await started(t)
  await corpus.put('a.jsonl', Buffer.from('first'))
  await corpus.put('b.jsonl', Buffer.from('first'))
  const [a, b] = (await list('s3://kun/*.jsonl')) as [Shard, Shard]
  await corpus.put('a.jsonl', Buffer.from('other'))
  await t.rejects(bytesOf(a), { code: 'KUN_SHARD_CHANGED', message: /s3:\/\/kun\/a\.jsonl has another ETag/ })
  await corpus.remove('b.jsonl')
  await t.rejects(bytesOf(b), { code: 'KUN_SHARD_DAMAGE', reason: 'shard-missing' })
})

t.test('a source reads one bucket', async (t) => {
  t.equal(bucketOf(['s3://kun/a/*', '!s3://kun/b']), 'kun')
  t.throws(() => bucketOf(['s3://kun/a', 's3://other/a']), { code: 'KUN_INVALID_OPTION', message: /kun, other/ })
  t.throws(() => bucketOf(['s3://*/a']), { code: 'KUN_INVALID_OPTION', message: /s3:\/\/bucket\/prefix/ })
})
