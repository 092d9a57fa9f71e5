import t from 'tap'
import { createCensusMeter } from '../../lib/text/census.js'
import { characterTables } from '../../lib/text/characters.js'
import type { CleanText } from '../../lib/text/clean.js'
import { codesOf, codesToString } from '../../lib/text/code-units.js'
import { hanSetCounts, hanSets } from '../../lib/text/han-sets.js'
import { PhraseHits, PhraseIndex } from '../../lib/text/phrase-index.js'
import { createRepetitionMeter } from '../../lib/text/repetition.js'
import { GramBuckets, GramSum } from '../../lib/text/screen/grams.js'
import { TextMemory } from '../../lib/text/text-memory.js'
import { Random, testSeed } from '../support/random.js'

const seed = testSeed()
t.comment(`seed ${seed}`)

const pools = [
  (random: Random) => random.between(0x4e00, 0x9fff),
  (random: Random) => random.between(0x3400, 0x4dff),
  (random: Random) => random.between(0x20, 0x7e),
  (random: Random) => random.between(0, 0xffff),
  (random: Random) => [0x22, 0x5c, 0x0a, 0x3002, 0x4dff, 0x4e00, 0x9fff, 0xa000][random.between(0, 7)] as number,
]

function randomUnits(random: Random, length: number): Uint16Array {
  const pool = pools[random.between(0, pools.length - 1)] as (random: Random) => number
  return Uint16Array.from({ length }, () => (random.chance(0.9) ? pool(random) : random.between(0, 0xffff)))
}

const countedFlag = 0x80

t.test('The kernel marks and counts the units that a plain loop marks and counts, in order', async (t) => {
  const memory = new TextMemory()
  const tables = characterTables()
  const random = new Random(seed)
  const counted = (classes: Uint8Array) => classes.map((kind) => (kind % 3 === 1 ? kind | countedFlag : kind))
  const [classes, settledClasses] = [counted(tables.classes), counted(tables.settledClasses)]
  const extras = Int32Array.from({ length: 256 }, (_, kind) => (kind >= countedFlag ? 3 * kind - 500 : 0))
  memory.setTable(memory.kernel.classesBase, classes)
  memory.setTable(memory.kernel.settledClassesBase, settledClasses)
  memory.setTable(memory.kernel.extrasBase, extras)
  for (let round = 0; round < 2000; round++) {
    const units = randomUnits(random, random.between(0, 60))
    memory.reserveText(units.length + 8)
    memory.source.view.fill(0x21)
    memory.source.view.set(units)
    const { kernel, source, marks, hits, sums } = memory
    const table = round % 2 === 0 ? classes : settledClasses
    const base = round % 2 === 0 ? kernel.classesBase.value : kernel.settledClassesBase.value
    const count = kernel.mark(source.base, units.length, base, marks.base, hits.base, sums.base)
    const counts = new Array<number>(32).fill(0)
    const expected: number[][] = []
    let [extra, saved] = [0, 0]
    units.forEach((unit, at) => {
      const kind = table[unit] as number
      if (kind >= countedFlag) {
        ;(counts[kind & 31] as number)++
        extra += extras[kind] as number
        saved += unit < 0x80 ? 2 : unit < 0x800 ? 1 : 0
      } else if (kind !== 0) expected.push([at, extra, saved])
    })
    t.same(
      expected.map((_, index) => [marks.view[index], hits.view[index], sums.view[index]]),
      expected,
    )
    t.equal(count, expected.length)
    t.same([...new Int32Array(memory.buffer, kernel.countsBase.value, 34)], [...counts, extra, saved])
  }
})

