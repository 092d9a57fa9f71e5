import { createHash } from 'node:crypto'
import t from 'tap'
import { createSigner } from '../../lib/text/signature.js'
import { leadersOf, shingleChars, signatureBytes } from '../../lib/training/clusters.js'
import { Selection, type SelectionRule } from '../../lib/training/selection.js'
import { Random, testSeed } from '../support/random.js'

interface TestRow {
  readonly id: string
  readonly score: number | null
  readonly text: string
}

const idOf = (number: number): string => createHash('sha256').update(String(number)).digest('hex').slice(0, 32)

function characters(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCodePoint(random.between(0x4e00, 0x8fff))).join('')
}

async function selected(rows: readonly TestRow[], by: readonly SelectionRule[], number: number, seed = 1) {
  const selection = await Selection.open({ by: new Set(by), seed })
  for (const [position, row] of rows.entries()) selection.add(position, row)
  const { positions, clusters } = selection.select(number)
  return { rows: [...positions].map((position) => rows[position] as TestRow), positions: [...positions], clusters }
}

t.test('score selects the highest, ties by id, rows without a score last, in the order of the dataset', async (t) => {
  const random = new Random(7)
  const rows = Array.from({ length: 3000 }, (_, number) => ({
    id: idOf(number),
    score: number % 10 === 0 ? null : random.between(0, 20) / 20,
    text: '',
  }))
  const best = [...rows].sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || (a.id < b.id ? -1 : 1))
  for (const number of [1, 10, 700, 2999, 3000, 5000]) {
    const { rows: found, positions } = await selected(rows, ['score'], number)
    t.strictSame(new Set(found), new Set(best.slice(0, number)), `${number} rows`)
    t.strictSame(
      positions,
      [...positions].sort((a, b) => a - b),
    )
  }
})

t.test('a selection depends on rows, options and seed, and not on the order in which rows are added', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = new Random(seed)
  const bases = Array.from({ length: 60 }, () => characters(random, 24))
  const rows = Array.from({ length: 800 }, (_, number) => ({
    id: idOf(number),
    score: random.between(0, 9) / 9,
    text: (bases[random.between(0, 59)] as string).slice(0, random.between(18, 24)),
  }))
  const shuffled = rows.map((row) => ({ row, at: idOf(Number.parseInt(row.id.slice(0, 8), 16) + seed) }))
  shuffled.sort((a, b) => (a.at < b.at ? -1 : 1))
  const idsOf = (found: { rows: readonly TestRow[] }) => found.rows.map(({ id }) => id).sort()
  for (const by of [['score'], ['diversity'], ['score', 'diversity'], ['random']] as const) {
    const one = await selected(rows, by, 150, 5)
    const other = await selected(
      shuffled.map(({ row }) => row),
      by,
      150,
      5,
    )
    t.strictSame(idsOf(other), idsOf(one), by.join())
    t.equal(new Set(idsOf(one)).size, 150)
    const reseeded = await selected(rows, by, 150, 6)
    const depends = by.some((rule) => rule === 'score') ? t.strictSame : t.strictNotSame
    depends.call(t, idsOf(reseeded), idsOf(one), `${by.join()} with another seed`)
  }
})

t.test('random takes every row about equally often', async (t) => {
  const rows = Array.from({ length: 200 }, (_, number) => ({ id: idOf(number), score: null, text: '' }))
  const times = new Uint32Array(200)
  for (let seed = 0; seed < 200; seed++) {
    for (const position of (await selected(rows, ['random'], 50, seed)).positions) (times[position] as number)++
  }
  // Expected 50, standard deviation 6.1.
  t.ok(Math.min(...times) > 20 && Math.max(...times) < 80, `${Math.min(...times)} to ${Math.max(...times)} times`)
})

