import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import type { Column, Row } from '../../../lib/parquet/columns.js'
import { parquetEncoder } from '../../../lib/parquet/encoders/index.js'
import { openCutWriter } from '../../../lib/sinks/index.js'
import { nodeFiles } from '../../../lib/storage/files.js'
import { Random } from '../../support/random.js'
import { alignedBy, axolotl, datasetInfo, trl } from '../../training/trainer-schemas.js'

const program = fileURLToPath(new URL('../program.js', import.meta.url))

function start(args: readonly string[]) {
  return spawn(process.execPath, [program, 'sample', ...args])
}

async function run(...args: readonly string[]) {
  const child = start(args)
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}

const linesIn = (text: string) => (text === '' ? [] : text.trim().split('\n')).map((line) => JSON.parse(line))

const originColumns: readonly Column[] = [
  { name: 'id', type: 'string' },
  { name: 'source', type: 'string' },
  { name: 'shard', type: 'string' },
  { name: 'offset', type: 'int64' },
  { name: 'chunk', type: 'int32' },
  { name: 'variant', type: 'int32' },
  { name: 'raw', type: 'string' },
]
const pairColumns: readonly Column[] = [
  { name: 'instruction', type: 'string' },
  { name: 'output', type: 'string' },
]
const scoreColumns: readonly Column[] = [
  { name: 'score', type: 'float64', nullable: true },
  { name: 'support', type: 'float64' },
]

interface PairRow extends Row {
  readonly id: string
  readonly instruction: string
  readonly output: string
  readonly raw: string
  readonly score: number | null
}

const rowsPerFile = 7
const chunksPerCut = 20

/** Chunks of two variants, which parts of seven rows divide; polishing changes every text but those of the chunks 3, 7, 11 … */
function rowsOf(split: string, chunks: number): PairRow[] {
  const random = new Random(split.length)
  const words = (count: number) =>
    Array.from({ length: count }, () => String.fromCodePoint(random.between(0x4e00, 0x8fff))).join('')
  return Array.from({ length: chunks }, (_, chunk) => ({ chunk, raw: `${words(30)}。` })).flatMap(({ chunk, raw }) =>
    [0, 1].map((variant) => ({
      instruction: `请介绍${words(20)}？`,
      output: chunk % 4 === 3 ? `${raw}！` : `${raw}${words(8)}。`,
      id: createHash('sha256').update(`${split}${chunk}.${variant}`).digest('hex').slice(0, 32),
      source: split,
      ...{ shard: 'a.jsonl', offset: chunk * 100, chunk: 0, variant, raw },
      score: chunk % 9 === 0 ? null : random.between(0, 100) / 100,
      support: random.between(0, 1000) / 1000,
    })),
  )
}

interface RunShape {
  readonly columns?: readonly Column[]
  readonly splits?: readonly string[]
  readonly chunks?: number
}

async function makeRun(directory: string, shape: RunShape = {}): Promise<PairRow[]> {
  const { splits = ['books', 'web'], chunks = 60 } = shape
  const { columns = [...pairColumns, ...originColumns, ...scoreColumns] } = shape
  const writer = await openCutWriter({
    files: nodeFiles,
    directory,
    splits,
    columns,
    encoder: await parquetEncoder(),
    from: null,
    rowsPerFile,
    rowGroupBytesMax: 2000,
  })
  const bySplit = splits.map((split) => ({ split, rows: rowsOf(split, chunks) }))
  const order: PairRow[] = []
  for (let cut = 0; cut * chunksPerCut < chunks; cut++) {
    for (const { split, rows } of bySplit) {
      for (const row of rows.slice(cut * chunksPerCut * 2, (cut + 1) * chunksPerCut * 2)) {
        const { instruction, output, ...rest } = row
        const messages = [
          { role: 'user', content: instruction },
          { role: 'assistant', content: output },
        ]
        const whole: Row = { ...rest, instruction, output, messages }
        await writer.row(split, Object.fromEntries(columns.map(({ name }) => [name, whole[name] ?? null])))
        order.push(row)
      }
    }
    await writer.commit({ blocks: cut + 1, cursor: null, dedupLogBytes: 0, counters: {} })
  }
  return order
}

const pairOf = ({ messages }: { messages: { content: string }[] }) => messages.map(({ content }) => content)

