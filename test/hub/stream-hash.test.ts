import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { seededRandom } from '../../lib/core/random.js'
import { hubSettings } from '../../lib/hub/settings.js'
import { hashThreadFromBytes, hashThreads, hashThreadsMax, streamHash } from '../../lib/hub/stream-hash.js'
import { hubTransport } from '../../lib/hub/transport.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { hubShards } from '../../lib/sources/hub-shards.js'
import type { Shard } from '../../lib/sources/index.js'

const never = new AbortController().signal
const inThread = { sizeBytes: 1, signal: never, threadFromBytes: 0 }
const MiB = 1024 * 1024

t.test('the thread gives the sha256 of pieces of any size, which may be altered once they are taken', async (t) => {
  const seed = Number(process.env.KUN_SEED ?? 11)
  t.comment(`seed ${seed}`)
  const random = seededRandom(seed)
  const lengths = [0, 1, 512 * 1024, 512 * 1024 + 1, 9 * MiB, ...Array.from({ length: 60 }, () => 4 ** (random() * 9))]
  const [hash, wanted] = [streamHash(inThread), createHash('sha256')]
  t.equal(hashThreads(), 1)
  for (const length of lengths) {
    const piece = randomBytes(length)
    wanted.update(piece)
    await hash.update(piece)
    piece.fill(0)
  }
  t.equal(await hash.digest(), wanted.digest('hex'))
  await hash.close()
  t.equal(hashThreads(), 0)
  const none = streamHash(inThread)
  t.equal(await none.digest(), createHash('sha256').digest('hex'), 'of nothing')
  await none.close()
})

t.test('a stream runs ahead of its hash by 4 MiB and no more', async (t) => {
  const hash = streamHash(inThread)
  t.equal(hash.update(Buffer.alloc(4 * MiB)), null)
  const waiting = hash.update(Buffer.alloc(1))
  t.type(waiting, Promise)
  await waiting
  await hash.close()
})

t.test('small streams, and those past the most threads, are hashed without one', async (t) => {
  const small = streamHash({ sizeBytes: hashThreadFromBytes - 1, signal: never })
  t.equal(hashThreads(), 0)
  void small.update(Buffer.from('abc'))
  const abc = createHash('sha256').update('abc').digest('hex')
  t.equal(await small.digest(), abc)
  const many = Array.from({ length: hashThreadsMax + 2 }, () =>
    streamHash({ sizeBytes: hashThreadFromBytes, signal: never }),
  )
  t.equal(hashThreads(), hashThreadsMax)
  for (const hash of many) await hash.update(Buffer.from('abc'))
  for (const hash of many) t.equal(await hash.digest(), abc)
  await Promise.all(many.map((hash) => hash.close()))
  t.equal(hashThreads(), 0)
})

t.test('an abort ends the thread, and whoever waits for it hears why', async (t) => {
  const stop = new AbortController()
  const hash = streamHash({ ...inThread, signal: stop.signal })
  const reason = new Error('enough')
  const digest = hash.digest()
  stop.abort(reason)
  await t.rejects(digest, reason)
  await t.rejects(hash.update(Buffer.alloc(1)) as Promise<void>, reason)
  await hash.close()
  t.equal(hashThreads(), 0)
})

t.test('a large shard: broken connections, a flipped byte, a reader who leaves', async (t) => {
  const root = t.testdir({})
  const hub = await startHub({ directory: join(root, 'hub') })
  const content = randomBytes(hashThreadFromBytes + 12_345)
  hub.seed('me/corpus', { 'large.bin': content })
  const transport = hubTransport(hubSettings({ hubUrl: hub.url, token: 'hf_test', environment: {} }), { backoffMs: 0 })
  t.teardown(async () => {
    await hub.close()
    await transport.close()
  })
  const mapping = { text: 'text' }
  const listed = {
    repo: 'me/corpus',
    files: '*.bin',
    split: 's',
    mapping,
    hubUrl: hub.url,
    token: 'hf_test',
    transport,
  }
  const shard = (await hubShards(listed)).shards[0] as Shard

  hub.faults.set([{ kind: 'cut', match: 'GET /cdn', times: 3, seed: 5 }])
  let at = 0
  for await (const piece of shard.open(0, never)) {
    if (hashThreads() !== 1) t.fail('hashed in a thread')
    if (!content.subarray(at, at + piece.length).equals(piece)) t.fail(`other bytes at ${at}`)
    at += piece.length
  }
  t.equal(at, content.length)
  t.equal(hashThreads(), 0)

  hub.faults.set([{ kind: 'corrupt', match: 'GET /cdn', seed: 5 }])
  const altered = async () => {
    for await (const _ of shard.open(0, never));
    t.fail('the end was told')
  }
  await t.rejects(altered(), { code: 'KUN_SHARD_CHANGED', message: /received with sha256.*start over/ } as never)
  t.equal(hashThreads(), 0)

  hub.faults.set([])
  for await (const _ of shard.open(0, never)) break
  t.equal(hashThreads(), 0, 'after a reader who left')
  const stop = new AbortController()
  const stopped = async () => {
    for await (const _ of shard.open(0, stop.signal)) stop.abort(new Error('enough'))
  }
  await t.rejects(stopped(), { message: 'enough' })
  t.equal(hashThreads(), 0, 'after an abort')
})
