/**
 * Peak memory of whole runs, each in a process of its own, over inputs 1, 4 and 16 times as long, the shortest at least
 * four times `memory.inFlightMax`: through dedup, with a model, and with a slow disk behind it. The model server is the
 * simulator in this process, so that its memory is not counted.
 *
 * With KUN_MEMORY_BYTES set, one shard of that size as well, through dedup: with either kind of index.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { exactIndexBytesPerDocument } from '../lib/dedup/options.js'
import { startSimulator } from '../lib/simulator/index.js'
import type { RunFigures } from './memory-run.js'
import { writeInput } from './prepare-input.js'
import type { BenchAim, BenchOptions, BenchResult, BenchRow } from './types.js'

export const bench = {
  name: 'memory',
  description: 'peak memory of whole runs: inputs 1, 4 and 16 times as long, a slow disk',
  run,
}

interface Way {
  readonly way: string
  /** What is read at length 1. */
  readonly bytes: number
  readonly inFlightMax: string
  readonly blockBytes: string
  readonly through?: 'dedup'
  readonly index?: 'exact' | 'bloom'
  readonly writeWaitMs?: number
}

const MiB = 2 ** 20
const ways: Record<BenchOptions['size'], readonly Way[]> = {
  full: [
    { way: 'through dedup', bytes: 64 * MiB, inFlightMax: '16MiB', blockBytes: '1MiB', through: 'dedup' },
    { way: 'label, score, polish', bytes: 6 * MiB, inFlightMax: '1536KiB', blockBytes: '96KiB' },
    { way: 'the same, slow disk', bytes: 6 * MiB, inFlightMax: '1536KiB', blockBytes: '96KiB', writeWaitMs: 200 },
  ],
  smoke: [{ way: 'through dedup', bytes: 128 * 1024, inFlightMax: '32KiB', blockBytes: '8KiB', through: 'dedup' }],
}
const lengths = { smoke: [1, 2], full: [1, 4, 16] }
const runFile = fileURLToPath(new URL('./memory-run.js', import.meta.url))

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  const simulator = await startSimulator({})
  try {
    const rows: MemoryRow[] = []
    const measured = async (way: Way, length: number): Promise<void> => {
      const row = await measure(way, length, folder, simulator.url)
      say(`${row.way} × ${length}: ${row.peakMegabytes.toFixed(0)} MB`)
      rows.push(row)
    }
    for (const way of ways[size]) for (const length of lengths[size]) await measured(way, length)
    const flat = ways[size].map(({ way }) => flatness(rows.filter((row) => row.way === way)))
    const shard = size === 'full' ? Number(process.env.KUN_MEMORY_BYTES ?? 0) : 0
    if (shard > 0) for (const way of shardWays(shard)) await measured(way, 1)
    const large = rows.filter(({ readMegabytes }) => shard > 0 && readMegabytes * 1e6 >= shard * 0.99)
    return {
      tables: [{ title: 'Peak memory of the process', rows: rows.map((row): BenchRow => ({ ...row })) }],
      aims: [...flat, ...large.map(withinBounds)],
    }
  } finally {
    await simulator.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function shardWays(bytes: number): Way[] {
  const way = { bytes, inFlightMax: '64MiB', blockBytes: '1MiB', through: 'dedup' as const }
  return [
    { ...way, way: 'one large shard, exact index', index: 'exact' },
    { ...way, way: 'one large shard, Bloom index', index: 'bloom' },
  ]
}

interface MemoryRow {
  readonly way: string
  readonly length: number
  readonly readMegabytes: number
  readonly kept: number
  readonly peakMegabytes: number
  /** Of the peak; reckoned at what a kept document takes in the index. */
  readonly indexMegabytes: number
  readonly withoutIndex: number
  readonly seconds: number
}

async function measure(way: Way, length: number, folder: string, endpoint: string): Promise<MemoryRow> {
  const [input, output] = [join(folder, 'input'), join(folder, 'output')]
  try {
    await writeInput(input, way.bytes * length, 1)
    await writeFile(join(folder, 'recipe.yaml'), recipeOf(way, input, endpoint))
    const rest = way.through === undefined ? [] : [way.through]
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [runFile, join(folder, 'recipe.yaml'), output, String(way.writeWaitMs ?? 0), ...rest],
      { maxBuffer: 16 * MiB },
    )
    const { readBytes, kept, peakMegabytes, seconds } = JSON.parse(stdout) as RunFigures
    const indexMegabytes = (kept * (way.index === 'bloom' ? 64 : exactIndexBytesPerDocument)) / MiB
    const withoutIndex = peakMegabytes - indexMegabytes
    const readMegabytes = readBytes / 1e6
    return { way: way.way, length, readMegabytes, kept, peakMegabytes, indexMegabytes, withoutIndex, seconds }
  } finally {
    await Promise.all([input, output].map((each) => rm(each, { recursive: true, force: true })))
  }
}

function recipeOf({ inFlightMax, blockBytes, index = 'exact' }: Way, input: string, endpoint: string): string {
  return `
name: memory
sources: [{ split: skypile, preset: skypile, files: '${input}/skypile/**/*.jsonl' }]
read: { blockBytes: ${blockBytes} }
workers: { threads: 1 }
memory: { inFlightMax: ${inFlightMax}, reorderBytesMax: ${inFlightMax} }
prepare: { dedup: { index: ${index} } }
models: { m: { endpoints: ['${endpoint}'], model: m, limiter: fixed, inFlightMax: 32 } }
kun: { label: { model: m }, score: { model: m }, polish: { model: m } }
output: { dir: unused, candidatesPerCut: 2000, rowGroupBytesMax: 2MiB }
`
}

/** The longest input against the shortest, index apart. */
function flatness(rows: readonly MemoryRow[]): BenchAim {
  const peaks = rows.map(({ withoutIndex }) => withoutIndex)
  const figure = Math.max(...peaks) / Math.min(...peaks)
  const what = `${rows[0]?.way}: most over least, without the index`
  return { what, figure, aim: 'at most 1.1', met: figure <= 1.1 }
}

function withinBounds({ way, peakMegabytes }: MemoryRow): BenchAim {
  return { what: `${way}: MiB in all`, figure: peakMegabytes, aim: 'at most 512', met: peakMegabytes <= 512 }
}