t.test('the best rows of a run are written in its order, and all rows without -n', async (t) => {
  const directory = t.testdir()
  const rows = await makeRun(directory)
  const best = [...rows].sort((a, b) => (b.score ?? -1) - (a.score ?? -1) || (a.id < b.id ? -1 : 1)).slice(0, 50)
  const chosen = rows.filter((row) => best.includes(row)).map(({ instruction, output }) => [instruction, output])
  const found = await run(directory, '-n', '50', '--by', 'score')
  t.equal(found.code, 0, found.stderr)
  t.match(found.stderr, /240 rows: 50 written; 28 without a score, which rank last/)
  t.strictSame(linesIn(found.stdout).map(pairOf), chosen)
  for (const row of linesIn(found.stdout)) {
    t.strictSame(trl.conversationalLanguageModeling.safeParse(row).error, undefined)
  }
  const all = await run(directory)
  t.strictSame(
    linesIn(all.stdout).map(pairOf),
    rows.map(({ instruction, output }) => [instruction, output]),
  )
  const bySupport = await run(directory, '-n', '1', '--by', 'score', '--score', 'support')
  const [top] = [...rows].sort((a, b) => (b.support as number) - (a.support as number) || (a.id < b.id ? -1 : 1))
  t.strictSame(linesIn(bySupport.stdout).map(pairOf), [[top?.instruction, top?.output]])
})

t.test('a split alone is sampled; a selection has the same bytes each time, also as Parquet', async (t) => {
  const directory = t.testdir()
  const rows = await makeRun(directory)
  const web = rows.filter(({ source }) => source === 'web')
  const args = [directory, '--split', 'web', '-n', '30', '--as', 'alpaca', '--by', 'diversity', '--seed', '4']
  const [one, again] = [await run(...args), await run(...args)]
  t.equal(again.stdout, one.stdout)
  t.match(one.stderr, /120 rows: 30 written from 30 of 120 clusters/)
  const found = linesIn(one.stdout)
  t.ok(found.every((row) => web.some(({ instruction }) => instruction === row.instruction)))
  for (const row of found) t.strictSame(axolotl.alpaca.safeParse(row).error, undefined)
  const out = join(directory, 'sampled.parquet')
  const info = join(directory, 'dataset_info.json')
  const written = await run(...args, '--out', out, '--json', '--dataset-info', info)
  t.strictSame(JSON.parse(written.stdout), {
    rows: 120,
    written: 30,
    withoutRejected: null,
    withoutScore: null,
    clusters: { all: 120, selected: 30 },
  })
  const connection = await (await DuckDBInstance.create()).connect()
  const reader = await connection.runAndReadAll(`from read_parquet('${out}')`)
  connection.closeSync()
  t.strictSame(reader.getRowObjectsJson(), found)
  t.equal(datasetInfo.parse(JSON.parse(readFileSync(info, 'utf8'))).sampled?.file_name, 'sampled.parquet')
})

t.test(
  'the text before polishing is rejected, or a variant with a lower grade; rows with neither are counted',
  async (t) => {
    const directory = t.testdir()
    const rows = await makeRun(directory)
    const twinOf = (row: PairRow) =>
      rows.find(
        ({ source, offset, variant }) => source === row.source && offset === row.offset && variant !== row.variant,
      )
    const lower = (row: PairRow) => {
      const twin = twinOf(row)
      return twin && twin.score !== null && row.score !== null && twin.score < row.score ? twin.output : null
    }
    const polished = (row: PairRow) => (row.output === `${row.raw}！` ? null : row.raw)
    for (const [kinds, rejectedOf] of [
      ['raw', polished],
      ['variant', (row: PairRow) => (polished(row) === null ? null : lower(row))],
      ['raw,variant', polished],
      ['variant,raw', (row: PairRow) => (polished(row) === null ? null : (lower(row) ?? row.raw))],
    ] as const) {
      const expected = rows.flatMap((row) => {
        const rejected = rejectedOf(row)
        return rejected === null ? [] : [{ prompt: row.instruction, chosen: row.output, rejected }]
      })
      const found = await run(directory, '--as', 'dpo-text', '--rejected', kinds)
      t.strictSame(linesIn(found.stdout), expected, kinds)
      t.match(found.stderr, new RegExp(`${expected.length} written; ${240 - expected.length} without a rejected reply`))
    }
    const some = await run(directory, '--as', 'dpo', '-n', '100', '--by', 'random')
    t.equal(linesIn(some.stdout).length, 100, 'a row without a rejected reply does not take a place')
    for (const row of linesIn(some.stdout)) t.strictSame(trl.conversationalPreference.safeParse(row).error, undefined)
    const out = join(directory, 'dpo.jsonl')
    const info = join(directory, 'dataset_info.json')
    t.equal((await run(directory, '--as', 'dpo-messages', '--out', out, '--dataset-info', info)).code, 0)
    const entry = JSON.parse(readFileSync(info, 'utf8')).dpo
    for (const row of linesIn(readFileSync(out, 'utf8'))) {
      t.strictSame(axolotl.dpoChatTemplate.safeParse(row).error, undefined)
      t.equal(alignedBy(entry, row).replies.length, 2)
    }
  },
)

