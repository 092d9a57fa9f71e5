/**
 * Deduplication against planted copies of known similarity, and its two kinds of index at size. With KUN_CORPUS set to a
 * folder laid out as skypile, wudao and wanjuan with a truth.jsonl, quality is measured there too.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplicate, dedupOptions, openDeduplicator, signedBlock } from '../lib/dedup/index.js'
import { ShingleComparer } from '../lib/dedup/jaccard.js'
import { blocks, localShards, presets, readOptions } from '../lib/sources/index.js'
import { recordPlaces } from '../lib/text/records.js'
import { createSigner } from '../lib/text/signature.js'
import { bloomFigures, dividedFigures, exactFigures, type IndexFigures } from './dedup-index.js'
import { chineseText, randomFrom } from './dedup-texts.js'
import type { BenchAim, BenchOptions, BenchResult, BenchRow } from './types.js'

export const bench = {
  name: 'dedup',
  description: 'planted copies found and removals justified; rate, memory and disk of the index',
  run,
}

const sizes = {
  smoke: { texts: 600, exact: 20_000, divided: 20_000, bloom: 20_000 },
  full: { texts: 30_000, exact: 10_000_000, divided: 1_000_000, bloom: 1_000_000 },
}

interface Input {
  readonly texts: readonly string[]
  /** Row of each copy, and its exact similarity to what it was copied from. */
  readonly copies: readonly { readonly row: number; readonly similarity: number }[]
}

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const { texts, exact, divided, bloom } = sizes[size]
  const quality: BenchRow[] = []
  const aims: BenchAim[] = []
  const inputs: [string, Input][] = [['generated', await generated(texts)]]
  const corpus = process.env.KUN_CORPUS
  if (corpus !== undefined && size === 'full') inputs.push(['corpus', await fromCorpus(corpus)])
  for (const [name, input] of inputs) {
    say(`quality: ${name}, ${input.texts.length} texts`)
    const row = await measureQuality(name, input)
    quality.push(row)
    aims.push(
      aim(`${name}: share of planted pairs at .8 and above that is found`, row.found as number, 'at least .99', 0.99),
      aim(`${name}: removed without a kept partner at .78`, row.unjustified as number, 'at most .01', undefined, 0.01),
    )
  }
  say(`exact index: ${exact} documents`)
  const exactRow = exactFigures(exact)
  say(`exact index over threads: ${divided} documents`)
  const dividedRows = [2, 8].map((threads) => ({ threads, ...dividedFigures(divided, threads) }))
  say(`Bloom index: ${bloom} documents`)
  const bloomRow = bloomFigures(bloom)
  const rate = bloomRow.falsePositives / bloomRow.lookedUp
  aims.push(
    aim('exact index, bytes a kept document', exactRow.bytesPerDocument, 'at most 400', undefined, 400),
    aim('exact index, documents/s inserted', exactRow.insertedPerSecond, 'at least 300,000', 300_000),
    aim('exact index, documents/s looked up', exactRow.lookedUpPerSecond, 'at least 300,000', 300_000),
    aim('exact index, longest pause in ms', exactRow.pauseMs, 'at most 50', undefined, 50),
    aim('exact index over 2 threads, documents/s', dividedRows[0]?.insertedPerSecond ?? 0, 'at least 1,000,000', 1e6),
    aim('Bloom index, bytes a document', bloomRow.bytesPerDocument, 'at most 64', undefined, 64),
    aim('Bloom index, false positives a document', rate, 'at most .001', undefined, 0.001),
  )
  const indexes = [
    { index: 'exact, 21 × 6', ...figures(exactRow) },
    { index: 'Bloom, 16 × 8', ...figures(bloomRow) },
  ]
  return {
    tables: [
      { title: 'Quality', rows: quality },
      { title: 'Index', rows: indexes },
      { title: 'Exact index, its tables over threads', rows: dividedRows },
    ],
    aims,
  }
}

function figures(given: IndexFigures): BenchRow {
  return { ...given }
}

function aim(what: string, figure: number, text: string, least = Number.NEGATIVE_INFINITY, most = Infinity): BenchAim {
  return { what, figure, aim: text, met: figure >= least && figure <= most }
}

const blockRows = 500

