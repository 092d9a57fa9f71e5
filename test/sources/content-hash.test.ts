import { appendFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { seededRandom } from '../../lib/core/random.js'
import { ShardChangedError } from '../../lib/errors.js'
import { ContentHash } from '../../lib/sources/content-hash.js'
import { localShards, type Shard } from '../../lib/sources/index.js'

const seed = Number(process.env.KUN_SEED ?? 20240611)
t.comment(`seed ${seed}`)
const next = seededRandom(seed)
const content = Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(next() * 256)))

t.test('the hash does not depend on how the bytes are split, and resumes from any offset', async (t) => {
  const whole = await ContentHash.create()
  whole.update(0, content)
  const expected = whole.read(null)
  t.equal(expected.bytes, content.length)
  for (let round = 0; round < 30; round++) {
    const cut = Math.floor(next() * content.length)
    const first = await ContentHash.create()
    for (let at = 0; at < cut; ) {
      const end = Math.min(cut, at + 1 + Math.floor(next() * 100_000))
      first.update(at, content.subarray(at, end))
      at = end
    }
    const state = JSON.parse(JSON.stringify(first.read('stamp')))
    const resumed = await ContentHash.resume(state, async (offset, length) => content.subarray(offset, offset + length))
    t.ok(resumed.matches(state), `resumed at ${cut}`)
    const again = Math.max(0, cut - 50_000)
    resumed.update(again, content.subarray(again))
    t.strictSame(resumed.read(null), expected)
  }
})

t.test('one bit anywhere gives another hash', async (t) => {
  const whole = await ContentHash.create()
  whole.update(0, content)
  const expected = whole.read(null)
  for (let round = 0; round < 50; round++) {
    const copy = Buffer.from(content)
    const at = Math.floor(next() * copy.length)
    copy[at] = (copy[at] as number) ^ (1 << Math.floor(next() * 8))
    const other = await ContentHash.create()
    other.update(0, copy)
    t.notOk(other.matches(expected), `byte ${at}`)
  }
})

async function firstOf(root: string): Promise<Shard> {
  return (await localShards({ split: 's', root, files: ['a.jsonl'], mapping: { text: 'text' } }))[0] as Shard
}

const signal = AbortSignal.timeout(60_000)
/** More than one read. */
const large = Buffer.alloc(3 * 1024 * 1024, 'x')

t.test('a file that is written to while it is read stops the run, resumable', async (t) => {
  const ways: Record<string, (file: string) => void> = {
    rewritten: (file) => writeFileSync(file, Buffer.alloc(large.length, 'y')),
    longer: (file) => appendFileSync(file, 'more'),
    shorter: (file) => writeFileSync(file, large.subarray(0, 2 * 1024 * 1024)),
  }
  for (const [way, change] of Object.entries(ways)) {
    const root = t.testdir({ 'a.jsonl': large })
    utimesSync(join(root, 'a.jsonl'), 1, 1)
    const shard = await firstOf(root)
    const reading = async () => {
      let chunks = 0
      for await (const _ of shard.open(0, signal)) if (chunks++ === 0) change(join(root, 'a.jsonl'))
    }
    await t.rejects(reading(), { constructor: ShardChangedError, code: 'KUN_SHARD_CHANGED', exitCode: 3 }, way)
    await t.rejects(shard.open(0, signal)[Symbol.asyncIterator]().next(), ShardChangedError, `${way}, opened again`)
  }
})

t.test('a file that is replaced while it is read is read to its old end', async (t) => {
  const root = t.testdir({ 'a.jsonl': large, other: Buffer.alloc(large.length, 'y') })
  const shard = await firstOf(root)
  let bytes = 0
  for await (const chunk of shard.open(0, signal)) {
    if (bytes === 0) renameSync(join(root, 'other'), join(root, 'a.jsonl'))
    t.equal(chunk.at(-1), 'x'.charCodeAt(0))
    bytes += chunk.length
  }
  t.equal(bytes, large.length)
  t.equal(shard.stamp?.(), null, 'and its times no longer prove that it is unchanged')
})

t.test('equal times prove that a file is unchanged only if its last change is old enough', async (t) => {
  const root = t.testdir({ 'a.jsonl': large })
  t.equal((await firstOf(root)).stamp?.(), null, 'another change in the same tick would not show')
})
