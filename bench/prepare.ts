/**
 * Everything before the models, over generated JSON Lines: read, clean, filter, chunk, sign and deduplicate, with the
 * log on disk, against reading and parsing alone. Each way runs in a process of its own, one after the other in turns.
 *
 * On a shared machine the clock says little: beside it stands what processor time allows, on this machine and on larger
 * ones, where the busiest thread that cannot be divided is the bound.
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

/** By threads that prepare, and threads for duplicates; 0 is the floor. The last has what a machine of 24 cores has. */
const ways = [
  { threads: 0, dedupThreads: 0, way: 'read and parse alone' },
  { threads: 1, dedupThreads: 1, way: 'whole path, 1 thread' },
  { threads: 2, dedupThreads: 1, way: 'whole path, 2 threads' },
  { threads: 2, dedupThreads: 6, way: 'whole path, 2 threads, 6 for duplicates' },
] as const
type Way = (typeof ways)[number]

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  try {
    const { kind, bytes } = await writeInput(folder, inputBytes[size])
    say(`${(bytes / 1e6).toFixed(0)} MB of JSON Lines, ${kind}`)
    const figures = new Map<Way, WayFigures[]>(ways.map((way) => [way, []]))
    for (let round = 0; round < rounds[size]; round++) {
      for (const way of ways) figures.get(way)?.push(await inOwnProcess(folder, way))
      say(`round ${round + 1} of ${rounds[size]}`)
    }
    const rows = ways.map((way) => rowOf(way.way, figures.get(way) ?? []))
    const title = `${(bytes / 1e6).toFixed(0)} MB, ${kind}; medians of ${rounds[size]}`
    const bounds = { title: 'What processor time allows on more cores', rows: boundsOf(rows) }
    return { tables: [{ title, rows: withRatios(rows) }, bounds], aims: aimsOf(rows) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function inOwnProcess(folder: string, { threads, dedupThreads }: Way): Promise<WayFigures> {
  const args = [wayFile, folder, String(threads), String(dedupThreads)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as WayFigures
}

interface WayRow {
  readonly way: string
  readonly megabytesPerSecond: number
  /** Processor seconds a GB (10⁹ bytes): of all threads, and of each by name. */
  readonly secondsPerGB: number
  readonly main: number
  /** The thread that reads. */
  readonly read: number
  readonly dedup: number
  /** The thread that encodes its logs. */
  readonly log: number
  /** The busiest of the threads with tables of the index. */
  readonly index: number
  /** The busiest of the threads that prepare blocks. */
  readonly prepare: number
  readonly other: number
  readonly peakMegabytes: number
  readonly kept: number
  readonly hash: string
}

function rowOf(way: string, figures: readonly WayFigures[]): WayRow {
  const of = (figure: (each: WayFigures) => number) => median(figures.map(figure))
  const perGB = (seconds: (threads: WayFigures['threads']) => number) =>
    of(({ bytes, threads }) => seconds(threads) / (bytes / 1e9))
  const hashes = new Set(figures.map(({ hash }) => hash))
  return {
    way,
    megabytesPerSecond: of(({ bytes, seconds }) => bytes / 1e6 / seconds),
    secondsPerGB: perGB(({ all }) => all),
    main: perGB(({ main }) => main),
    read: perGB(({ read }) => read),
    dedup: perGB(({ dedup }) => dedup),
    log: perGB(({ dedupLog }) => dedupLog),
    index: perGB(({ indexBusiest }) => indexBusiest),
    prepare: perGB(({ prepareBusiest }) => prepareBusiest),
    other: perGB(({ other }) => other),
    peakMegabytes: of(({ peakMegabytes }) => peakMegabytes),
    kept: of(({ kept }) => kept),
    hash: hashes.size === 1 ? ([...hashes][0] as string) : 'NOT THE SAME',
  }
}

const coreCounts = [2, 8, 16, 64]

/**
 * What the processor time allows: all of it divided by the cores, but no more than the busiest thread that cannot be
 * divided. Threads that prepare blocks, those with tables of the index, and those of V8 and libuv, may be any number.
 */
function boundsOf(rows: readonly WayRow[]): BenchRow[] {
  return rows.slice(1).map((row) => {
    const { way, secondsPerGB } = row
    const { busiest, seconds } = busiestOf(row)
    const rateAt = (cores: number) => Math.min(1000 / seconds, (1000 * cores) / secondsPerGB)
    return {
      way,
      secondsPerGB,
      busiest,
      busiestSecondsPerGB: seconds,
      ...Object.fromEntries(coreCounts.map((cores) => [`MB/s at ${cores} cores`, rateAt(cores)])),
      'bound by the busiest thread, MB/s': 1000 / seconds,
    }
  })
}

/** The busiest thread that is not one of several alike. */
function busiestOf({ main, read, dedup, log }: WayRow): { readonly busiest: string; readonly seconds: number } {
  const threads = Object.entries({ main, read, dedup, 'dedup-log': log })
  const [busiest, seconds] = threads.reduce((most, each) => (each[1] > most[1] ? each : most))
  return { busiest, seconds }
}

function withRatios(rows: readonly WayRow[]): BenchRow[] {
  return rows.map((row) => ({ ...row, timesFloor: timesFloor(row, rows) }))
}

/** In processor time of all threads, which the load of the machine does not stretch as it does the clock. */
function timesFloor(row: WayRow, [floor]: readonly WayRow[]): number {
  return row.secondsPerGB / (floor?.secondsPerGB ?? Number.NaN)
}

/** Least MB/s on two cores, least bound of a large machine, and most times of reading and parsing alone. */
const aims = { rate: 170, bound: 600, times: 8 }

function aimsOf(rows: readonly WayRow[]): BenchAim[] {
  const [, one, two, large] = rows as [WayRow, WayRow, WayRow, WayRow]
  const atTwo = Math.min(2000 / two.secondsPerGB, 1000 / Math.max(two.main, two.dedup))
  const bound = 1000 / busiestOf(large).seconds
  const isSame = one.hash === two.hash && one.hash === large.hash
  const times = timesFloor(one, rows)
  return [
    aim('two cores, by processor time: MB/s', atTwo, `at least ${aims.rate}`, atTwo >= aims.rate),
    aim('bound by the busiest thread, 6 for duplicates: MB/s', bound, `at least ${aims.bound}`, bound >= aims.bound),
    aim('1 thread, times reading and parsing alone', times, `at most ${aims.times}`, times <= aims.times),
    aim('kept with any number of threads: the same', isSame ? 1 : 0, 'yes', isSame),
  ]
}

function aim(what: string, figure: number, text: string, met: boolean): BenchAim {
  return { what, figure, aim: text, met }
}
