/**
 * A whole run, from shards to Parquet, against the stand-in server at instant speed: what kun-stream itself allows when no
 * model is waited for. The run is a process of its own; the server is in this one, so that its processor time is counted
 * apart. Beside each rate stand the rates that the processor time allows: of the busiest thread, of all cores, of the server.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startSimulator } from '../lib/simulator/vllm/index.js'
import type { RunFigures } from './e2e-run.js'
import { median } from './median.js'
import { writeInput } from './prepare-input.js'
import type { BenchOptions, BenchResult, BenchRow } from './types.js'

export const bench = {
  name: 'e2e',
  description:
    'a whole run against the stand-in server: rows and requests a second, processor time a row, the bottleneck',
  run,
}

const inputBytes = { smoke: 60_000, full: 8_000_000 }
const rounds = { smoke: 1, full: 3 }
const runFile = fileURLToPath(new URL('./e2e-run.js', import.meta.url))

interface Round extends RunFigures {
  /** Processor time of the stand-in server. */
  readonly serverSeconds: number
}

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  const server = await startSimulator({})
  try {
    const { kind, bytes } = await writeInput(folder, inputBytes[size])
    const recipe = join(folder, 'recipe.yaml')
    await writeFile(recipe, recipeText(folder, server.url))
    const figures: Round[] = []
    for (let round = 0; round < rounds[size]; round++) {
      const before = process.cpuUsage()
      const { stdout } = await promisify(execFile)(process.execPath, [runFile, recipe, join(folder, `run-${round}`)])
      const { user, system } = process.cpuUsage(before)
      figures.push({ ...(JSON.parse(stdout) as RunFigures), serverSeconds: (user + system) / 1e6 })
      say(`round ${round + 1} of ${rounds[size]}`)
    }
    const title = `${(bytes / 1e6).toFixed(1)} MB, ${kind}; medians of ${rounds[size]}`
    return { tables: tablesOf(title, figures), aims: [] }
  } finally {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function recipeText(folder: string, url: string): string {
  return `
name: bench-e2e
sources: [{ split: skypile, preset: skypile, files: ${JSON.stringify(join(folder, 'skypile/**/*.jsonl'))} }]
brakes: false
models: { main: { endpoints: [${JSON.stringify(url)}], model: main } }
kun: { label: { model: main }, score: { model: main }, polish: { model: main } }
output: { dir: unused }
`
}

function tablesOf(title: string, figures: readonly Round[]): BenchResult['tables'] {
  const of = (figure: (each: Round) => number) => median(figures.map(figure))
  const msARow = (seconds: (each: Round) => number) => of((each) => (seconds(each) * 1000) / each.rows)
  const whole = {
    rows: of(({ rows }) => rows),
    candidates: of(({ candidates }) => candidates),
    requests: of(({ requests }) => requests),
    seconds: of(({ seconds }) => seconds),
  }
  const time = {
    all: msARow(({ threads }) => threads.all),
    main: msARow(({ threads }) => threads.main),
    dedup: msARow(({ threads }) => threads.dedup),
    prepare: msARow(({ threads }) => threads.prepare),
    other: msARow(({ threads }) => threads.other + threads.dedupLog),
    server: msARow(({ serverSeconds }) => serverSeconds),
  }
  const cores = availableParallelism()
  const limits = {
    'main thread': 1000 / Math.max(time.main, Number.MIN_VALUE),
    ...(time.dedup > 0 && { 'dedup thread': 1000 / time.dedup }),
    [`all ${cores} cores`]: (1000 * cores) / (time.all + time.server),
    'stand-in server': 1000 / Math.max(time.server, Number.MIN_VALUE),
  }
  const [bottleneck = '', limit = Number.NaN] = Object.entries(limits).sort(([, a], [, b]) => a - b)[0] ?? []
  const perRow = whole.requests / whole.rows
  const rate = whole.rows / whole.seconds
  const rates: BenchRow[] = [
    { what: 'rows/s', figure: rate, limit, bottleneck, share: rate / limit },
    { what: 'requests/s', figure: rate * perRow, limit: limit * perRow, bottleneck, share: rate / limit },
  ]
  return [
    { title, rows: [{ ...whole }] },
    { title: 'Rates, and what the processor time allows', rows: rates },
    { title: 'Processor time a row, ms, by thread; server: the stand-in', rows: [{ ...time }] },
    {
      title: 'Rows/s that each allows alone',
      rows: Object.entries(limits).map(([part, allowed]) => ({ part, 'rows/s': allowed })),
    },
  ]
}
