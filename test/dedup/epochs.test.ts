/** Dedup in epochs, over an index in parts: the verdicts are those of one index. */
import t from 'tap'
import { settleBand } from '../../lib/dedup/banding.js'
import { type DecideColumns, rowOf } from '../../lib/dedup/block-rows.js'
import { EpochResolver, type ResolvedRow, type Settle, settleEarlier } from '../../lib/dedup/epoch-resolver.js'
import { ExactIndex } from '../../lib/dedup/exact-index.js'
import { bandingOf, dedupOptions, openDeduplicator, signedBlock } from '../../lib/dedup/index.js'
import { IndexPart, type PartFinding } from '../../lib/dedup/index-part.js'
import { ShingleComparer } from '../../lib/dedup/jaccard.js'
import type { KeptRow } from '../../lib/dedup/kept-frames.js'
import type { DecidePlan } from '../../lib/dedup/plan.js'
import { createSigner } from '../../lib/text/signature.js'
import { randomBelow } from '../support/random.js'
import { edited, letters } from './planted.js'

const seed = Number(process.env.TEST_SEED ?? 20261129)
t.comment(`seed ${seed}`)

const epochSizes = [64, 1000, Number.POSITIVE_INFINITY]
const partCounts = [1, 3, 16]

/** Which of the bands of a kept row a part takes; null if it does not take the row. */
type Cut = (row: KeptRow, number: number, part: number, parts: number) => readonly number[] | null

/** Bands of a row that belong to other parts if a part has a range of band keys. */
function bandsElsewhere({ bands, rows }: DecidePlan['banding'], row: KeptRow, part: number, parts: number): number[] {
  const owner = (band: number): number => {
    const key = row.signature.subarray(band * rows, (band + 1) * rows)
    return key.reduce((hash, byte) => (Math.imul(hash, 31) + byte) >>> 0, band) % parts
  }
  return Array.from({ length: bands }, (_, band) => band).filter((band) => owner(band) !== part)
}

function cutsOf({ banding }: DecidePlan): Readonly<Record<string, Cut>> {
  return {
    'by documents': (_, number, part, parts) => (Math.floor(number / 10) % parts === part ? [] : null),
    'by band keys': (row, _, part, parts) => (row.hasShingle ? bandsElsewhere(banding, row, part, parts) : []),
  }
}

interface Division {
  readonly cut: Cut
  readonly epochRows: number
  readonly parts: number
  /** Whether the parts learn which bands are full. */
  readonly ranksTravel?: boolean
}

async function inEpochs(plan: DecidePlan, rows: readonly KeptRow[], settle: Settle, division: Division) {
  const { cut, epochRows, ranksTravel = true } = division
  const parts = Array.from({ length: division.parts }, () => new IndexPart(plan))
  const verdicts: ResolvedRow['duplicate'][] = []
  for (let start = 0; start < rows.length; start += epochRows) {
    const epoch = rows.slice(start, start + epochRows)
    // Found before anything of the epoch is decided, as by other processes.
    const earlier = await Promise.all(
      epoch.map(async (row) => {
        const found = parts.map((part) => part.find(row)).filter((each): each is PartFinding => each !== null)
        return found.length === 0 ? null : settleEarlier(plan, row, JSON.parse(JSON.stringify(found)), settle)
      }),
    )
    const resolver = new EpochResolver(plan, settle)
    const resolved: ResolvedRow[] = []
    for (const [index, row] of epoch.entries()) {
      resolved.push(await resolver.resolve(row, earlier[index] ?? null))
    }
    for (const [index, { duplicate, fullBands }] of resolved.entries()) {
      verdicts.push(duplicate)
      const row = epoch[index] as KeptRow
      for (const [number, part] of duplicate === null ? parts.entries() : []) {
        const elsewhere = cut(row, start + index, number, parts.length)
        if (elsewhere !== null) part.keep(row, ranksTravel ? [...elsewhere, ...fullBands] : elsewhere)
      }
    }
  }
  return verdicts
}

