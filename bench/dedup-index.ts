/**
 * Synthetic documents through both kinds of index: rate, bytes a document, the longest pause, false positives. One alone:
 * `node dist/bench/dedup-index.js exact 1000000`, which prints one line of JSON.
 */
import { pathToFileURL } from 'node:url'
import { settleBand } from '../lib/dedup/banding.js'
import { BloomIndex } from '../lib/dedup/bloom-index.js'
import { ExactIndex } from '../lib/dedup/exact-index.js'
import type { KeptRow } from '../lib/dedup/kept-frames.js'

const signatureLength = 128
/** Key and signature. */
const rowBytes = 16 + signatureLength
/** Rows made at once, outside of the time that counts. */
const batchRows = 1000

/** Times are processor time. */
export interface IndexFigures {
  readonly documents: number
  readonly insertedPerSecond: number
  readonly lookedUpPerSecond: number
  readonly bytesPerDocument: number
  /** The longest batch of 100 documents. */
  readonly pauseMs: number
  /** Documents never seen that were found. */
  readonly falsePositives: number
  readonly lookedUp: number
}

interface AnyIndex {
  readonly memoryBytes: number
  keep(row: KeptRow): void
}

export function exactFigures(documents: number): IndexFigures {
  const banding = { bands: 21, rows: 6 }
  const index = new ExactIndex({ exact: true, signatureLength, banding, settleBand: settleBand(0.8, signatureLength) })
  return measure(index, documents, (row) => index.equal(row) !== null || index.near(row).length > 0)
}

export function bloomFigures(documents: number): IndexFigures {
  const options = { exact: true, near: true, banding: { bands: 16, rows: 8 }, documentsExpected: documents }
  const index = new BloomIndex(options)
  return measure(index, documents, (row) => index.find(row) !== null)
}

function measure(index: AnyIndex, documents: number, find: (row: KeptRow) => boolean): IndexFigures {
  const inserted = over(0, documents, (row) => {
    // What a new document costs: looked up, not found, kept.
    if (find(row)) return true
    index.keep(row)
    return false
  })
  const lookups = Math.ceil(documents / 10)
  const present = over(0, lookups, find)
  const absent = over(documents, lookups, find)
  return {
    documents,
    insertedPerSecond: documents / inserted.seconds,
    lookedUpPerSecond: (2 * lookups) / (present.seconds + absent.seconds),
    bytesPerDocument: index.memoryBytes / documents,
    pauseMs: inserted.pauseMs,
    falsePositives: absent.found,
    lookedUp: lookups,
  }
}

function over(first: number, count: number, work: (row: KeptRow) => boolean) {
  let [milliseconds, pauseMs, found] = [0, 0, 0]
  for (let at = 0; at < count; at += batchRows) {
    const rows = synthetic(first + at, Math.min(batchRows, count - at))
    for (let from = 0; from < rows.length; from += 100) {
      const batch = rows.slice(from, from + 100)
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
  const [kind, documents = '1000000'] = process.argv.slice(2)
  if (kind !== 'exact' && kind !== 'bloom') throw new Error('usage: dedup-index.js exact|bloom [DOCUMENTS]')
  const figures = kind === 'exact' ? exactFigures(Number(documents)) : bloomFigures(Number(documents))
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}
