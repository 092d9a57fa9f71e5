/**
 * Peak memory of whole runs, each in a process of its own, over inputs 1, 4 and 16 times as long: through dedup with
 * either kind of index, with a model, and with a sink that is slowed 100 times. Length 1 is at least four times
 * `memory.inFlightMax`, and long enough for the heaps to reach the size that they keep. The model server is the
 * simulator in this process, so that its memory is not counted.
 *
 * With KUN_MEMORY_BYTES set, one shard of that size as well, through dedup: with either kind of index.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startSimulator } from '../lib/simulator/vllm/index.js'
import type { RunFigures } from './memory-run.js'
import { writeInput } from './prepare-input.js'
import type { BenchAim, BenchOptions, BenchResult, BenchRow } from './types.js'

export const bench = {
  name: 'memory',
  description: 'peak memory of whole runs: inputs 1, 4 and 16 times as long, a sink slowed 100 times',
  run,
}

interface Way {
  readonly way: string
  /** What is read at length 1. */
  readonly bytes: number
  readonly inFlightMax: string
  readonly blockBytes: string
  readonly index: 'exact' | 'bloom'
  readonly through?: 'dedup'
  /** The sink takes so many times as long as in the way of this name: each of its writes waits. */
  readonly slowed?: { readonly times: number; readonly against: string }
}

const MiB = 2 ** 20
const dedup = { bytes: 256 * MiB, inFlightMax: '16MiB', blockBytes: '1MiB', through: 'dedup' } as const
const models = { inFlightMax: '1536KiB', blockBytes: '96KiB', index: 'exact' } as const
const whole = 'label, score, polish'
const ways: Record<BenchOptions['size'], readonly Way[]> = {
  full: [
    { ...models, way: whole, bytes: 10 * MiB },
    // Less of it, for the sink is what all waits for: half a minute at length 1 on a machine of its own.
    {
      ...models,
      way: 'the same, sink slowed 100 ×',
      bytes: 2 * MiB,
      inFlightMax: '512KiB',
      blockBytes: '32KiB',
      slowed: { times: 100, against: whole },
    },
    { ...dedup, way: 'through dedup, exact index', index: 'exact' },
    { ...dedup, way: 'through dedup, Bloom index', index: 'bloom' },
  ],
  smoke: [
    { ...dedup, way: 'through dedup', index: 'exact', bytes: 128 * 1024, inFlightMax: '32KiB', blockBytes: '8KiB' },
  ],
}
const lengths = { smoke: [1, 2], full: [1, 4, 16] }
const runFile = fileURLToPath(new URL('./memory-run.js', import.meta.url))

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  const simulator = await startSimulator({})
  try {
    const rows: MemoryRow[] = []
    const measured = async (way: Way, length: number): Promise<void> => {
      // The longest of them: there the sink's own code has long been compiled.
      const against = rows.findLast((row) => row.way === way.slowed?.against)
      const waitMs = way.slowed === undefined ? 0 : (way.slowed.times - 1) * (against?.sinkMsPerWrite ?? 0)
      const row = await measure({ way, length, waitMs }, folder, simulator.url)
      say(
        `${row.way} × ${length}: ${row.peakMebibytes.toFixed(0)} MiB, ${row.withoutIndex.toFixed(0)} without the index`,
      )
      rows.push(row)
    }
    for (const way of ways[size]) for (const length of lengths[size]) await measured(way, length)
    const flat = ways[size].flatMap((way) => flatness(way, rows))
    const shard = size === 'full' ? Number(process.env.KUN_MEMORY_BYTES ?? 0) : 0
    const shards = shard > 0 ? shardWays(shard) : []
    for (const way of shards) await measured(way, 1)
    const large = rows.filter(({ way }) => shards.some((each) => each.way === way))
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
  readonly peakMebibytes: number
  /** Of the peak: what the indexes of duplicates and of replies say that they take. */
  readonly indexMebibytes: number
  readonly withoutIndex: number
  readonly sinkMsPerWrite: number
  readonly waitMs: number
  readonly sinkShare: number
  readonly seconds: number
}

async function measure(
  { way, length, waitMs }: { readonly way: Way; readonly length: number; readonly waitMs: number },
  folder: string,
  endpoint: string,
): Promise<MemoryRow> {
  const bytes = way.bytes * length
  const [input, output] = [join(folder, `input-${bytes}`), join(folder, 'output')]
  try {
    if (!existsSync(input)) await writeInput(input, bytes, 1)
    await writeFile(join(folder, 'recipe.yaml'), recipeOf(way, input, endpoint))
    const rest = way.through === undefined ? [] : [way.through]
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [runFile, join(folder, 'recipe.yaml'), output, String(waitMs), ...rest],
      { maxBuffer: 16 * MiB },
    )
    const figures = JSON.parse(stdout) as Omit<RunFigures, 'sinkMsPerWrite'> & {
      readonly sinkMsPerWrite: number | null
    }
    const [peakMebibytes, indexMebibytes] = [figures.peakBytes / MiB, figures.indexBytes / MiB]
    return {
      way: way.way,
      length,
      readMegabytes: figures.readBytes / 1e6,
      kept: figures.kept,
      peakMebibytes,
      indexMebibytes,
      withoutIndex: peakMebibytes - indexMebibytes,
      sinkMsPerWrite: figures.sinkMsPerWrite ?? 0,
      waitMs,
      sinkShare: figures.sinkShare,
      seconds: figures.seconds,
    }
  } finally {
    await rm(output, { recursive: true, force: true })
  }
}

function recipeOf({ inFlightMax, blockBytes, index }: Way, input: string, endpoint: string): string {
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

/** The longest input against the shortest, the indexes apart; a slowed sink against the other as well. */
function flatness({ way, slowed }: Way, rows: readonly MemoryRow[]): BenchAim[] {
  const peaks = (name: string) => rows.filter((row) => row.way === name).map(({ withoutIndex }) => withoutIndex)
  const own = peaks(way)
  const flat = atMost(`${way}: most over least, without the index`, Math.max(...own) / Math.min(...own), 1.1)
  if (slowed === undefined) return [flat]
  const [most, mostAgainst] = [own, peaks(slowed.against)].map((each) => Math.max(...each)) as [number, number]
  return [flat, atMost(`${way}: most over the most of '${slowed.against}'`, most / mostAgainst, 1.1)]
}

function withinBounds({ way, peakMebibytes }: MemoryRow): BenchAim {
  return atMost(`${way}: MiB in all`, peakMebibytes, 512)
}

function atMost(what: string, figure: number, most: number): BenchAim {
  return { what, figure, aim: `at most ${most}`, met: figure <= most }
}