function differing(found: readonly unknown[], wanted: readonly unknown[]): number {
  return wanted.filter((each, index) => JSON.stringify(each) !== JSON.stringify(found[index])).length
}

/** Rows with signatures that are drawn: half are unlike others, the rest differ from an earlier one; most share bands. */
function drawnRows(count: number, start: number, { banding, near }: DecidePlan): KeptRow[] {
  const random = randomBelow(start)
  const minima = near === false ? 0 : near.minima
  const rows: KeptRow[] = []
  for (let number = 0; number < count; number++) {
    const earlier = random(2) === 0 ? rows[random(rows.length)] : undefined
    const signature = Uint8Array.from(earlier?.signature ?? Array.from({ length: minima }, () => random(256)))
    const changes = earlier === undefined ? 0 : random(Math.ceil(minima / 3))
    for (let change = 0; change < changes; change++) signature[random(minima)] = random(256)
    for (let band = random(3) > 0 ? random(banding.bands) : banding.bands; band < banding.bands; band += 2) {
      signature.fill(0, band * banding.rows, (band + 1) * banding.rows)
    }
    const key = new Uint8Array(16)
    new DataView(key.buffer).setUint32(0, random(6) === 0 ? random(count / 8) : count + number)
    const id = number.toString(16).padStart(32, '0')
    rows.push({
      key,
      hasShingle: random(20) > 0,
      signature,
      id: random(9) === 0 ? `line ${id}` : id,
      textOffset: number,
    })
  }
  return rows
}

/** A similarity that depends on the pair alone, as that of two texts. */
const drawnSimilarity = (one: number, other: number): number =>
  0.6 + (Math.imul(one * 31 + other, 0x9e3779b1) >>> 0) / 2 ** 32 / 3

/** What one index decides. */
async function inOneIndex(plan: DecidePlan, rows: readonly KeptRow[], settle: Settle) {
  const { near, banding, exact } = plan
  const { minima, threshold } = near === false ? { minima: 0, threshold: 1 } : near
  const index = new ExactIndex({ exact, signatureLength: minima, banding, settleBand: settleBand(threshold, minima) })
  const verdicts: ResolvedRow['duplicate'][] = []
  for (const row of rows) {
    let verdict = index.equal(row)
    for (const { document, similarity, sure } of verdict === null ? index.near(row) : []) {
      const [id, at] = [index.documents.id(document), index.documents.textOffset(document)]
      const settled = sure ? similarity : await settle({ at, id, similarity, sure }, row)
      if (!sure && settled < threshold) continue
      verdict = { reason: 'near-duplicate', of: id, similarity: settled }
      break
    }
    verdicts.push(verdict)
    if (verdict === null) index.keep(row)
  }
  return verdicts
}

t.test('rows with chains and bands that are full: verdicts are those of one index for every division', async (t) => {
  const near = { threshold: 0.8, ngram: 5, minima: 32 }
  const plans: Readonly<Record<string, DecidePlan>> = {
    'keys and bands': { kind: 'exact', exact: true, near, banding: { bands: 8, rows: 4 }, documentsExpected: 1 },
    'bands only': { kind: 'exact', exact: false, near, banding: { bands: 8, rows: 4 }, documentsExpected: 1 },
    'keys only': { kind: 'exact', exact: true, near: false, banding: { bands: 0, rows: 1 }, documentsExpected: 1 },
  }
  const settle: Settle = ({ at }, row) => drawnSimilarity(at, row.textOffset)
  for (const [name, plan] of Object.entries(plans)) {
    const rows = drawnRows(1500, seed, plan)
    const wanted = await inOneIndex(plan, rows, settle)
    t.ok(wanted.filter((each) => each !== null).length > 50, `${name}: there are duplicates`)
    for (const [words, cut] of Object.entries(cutsOf(plan))) {
      const whole = name === 'keys and bands' && words === 'by documents'
      for (const epochRows of whole ? epochSizes : [100]) {
        for (const parts of whole ? partCounts : [3]) {
          const found = await inEpochs(plan, rows, settle, { cut, epochRows, parts })
          t.equal(differing(found, wanted), 0, `${name}, ${words}: epochs of ${epochRows}, ${parts} parts`)
        }
      }
      if (plan.near === false) continue
      const ignoring = await inEpochs(plan, rows, settle, { cut, epochRows: 64, parts: 16, ranksTravel: false })
      t.ok(words === 'by band keys' || differing(ignoring, wanted) > 0, `${name}, ${words}: full bands matter`)
    }
  }
})

