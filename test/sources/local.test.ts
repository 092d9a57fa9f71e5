import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { generate } from '../../fixtures/generate.js'
import { seededRandom } from '../../lib/core/random.js'
import { sharedBuffers } from '../../lib/core/shared-buffers.js'
import {
  AbortedError,
  InvalidOptionError,
  ShardChangedError,
  ShardFormatError,
  SourceNotFoundError,
} from '../../lib/errors.js'
import { lineSplitter } from '../../lib/sources/formats/lines.js'
import {
  blocks,
  bytesBefore,
  localShards,
  presets,
  readOptions,
  type Shard,
  type SourceBlock,
  stdinShard,
} from '../../lib/sources/index.js'
import { projectRoot } from '../support/root.js'
import { brokenCursors, collect, documents, memoryShard, records, smallBlocks, summary } from './support.js'

const seed = Number(process.env.KUN_SEED ?? 20240607)
t.comment(`seed ${seed}`)
const mapping = presets.skypile

t.test('shards are sorted by code unit and named from the static part of the globs', async (t) => {
  const folder = t.testdir({
    corpus: {
      data: { 'b.jsonl': '{}\n', 'a.jsonl': '{}\n', 'B.jsonl': '{}\n', '十.jsonl': '{}\n' },
      more: { 'z.jsonl': '{}\n' },
    },
  })
  const paths = async (files: string[], from = folder) =>
    (await localShards({ split: 's', root: from, files, mapping })).map((shard) => shard.path)
  t.strictSame(await paths(['corpus/**/*.jsonl']), [
    'data/B.jsonl',
    'data/a.jsonl',
    'data/b.jsonl',
    'data/十.jsonl',
    'more/z.jsonl',
  ])
  t.strictSame(await paths(['corpus/data/[ab].jsonl']), ['a.jsonl', 'b.jsonl'])
  t.strictSame(await paths(['data/a.jsonl', './data/*.jsonl', '!data/B.jsonl'], join(folder, 'corpus')), [
    'a.jsonl',
    'b.jsonl',
    '十.jsonl',
  ])
  t.strictSame(await paths(['corpus/data/a.jsonl', 'corpus/more/*']), ['data/a.jsonl', 'more/z.jsonl'])
  t.strictSame(await paths([`${folder}/corpus/m*/*.jsonl`], '/'), ['more/z.jsonl'])
})

t.test('globs that find nothing are named', async (t) => {
  const folder = t.testdir({ 'a.jsonl': '' })
  const wanted = (files: string[]) => localShards({ split: 's', root: folder, files, mapping })
  await t.rejects(wanted(['a.jsonl', 'missing/**/*.jsonl']), SourceNotFoundError)
  await t.rejects(wanted(['missing/**/*.jsonl']), { message: /missing\/\*\*\/\*\.jsonl/ })
  await t.rejects(wanted([]), SourceNotFoundError)
})

t.test('the version of a shard follows its content and its size', async (t) => {
  const folder = t.testdir({ 'a.jsonl': 'x'.repeat(1_000_000) })
  const file = join(folder, 'a.jsonl')
  const version = async () => (await localShards({ split: 's', root: folder, files: ['*'], mapping }))[0]?.version
  const first = await version()
  t.match(first, /^[0-9a-f]{16}$/)
  t.equal(await version(), first)
  appendFileSync(file, 'x')
  const longer = await version()
  t.not(longer, first)
  const content = readFileSync(file)
  for (const at of [0, content.length - 1]) {
    const changed = Buffer.from(content)
    changed[at] = 0
    writeFileSync(file, changed)
    t.not(await version(), longer, `byte ${at}`)
  }
})

t.test('a file on disk is read from any offset, and one that shrank is an error, not an end', async (t) => {
  const folder = t.testdir({ 'a.jsonl': documents(400, seed).join('\n') })
  const [shard] = await localShards({ split: 's', root: folder, files: ['a.jsonl'], mapping })
  t.ok(shard)
  const whole = await collect([shard as Shard], { blockBytes: 4096 })
  t.strictSame(
    whole.flatMap((each) => records(each)),
    documents(400, seed),
  )
  t.strictSame((await brokenCursors([shard as Shard], { blockBytes: 4096 })).broken, [])
  t.equal((await shard?.read(2, 5, AbortSignal.timeout(5000)))?.byteLength, 5)
  truncateSync(join(folder, 'a.jsonl'), 5000)
  await t.rejects(collect([shard as Shard]), ShardChangedError)
  await t.rejects(shard?.read(4990, 100, AbortSignal.timeout(5000)) as Promise<unknown>, ShardChangedError)
})

