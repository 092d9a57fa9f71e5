import { spawnSync } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { type Banding, bandingFor, estimate, recall, type SettleBand, settleBand } from '../../lib/dedup/banding.js'
import { IdHasher, packedIds } from '../../lib/dedup/block-ids.js'
import { BloomFilter, falsePositiveRate } from '../../lib/dedup/bloom.js'
import { ExactIndex } from '../../lib/dedup/exact-index.js'
import { dedupOptions, indexKindFor } from '../../lib/dedup/index.js'
import { ShingleComparer } from '../../lib/dedup/jaccard.js'
import type { KeptRow } from '../../lib/dedup/kept-frames.js'
import type { Duplicate } from '../../lib/dedup/types.js'
import { recordId } from '../../lib/text/identity.js'
import { createSigner } from '../../lib/text/signature.js'
import { randomBelow } from '../support/random.js'
import { jaccard, letters } from './planted.js'

const seed = Number(process.env.TEST_SEED ?? 20261123)
t.comment(`seed ${seed}`)

t.test('bands and the range in which texts are compared follow from the threshold', (t) => {
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
  t.ok(Math.abs(estimate(0.5 + 64 / 128 / 256, 1) - 0.5) < 1e-9, 'half of the bytes equal, and one in 256 of the rest')
  t.end()
})

t.test('auto selects the Bloom index when the estimate exceeds the memory limit of the recipe', (t) => {
  const options = dedupOptions.parse({ indexBytesMax: 4_000_000 })
  t.equal(indexKindFor(options, 10_000), 'exact')
  t.equal(indexKindFor(options, 10_001), 'bloom')
  t.equal(indexKindFor(dedupOptions.parse({ index: 'exact', indexBytesMax: 1 }), 1e9), 'exact')
  t.end()
})

interface Shape {
  readonly documents: number
  readonly signatureLength: number
  readonly rows: number
  /** Percentage of rows that have a shingle. */
  readonly near: number
  readonly partBytesMax?: number
}

/** The expected results, computed with maps. */
class Model {
  readonly kept: KeptRow[] = []
  /** How often a document was not added to a band because the band was full. */
  fullBands = 0
  readonly #keys = new Map<string, number>()
  readonly #bands = new Map<string, number[]>()

  readonly #shape: Shape
  readonly #banding: Banding
  readonly #settle: SettleBand

  constructor(shape: Shape, banding: Banding, settle: SettleBand) {
    this.#shape = shape
    this.#banding = banding
    this.#settle = settle
  }

  equal(row: KeptRow): number | undefined {
    return this.#keys.get(String(row.key))
  }