/** Random texts, planted copies, chains of which neighbours are near, and many texts with the same two thirds. */
function mixedTexts(count: number, start: number): string[] {
  const random = randomBelow(start)
  const boilerplate = letters(random, 260)
  const texts: string[] = []
  let chain = letters(random, 2000)
  let link = 0
  while (texts.length < count) {
    const kind = random(10)
    const earlier = texts[random(texts.length)] ?? ''
    if (kind < 2) texts.push(letters(random, random(9) === 0 ? 1 + random(6) : 40 + random(200)))
    else if (kind < 5 && earlier !== '') texts.push(edited(earlier, random(60) / 1000, random))
    else if (kind < 6) texts.push(chain.slice(link, link + 200))
    else texts.push(boilerplate + letters(random, 110))
    link += kind === 5 ? 15 : 0
    if (link > 1700) [chain, link] = [letters(random, 2000), 0]
  }
  return texts
}

t.test('texts: verdicts are those of the deduplicator of one machine for every division', async (t) => {
  const options = dedupOptions.parse({ index: 'exact' })
  const { near, exact } = options
  if (near === false) throw new Error('near-duplicates are looked for by default')
  const banding = bandingOf(near, 'exact')
  const plan: DecidePlan = { kind: 'exact', exact, near, banding, documentsExpected: 1 }
  const signer = await createSigner()
  const texts = mixedTexts(2000, seed)
  const ids = texts.map((_, number) => number.toString(16).padStart(32, '0'))
  const block = signedBlock(0, texts, signer)
  const one = await openDeduplicator({ options, directory: t.testdir({}) })
  const { verdicts: wanted } = await one.decide(block, ids)
  await one.close()
  const rows = texts.map((_, number) =>
    rowOf(plan, block.chunks as DecideColumns, number, ids[number] as string, number),
  )
  const comparer = new ShingleComparer(signer)
  const settle: Settle = ({ at }, row) => comparer.jaccard(texts[at] as string, texts[row.textOffset] as string)
  const nears = wanted.filter((each) => each?.reason === 'near-duplicate').length
  t.ok(nears > 200, `${nears} near-duplicates`)
  const full = new Set<number>()
  for (const [words, cut] of Object.entries(cutsOf(plan))) {
    for (const epochRows of epochSizes) {
      for (const parts of partCounts) {
        if (words === 'by band keys' && parts > 1 && epochRows < 1000) continue // the same, and slow
        const found = await inEpochs(plan, rows, settle, { cut, epochRows, parts })
        t.equal(differing(found, wanted), 0, `${words}: epochs of ${epochRows}, ${parts} parts`)
      }
    }
  }
  const resolver = new EpochResolver(plan, settle)
  for (const row of rows) for (const band of (await resolver.resolve(row, null)).fullBands) full.add(band)
  t.ok(full.size > 2, `${full.size} bands are full for some texts`)
})

t.test('a Bloom index is not divided', (t) => {
  const plan: DecidePlan = {
    kind: 'bloom',
    exact: true,
    near: false,
    banding: { bands: 0, rows: 1 },
    documentsExpected: 9,
  }
  t.throws(() => new IndexPart(plan), TypeError)
  t.throws(() => new EpochResolver(plan, () => 1), TypeError)
  t.end()
})
