/** An index whose tables are divided over threads: verdicts and frames are those of one index. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import t from 'tap'
import { BandTables, undecided } from '../../lib/dedup/band-tables.js'
import { BlockDecider, type DecidedBlock } from '../../lib/dedup/block-decider.js'
import { LocalFrames } from '../../lib/dedup/block-frames.js'
import type { BlockToDecide } from '../../lib/dedup/block-rows.js'
import { DividedDecider } from '../../lib/dedup/divided-decider.js'
import { DocumentStore } from '../../lib/dedup/document-store.js'
import { dedupOptions, openDeduplicator, signedBlock } from '../../lib/dedup/index.js'
import { exactPlanOf } from '../../lib/dedup/open-index.js'
import type { DecidePlan } from '../../lib/dedup/plan.js'
import { parseFrame } from '../../lib/storage/frames.js'
import { chunkColumnsOf, textColumn } from '../../lib/text/columns.js'
import { createSigner } from '../../lib/text/signature.js'
import { edited, letters } from '../dedup/planted.js'
import { randomBelow } from '../support/random.js'

const seed = Number(process.env.TEST_SEED ?? 20261130)
t.comment(`seed ${seed}`)

const threadCounts = [1, 2, 4, 8]
const plan = exactPlanOf(dedupOptions.parse({ index: 'exact' }))
const keysOnly = exactPlanOf(dedupOptions.parse({ index: 'exact', near: false }))
const bandsOnly = exactPlanOf(dedupOptions.parse({ index: 'exact', exact: false }))

interface Drawn {
  readonly text: string
  readonly signature: Uint8Array
}

/** Blocks of drawn rows: half are unlike others, the rest differ from an earlier one in some bytes; hundreds share a band. */
function drawnBlocks(rows: number, start: number, { near, banding }: DecidePlan): BlockToDecide[] {
  const random = randomBelow(start)
  const minima = near === false ? 0 : near.minima
  const drawn: Drawn[] = []
  const blocks: BlockToDecide[] = []
  while (drawn.length < rows) {
    const from = drawn.length
    const count = random(4) === 0 ? random(3) : 1 + random(150)
    for (let row = 0; row < count; row++) drawn.push(drawRow(random, drawn, minima, banding))
    const own = drawn.slice(from)
    const given = random(3) === 0
    const columns = chunkColumnsOf(count, minima, { text: textColumn(own.map(({ text }) => text)) })
    own.forEach(({ signature }, row) => {
      const number = from + row
      columns.signature.set(signature, row * minima)
      columns.letters[row] = random(20) === 0 ? random(5) : 100
      columns.offset[row] = number
      const key = random(6) === 0 ? random(rows / 8) : rows + number
      new DataView(columns.fingerprint.buffer).setUint32(row * 16, key)
    })
    const ids = own.map((_, row) =>
      random(9) === 0 ? `第 ${from + row} 行` : (from + row).toString(16).padStart(32, '0'),
    )
    blocks.push({ number: blocks.length, split: 's', shard: 'a', columns, ids: given ? ids : null })
  }
  return blocks
}

function drawRow(
  random: (below: number) => number,
  drawn: readonly Drawn[],
  minima: number,
  { bands, rows }: DecidePlan['banding'],
): Drawn {
  // Some are near a row of the same block or of the one before, which are not decided on yet.
  const recent = random(2) === 0 ? Math.max(0, drawn.length - 1 - random(200)) : random(drawn.length)
  const earlier = random(2) === 0 ? drawn[recent] : undefined
  const signature = Uint8Array.from(earlier?.signature ?? Array.from({ length: minima }, () => random(256)))
  const changes = earlier === undefined ? 0 : random(Math.ceil(minima / 3))
  for (let change = 0; change < changes; change++) signature[random(minima)] = random(256)
  for (let band = random(3) > 0 ? random(bands) : bands; band < bands; band += 2) {
    signature.fill(0, band * rows, (band + 1) * rows)
  }
  const text =
    earlier === undefined ? letters(random, 20 + random(60)) : edited(earlier.text, random(90) / 1000, random)
  return { text, signature }
}