  near(row: KeptRow): unknown[] {
    const sharing = new Set(this.#sharing(row).flat())
    const candidates = [...sharing]
      .sort((a, b) => a - b)
      .map((document) => {
        const other = this.kept[document]?.signature as Uint8Array
        const equal = row.signature.filter((byte, i) => byte === other[i]).length
        const similarity = estimate(equal, this.#shape.signatureLength)
        return { document, similarity, sure: similarity >= this.#settle.high }
      })
      .filter(({ similarity }) => similarity >= this.#settle.low)
    const sure = candidates.findIndex((candidate) => candidate.sure)
    return sure < 0 ? candidates : candidates.slice(0, sure + 1)
  }

  keep(row: KeptRow): void {
    const document = this.kept.length
    this.kept.push(row)
    if (!this.#keys.has(String(row.key))) this.#keys.set(String(row.key), document)
    for (const documents of this.#sharing(row)) {
      if (documents.length < 64) documents.push(document)
      else this.fullBands++
    }
  }

  #sharing(row: KeptRow): number[][] {
    if (!row.hasShingle) return []
    const { bands, rows } = this.#banding
    return Array.from({ length: bands }, (_, band) => {
      const key = `${band} ${row.signature.subarray(band * rows, (band + 1) * rows)}`
      const documents = this.#bands.get(key) ?? []
      this.#bands.set(key, documents)
      return documents
    })
  }
}

/** Of ten rows six are unlike all others, three differ from an earlier one in some bytes, one is in a band of hundreds. */
function drawRow(
  random: (below: number) => number,
  { signatureLength, rows, near }: Shape,
  kept: Model['kept'],
): KeptRow {
  const drawn = () => Uint8Array.from({ length: signatureLength }, () => random(256))
  const draw = random(10)
  const earlier = draw < 3 ? kept[random(kept.length)] : undefined
  const signature = earlier === undefined ? drawn() : Uint8Array.from(earlier.signature)
  const changes = earlier === undefined ? 0 : random(Math.ceil(signatureLength / 3))
  for (let i = 0; i < changes; i++) signature[random(signatureLength)] = random(256)
  if (draw === 9) signature.fill(random(40), 0, rows)
  const number = kept.length
  // One in ten has one of 10,000 keys, so that keys repeat.
  const key = new Uint8Array(16)
  new DataView(key.buffer).setUint32(random(3) * 4, 1 + (random(10) === 0 ? random(10_000) : 10_000 + number))
  const id =
    number < 5000 || random(3) > 0
      ? number.toString(16).padStart(32, '0')
      : ([`line ${number} 行`, `š${'a'.repeat(31)}`, `${number}`.padStart(32, 'A')][random(3)] as string)
  return { key, hasShingle: random(100) < near, signature, id, textOffset: random(4) === 0 ? -1 : number * 1e6 }
}

const shapes: Readonly<Record<string, Shape>> = {
  'past 16 bits of numbers': { documents: 68_000, signatureLength: 24, rows: 6, near: 95 },
  'few with a shingle': { documents: 68_000, signatureLength: 40, rows: 10, near: 4 },
  'several parts': { documents: 45_000, signatureLength: 16, rows: 3, near: 95, partBytesMax: 2 * 2 ** 20 },
}

for (const [name, shape] of Object.entries(shapes)) {
  t.test(`an index finds what comparing with every document finds, through every growth: ${name}`, (t) => {
    const random = randomBelow(seed)
    const { signatureLength, rows } = shape
    const banding = { bands: Math.floor(signatureLength / rows), rows }
    const settle = { low: 0.6, high: 0.85 }
    const index = new ExactIndex({ ...shape, exact: true, banding, settleBand: settle })
    const model = new Model(shape, banding, settle)
    const seen = { equal: 0, candidates: 0, sure: 0, wrong: [] as string[] }
    while (model.kept.length < shape.documents) {
      const row = drawRow(random, shape, model.kept)
      const equal = model.equal(row)
      const near = row.hasShingle ? model.near(row) : []
      // Some rows are kept without a search, as when a log is read.
      if (random(5) > 0) {
        const found = index.equal(row)
        if (found?.of !== (equal === undefined ? undefined : model.kept[equal]?.id)) seen.wrong.push(`key of ${row.id}`)
        if (!isDeepStrictEqual(index.near(row), near)) seen.wrong.push(`bands of ${row.id}`)
        seen.equal += equal === undefined ? 0 : 1
        seen.candidates += near.length
      }
      model.keep(row)
      index.keep(row)
    }
    t.same(seen.wrong.slice(0, 3), [])
    t.ok(seen.equal > 100, `${seen.equal} of equal key`)
    t.ok(seen.candidates > shape.documents * shape.near * 1e-5, `${seen.candidates} candidates`)
    t.equal(model.fullBands > 100, shape.near > 50, `${model.fullBands} times a band was full`)
    t.equal(index.count, shape.documents)
    t.equal(index.documents.parts.length > 2, shape.partBytesMax !== undefined)
    for (let document = 0; document < shape.documents; document += 97) {
      const { id, textOffset } = model.kept[document] as KeptRow
      if (index.documents.id(document) === id && index.documents.textOffset(document) === textOffset) continue
      t.same([index.documents.id(document), index.documents.textOffset(document)], [id, textOffset])
    }
    t.end()
  })
}

/** Of rows that `near` finds candidates for, none of them sure: a stand-in for comparing texts. */
const isNear = (document: number, row: KeptRow) =>
  (document + row.signature.reduce((sum, byte) => sum + byte)) % 3 === 0

/** Looks one row up and returns its verdict; keeps the row if it is no duplicate. */
function decideAlone(index: ExactIndex, row: KeptRow): Duplicate | null {
  const equal = index.equal(row)
  if (equal !== null) return equal
  const candidates = index.near(row)
  const found = candidates.find(({ document, sure }) => sure || isNear(document, row))
  if (found === undefined) {
    index.keep(row)
    return null
  }
  return { reason: 'near-duplicate', of: index.documents.id(found.document), similarity: found.similarity }
}

/** The verdicts on the rows of a block, and what is kept of it. */
function decideBlock(index: ExactIndex, rows: readonly KeptRow[], textBytes: Uint32Array, textsBytes: number) {
  const { length } = rows
  const ids = packedIds(rows.map(({ id }) => id))
  const columns = {
    keys: Buffer.concat(rows.map(({ key }) => key)),
    signature: Buffer.concat(rows.map(({ signature }) => signature)),
    banded: Uint8Array.from(rows, ({ hasShingle }) => Number(hasShingle)),
  }
  if (!index.begin({ rows: length, ...columns, textBytes, textsBytes }, ids)) return null
  const verdicts = new Array<Duplicate | null>(length).fill(null)
  for (let row = index.decideRows(0); row < length; row = index.decideRows(row + 1)) {
    const candidates = index.candidates()
    const found = candidates.find(({ document, sure }) => sure || isNear(document, rows[row] as KeptRow))
    if (found === undefined) index.keepRow(row)
    else
      verdicts[row] = { reason: 'near-duplicate', of: index.documents.id(found.document), similarity: found.similarity }
  }
  const kept = index.documents.last.kept(true)
  index.setDuplicates(verdicts)
  return { verdicts, kept }
}

for (const [name, shape] of Object.entries(shapes)) {
  if (shape.partBytesMax !== undefined) continue
  t.test(`rows of a block that are decided on together have the verdicts of rows one by one: ${name}`, (t) => {
    const random = randomBelow(seed + 3)
    const banding = { bands: Math.floor(shape.signatureLength / shape.rows), rows: shape.rows }
    const options = { ...shape, exact: true, banding, settleBand: { low: 0.6, high: 0.85 } }
    const [alone, together] = [new ExactIndex(options), new ExactIndex(options)]
    const drawn: KeptRow[] = []
    const counts = { exact: 0, near: 0, kept: 0 }
    let textsBytes = 0
    while (alone.count < shape.documents) {
      // A row that is kept in any case, as of a log, and a block.
      const restored = { ...drawRow(random, shape, drawn), textOffset: textsBytes }
      drawn.push(restored)
      for (const index of [alone, together]) index.keep(restored)
      const rows = Array.from({ length: 1 + random(1500) }, () => {
        const row = drawRow(random, shape, drawn)
        drawn.push(row)
        return row
      })
      const textBytes = Uint32Array.from(rows, () => (random(3) === 0 ? 0 : 1 + random(1e6)))
      const before = textsBytes
      const expected = { verdicts: [] as (Duplicate | null)[], rows: [] as number[], textOffsets: [] as number[] }
      rows.forEach((row, i) => {
        const textOffset = textBytes[i] === 0 ? -1 : textsBytes
        const verdict = decideAlone(alone, { ...row, textOffset })
        expected.verdicts.push(verdict)
        if (verdict !== null) counts[verdict.reason === 'exact-duplicate' ? 'exact' : 'near']++
        if (verdict !== null) return
        expected.rows.push(i)
        expected.textOffsets.push(textOffset)
        textsBytes += textBytes[i] as number
      })
      counts.kept += expected.rows.length
      const decided = decideBlock(together, rows, textBytes, before)
      if (!isDeepStrictEqual(decided?.verdicts, expected.verdicts)) t.same(decided?.verdicts, expected.verdicts)
      t.same([...(decided?.kept.rows ?? [])], expected.rows)
      t.same([...(decided?.kept.textOffsets ?? [])], expected.textOffsets)
      t.equal(decided?.kept.textsBytes, textsBytes)
    }
    t.ok(counts.exact > 100 && counts.near > (shape.near > 50 ? 1000 : 10), JSON.stringify(counts))
    t.equal(together.count, alone.count)
    for (let document = 0; document < alone.count; document++) {
      const [one, other] = [alone, together].map(({ documents }) => [
        documents.id(document),
        documents.textOffset(document),
      ])
      if (!isDeepStrictEqual(one, other)) t.same(other, one)
    }
    t.end()
  })
}

t.test('a part that may be too small for a block has its rows looked up one by one', (t) => {
  const options = { exact: true, signatureLength: 0, banding: { bands: 0, rows: 1 }, settleBand: { low: 1, high: 1 } }
  const index = new ExactIndex({ ...options, partBytesMax: 2 ** 21 })
  const row = { key: new Uint8Array(16), hasShingle: false, signature: new Uint8Array(0), id: 'a', textOffset: -1 }
  t.equal(decideBlock(index, [row], new Uint32Array(1), 0), null)
  t.same(decideBlock(new ExactIndex(options), [row, row], new Uint32Array(2), 0)?.verdicts, [
    null,
    { reason: 'exact-duplicate', of: 'a', similarity: 1 },
  ])
  t.end()
})

t.test('ids of a block are those of its rows one by one', (t) => {
  const hasher = new IdHasher()
  const offsets = [0, 9, 10, 123_456_789, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
  // The end of the JSON at every place of a block of the hash.
  for (let length = 0; length < 150; length++) {
    const [split, shard] = ['train', `"行\n/\ud800${'x'.repeat(length)}`]
    const offset = Float64Array.from({ length: 11 }, (_, row) => offsets[(row + length) % offsets.length] as number)
    const chunk = Int32Array.from({ length: 11 }, (_, row) => [0, 1, 15, 2 ** 31 - 1][row % 4] as number)
    const bytes = Buffer.alloc(11 * 16)
    hasher.hash({ split, shard, offset, chunk }, 0, 4, bytes)
    hasher.hash({ split, shard, offset, chunk }, 4, 11, bytes)
    const expected = Array.from(offset, (at, row) => recordId(split, shard, at, chunk[row] as number))
    t.equal(bytes.toString('hex'), expected.join(''))
  }
  t.end()
})

t.test('an index of keys only, and one of bands only', (t) => {
  const row = (first: number, id: string): KeptRow => ({
    key: new Uint8Array(16).fill(first),
    hasShingle: true,
    signature: new Uint8Array(32).fill(9),
    id,
    textOffset: -1,
  })
  const settle = { low: 0.7, high: 0.9 }
  const keysOnly = new ExactIndex({
    exact: true,
    signatureLength: 0,
    banding: { bands: 0, rows: 1 },
    settleBand: settle,
  })
  keysOnly.keep(row(1, 'a'))
  t.same(keysOnly.equal(row(1, 'b')), { reason: 'exact-duplicate', of: 'a', similarity: 1 })
  t.same([keysOnly.equal(row(2, 'c')), keysOnly.near(row(1, 'd'))], [null, []])
  const banding = { bands: 8, rows: 4 }
  const bandsOnly = new ExactIndex({ exact: false, signatureLength: 32, banding, settleBand: settle })
  bandsOnly.keep(row(1, 'a'))
  t.equal(bandsOnly.equal(row(1, 'b')), null)
  t.same(bandsOnly.near(row(2, 'c')), [{ document: 0, similarity: 1, sure: true }])
  t.ok(bandsOnly.memoryBytes < 2 ** 20, `${bandsOnly.memoryBytes} bytes to begin with`)
  t.end()
})

t.test(
  'an error names the system as the cause if it provides no memory',
  { skip: process.platform !== 'linux' },
  (t) => {
    const source = `
    const { ExactIndex } = await import(${JSON.stringify(new URL('../../lib/dedup/exact-index.js', import.meta.url).href)})
    try {
      new ExactIndex({ exact: true, signatureLength: 0, banding: { bands: 0, rows: 1 }, settleBand: { low: 1, high: 1 } })
    } catch ({ code, exitCode }) {
      process.stdout.write(code + ' ' + exitCode)
    }`
    const command = 'ulimit -v 8000000; exec "$0" --input-type=module --eval "$1"'
    const { stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, source], { encoding: 'utf8' })
    t.equal(stdout, 'KUN_MEMORY_REFUSED 3', stderr)
    t.end()
  },
)

t.test('a Bloom filter loses no key, and keeps the stated rate beyond its initial capacity', (t) => {
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

t.test('the exact similarity of two texts is that of their shingle sets', async (t) => {
  const random = randomBelow(seed + 2)
  const comparer = new ShingleComparer(await createSigner({ signatureLength: 0 }))
  for (let i = 0; i < 60; i++) {
    const shared = letters(random, random(20) === 0 ? 6000 : 10 + random(300)).repeat(1 + random(2))
    const [a, b] = [shared + letters(random, random(100)), `${letters(random, random(50))}，${shared}`]
    t.equal(comparer.jaccard(a, b), jaccard(a, b))
  }
  t.equal(comparer.jaccard('一二', '一二三四'), 0)
})