t.test('The kernel copies a string without its escapes, and refuses what JSON.parse refuses', async (t) => {
  const memory = new TextMemory()
  const random = new Random(seed)
  const pieces = [
    '哈',
    'a',
    '😀',
    ...'\\n \\t \\" \\\\ \\/ \\b \\f \\r \\u4e2d \\uD83D \\u00fF \\u12 \\x \\ug123'.split(' '),
    '\n',
    '/',
    '',
  ]
  for (let round = 0; round < 3000; round++) {
    const usual = random.chance(0.5)
    const source = Array.from({ length: random.between(0, 30) }, () =>
      random.chance(usual ? 0.9 : 0.4) ? '哈' : (pieces[random.between(0, usual ? 13 : pieces.length - 1)] as string),
    ).join('')
    const bytes = Buffer.from(`${source}"`)
    memory.reserveBlock(bytes.length + 16)
    const { kernel, blockBytes, plain } = memory
    // What is behind the string continues it.
    blockBytes.view.fill(random.chance(0.5) ? 0xe4 : 0x5c)
    blockBytes.view.set(bytes)
    blockBytes.view[bytes.length] = 0
    const count = kernel.readString(blockBytes.base, plain.base)
    const expected = stringOf(source)
    if (expected === null) {
      t.equal(count, -1, JSON.stringify(source))
      continue
    }
    t.equal(codesToString(plain.view, 0, count), expected)
    t.equal(kernel.stringBytes.value, bytes.length)
  }
})

function stringOf(source: string): string | null {
  try {
    return JSON.parse(`"${source}"`) as string
  } catch {
    return null
  }
}