interface Decided {
  readonly verdicts: DecidedBlock['verdicts'][]
  readonly log: Buffer[]
  readonly texts: Buffer[]
  readonly documents: number
}

/** Decides on blocks, which are announced up to three before. `restored` are payloads of a log. */
async function decided(
  decider: BlockDecider | DividedDecider,
  blocks: readonly BlockToDecide[],
  { payloads, textsBytes }: { readonly payloads: readonly Uint8Array[]; readonly textsBytes: number },
): Promise<Decided> {
  await Promise.all(payloads.map((payload) => decider.restore(payload)))
  const logBytes = payloads.reduce((sum, { length }) => sum + length, 0)
  decider.begin({ logBytes, textsBytes })
  const result: Decided & { documents: number } = { verdicts: [], log: [], texts: [], documents: 0 }
  for (const [at, block] of blocks.entries()) {
    if (at === 0) for (const next of blocks.slice(0, 3)) decider.announce(next)
    else if (blocks[at + 2] !== undefined) decider.announce(blocks[at + 2] as BlockToDecide)
    const { verdicts, log, texts, figures } = await (await decider.decide(block)).done
    result.verdicts.push([...verdicts])
    result.log.push(Buffer.concat(log))
    result.texts.push(Buffer.concat(texts))
    result.documents = figures.documents
  }
  return result
}

const nothing = { payloads: [], textsBytes: 0 }

function one(own: DecidePlan, texts: (offset: number) => string | null = () => null): BlockDecider {
  return new BlockDecider(own, new LocalFrames(own), (_, offset) => texts(offset))
}

function divided(own: DecidePlan, threads: number, texts: (offset: number) => string | null = () => null) {
  return new DividedDecider(own, threads, new LocalFrames(own), (_, offset) => texts(offset))
}

/** Returns the payloads of a log's frames. */
function payloadsOf(log: readonly Buffer[]): Uint8Array[] {
  const whole = Buffer.concat(log)
  const payloads: Uint8Array[] = []
  for (let at = 0; at < whole.length; ) {
    const payload = parseFrame(whole, at, at)
    if (!(payload instanceof Uint8Array)) throw new Error(`no frame at ${at}`)
    payloads.push(payload)
    at += 12 + payload.length
  }
  return payloads
}

/** The threads of deciders of a test, which end with it. */
const workers: Worker[] = []
process.on('worker', (worker) => workers.push(worker))
t.afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
})

for (const [name, own] of Object.entries({ 'keys and bands': plan, 'keys only': keysOnly, 'bands only': bandsOnly })) {
  t.test(`verdicts and frames are the same for any number of threads: ${name}`, async (t) => {
    const blocks = drawnBlocks(4000, seed, own)
    const wanted = await decided(one(own), blocks, nothing)
    const duplicates = wanted.verdicts.flat().filter((verdict) => verdict !== null)
    t.ok(duplicates.length > 100, `${duplicates.length} duplicates`)
    if (own.near !== false) {
      const compared = duplicates.filter(({ reason, similarity }) => reason === 'near-duplicate' && similarity < 0.9)
      t.ok(compared.length > 20, `${compared.length} were decided by their texts`)
      t.ok(mostInBand(own, blocks, wanted) > 200, `${mostInBand(own, blocks, wanted)} kept rows share a band`)
    }
    for (const threads of threadCounts) {
      const found = await decided(divided(own, threads), blocks, nothing)
      t.equal(found.documents, wanted.documents)
      t.same(differing(found.verdicts, wanted.verdicts), [], `${threads} threads: verdicts`)
      t.ok(Buffer.concat(found.log).equals(Buffer.concat(wanted.log)), 'the same log')
      t.ok(Buffer.concat(found.texts).equals(Buffer.concat(wanted.texts)), 'the same texts')
    }
  })
}

