/**
 * One way through the input of bench/prepare.ts, in a process of its own so that its memory and processor time are its
 * own: `node dist/bench/prepare-way.js FOLDER THREADS`, where 0 threads is the floor. Prints one line of JSON.
 * Profile it with `node --cpu-prof`.
 */
import { Buffer, transcode } from 'node:buffer'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Credit } from '../lib/core/credit.js'
import { type Deduplicator, dedupOptions, openDeduplicator } from '../lib/dedup/index.js'
import { NoYieldDetector } from '../lib/run/no-yield.js'
import { kunGraph } from '../lib/run/pipeline.js'
import { itemBytes, itemCodec } from '../lib/run/reorder-codec.js'
import { blocks, readBlocks, readOptions, type Shard, storedBytesOf } from '../lib/sources/index.js'
import { nodeFiles } from '../lib/storage/files.js'
import { SpillFile } from '../lib/storage/spill-file.js'
import { planPreparation, prepareOptions } from '../lib/text/plan.js'
import { recordPlaces } from '../lib/text/records.js'
import { workerPool } from '../lib/workers/pool.js'
import { inputShards } from './prepare-input.js'
import { type ThreadSeconds, threadWatch } from './thread-seconds.js'

export interface WayFigures {
  readonly bytes: number
  readonly documents: number
  /** Chunks that were not dropped; 0 for the floor. */
  readonly kept: number
  readonly seconds: number
  /** Processor time by threads, on Linux. */
  readonly threads: ThreadSeconds
  readonly peakMegabytes: number
  /** Of the verdicts, in order. */
  readonly hash: string
}

const blocksPerThread = 2
/** Threads for duplicates of a machine that has a thread that reads. */
const readThreadFrom = 4
const read = readOptions.parse({})
const memory = { inFlightMax: 256 * 2 ** 20, reorderBytesMax: 64 * 2 ** 20 }

/** A record's string, by way of UTF-16: on Node 20 three times as fast as `toString('utf8')`, on 24 a little slower. */
const decoders = {
  direct: (bytes: Buffer, start: number, end: number) => bytes.toString('utf8', start, end),
  transcoded: (bytes: Buffer, start: number, end: number) =>
    transcode(bytes.subarray(start, end), 'utf8', 'utf16le').toString('utf16le'),
}

/** Reading and JSON.parse alone, by the decoder that is the faster on this Node. */
async function floor(shards: readonly Shard[]): Promise<Partial<WayFigures>> {
  const decode = Number(process.versions.node.split('.')[0]) >= 22 ? decoders.direct : decoders.transcoded
  const measured = stopwatch()
  let [bytes, documents] = [0, 0]
  for await (const { block } of blocks(shards, read)) {
    bytes += block.bytes.length
    const buffer = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.byteLength)
    for (const { start, end } of recordPlaces(block)) {
      documents++
      parse(decode(buffer, start, end))
    }
  }
  return { bytes, documents, kept: 0, ...measured.read(), hash: '' }
}

/** Records that break off are in the input, too. */
function parse(source: string): unknown {
  try {
    return JSON.parse(source)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The graph of `run --through dedup`: everything before the models, with the log on disk. */
async function wholePath(
  shards: readonly Shard[],
  threads: number,
  dedupThreads: number,
): Promise<Partial<WayFigures>> {
  const directory = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  const options = dedupOptions.parse({ index: 'exact' })
  const signature = { ngram: 5, signatureLength: 128, seed: 1 }
  const pool = workerPool({ plan: await planPreparation(prepareOptions.parse({}), directory, signature), threads })
  const opened = await openDeduplicator({ options, directory: join(directory, 'dedup'), threads: dedupThreads })
  const hashing = hashKept(opened)
  let [bytes, documents] = [0, 0]
  const inputBytes = storedBytesOf(shards)
  const measured = stopwatch()
  async function* counted() {
    for await (const sourced of readBlocks(shards, { ...read, thread: dedupThreads >= readThreadFrom })) {
      bytes += sourced.block.bytes.length
      // The thread that reads ends soon.
      if (bytes === inputBytes) measured.note()
      yield sourced
    }
  }
  try {
    await kunGraph({
      blocks: counted(),
      prepare: async (block) => {
        const prepared = await pool.prepare(block)
        documents += prepared.documents
        return prepared
      },
      blocksInWorkers: pool.threads * blocksPerThread,
      deduplicator: hashing.deduplicator,
      noYield: new NoYieldDetector({ recordsMax: null, llmStages: [], from: null }),
      onNoYield: () => undefined,
      label: null,
      chunkStages: [],
      pairStages: [],
      blockCredit: new Credit('bytes of blocks', memory.inFlightMax),
      itemCredit: new Credit('records', 24 * 64),
      reorder: {
        bytesMax: memory.reorderBytesMax,
        sizeBytes: itemBytes,
        spill: new SpillFile(nodeFiles, join(directory, 'reorder.spill'), itemCodec),
      },
      candidatesPerCut: 20_000,
      blocksPerCutMax: 1000,
      blocksDone: 0,
      sink: null,
      servers: { releaseUpTo: () => undefined },
    }).run().done
    await opened.flush()
    return { bytes, documents, kept: opened.stats().documents, ...measured.read(), hash: hashing.digest() }
  } finally {
    await pool.close()
    await opened.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** The deduplicator, and a hash over its verdicts. */
function hashKept(deduplicator: Deduplicator): { deduplicator: Deduplicator; digest: () => string } {
  const hash = createHash('sha256')
  const decide: Deduplicator['decide'] = async (block, ids) => {
    const decided = await deduplicator.decide(block, ids)
    const { verdicts } = decided
    const kept = new Uint8Array(verdicts.length)
    let duplicates = ''
    for (const [row, verdict] of verdicts.entries()) {
      if (verdict === null) kept[row] = 1
      else duplicates += `${verdict.of} ${verdict.similarity}\n`
    }
    hash.update(duplicates).update(kept)
    return decided
  }
  const watched = new Proxy(deduplicator, {
    get: (target, name) => {
      if (name === 'decide') return decide
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { deduplicator: watched, digest: () => hash.digest('hex').slice(0, 16) }
}

/** What passed since: by the clock, and in processor time. */
function stopwatch(): { readonly note: () => void; readonly read: () => Pick<WayFigures, 'seconds' | 'threads'> } {
  const startMs = performance.now()
  const { note, spent } = threadWatch()
  return { note, read: () => ({ seconds: (performance.now() - startMs) / 1000, threads: spent() }) }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder, threads, dedupThreads = '1'] = process.argv.slice(2)
  if (folder === undefined || threads === undefined) throw new Error('usage: prepare-way.js FOLDER THREADS')
  const shards = await inputShards(folder)
  const figures = threads === '0' ? await floor(shards) : await wholePath(shards, Number(threads), Number(dedupThreads))
  const peakMegabytes = process.resourceUsage().maxRSS / 1024
  process.stdout.write(`${JSON.stringify({ ...figures, peakMegabytes })}\n`)
}
