/**
 * Synthetic documents through both kinds of index: rate, bytes a document, the longest pause, false positives. One alone:
 * `node dist/bench/dedup-index.js exact 1000000` (or bloom, or divided with the number of its threads), which prints one line of JSON.
 */
import { pathToFileURL } from 'node:url'
import { BandTables, type Findings, type RowsToInsert, type RowsToProbe } from '../lib/dedup/band-tables.js'
import { settleBand } from '../lib/dedup/banding.js'
import { BlockResolver, BlockState, type RowFinding } from '../lib/dedup/block-resolver.js'
import { BloomIndex } from '../lib/dedup/bloom-index.js'
import { DocumentStore, type StoredColumns } from '../lib/dedup/document-store.js'
import { ExactIndex } from '../lib/dedup/exact-index.js'
import { dedupOptions } from '../lib/dedup/index.js'
import type { KeptRow } from '../lib/dedup/kept-frames.js'
import { exactPlanOf } from '../lib/dedup/open-index.js'

const signatureLength = 128
/** Key and signature. */
const rowBytes = 16 + signatureLength
/** Rows made at once, outside of the time that counts. */
const batchRows = 1000
/** Documents of the pause that is measured of a Bloom index; of an exact one it is a whole block. */
const pauseRows = 100

/** Times are processor time. */
export interface IndexFigures {
  readonly documents: number
  readonly insertedPerSecond: number
  readonly lookedUpPerSecond: number
  readonly bytesPerDocument: number
  /** The longest batch of documents: 1,000 of an exact index, 100 of a Bloom one. */
  readonly pauseMs: number
  /** Documents never seen that were found. */
  readonly falsePositives: number
  readonly lookedUp: number
}

/** Times are processor time. */
export interface DividedFigures {
  readonly documents: number
  /** By the busiest of the threads. */
  readonly insertedPerSecond: number
  /** Of the busiest thread with tables. */
  readonly threadSeconds: number
  /** Of the thread that decides. */
  readonly decidingSeconds: number
  readonly bytesPerDocument: number
}

interface AnyIndex {
  readonly memoryBytes: number
}

interface RowIndex extends AnyIndex {
  keep(row: KeptRow): void
}

export function exactFigures(documents: number): IndexFigures {
  const banding = { bands: 21, rows: 6 }
  const index = new ExactIndex({ exact: true, signatureLength, banding, settleBand: settleBand(0.8, signatureLength) })
  const find = (row: KeptRow) => index.equal(row) !== null || index.near(row).length > 0
  const inserted = insertBlocks(index, documents)
  return { ...lookUpFigures(index, documents, find), ...inserted }
}

/** As the deduplicator does: rows of a block are looked up and kept together. */
function insertBlocks(index: ExactIndex, documents: number): Pick<IndexFigures, 'insertedPerSecond' | 'pauseMs'> {
  let [milliseconds, pauseMs] = [0, 0]
  for (let at = 0; at < documents; at += batchRows) {
    const rows = Math.min(batchRows, documents - at)
    const { columns, ids } = syntheticBlock(at, rows)
    const [banded, textBytes] = [new Uint8Array(rows).fill(1), new Uint32Array(rows)]
    const start = cpuMilliseconds()
    index.begin({ rows, ...columns, banded, textBytes, textsBytes: 0 }, { bytes: ids, longIds: null })
    for (let row = index.decideRows(0); row < rows; row = index.decideRows(row + 1)) index.keepRow(row)
    const took = cpuMilliseconds() - start
    milliseconds += took
    pauseMs = Math.max(pauseMs, took)
  }
  return { insertedPerSecond: (documents * 1000) / milliseconds, pauseMs }
}

/** What an index takes whose tables are divided over threads. All run in this one, in turns. */
export function dividedFigures(documents: number, threadCount = 2): DividedFigures {
  const [bands, rows, minima] = [21, 6, signatureLength]
  const from = (place: number) => Math.floor((place * (bands + 1)) / threadCount)
  const threads = Array.from({ length: threadCount }, (_, place) => {
    const own = { firstTable: from(place), tables: from(place + 1) - from(place) }
    return new BandTables({ ...own, bands, rows, minima, ngram: 5 })
  })
  const store = new DocumentStore({ bands, rows, minima })
  const resolver = new BlockResolver(exactPlanOf(dedupOptions.parse({ index: 'exact' })))
  const states = [new BlockState(bands + 1), new BlockState(bands + 1)] as const
  const spent = { threads: threads.map(() => 0), deciding: 0 }
  /** Found for the block before, which is decided on once this one is searched for. */
  let searched: { readonly block: SyntheticBlock; readonly findings: readonly Findings[] } | null = null
  let insert: RowsToInsert | null = null
  let decided = 0
  for (let at = 0; at < documents + batchRows; at += batchRows) {
    const block = at < documents ? syntheticBlock(at, Math.min(batchRows, documents - at)) : null
    const findings = threads.map((tables, thread) => {
      const start = cpuMilliseconds()
      if (insert !== null) tables.insert(insert)
      const found = block === null ? new Uint32Array(0) : tables.probe(block.probe)
      spent.threads[thread] = (spent.threads[thread] as number) + cpuMilliseconds() - start
      return found
    })
    if (searched !== null) {
      const start = cpuMilliseconds()
      insert = decideAll(searched.block, store.verify(searched.findings, searched.block.columns))
      spent.deciding += cpuMilliseconds() - start
    }
    searched = block === null ? null : { block, findings }
  }
  return {
    documents: store.count,
    insertedPerSecond: (documents * 1000) / Math.max(...spent.threads, spent.deciding),
    threadSeconds: Math.max(...spent.threads) / 1000,
    decidingSeconds: spent.deciding / 1000,
    bytesPerDocument: threads.reduce((sum, tables) => sum + tables.memoryBytes, store.memoryBytes) / documents,
  }

  function decideAll({ columns, ids, texts, probe }: SyntheticBlock, verified: Uint32Array): RowsToInsert {
    const state = states[decided % 2] as BlockState
    const before = decided === 0 ? null : (states[(decided + 1) % 2] as BlockState)
    decided++
    state.reset(columns, probe.rows, store.count)
    resolver.begin(before, state, verified)
    for (let row = 0; row < probe.rows; row++) {
      const hasFinding = row === resolver.nextFound()
      if (hasFinding && isDuplicate(resolver.find(row, false))) continue
      resolver.keep(row, hasFinding)
    }
    const kept = state.kept.slice(0, state.keptCount)
    store.keep(kept, columns, ids, null, texts)
    return { kept, full: Uint32Array.from(state.full) }
  }
}