t.test('standard input is one shard that comes once', async (t) => {
  const text = documents(50, seed).join('\n')
  const shard = stdinShard({ split: 's', mapping, input: Readable.from([Buffer.from(text)]) })
  const all = await collect([shard])
  t.strictSame(
    all.flatMap((each) => records(each)),
    documents(50, seed),
  )
  t.match(all[0]?.block, { shard: '-', split: 's' })
  await t.rejects(collect([shard], {}, all[0]?.cursor), InvalidOptionError)
  const parquet = stdinShard({ split: 's', mapping, input: Readable.from([Buffer.from('PAR1 and more')]) })
  await t.rejects(collect([parquet]), ShardFormatError)
})

function uneven(count: number, speed: number): Shard[] {
  const next = seededRandom(seed)
  return Array.from({ length: count }, (_, index) => {
    const texts = documents(Math.floor(next() * 40), seed + index)
    const content = index % 2 ? `[${texts.join()}]` : texts.join('\n')
    return memoryShard(`${String(index).padStart(2, '0')}.json`, content, seed * speed + index, 20 * speed)
  })
}

t.test('shards take turns, and the order has nothing to do with timing or reading ahead', async (t) => {
  const first = await collect(uneven(12, 1))
  t.strictSame(
    first.map(({ block }) => block.number),
    first.map((_, index) => index),
  )
  const turns = first.map(({ block }) => block.shard)
  t.not(turns[0], turns[1])
  t.ok(new Set(turns).size > 8)
  for (const [speed, blocksAheadMax] of [
    [3, 1],
    [10, 5],
    [50, 2],
  ] as const) {
    t.strictSame(summary(await collect(uneven(12, speed), { blocksAheadMax })), summary(first))
  }
})

t.test('going on from any block keeps the order over all shards', async (t) => {
  for (const shardsOpenMax of [1, 2, 5, 20]) {
    const { blocks, broken } = await brokenCursors(uneven(12, 10), { shardsOpenMax, blockBytes: 700 })
    t.ok(blocks > 10)
    t.strictSame(broken, [], `${shardsOpenMax} open`)
  }
})

t.test('the bytes before a cursor are those of its blocks; unknown for what is compressed', async (t) => {
  const shards = uneven(12, 10)
  let read = 0
  for (const { block, cursor } of await collect(shards, { shardsOpenMax: 5 })) {
    read += block.bytes.byteLength
    const before = bytesBefore(shards, cursor) ?? Number.NaN
    // The line ends at the end of a block are not in it.
    t.ok(before >= read && before - read <= cursor.block, `${before} at block ${cursor.block}, ${read} read`)
  }
  const [packed] = await localShards({
    split: 's',
    root: projectRoot,
    files: ['fixtures/wanjuan/**/*.tar.gz'],
    mapping,
  })
  const [first] = await collect([packed as Shard])
  t.equal(bytesBefore([packed as Shard], (first as SourceBlock).cursor), null)
})

t.test('in order, one shard is read after the other', async (t) => {
  const shards = uneven(6, 10)
  const all = await collect(shards, { order: 'in-order' })
  const paths = all.map(({ block }) => block.shard)
  t.strictSame(paths, [...paths].sort())
  t.strictSame(
    all.flatMap((each) => records(each)),
    (await Promise.all(shards.map((shard) => collect([shard])))).flat().flatMap((each) => records(each)),
  )
})

t.test('a cursor of another list of shards is refused', async (t) => {
  const shards = uneven(6, 10)
  const cursor = (await collect(shards))[4]?.cursor
  await t.rejects(collect(shards.slice(1), {}, cursor), ShardChangedError)
  await t.rejects(collect([], {}, cursor), ShardChangedError)
})

