/** Synthetic documents through both kinds of index: rate, bytes a document, the longest pause, false positives. */
import { settleBand } from '../lib/dedup/banding.js'
import { BloomIndex } from '../lib/dedup/bloom-index.js'
import { ExactIndex } from '../lib/dedup/exact-index.js'
import type { KeptRow } from '../lib/dedup/kept-frames.js'

const permutations = 128
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
  const index = new ExactIndex({ exact: true, permutations, banding, settleBand: settleBand(0.8, permutations) })
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
    const rows = Array.from({ length: Math.min(batchRows, count - at) }, (_, i) => synthetic(first + at + i))
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

/** Key, signature and id of document n: 144 bytes of SplitMix-like output. */
function synthetic(n: number): KeptRow {
  const words = new Int32Array((permutations + 16) / 4)
  let state = Math.imul(n, 0x9e3779b1) ^ (n >>> 3)
  for (let i = 0; i < words.length; i++) {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 16) ^ n, 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    words[i] = z ^ (z >>> 15)
  }
  const bytes = new Uint8Array(words.buffer)
  const id = n.toString(16).padStart(32, '0')
  return { key: bytes.subarray(0, 16), near: true, bytes: bytes.subarray(16), id, textOffset: -1 }
}