function isDuplicate({ candidates }: RowFinding): boolean {
  return candidates === null || candidates.length > 0
}

export function bloomFigures(documents: number): IndexFigures {
  const options = { exact: true, near: true, banding: { bands: 16, rows: 8 }, documentsExpected: documents }
  const index = new BloomIndex(options)
  return measure(index, documents, (row) => index.find(row) !== null)
}

function measure(index: RowIndex, documents: number, find: (row: KeptRow) => boolean): IndexFigures {
  const inserted = over(0, documents, (row) => {
    // What a new document costs: looked up, not found, kept.
    if (find(row)) return true
    index.keep(row)
    return false
  })
  const insertedPerSecond = documents / inserted.seconds
  return { ...lookUpFigures(index, documents, find), insertedPerSecond, pauseMs: inserted.pauseMs }
}

/** Looks up rows one by one: half of them are in the index. */
function lookUpFigures(
  index: AnyIndex,
  documents: number,
  find: (row: KeptRow) => boolean,
): Omit<IndexFigures, 'insertedPerSecond' | 'pauseMs'> {
  const lookups = Math.ceil(documents / 10)
  const present = over(0, lookups, find)
  const absent = over(documents, lookups, find)
  return {
    documents,
    lookedUpPerSecond: (2 * lookups) / (present.seconds + absent.seconds),
    bytesPerDocument: index.memoryBytes / documents,
    falsePositives: absent.found,
    lookedUp: lookups,
  }
}

function over(first: number, count: number, work: (row: KeptRow) => boolean) {
  let [milliseconds, pauseMs, found] = [0, 0, 0]
  for (let at = 0; at < count; at += batchRows) {
    const rows = synthetic(first + at, Math.min(batchRows, count - at))
    for (let from = 0; from < rows.length; from += pauseRows) {
      const batch = rows.slice(from, from + pauseRows)
      const start = cpuMilliseconds()
      for (const row of batch) if (work(row)) found++
      const took = cpuMilliseconds() - start
      milliseconds += took
      pauseMs = Math.max(pauseMs, took)
    }
  }
  return { seconds: milliseconds / 1000, pauseMs, found }
}

/** Processor time of this process: what other processes of a shared machine take is not the index's. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

interface SyntheticBlock {
  readonly probe: RowsToProbe
  readonly columns: StoredColumns
  readonly ids: Uint8Array
  readonly texts: Float64Array
}

function syntheticBlock(first: number, rows: number): SyntheticBlock {
  const [keys, signature] = [new Uint8Array(rows * 16), new Uint8Array(rows * signatureLength)]
  synthetic(first, rows).forEach((row, at) => {
    keys.set(row.key, at * 16)
    signature.set(row.signature, at * signatureLength)
  })
  const probe = { rows, keys, letters: new Int32Array(rows).fill(100), signature }
  return { probe, columns: { keys, signature }, ids: new Uint8Array(rows * 16), texts: new Float64Array(rows).fill(-1) }
}

/** Rows as the deduplicator has them: views into the columns of their block. Of SplitMix-like output; the id is the number. */
function synthetic(first: number, count: number): KeptRow[] {
  const words = new Int32Array((count * rowBytes) / 4)
  const ids = Buffer.alloc(count * 16)
  for (let row = 0; row < count; row++) {
    const n = first + row
    let state = Math.imul(n, 0x9e3779b1) ^ (n >>> 3)
    for (let i = 0; i < rowBytes / 4; i++) {
      state = (state + 0x6d2b79f5) | 0
      let z = Math.imul(state ^ (state >>> 16) ^ n, 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      words[(row * rowBytes) / 4 + i] = z ^ (z >>> 15)
    }
    ids.writeUInt32BE(n, row * 16 + 12)
  }
  const bytes = new Uint8Array(words.buffer)
  return Array.from({ length: count }, (_, row) => ({
    key: bytes.subarray(row * rowBytes, row * rowBytes + 16),
    hasShingle: true,
    signature: bytes.subarray(row * rowBytes + 16, (row + 1) * rowBytes),
    id: ids.toString('hex', row * 16, (row + 1) * 16),
    textOffset: -1,
  }))
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [kind, documents = '1000000', threads = '2'] = process.argv.slice(2)
  const kinds = { exact: exactFigures, divided: dividedFigures, bloom: bloomFigures }
  if (kind === undefined || !(kind in kinds)) throw new Error('usage: dedup-index.js exact|divided|bloom [DOCUMENTS]')
  const figures = kinds[kind as keyof typeof kinds](Number(documents), Number(threads))
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}
