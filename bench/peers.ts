/**
 * What a user would take instead of `kun-stream dedup`, where it is on this machine, on the same files in turns:
 * datatrove for near-duplicates, DuckDB for equal texts. Every way is a command of its own, start included; its processor
 * time is that of the process and of those that it started.
 */
import { execFile } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chineseText, randomFrom } from './dedup-texts.js'
import { median } from './median.js'
import { datatroveScript } from './peers-datatrove.js'
import type { BenchAim, BenchOptions, BenchResult, BenchRow } from './types.js'

export const bench = {
  name: 'peers',
  description: 'kun-stream dedup beside datatrove and DuckDB on the same files, as far as they are on this machine',
  run,
}

const sizes = { smoke: { bytes: 300_000, rounds: 1 }, full: { bytes: 60_000_000, rounds: 3 } }
const files = 4
const seed = 20261129
const cores = availableParallelism()
const commandMsMax = 3_600_000

/** A way to remove duplicates from `source`, a folder of JSON Lines. */
interface Way {
  readonly program: string
  readonly finds: string
  /** Null if it is not on this machine: `install` says how it gets there. */
  readonly command: ((source: string, out: string) => readonly string[]) | null
  readonly install: string
  /** Folder in `out` that has the rows; null if they are on stdout. */
  readonly output: string | null
}

interface Figures {
  readonly seconds: number
  readonly processorSeconds: number
  readonly kept: number
}

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const { bytes: wanted, rounds } = sizes[size]
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  try {
    const source = join(folder, 'in')
    const { bytes, texts } = await writeTexts(source, wanted)
    const ways = await waysOf(folder)
    const failures = new Map<Way, string>()
    const figures = new Map<Way, Figures[]>(ways.map((way) => [way, []]))
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) {
        if (way.command === null) continue
        const out = join(folder, 'out')
        await mkdir(out)
        try {
          figures.get(way)?.push(await measured(way, way.command(source, out), out))
        } catch (error) {
          if (way === ways[0]) throw error
          failures.set(way, lastLine((error as { readonly stderr?: string }).stderr ?? (error as Error).message))
        }
        await rm(out, { recursive: true })
      }
      say(`round ${round + 1} of ${rounds}`)
    }
    for (const { program, command, install } of ways) if (command === null) say(`${program} is not here: ${install}`)
    const title = `${(bytes / 1e6).toFixed(1)} MB, ${texts} texts, ${cores} cores; medians of ${rounds}`
    const rows = ways.map((way) => rowOf(way, bytes, figures.get(way) ?? [], failures.get(way)))
    return { tables: [{ title, rows: withRatios(rows) }], aims: aimsOf(rows) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A tenth of the texts are equal to an earlier one, a tenth are near one: a letter in fifty differs. */
async function writeTexts(folder: string, bytesMax: number): Promise<{ bytes: number; texts: number }> {
  await mkdir(folder)
  const random = randomFrom(seed)
  const earlier: string[] = []
  let [bytes, texts] = [0, 0]
  for (let file = 0; file < files; file++) {
    const lines: string[] = []
    for (const end = (bytesMax * (file + 1)) / files; bytes < end; texts++) {
      const kind = earlier.length === 0 ? 2 : random(10)
      const from = earlier[random(earlier.length)] ?? ''
      const text =
        kind === 0
          ? from
          : kind === 1
            ? from.replace(/./gu, (letter) => (random(50) ? letter : '改'))
            : chineseText(random, 600)
      if (kind > 1 && earlier.length < 10_000) earlier.push(text)
      const line = `${JSON.stringify({ id: String(texts), text })}\n`
      bytes += Buffer.byteLength(line)
      lines.push(line)
    }
    await writeFile(join(folder, `part-${file}.jsonl`), lines.join(''))
  }
  return { bytes, texts }
}

async function waysOf(folder: string): Promise<Way[]> {
  const script = join(folder, 'datatrove.py')
  await writeFile(script, datatroveScript)
  const python = process.env.KUN_PYTHON ?? 'python3'
  const hasDatatrove = await succeeds(python, ['-c', 'import datatrove.pipeline.dedup.minhash'])
  return [
    {
      program: 'kun-stream',
      finds: 'equal and near',
      command: (source) => [process.execPath, command(), 'dedup', join(source, '*.jsonl')],
      install: '',
      output: null,
    },
    {
      program: 'datatrove',
      finds: 'equal and near',
      command: hasDatatrove ? (source, out) => [python, script, source, out, String(cores)] : null,
      install: 'python3 -m pip install "datatrove[io,processing]"; KUN_PYTHON names another interpreter',
      output: 'kept',
    },
    {
      program: 'DuckDB',
      finds: 'equal',
      command: await duckdb(python),
      install: 'install the command duckdb, or python3 -m pip install duckdb',
      output: 'kept',
    },
  ]
}

/** The command duckdb, its Python module, or the package of a clone. */
async function duckdb(python: string): Promise<Way['command']> {
  const file = fileURLToPath(new URL('./peers-duckdb.js', import.meta.url))
  const module = 'import duckdb, sys; duckdb.sql(sys.argv[1])'
  for (const [probe, start] of [
    [
      ['duckdb', '-c', 'SELECT 1'],
      ['duckdb', '-c'],
    ],
    [
      [python, '-c', 'import duckdb'],
      [python, '-c', module],
    ],
    [
      [process.execPath, file, 'SELECT 1'],
      [process.execPath, file],
    ],
  ] as const) {
    const [program, ...args] = probe
    if (await succeeds(program, args)) return (source, out) => [...start, distinctSql(source, join(out, 'kept'))]
  }
  return null
}

function distinctSql(source: string, out: string): string {
  const rows = `read_json('${join(source, '*.jsonl')}', format = 'newline_delimited', columns = {id: 'VARCHAR', text: 'VARCHAR'})`
  return `COPY (SELECT DISTINCT ON (text) id, text FROM ${rows}) TO '${out}' (FORMAT json)`
}

/** This command: in dist/bin, from dist/bench or from the bundle. */
function command(): string {
  const paths = ['../bin/kun-stream.js', '../../bin/kun-stream.js'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  return paths.find((path) => existsSync(path)) ?? (paths[0] as string)
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  return promisify(execFile)(program, args).then(
    () => true,
    () => false,
  )
}

/** `times` prints user and system time of the shell, and below of the processes that it waited for. */
async function measured(way: Way, words: readonly string[], out: string): Promise<Figures> {
  const printed = join(out, 'stdout')
  const startMs = performance.now()
  const { stdout } = await promisify(execFile)('sh', ['-c', '"$@" > "$0" || exit 1; times', printed, ...words], {
    timeout: commandMsMax,
  })
  const seconds = (performance.now() - startMs) / 1000
  const [, ofChildren = ''] = stdout.trim().split('\n')
  const processorSeconds = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest),
    0,
  )
  return { seconds, processorSeconds, kept: await linesIn(way.output === null ? printed : join(out, way.output)) }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 120) ?? ''
}

