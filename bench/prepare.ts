/**
 * Everything before the models, over generated JSON Lines: read, clean, filter, chunk, sign and deduplicate, with the
 * log on disk, against reading and parsing alone. Each way runs in a process of its own, one after the other in turns.
 *
 * On a shared machine the clock says little: beside it stands what the processor time of the busiest thread allows.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { median } from './median.js'
import { writeInput } from './prepare-input.js'
import type { WayFigures } from './prepare-way.js'
import type { BenchAim, BenchOptions, BenchResult, BenchRow } from './types.js'

export const bench = {
  name: 'prepare',
  description: 'read, clean, filter, chunk, sign, dedup in 1 and 2 threads, against reading and parsing alone',
  run,
}

const inputBytes = { smoke: 400_000, full: 210_000_000 }
const rounds = { smoke: 1, full: 5 }
const wayFile = fileURLToPath(new URL('./prepare-way.js', import.meta.url))

/** By threads; 0 is the floor. */
const ways = [
  { threads: 0, way: 'read and parse alone' },
  { threads: 1, way: 'whole path, 1 thread' },
  { threads: 2, way: 'whole path, 2 threads' },
] as const

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  try {
    const { kind, bytes } = await writeInput(folder, inputBytes[size])
    say(`${(bytes / 1e6).toFixed(0)} MB of JSON Lines, ${kind}`)
    const figures = new Map<number, WayFigures[]>(ways.map(({ threads }) => [threads, []]))
    for (let round = 0; round < rounds[size]; round++) {
      for (const { threads } of ways) figures.get(threads)?.push(await inOwnProcess(folder, threads))
      say(`round ${round + 1} of ${rounds[size]}`)
    }
    const rows = ways.map(({ way, threads }) => rowOf(way, threads, figures.get(threads) ?? []))
    const title = `${(bytes / 1e6).toFixed(0)} MB, ${kind}; medians of ${rounds[size]}`
    return { tables: [{ title, rows: withRatios(rows) }], aims: aimsOf(rows) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function inOwnProcess(folder: string, threads: number): Promise<WayFigures> {
  const { stdout } = await promisify(execFile)(process.execPath, [wayFile, folder, String(threads)])
  return JSON.parse(stdout) as WayFigures
}

interface WayRow {
  readonly way: string
  readonly megabytesPerSecond: number
  /** Bytes over the processor time of the busiest thread: the rate where every thread has a core of its own. */
  readonly byProcessorTime: number
  readonly mainSeconds: number
  readonly workerSeconds: number
  readonly otherSeconds: number
  readonly peakMegabytes: number
  readonly kept: number
  readonly hash: string
}

function rowOf(way: string, threads: number, figures: readonly WayFigures[]): WayRow {
  const of = (figure: (each: WayFigures) => number) => median(figures.map(figure))
  const hashes = new Set(figures.map(({ hash }) => hash))
  return {
    way,
    megabytesPerSecond: of(({ bytes, seconds }) => bytes / 1e6 / seconds),
    byProcessorTime: of(({ bytes, mainSeconds, workerSeconds }) => bytes / 1e6 / Math.max(mainSeconds, workerSeconds)),
    mainSeconds: of(({ mainSeconds }) => mainSeconds),
    workerSeconds: threads === 0 ? 0 : of(({ workerSeconds }) => workerSeconds),
    otherSeconds: of(({ otherSeconds }) => otherSeconds),
    peakMegabytes: of(({ peakMegabytes }) => peakMegabytes),
    kept: of(({ kept }) => kept),
    hash: hashes.size === 1 ? ([...hashes][0] as string) : 'NOT THE SAME',
  }
}

function withRatios(rows: readonly WayRow[]): BenchRow[] {
  return rows.map((row) => ({ ...row, timesFloor: timesFloor(row, rows) }))
}

/** In processor time of the busiest thread, which the load of the machine does not stretch as it does the clock. */
function timesFloor(row: WayRow, [floor]: readonly WayRow[]): number {
  return (floor?.byProcessorTime ?? Number.NaN) / row.byProcessorTime
}

const rateAims = { node20: [100, 170], node24: [150, 250] } as const

function aimsOf(rows: readonly WayRow[]): BenchAim[] {
  const [, one, two] = rows as [WayRow, WayRow, WayRow]
  const [oneMin, twoMin] = rateAims[Number(process.versions.node.split('.')[0]) >= 24 ? 'node24' : 'node20']
  const rate = (row: WayRow, least: number): BenchAim[] => [
    aim(`${row.way}: MB/s by the clock`, row.megabytesPerSecond, `at least ${least}`, row.megabytesPerSecond >= least),
    aim(`${row.way}: MB/s by processor time`, row.byProcessorTime, `at least ${least}`, row.byProcessorTime >= least),
  ]
  const times = timesFloor(one, rows)
  return [
    ...rate(one, oneMin),
    ...rate(two, twoMin),
    aim('1 thread, times reading and parsing alone', times, 'at most 8', times <= 8),
    aim('kept with 1 and 2 threads: the same', one.hash === two.hash ? 1 : 0, 'yes', one.hash === two.hash),
  ]
}

function aim(what: string, figure: number, text: string, met: boolean): BenchAim {
  return { what, figure, aim: text, met }
}