async function measureQuality(name: string, { texts, copies }: Input): Promise<BenchRow> {
  const signer = await createSigner()
  const directory = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  const deduplicator = await openDeduplicator({ options: dedupOptions.parse({ index: 'exact' }), directory })
  const verdicts: (Duplicate | null)[] = []
  let milliseconds = 0
  try {
    for (let at = 0; at < texts.length; at += blockRows) {
      const slice = texts.slice(at, at + blockRows)
      const block = signedBlock(at / blockRows, slice, signer)
      const ids = slice.map((_, row) => String(at + row))
      const start = performance.now()
      verdicts.push(...(await deduplicator.decide(block, ids)).verdicts)
      milliseconds += performance.now() - start
    }
    await deduplicator.flush()
    const { documents, diskBytes } = deduplicator.stats()
    const textBytes = texts.reduce((sum, text, row) => sum + (verdicts[row] === null ? Buffer.byteLength(text) : 0), 0)
    const removed = verdicts.flatMap((verdict, row) => (verdict === null ? [] : [{ row, of: Number(verdict.of) }]))
    const comparer = new ShingleComparer(await createSigner({ signatureLength: 0 }))
    const similarity = ({ row, of }: { row: number; of: number }) =>
      verdicts[row]?.reason === 'exact-duplicate' ? 1 : comparer.jaccard(texts[of] as string, texts[row] as string)
    const unjustified = removed.filter((each) => similarity(each) < 0.78).length
    const due = copies.filter((copy) => copy.similarity >= 0.8)
    return {
      input: name,
      texts: texts.length,
      pairs: due.length,
      found: due.filter((copy) => verdicts[copy.row] !== null).length / due.length,
      removed: removed.length,
      unjustified: unjustified / Math.max(1, removed.length),
      documentsPerSecond: (texts.length * 1000) / milliseconds,
      indexLogBytesPerKept: (diskBytes - textBytes) / documents,
      textBytesPerKept: textBytes / documents,
    }
  } finally {
    await deduplicator.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Every sixth text is a copy of an original, edited at 0 to 9 % of its letters. */
async function generated(count: number): Promise<Input> {
  const random = randomFrom(20261123)
  const comparer = new ShingleComparer(await createSigner({ signatureLength: 0 }))
  const [texts, originals]: [string[], string[]] = [[], []]
  const copies: { row: number; similarity: number }[] = []
  while (texts.length < count) {
    const original = originals[random(originals.length)]
    if (original === undefined || random(6) > 0) {
      originals.push(chineseText(random, 40 + random(800)))
      texts.push(originals.at(-1) as string)
      continue
    }
    const rate = random(900)
    const copy = [...original]
      .map((letter) => (random(10_000) < rate ? chineseText(random, random(3)) : letter))
      .join('')
    copies.push({ row: texts.length, similarity: comparer.jaccard(original, copy) })
    texts.push(copy)
  }
  return { texts, copies }
}

/** The three layouts in the order in which copies come after what they copy. */
async function fromCorpus(folder: string): Promise<Input> {
  const truth = new Map<string, number>()
  for (const line of (await readFile(join(folder, 'truth.jsonl'), 'utf8')).trim().split('\n')) {
    const { copy, jaccard } = JSON.parse(line) as { copy: string; jaccard: number }
    truth.set(copy, jaccard)
  }
  const texts: string[] = []
  const copies: { row: number; similarity: number }[] = []
  for (const [preset, files] of [
    ['skypile', 'skypile/**/*.jsonl'],
    ['wudao', 'wudao/**/*.json'],
    ['wanjuan', 'wanjuan/**/*.tar.gz'],
  ] as const) {
    const mapping = presets[preset]
    const shards = await localShards({ split: preset, root: folder, files: [files], mapping })
    for await (const { block } of blocks(shards, { ...readOptions.parse({}), order: 'in-order' })) {
      for (const { start, end } of recordPlaces(block)) {
        const record = JSON.parse(Buffer.from(block.bytes.subarray(start, end)).toString()) as Record<string, unknown>
        const similarity = truth.get(String(record[mapping.id ?? '']))
        if (similarity !== undefined) copies.push({ row: texts.length, similarity })
        texts.push(String(record[mapping.text] ?? ''))
      }
    }
  }
  return { texts, copies }
}