t.test('The kernel reads and writes UTF-8 as Buffer does', async (t) => {
  const memory = new TextMemory()
  const random = new Random(seed)
  const convert = (text: string) => {
    const bytes = Buffer.from(text)
    const { kernel, blockBytes, plain, chunkBytes } = memory
    memory.reserveBlock(bytes.length + 1)
    chunkBytes.reserve(bytes.length)
    // What is behind the text continues it.
    blockBytes.view.fill(random.chance(0.5) ? 0xe4 : 0xbd)
    blockBytes.view.set(bytes)
    blockBytes.view[bytes.length] = 0x22
    t.equal(kernel.readString(blockBytes.base, plain.base), text.length)
    t.equal(codesToString(plain.view, 0, text.length), text)
    t.equal(kernel.encodeUtf8(plain.base, text.length, chunkBytes.base), bytes.length)
    t.ok(bytes.equals(chunkBytes.view.subarray(0, bytes.length)), `the bytes of ${text.length} code units`)
  }
  // What a string of JSON does not have without an escape.
  const special = /[\p{Cc}"\\]/gu
  for (let round = 0; round < 2000; round++) {
    const codes = [...randomUnits(random, random.between(0, 60))]
    if (random.chance(0.5)) codes.splice(random.between(0, codes.length), 0, 0xd83d, 0xde00)
    convert(
      String.fromCharCode(...codes)
        .toWellFormed()
        .replace(special, ' '),
    )
  }
  for (let plane = 0; plane <= 0x10; plane++) {
    const points = Array.from({ length: 0x10000 }, (_, low) => plane * 0x10000 + low)
    const text = points.map((point) => (point >= 0xd800 && point <= 0xdfff ? '' : String.fromCodePoint(point))).join('')
    convert(text.replace(special, ' '))
  }
})

t.test('Regions keep their content and their views when another one grows', async (t) => {
  const memory = new TextMemory()
  memory.reserveBlock(100)
  memory.plain.view.fill(7, 0, 100)
  for (let room = 1000; room < 20_000_000; room *= 3) {
    memory.slots.reserve(room)
    t.ok(memory.slots.view.length >= room)
    t.ok(memory.plain.view.subarray(0, 100).every((unit) => unit === 7))
  }
})

t.test('A text beyond the memory of a thread fails like one that crashes its thread', async (t) => {
  const memory = new TextMemory()
  t.throws(() => memory.slots.reserve(2 ** 30), { code: 'KUN_WORKER_LOST', message: /of at most 4 GiB/ })
  memory.slots.reserve(1000)
  t.ok(memory.slots.view.length >= 1000, 'and less can be had still')
})

const texts = ['天气很好', '今天，', '价格低', 'ab Cd', '12:30', '\n', '\u3000', '\t', '好好好好', '㐀㐁', '한글', '😀']

function randomText(random: Random, pieces: number): Uint16Array {
  const kinds = random.between(1, texts.length)
  return codesOf(Array.from({ length: pieces }, () => texts[random.between(0, kinds - 1)] as string).join(''))
}

t.test('The kernel adds up the weights of the grams that GramBuckets lists, wherever the text is', async (t) => {
  const random = new Random(seed)
  const memory = new TextMemory()
  for (const buckets of [1024, 2 ** 16, 2 ** 18]) {
    const weights = Int16Array.from({ length: buckets }, () => random.between(-32768, 32767))
    const listed = new GramBuckets(buckets)
    const added = new GramSum(weights, memory)
    for (let round = 0; round < 300; round++) {
      // Some are longer than a tile, and there are more than the numbers of a byte.
      const codes = randomText(random, random.between(0, random.chance(0.9) ? 60 : 600))
      const start = random.between(0, Math.min(3, codes.length))
      memory.reserveText(codes.length + 8)
      memory.codes.view.fill(random.between(0, 0xffff))
      memory.codes.view.set(codes)
      listed.read(codes, start, codes.length)
      const expected = listed.buckets.subarray(0, listed.count)
      const sum = expected.reduce((all, bucket) => all + (weights[bucket] as number), 0)
      added.read(round % 2 === 0 ? codes : memory.codes.view, start, codes.length)
      t.same([added.sum, added.count], [sum, listed.count], JSON.stringify(codesToString(codes, start, codes.length)))
    }
  }
})

t.test('The kernel counts frequent 4-grams and the edges of clauses as plain loops do', async (t) => {
  const random = new Random(seed)
  const memory = new TextMemory()
  const meter = createRepetitionMeter(memory)
  for (let round = 0; round < 1000; round++) {
    const codes = randomText(random, random.between(0, 100))
    memory.reserveText(codes.length + 8)
    memory.codes.view.fill(0x4e00)
    memory.codes.view.set(codes)
    const text = { length: codes.length } as CleanText
    const shown = JSON.stringify(codesToString(codes, 0, codes.length))
    const hashes = Array.from({ length: Math.max(0, codes.length - 3) }, (_, at) => gramHash(codes, at))
    const frequent = hashes.filter((hash) => timesIn(hashes, hash) >= 4).length
    t.equal(meter.frequentGrams(text, 4), frequent, shown)
    const atMost = meter.frequentGramsAtMost(text, 4)
    t.equal(atMost, ((hashes.length - new Set(hashes).size) * 4) / 3, shown)
    t.ok(atMost >= frequent, shown)
    const clauses = codesToString(codes, 0, codes.length).match(/[\u3400-\u4dbf\u4e00-\u9fff]+/g) ?? []
    const long = clauses.filter((clause) => clause.length > 3).map(codesOf)
    const starts = long.map((clause) => edgeHash(clause, 0))
    const ends = long.map((clause) => edgeHash(clause, clause.length - 3))
    const most = Math.max(0, ...starts.map((hash) => timesIn(starts, hash)), ...ends.map((hash) => timesIn(ends, hash)))
    t.same([meter.sameEdges(text), meter.clauses()], [most, clauses.length], shown)
  }
})

t.test('No share of repeated n-grams is above its bound', async (t) => {
  const random = new Random(seed)
  const memory = new TextMemory()
  const meter = createRepetitionMeter(memory)
  for (let round = 0; round < 1000; round++) {
    const codes = randomText(random, random.between(0, 200))
    memory.reserveText(codes.length + 8)
    memory.codes.view.set(codes)
    const grams = Array.from({ length: Math.max(0, codes.length - 12) }, (_, at) => codesToString(codes, at, at + 13))
    const times = new Map<string, number>()
    for (const gram of grams) times.set(gram, (times.get(gram) ?? 0) + 1)
    const repeated = grams.filter((gram) => (times.get(gram) as number) > 1).length
    const bound = meter.gramShareAtMost({ length: codes.length } as CleanText)
    t.ok(bound * grams.length >= repeated - 1e-6, `${bound} of ${grams.length}, ${repeated} repeated`)
  }
})

t.test('The kernel counts the sets and the runs of a sample as a plain loop does', async (t) => {
  const random = new Random(seed)
  const memory = new TextMemory()
  const census = createCensusMeter(memory)
  const table = hanSets()
  for (let round = 0; round < 600; round++) {
    const codes =
      round % 2 === 0 ? randomUnits(random, random.between(1, 700)) : randomText(random, random.between(1, 300))
    memory.reserveText(codes.length + 8)
    // What is behind the text continues it.
    memory.codes.view.fill(codes.at(-1) as number)
    memory.codes.view.set(codes)
    const step = Math.max(1, Math.ceil(codes.length / 256))
    const sampled = Array.from({ length: Math.ceil(codes.length / step) }, (_, index) => index * step)
    const sets = hanSetCounts()
    for (const at of sampled) (sets[table[codes[at] as number] as number] as number)++
    const runs = sampled.filter((at) => codes[at] === codes[at + 1] && codes[at] === codes[at + 2]).length
    const sample = census.sample({ length: codes.length } as CleanText)
    t.same([sample.counted, [...sample.sets], sample.runs], [sampled.length, [...sets], runs], `${codes.length} units`)
  }
})

t.test('The kernel finds phrases at every first, second and third position as a plain loop does', async (t) => {
  const random = new Random(seed)
  const memory = new TextMemory()
  const letters = [...'天气很好今价格低一二三', 'a', '\n']
  const word = (chars: number) =>
    Array.from({ length: chars }, () => letters[random.between(0, letters.length - 1)]).join('')
  for (let round = 0; round < 300; round++) {
    const anchors = random.chance(0.5) ? 2 : 1
    const phrases = [
      ...new Set(Array.from({ length: random.between(1, 60) }, () => word(random.between(anchors + 1, 5)))),
    ]
    const hits = new PhraseHits(
      memory,
      new PhraseIndex(
        phrases.map((text, number) => ({ text, number })),
        anchors,
      ),
    )
    const text = word(random.between(0, 120))
    memory.reserveText(text.length + 8)
    memory.codes.view.fill(letters[0]?.charCodeAt(0) as number)
    memory.codes.view.set(codesOf(text))
    for (const step of [1, 2, 3, 4]) {
      const count = hits.find(text.length, step)
      const found = [...memory.hits.view.subarray(0, count)].map((at, hit) => [at, memory.marks.view[hit] as number])
      t.same(
        found.map(([at, number]) => [at, phrases[number as number]?.length]),
        plainHits(text, step, phrases, anchors),
        JSON.stringify({ text, step, anchors, phrases }),
      )
    }
  }
})

/** Positions at which a phrase is found from one of its anchors, and the length of the longest one. */
function plainHits(text: string, step: number, phrases: readonly string[], anchors: number): number[][] {
  const hits: number[][] = []
  for (let at = 0; at + 1 < text.length; at += step) {
    const lengths = phrases
      .filter((phrase) => isAt(text, at, phrase) || (anchors === 2 && at > 0 && isAt(text, at - 1, phrase)))
      .map(({ length }) => length)
    if (lengths.length > 0) hits.push([at, Math.max(...lengths)])
  }
  return hits
}

const isAt = (text: string, at: number, phrase: string) => text.startsWith(phrase, at)

const timesIn = (hashes: readonly number[], hash: number) => hashes.filter((each) => each === hash).length

function gramHash(codes: Uint16Array, at: number): number {
  const first = Math.imul((codes[at] as number) | ((codes[at + 1] as number) << 16), 0x9e3779b1)
  const second = Math.imul((codes[at + 2] as number) | ((codes[at + 3] as number) << 16), 0x85ebca77)
  return ((first ^ (second >>> 7)) >>> 11) & 4095
}

function edgeHash(codes: Uint16Array, at: number): number {
  const pair = Math.imul((codes[at] as number) | ((codes[at + 1] as number) << 16), 0x9e3779b1)
  return ((pair ^ Math.imul(codes[at + 2] as number, 0x85ebca77)) >>> 11) & 4095
}