/** Numbers of blocks that are not the same. */
function differing(found: readonly unknown[], wanted: readonly unknown[]): number[] {
  return [...wanted.keys()].filter((block) => JSON.stringify(found[block]) !== JSON.stringify(wanted[block]))
}

/** Kept rows with the same bytes in a band, at most. */
function mostInBand(
  { banding: { rows } }: DecidePlan,
  blocks: readonly BlockToDecide[],
  { verdicts }: Decided,
): number {
  const counts = new Map<string, number>()
  for (const [at, { columns }] of blocks.entries()) {
    verdicts[at]?.forEach((verdict, row) => {
      const start = row * columns.signatureLength
      for (let band = 0; verdict === null && (band + 1) * rows <= columns.signatureLength; band++) {
        const key = `${band} ${columns.signature.subarray(start + band * rows, start + (band + 1) * rows)}`
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    })
  }
  return Math.max(...counts.values())
}

/** Rows that share one band alone, and copies of the last ones, which are found by that band as long as it takes rows. */
function fullBandBlocks(rows: number, start: number): BlockToDecide[] {
  const random = randomBelow(start)
  const [minima, band] = [128, plan.banding.rows]
  const originals: Drawn[] = []
  const drawn = Array.from({ length: rows }, (): Drawn => {
    const original = random(2) === 0 ? originals[originals.length - 1 - random(12)] : undefined
    const signature = Uint8Array.from(original?.signature ?? Array.from({ length: minima }, () => random(256)))
    signature.fill(7, 0, band)
    if (original === undefined) originals.push({ text: letters(random, 60), signature })
    // A byte of each other band: so many that the texts are compared, which are equal.
    else for (let at = band; at < minima; at += band) signature[at] = (signature[at] as number) ^ (1 + random(255))
    return { text: (original ?? (originals.at(-1) as Drawn)).text, signature }
  })
  const blocks: BlockToDecide[] = []
  for (let from = 0; from < rows; ) {
    const own = drawn.slice(from, from + 1 + random(14))
    const columns = chunkColumnsOf(own.length, minima, { text: textColumn(own.map(({ text }) => text)) })
    own.forEach(({ signature }, row) => {
      columns.signature.set(signature, row * minima)
      columns.letters[row] = 60
      new DataView(columns.fingerprint.buffer).setUint32(row * 16, 1 + from + row)
    })
    columns.offset.forEach((_, row) => {
      columns.offset[row] = from + row
    })
    blocks.push({ number: blocks.length, split: 's', shard: 'b', columns, ids: null })
    from += own.length
  }
  return blocks
}

t.test('a band takes the earliest 64 kept rows, whether they are in the tables yet or not', async (t) => {
  for (let round = 0; round < 12; round++) {
    const blocks = fullBandBlocks(260, seed + 100 + round)
    const wanted = await decided(one(plan), blocks, nothing)
    const dropped = wanted.verdicts.map((verdicts) => verdicts.filter((each) => each !== null).length)
    const half = Math.floor(dropped.length / 2)
    const [early, late] = [dropped.slice(0, half), dropped.slice(half)].map((each) => each.reduce((a, b) => a + b, 0))
    t.ok(
      (early as number) > 2 * (late as number) + 10,
      `copies are found until the band is full: ${early}, then ${late}`,
    )
    const found = await decided(divided(plan, threadCounts[round % 4] as number), blocks, nothing)
    t.same(differing(found.verdicts, wanted.verdicts), [], `${threadCounts[round % 4]} threads`)
    t.ok(Buffer.concat(found.log).equals(Buffer.concat(wanted.log)), 'the same log')
  }
})

t.test('what a log has is restored into any number of threads, and decides as before', async (t) => {
  const blocks = drawnBlocks(3000, seed + 1, plan)
  const wanted = await decided(one(plan), blocks, nothing)
  const random = randomBelow(seed + 2)
  for (const threads of threadCounts) {
    const cut = 1 + random(blocks.length - 1)
    const texts = Buffer.concat(wanted.texts.slice(0, cut))
    const textAt = (offset: number) => {
      const payload = parseFrame(texts, offset, offset)
      return payload instanceof Uint8Array ? Buffer.from(payload).toString('utf8') : null
    }
    const before = { payloads: payloadsOf(wanted.log.slice(0, cut)), textsBytes: texts.length }
    const found = await decided(divided(plan, threads, textAt), blocks.slice(cut), before)
    t.same(differing(found.verdicts, wanted.verdicts.slice(cut)), [], `${threads} threads after ${cut} blocks`)
    t.equal(found.documents, wanted.documents)
  }
})

t.test('tables and documents in several parts find the same', (t) => {
  const random = randomBelow(seed + 3)
  const [minima, bands, rows, count] = [24, 4, 6, 200]
  const options = { firstTable: 0, tables: 5, bands, rows, minima, ngram: 5 }
  const whole = new BandTables(options)
  const parts = new BandTables({ ...options, partBytesMax: 4 * 2 ** 20 })
  const stores = [{}, { partBytesMax: 4 * 2 ** 20 }].map((more) => new DocumentStore({ bands, rows, minima, ...more }))
  let wrong = 0
  let found = 0
  const pool: Uint8Array[] = []
  for (let block = 0; block < 350; block++) {
    const columns = chunkColumnsOf(count, minima)
    columns.letters.fill(9)
    for (let row = 0; row < count; row++) {
      const earlier = random(3) === 0 ? pool[random(pool.length)] : undefined
      const signature = earlier ?? Uint8Array.from({ length: minima }, () => random(256))
      pool.push(signature)
      columns.signature.set(signature, row * minima)
      new DataView(columns.fingerprint.buffer).setUint32(
        row * 16,
        random(10) === 0 ? random(1000) : block * count + row,
      )
    }
    const probe = { rows: count, keys: columns.fingerprint, letters: columns.letters, signature: columns.signature }
    const findings = [whole, parts].map((tables) => tables.probe(probe))
    const stored = { keys: probe.keys, signature: probe.signature }
    // Tags that are equal by chance differ between parts.
    const verified = stores.map((store, place) => [...store.verify([findings[place] as Uint32Array], stored)])
    found += verified[0]?.length ?? 0
    if (JSON.stringify(triples(verified[0])) !== JSON.stringify(triples(verified[1]))) wrong++
    const kept = Uint32Array.from({ length: count }, (_, row) => row).filter(() => random(4) > 0)
    for (const tables of [whole, parts]) tables.insert({ kept, full: new Uint32Array(0) })
    const texts = new Float64Array(count).map((_, row) => block * count + row)
    for (const store of stores) store.keep(kept, stored, new Uint8Array(count * 16).fill(block), null, texts)
  }
  t.equal(wrong, 0)
  t.ok(found > 10_000, `${found} findings`)
  const [first, second] = stores as [DocumentStore, DocumentStore]
  t.ok(second.memoryBytes > first.memoryBytes && parts.memoryBytes > whole.memoryBytes, 'several parts')
  const documents = Array.from({ length: 500 }, () => random(first.count))
  t.same(
    documents.map((at) => [second.id(at), second.textOffset(at)]),
    documents.map((at) => [first.id(at), first.textOffset(at)]),
  )
  t.end()
})

/** In one order: by row and table, then by document. */
function triples(verified: readonly number[] = []): number[][] {
  const all = Array.from({ length: verified.length / 3 }, (_, at) => verified.slice(at * 3, at * 3 + 3))
  return all.sort((a, b) => (a[0] as number) - (b[0] as number) || (a[1] as number) - (b[1] as number))
}

t.test('a thread with tables that dies ends the run, and every later call fails', async (t) => {
  const blocks = drawnBlocks(600, seed + 4, plan)
  const decider = divided(plan, 2)
  decider.begin({ logBytes: 0, textsBytes: 0 })
  await (await decider.decide(blocks[0] as BlockToDecide)).done
  await workers[1]?.terminate()
  await t.rejects(decider.decide(blocks[1] as BlockToDecide), { code: 'KUN_WORKER_LOST', message: /it resumes/ })
  await t.rejects(decider.decide(blocks[2] as BlockToDecide), { code: 'KUN_WORKER_LOST' })
})

t.test(
  'after a kill at any moment a run continues with another number of threads and writes the same logs',
  async (t) => {
    const at = (name: string) => JSON.stringify(new URL(`../../${name}`, import.meta.url).href)
    const script = `
    const { dedupOptions, openDeduplicator, signedBlock } = await import(${at('lib/dedup/index.js')})
    const { createSigner } = await import(${at('lib/text/signature.js')})
    const { readFileSync } = await import('node:fs')
    const [directory, threads, textsPath] = process.argv.slice(1)
    const texts = JSON.parse(readFileSync(textsPath, 'utf8'))
    const signer = await createSigner()
    const options = dedupOptions.parse({ index: 'exact' })
    const deduplicator = await openDeduplicator({ options, directory, threads: Number(threads) })
    const deciding = []
    for (let block = deduplicator.lastBlock + 1; block * 10 < texts.length; block++) {
      deciding.push(deduplicator.decide(signedBlock(block, texts.slice(block * 10, block * 10 + 10), signer), null))
      if (deciding.length > 3) await deciding.shift()
      if (block % 5 === 0) await deduplicator.flush()
      if (block % 3 === 0) process.stdout.write('.')
    }
    await Promise.all(deciding)
    await deduplicator.flush()
    await deduplicator.close()
    process.stdout.write('done')`
    const random = randomBelow(seed + 5)
    const texts: string[] = []
    while (texts.length < 1000) {
      const earlier = texts[random(texts.length)]
      texts.push(
        earlier === undefined || random(3) > 0 ? letters(random, 200) : edited(earlier, random(90) / 1000, random),
      )
    }
    const root = t.testdir({ 'texts.json': JSON.stringify(texts) })
    const fresh = () => mkdtempSync(join(root, 'd-'))
    const logsOf = (directory: string) => ['index', 'index.texts'].map((name) => readFileSync(join(directory, name)))
    const signer = await createSigner()
    const whole = await openDeduplicator({
      options: dedupOptions.parse({ index: 'exact' }),
      directory: join(root, 'whole'),
    })
    for (let block = 0; block * 10 < texts.length; block++) {
      await whole.decide(signedBlock(block, texts.slice(block * 10, block * 10 + 10), signer), null)
    }
    await whole.flush()
    await whole.close()
    const wanted = logsOf(join(root, 'whole'))
    let kills = 0
    for (const start of [1, 4]) {
      const directory = fresh()
      for (let attempt = 0; ; attempt++) {
        const threads = 2 + (threadCounts[(threadCounts.indexOf(start) + attempt) % threadCounts.length] as number)
        const args = ['--input-type=module', '--eval', script, directory, String(threads), join(root, 'texts.json')]
        const child = spawn(process.execPath, args)
        let [out, err] = ['', '']
        child.stderr.on('data', (bytes) => (err += bytes))
        const dots = attempt < 2 ? 1 + random(12) : Number.POSITIVE_INFINITY
        child.stdout.on('data', async (bytes) => {
          out += bytes
          if (out.length < dots) return
          await sleep(random(30))
          child.kill('SIGKILL')
        })
        const [code, signal] = await once(child, 'close')
        if (signal === 'SIGKILL') kills++
        else t.equal(code, 0, err)
        if (out.endsWith('done')) break
      }
      t.ok(
        logsOf(directory).every((bytes, log) => bytes.equals(wanted[log] as Buffer)),
        `from ${start} threads: the same logs`,
      )
    }
    t.ok(kills > 2, `${kills} kills`)
  },
)

t.test('a row of an undecided block is not a document', (t) => {
  t.ok(undecided > 2 ** 24 * 64)
  t.end()
})