t.test('a shard that cannot be read stops the run in its turn, after the blocks before it', async (t) => {
  const good = memoryShard('a.jsonl', documents(40, seed).join('\n'))
  const bad: Shard = {
    ...memoryShard('b.jsonl', ''),
    open: () => {
      throw new Error('no route to host')
    },
  }
  const seen: string[] = []
  const reading = async () => {
    for await (const { block } of blocks([good, bad], smallBlocks)) seen.push(block.shard)
  }
  await t.rejects(reading(), { message: 'no route to host' })
  t.strictSame(seen, ['a.jsonl'])
})

t.test('stopping closes every open shard, by signal or by leaving the loop', async (t) => {
  const open = new Set<string>()
  const watched = uneven(5, 10).map((shard) => ({
    ...shard,
    async *open(offset: number, signal: AbortSignal) {
      open.add(shard.path)
      try {
        yield* shard.open(offset, signal)
      } finally {
        open.delete(shard.path)
      }
    },
  }))
  for await (const { block } of blocks(watched, smallBlocks)) if (block.number === 2) break
  t.equal(open.size, 0)
  const stop = new AbortController()
  const reading = async () => {
    for await (const { block } of blocks(watched, { ...smallBlocks, signal: stop.signal })) {
      if (block.number === 2) stop.abort()
    }
  }
  await t.rejects(reading(), AbortedError)
  t.equal(open.size, 0)
})

t.test('options have defaults, and sizes out of range are refused', async (t) => {
  t.strictSame(readOptions.parse({}), {
    blockBytes: 1 << 20,
    recordBytesMax: 1 << 24,
    shardsOpenMax: 4,
    order: 'interleaved',
    decodeMsMax: 300_000,
    decodeBytesMax: 512 * 1024 * 1024,
    zstdWindowBytesMax: 128 * 1024 * 1024,
  })
  for (const wrong of [{ blockBytes: 0 }, { shardsOpenMax: 1.5 }, { order: 'random' }, { blocks: 1 }]) {
    t.notOk(readOptions.safeParse(wrong).success)
  }
})

t.test(
  'blocks of the size of a read are read into their own memory, but for what is left over from the block before',
  async (t) => {
    const blockBytes = 1024 * 1024
    const line = `${'x'.repeat(999)}\n`
    const folder = t.testdir({ 'a.jsonl': line.repeat(8000) })
    const [shard] = await localShards({ split: 's', root: folder, files: ['a.jsonl'], mapping })
    const splitter = lineSplitter(0, { ...readOptions.parse({ blockBytes }), shared: true })
    const sizes: number[] = []
    let [copied, given] = [0, null as Uint8Array | null]
    const target = { space: () => (given = sizes.length > 0 ? (splitter.space?.() ?? null) : null) }
    for await (const chunk of (shard as Shard).open(0, AbortSignal.timeout(60_000), target)) {
      if (chunk.buffer !== given?.buffer) copied += chunk.byteLength
      sizes.push(chunk.byteLength)
      for (const { bytes } of splitter.push(chunk)) sharedBuffers.give(bytes.buffer as SharedArrayBuffer)
    }
    // As readShard looks at the first bytes before it has a splitter.
    t.equal(copied, sizes[0], 'only the first read is copied')
    t.ok(sizes.length <= 10, `${sizes.length} reads`)
  },
)

t.test('the committed fixtures are what the generator writes, and hold what contents.json says', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kun-fixtures-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const contents = await generate({ out: folder })
  t.strictSame(JSON.parse(readFileSync(join(projectRoot, 'fixtures/contents.json'), 'utf8')), contents)
  for (const [path, kinds] of Object.entries(contents)) {
    const [written, committed] = [folder, join(projectRoot, 'fixtures')].map((base) => readFileSync(join(base, path)))
    const plain = (bytes: Buffer | undefined) =>
      path.endsWith('.gz') ? gunzipSync(bytes as Buffer) : (bytes as Buffer)
    t.ok(plain(written).equals(plain(committed)), path)
    const shards = await localShards({ split: 's', root: folder, files: [path], mapping })
    const all = await collect(shards, { blockBytes: 4096, recordBytesMax: 1 << 20 })
    t.equal(all.flatMap((each) => records(each)).length, kinds.records)
    t.strictSame(
      all.flatMap(({ block }) => block.rejected),
      [],
    )
    const broken = all.flatMap((each) => records(each)).filter((text) => !parses(text)).length
    t.equal(broken, kinds.broken ?? 0)
  }
})

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
