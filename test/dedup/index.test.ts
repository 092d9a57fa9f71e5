import t from 'tap'
import { bench as dedupBench } from '../../bench/dedup.js'
import { bench as kernelBench } from '../../bench/kernel.js'
import { bandingFor, estimate, recall, settleBand } from '../../lib/dedup/banding.js'
import { BloomFilter, falsePositiveRate } from '../../lib/dedup/bloom.js'
import { dedupOptions, indexKindFor } from '../../lib/dedup/index.js'
import { ShingleComparer } from '../../lib/dedup/jaccard.js'
import { TagTables } from '../../lib/dedup/tag-table.js'
import { createSigner } from '../../lib/text/signature.js'
import { randomBelow } from '../support/random.js'
import { jaccard, letters } from './planted.js'

const seed = Number(process.env.TEST_SEED ?? 20261123)
t.comment(`seed ${seed}`)

t.test('bands and the band of doubt are what the threshold asks for', (t) => {
  t.same(bandingFor(0.8, 128, 0.995), { bands: 21, rows: 6 })
  t.same(bandingFor(0.8, 128, 0.9), { bands: 16, rows: 8 })
  t.equal(recall(0.8, { bands: 21, rows: 6 }).toFixed(3), '0.998')
  t.equal(recall(0.8, { bands: 16, rows: 8 }).toFixed(3), '0.947')
  const { low, high } = settleBand(0.8, 128)
  t.equal(low.toFixed(2), '0.68')
  t.equal(high.toFixed(2), '0.90')
  for (const threshold of [0.5, 0.6, 0.7, 0.9, 0.98]) {
    t.ok(recall(threshold, bandingFor(threshold, 128, 0.995)) >= 0.995, `${threshold}`)
  }
  t.equal(estimate(128, 128), 1)
  t.equal(estimate(0, 128), 0)
  t.ok(Math.abs(estimate(0.5 + 64 / 128 / 256, 1) - 0.5) < 1e-9, 'half of the minima equal, and one in 256 of the rest')
  t.end()
})

t.test('auto takes the Bloom index when the estimate passes what the recipe allows', (t) => {
  const options = dedupOptions.parse({ indexBytesMax: 4_000_000 })
  t.equal(indexKindFor(options, 10_000), 'exact')
  t.equal(indexKindFor(options, 10_001), 'bloom')
  t.equal(indexKindFor(dedupOptions.parse({ index: 'exact', indexBytesMax: 1 }), 1e9), 'exact')
  t.end()
})

t.test('tables find what a map finds, in order of insertion, through every growth', (t) => {
  const random = randomBelow(seed)
  const model = new Map<string, number[]>()
  const tagOfDocument: number[] = []
  let askedAgain = 0
  const tables = new TagTables(3, (_table, document) => {
    askedAgain++
    return tagOfDocument[document] as number
  })
  const found = new Uint32Array(5000)
  // Half of a tag is stored: a document of another tag with the same half may be found too.
  const get = (table: number, tag: number) => {
    tables.tags[table] = tag
    tables.seek(table, table + 1)
    return [...found.subarray(0, tables.collect(table, found, 0))].filter((document) => tagOfDocument[document] === tag)
  }
  let [moreFound, mostFound] = [0, 0]
  for (let document = 0; document < 400_000; document++) {
    // Of eight: six anywhere, one of 3,000 tags, one of 20 whose runs go over hundreds of lines.
    const draw = random(8)
    const tag = draw === 0 ? random(20) : draw === 1 ? (0x7fff0000 ^ random(3000)) | 0 : random(2 ** 32) | 0
    const table = random(3)
    const key = `${table} ${tag}`
    const expected = model.get(key) ?? []
    tables.tags[table] = tag
    tables.seek(table, table + 1)
    const hits = tables.hits(table, table + 1)
    const end = hits === 0 ? 0 : tables.collect(table, found, 0)
    mostFound = Math.max(mostFound, end)
    moreFound += end - expected.length
    tagOfDocument.push(tag)
    tables.insert(table, document)
    expected.push(document)
    model.set(key, expected)
  }
  let wrong = 0
  for (const [key, documents] of model) {
    const [table, tag] = key.split(' ').map(Number)
    if (String(get(table as number, tag as number)) !== String(documents.slice(0, found.length))) wrong++
  }
  t.equal(wrong, 0, `${model.size} keys`)
  t.ok(mostFound > 500, `a run of ${mostFound}`)
  t.ok(moreFound < 400_000 * 0.02, `${moreFound} found of other tags`)
  t.ok(askedAgain > 0)
  t.same(get(0, 123456789), [])
  t.end()
})

t.test('a Bloom filter forgets nothing, and its rate stays at what is stated past its room', (t) => {
  const random = randomBelow(seed + 1)
  const filter = new BloomFilter(40_000)
  const keys = Array.from({ length: 60_000 }, () => [random(2 ** 32), random(2 ** 32)] as const)
  for (const [first, second] of keys) filter.add(first, second)
  t.ok(keys.every(([first, second]) => filter.has(first, second)))
  let found = 0
  const asked = 400_000
  for (let i = 0; i < asked; i++) if (filter.has(random(2 ** 32), random(2 ** 32))) found++
  const bound = 1e-3 / 17
  t.ok(falsePositiveRate(24) * 17 < 5e-4, 'the first generation alone')
  // Expected at the bound: 24; five standard deviations above.
  t.ok(found <= asked * bound + 5 * Math.sqrt(asked * bound), `${found} of ${asked}`)
  t.ok((filter.memoryBytes * 17) / 60_000 <= 64 * 1.05, `${(filter.memoryBytes * 17) / 60_000} bytes for 17 keys`)
  t.end()
})

t.test('the exact similarity of two texts is that of their sets of shingles', async (t) => {
  const random = randomBelow(seed + 2)
  const comparer = new ShingleComparer(await createSigner({ permutations: 0 }))
  for (let i = 0; i < 60; i++) {
    const shared = letters(random, random(20) === 0 ? 6000 : 10 + random(300)).repeat(1 + random(2))
    const [a, b] = [shared + letters(random, random(100)), `${letters(random, random(50))}，${shared}`]
    t.equal(comparer.jaccard(a, b), jaccard(a, b))
  }
  t.equal(comparer.jaccard('一二', '一二三四'), 0)
})

t.test('the benches run at smoke size', async (t) => {
  for (const bench of [dedupBench, kernelBench]) {
    const { tables, aims } = await bench.run({ size: 'smoke', say: () => undefined })
    t.ok(tables.length > 0 && aims.length > 0 && aims.every(({ figure }) => Number.isFinite(figure)), bench.name)
  }
})