/** Lines of a file, or of all files of a folder. */
async function linesIn(path: string): Promise<number> {
  const names = await readdir(path).catch(() => null)
  let lines = 0
  for (const file of names?.map((name) => join(path, name)) ?? [path]) {
    for await (const chunk of createReadStream(file)) for (const byte of chunk as Buffer) if (byte === 0x0a) lines++
  }
  return lines
}

type PeerRow = {
  readonly program: string
  readonly finds: string
  readonly kept: number | null
  readonly 'MB/s': number | null
  readonly 'MB/s of processor time': number | null
  readonly 'processor s': number | null
  readonly note: string
}

function rowOf(
  { program, finds, install }: Way,
  bytes: number,
  figures: readonly Figures[],
  failure: string | undefined,
): PeerRow {
  const isThere = figures.length > 0
  const of = (figure: (each: Figures) => number) => (isThere ? median(figures.map(figure)) : null)
  return {
    ...{ program, finds, kept: of(({ kept }) => kept) },
    'MB/s': of(({ seconds }) => bytes / 1e6 / seconds),
    'MB/s of processor time': of(({ processorSeconds }) => bytes / 1e6 / processorSeconds),
    'processor s': of(({ processorSeconds }) => processorSeconds),
    note: failure !== undefined ? `failed: ${failure}` : isThere ? '' : `not here: ${install}`,
  }
}

/** How many times as fast kun-stream is, by the clock and in processor time. */
function withRatios(rows: readonly PeerRow[]): BenchRow[] {
  return rows.map(({ note, ...row }) => ({
    ...row,
    'kun-stream is × as fast': ratio(rows[0]?.['MB/s'], row['MB/s']),
    '× in processor time': ratio(rows[0]?.['MB/s of processor time'], row['MB/s of processor time']),
    ...(rows.some((each) => each.note !== '') && { note }),
  }))
}

function ratio(own: number | null | undefined, other: number | null): number | null {
  return own == null || other === null ? null : own / other
}

const timesDatatrove = 30

function aimsOf(rows: readonly PeerRow[]): BenchAim[] {
  const [own, datatrove] = rows
  const times = ratio(own?.['MB/s'], datatrove?.['MB/s'] ?? null)
  if (times === null) return []
  const aim = `at least ${timesDatatrove}`
  return [{ what: 'dedup, times datatrove by the clock', figure: times, aim, met: times >= timesDatatrove }]
}