t.test('a run with messages, or without scores, is sampled too', async (t) => {
  const directory = t.testdir()
  const rows = await makeRun(directory, { columns: [{ name: 'messages', type: 'messages' }, ...originColumns] })
  const found = await run(directory, '--as', 'sharegpt', '-n', '9', '--by', 'diversity')
  t.equal(linesIn(found.stdout).length, 9)
  for (const row of linesIn(found.stdout)) t.strictSame(axolotl.sharegpt.safeParse(row).error, undefined)
  const all = await run(directory, '--as', 'completion')
  t.strictSame(
    linesIn(all.stdout),
    rows.map(({ instruction, output }) => ({ prompt: instruction, completion: output })),
  )
  t.match(await run(directory, '-n', '9'), {
    code: 2,
    stdout: '',
    stderr: /has no column score of numbers, which --by score needs: give --by diversity or --by random/,
  })
})

t.test('wrong use and directories that are not a whole run are refused', async (t) => {
  const directory = t.testdir({ other: { 'a.txt': '' }, empty: { 'manifest.jsonl': '' }, 'file.txt': '' })
  const run1 = join(directory, 'run')
  await makeRun(run1, { chunks: 20 })
  for (const [args, message] of [
    [[join(directory, 'none')], /there is no such directory/],
    [[join(directory, 'file.txt')], /it is a file/],
    [[join(directory, 'other')], /is not a run directory/],
    [[directory], /is not a run directory/],
    [[join(directory, 'empty')], /has no committed rows yet/],
    [[run1, '--split', 'webb'], /--split is webb: .* it has books, web/],
    [[run1, '--by', 'score,random'], /--by random stands alone/],
    [[run1, '--by', 'best'], /--by is best: give some of score, diversity, random/],
    [[run1, '--rejected', 'none'], /--rejected is none: give some of raw, variant/],
    [[run1, '-n', '5', '--score', 'source'], /no column source of numbers/],
    [[run1, '--as', 'dpo', '--out', join(directory, 'a.jsonl'), '--dataset-info', 'x.json'], /does not read --as dpo/],
    [[run1, '--json'], /name a file with --out/],
  ] as const) {
    const { code, stdout, stderr } = await run(...args)
    t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: message }, args.join(' '))
  }
  t.match(await run(run1, '-n', '0'), { code: 1, stderr: /must be a whole number of 1 or more/ })
  const [part] = readdirSync(join(run1, 'data')).map((name) => join(run1, 'data', name))
  const bytes = readFileSync(part as string)
  const changed = Buffer.from(bytes)
  changed[100] = (changed[100] as number) ^ 1
  writeFileSync(part as string, changed)
  const out = join(directory, 'out.jsonl')
  const flipped = await run(run1, '--out', out)
  t.match(flipped, { code: 1, stderr: /was committed with .* and now has another sha256\. Restore it/ })
  truncateSync(part as string, 50)
  t.match(await run(run1, '--out', out), { code: 1, stderr: /was committed with .* bytes and now has 50/ })
  t.strictSame(
    readdirSync(directory).filter((name) => name.startsWith('out')),
    [],
    'no output is left',
  )
})

t.test('a stop signal ends the command by that signal, and a closed reader ends it quietly', async (t) => {
  const directory = t.testdir()
  await makeRun(directory, { chunks: 400 })
  const args = [directory, '--as', 'dpo']
  const stopped = start(args)
  // Nothing reads the pipe: the command waits in the middle of its output.
  await once(stopped.stdout, 'readable')
  stopped.kill('SIGINT')
  t.strictSame(await once(stopped, 'exit'), [null, 'SIGINT'])
  const gone = start(args)
  const err: Buffer[] = []
  gone.stderr.on('data', (bytes: Buffer) => err.push(bytes))
  await once(gone.stdout, 'data')
  gone.stdout.destroy()
  t.strictSame(await once(gone, 'close'), [0, null])
  t.equal(Buffer.concat(err).toString(), '')
})