t.test('diversity takes the best row of each cluster first, then the second one of each', async (t) => {
  const random = new Random(11)
  const rows: (TestRow & { readonly group: number })[] = []
  for (let group = 0; group < 40; group++) {
    const base = characters(random, 40)
    for (let member = 0; member <= group % 5; member++) {
      // One changed character alters 3 of 38 shingles: a similarity of 0.85 to the base.
      const at = member * 7
      const text = `${base.slice(0, at)}${characters(random, 1)}${base.slice(at + 1)}`
      rows.push({ id: idOf(rows.length), score: random.between(0, 1000) / 1000, text, group })
    }
  }
  const first = await selected(rows, ['score', 'diversity'], 40)
  t.strictSame(first.clusters, { all: 40, selected: 40 })
  const groupOf = new Map(rows.map((row) => [row as TestRow, row.group]))
  t.equal(new Set(first.rows.map((row) => groupOf.get(row))).size, 40, 'one row of each group')
  for (const row of first.rows) {
    const best = Math.max(...rows.filter(({ group }) => group === groupOf.get(row)).map(({ score }) => score ?? 0))
    t.equal(row.score, best)
  }
  const second = await selected(rows, ['score', 'diversity'], 40 + 32)
  const counts = new Map<number, number>()
  for (const row of second.rows) counts.set(groupOf.get(row) ?? -1, (counts.get(groupOf.get(row) ?? -1) ?? 0) + 1)
  t.ok(
    [...counts].every(([group, count]) => count === Math.min(2, (group % 5) + 1)),
    'two of each group that has two',
  )
})

t.test('a row is like the leader of its cluster, and nearly every row that is like a leader has one', async (t) => {
  const random = new Random(3)
  const count = 600
  const bases = Array.from({ length: 150 }, () => characters(random, 30))
  const texts = Array.from({ length: count }, () => {
    const base = bases[random.between(0, 149)] as string
    const at = random.between(0, 29)
    return base.slice(0, at) + characters(random, random.between(0, 4)) + base.slice(at)
  })
  const signer = await createSigner({ ngram: shingleChars, signatureLength: signatureBytes })
  const bytes = new Uint8Array(count * signatureBytes)
  for (const [row, text] of texts.entries()) {
    signer.sign(text, new Uint8Array(16), bytes.subarray(row * signatureBytes, (row + 1) * signatureBytes))
  }
  const order = Uint32Array.from({ length: count }, (_, place) => (place * 7) % count)
  const leaders = leadersOf({ bytes, valid: new Uint8Array(count).fill(1) }, order)
  const share = (place: number, other: number): number => {
    const [a, b] = [(order[place] as number) * signatureBytes, (order[other] as number) * signatureBytes]
    let equal = 0
    for (let at = 0; at < signatureBytes; at++) if (bytes[a + at] === bytes[b + at]) equal++
    return equal / signatureBytes
  }
  let [alone, missed] = [0, 0]
  for (const [place, leader] of leaders.entries()) {
    if (leader !== place) {
      t.ok(leader < place, 'a leader comes first')
      t.equal(leaders[leader], leader, 'and leads itself')
      t.ok(share(place, leader) >= 0.5, `${share(place, leader)} of the signature is equal`)
      continue
    }
    alone++
    for (let other = 0; other < place; other++) {
      if (leaders[other] === other && share(place, other) >= 0.55) missed++
    }
  }
  t.ok(alone >= 150 && alone < 200, `${alone} clusters of 150 texts`)
  t.ok(missed < 5, `${missed} missed`)
})

t.test('equal texts are one cluster, and texts too short to compare are clusters of their own', async (t) => {
  const same = Array.from({ length: 5000 }, (_, number) => ({ id: idOf(number), score: 1, text: '怎样煮饭才好吃？' }))
  const { positions, clusters } = await selected(same, ['score', 'diversity'], 7)
  t.equal(positions.length, 7)
  t.strictSame(clusters, { all: 1, selected: 1 })
  const short = ['好', '好', '', '。！', '你好'].map((text, number) => ({ id: idOf(number), score: 1, text }))
  t.strictSame((await selected(short, ['diversity'], 5)).clusters, { all: 5, selected: 5 })
  t.strictSame((await selected([], ['diversity'], 5)).positions, [])
})
