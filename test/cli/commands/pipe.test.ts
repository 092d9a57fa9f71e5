import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import t from 'tap'
import { startHub } from '../../../lib/simulator/on-demand.js'
import { letters } from '../../dedup/planted.js'
import { randomBelow } from '../../support/random.js'
import { projectRoot } from '../../support/root.js'

const program = fileURLToPath(new URL('../program.js', import.meta.url))
const skypile = join(projectRoot, 'fixtures/skypile/data')
const demo = join(projectRoot, 'recipes/demo.yaml')

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [program, 'pipe', '--threads', '1', ...args], { env: { ...process.env, ...env } })
}

async function pipe(args: readonly string[], input: Uint8Array | string = '', env: NodeJS.ProcessEnv = {}) {
  const child = start(args, env)
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout?.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => err.push(bytes))
  child.stdin?.on('error', () => undefined) // the command may end before it has read everything
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, bytes: Buffer.concat(out), text: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
}

interface ChunkLine {
  readonly id: string
  readonly key?: string
  readonly text: string
}

function lines(text: string): ChunkLine[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ChunkLine)
}

const random = randomBelow(31)
const corpus = readdirSync(skypile)
  .filter((name) => name.endsWith('.jsonl'))
  .sort()
  .map((name) => readFileSync(join(skypile, name), 'utf8'))
  .join('')

t.test('Arrow and Parquet carry the rows of JSON Lines, and pipe reads what it wrote', async (t) => {
  const folder = t.testdir()
  const rows = lines((await pipe([], corpus)).text)
  t.ok(rows.length > 100, `${rows.length} rows`)
  const texts = rows.map(({ text }) => text)
  const arrow = (await pipe(['--to', 'arrow'], corpus)).bytes
  const table = tableFromIPC(arrow)
  t.strictSame([...(table.getChild('text') ?? [])], texts)
  t.strictSame(
    [...(table.getChild('id') ?? [])],
    rows.map(({ id }) => id),
  )
  t.equal(table.schema.metadata.get('kun_stream.kind'), 'chunks')
  for (const { name, metadata } of table.schema.fields) t.match(metadata.get('description'), /^\S.*\.$/, name)
  const [file, parquet] = [join(folder, 'chunks.arrow'), join(folder, 'chunks.parquet')]
  writeFileSync(file, arrow)
  t.strictSame(
    await pipe([file, '--to', 'parquet', '--out', parquet, '--stages', 'clean', '--id', 'id']).then(({ code }) => code),
    0,
  )
  t.strictSame(readdirSync(folder).sort(), ['chunks.arrow', 'chunks.parquet'], 'no temporary file is left')
  const duckdb = await (await DuckDBInstance.create()).connect()
  t.teardown(() => duckdb.closeSync())
  const read = await duckdb.runAndReadAll(`select key, text from read_parquet('${parquet}')`)
  t.strictSame(
    read.getRows(),
    rows.map(({ id, text }) => [id, text]),
  )
  const back = lines((await pipe(['--from', 'arrow', '--stages', 'clean', '--id', 'id'], arrow)).text)
  t.strictSame(
    back.map(({ key, text }) => ({ id: key, text })),
    rows.map(({ id, text }) => ({ id, text })),
  )
})

t.test('the model stages of a recipe make pairs, in every format, without a run directory', async (t) => {
  const stages = ['--stages', 'clean,filter,chunk,dedup,label,score,polish', '--recipe', demo]
  const { code, bytes, err } = await pipe([...stages, '--to', 'arrow'], corpus)
  t.equal(code, 0, err)
  const table = tableFromIPC(bytes)
  t.ok(table.numRows > 50, `${table.numRows} pairs`)
  for (const row of table) t.ok(row.instruction !== '' && row.output !== '' && row.score >= 0.5)
  t.equal(table.schema.metadata.get('kun_stream.kind'), 'pairs')
  const file = join(t.testdir(), 'pairs.parquet')
  t.equal((await pipe([...stages, '--to', 'parquet', '--out', file], corpus)).code, 0)
  const duckdb = await (await DuckDBInstance.create()).connect()
  t.teardown(() => duckdb.closeSync())
  const read = await duckdb.runAndReadAll(`select id, instruction, output from read_parquet('${file}')`)
  t.strictSame(
    read.getRows(),
    [...table].map(({ id, instruction, output }) => [id, instruction, output]),
    'the same rows as in Arrow',
  )
})

t.test('a dataset on the Hub is read like its files on disk', async (t) => {
  const hub = await startHub({ directory: join(t.testdir(), 'hub') })
  t.teardown(() => hub.close())
  const [name] = readdirSync(skypile)
    .filter((each) => each.endsWith('.jsonl'))
    .sort() as [string]
  hub.seed('me/corpus', { [`data/${name}`]: readFileSync(join(skypile, name)) })
  const args = ['--hub', 'me/corpus', '--files', 'data/*.jsonl', '--hub-url', hub.url]
  const { code, text, err } = await pipe(args)
  t.equal(code, 0, err)
  const local = lines((await pipe([join(skypile, name)])).text)
  t.strictSame(
    lines(text).map((row) => row.text),
    local.map((row) => row.text),
  )
  t.match(await pipe(['--hub', 'me/corpus', '--hub-url', hub.url]), { code: 2, err: /needs --files GLOB/ })
  t.match(await pipe(['--hub', 'me/other', '--files', '*', '--hub-url', hub.url]), { code: 2, err: /me\/other/ })
})

t.test('rows come before 1 MiB is read; a reader that closes ends an endless input with exit code 0', async (t) => {
  const child = start(['--stages', 'clean'])
  const ended = once(child, 'close')
  const line = `${JSON.stringify({ text: letters(random, 2000) })}\n`
  child.stdin?.write(line.repeat(20))
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
  const lines = line.repeat(200)
  const writing = (async () => {
    while (child.exitCode === null && child.stdin?.writable) {
      if (!child.stdin.write(lines)) await Promise.race([once(child.stdin, 'drain'), ended])
    }
  })().catch(() => undefined) // EPIPE: the command has ended
  child.stdin?.on('error', () => undefined) // the same
  const closedMs = performance.now()
  child.stdout?.destroy()
  const [code] = await ended
  await writing
  t.equal(code, 0)
  t.ok(performance.now() - closedMs < 10_000, `${Math.round(performance.now() - closedMs)} ms`)
})

t.test('a slow reader holds the input up: what is read ahead is bounded', async (t) => {
  const child = start(['--stages', 'clean'])
  t.teardown(() => child.kill('SIGKILL'))
  child.stdin?.on('error', () => undefined) // killed at the end
  const line = Buffer.from(`${JSON.stringify({ text: letters(random, 20_000) })}\n`.repeat(50))
  let sentBytes = 0
  const limitBytes = 600 * 2 ** 20
  while (sentBytes < limitBytes) {
    sentBytes += line.length
    if (child.stdin?.write(line)) continue
    const drained = once(child.stdin as NonNullable<typeof child.stdin>, 'drain').then(() => true)
    if (!(await Promise.race([drained, setTimeout(5000, false)]))) break
  }
  // 256 MiB of credit at 4 bytes a byte of input, and what pipes and the format hold.
  t.ok(sentBytes < 150 * 2 ** 20, `${Math.round(sentBytes / 2 ** 20)} MiB were taken from a reader that reads nothing`)
})

t.test('wrong use ends with exit code 2 and says what to give', async (t) => {
  for (const [args, err] of [
    [['--stages', 'dedup,clean'], /--stages is dedup,clean: give some of clean,.*pair,ifd, in this order/],
    [['--stages', 'clean,score', '--recipe', demo], /score without label/],
    [['--stages', 'clean,label'], /name a recipe with --recipe/],
    [['--files', 'x'], /--files requires --hub/],
    [['--threads', 'many'], /--threads is many/],
    [['nothing-*.jsonl'], /nothing-\*\.jsonl/],
    [['--text', 'body'], /--text is body: none of 2 records could be read/],
  ] as const) {
    t.match(await pipe(args, '{"text":"a"}\n{"text":"b"}\n'), { code: 2, err }, args.join(' '))
  }
})

t.test('--title names the field of the title, which a row has too', async (t) => {
  const folder = t.testdir()
  const titled = corpus
    .split('\n')
    .slice(0, 3)
    .map((line) => JSON.stringify({ ...JSON.parse(line), headline: '网购退货指南' }))
  const file = join(folder, 'titled.jsonl')
  writeFileSync(file, titled.join('\n'))
  const stages = ['--stages', 'clean,chunk,dedup,label,score,polish', '--recipe', demo]
  const rowsOf = async (...more: string[]) => lines((await pipe([file, ...stages, ...more])).text)
  const withTitle = await rowsOf('--title', 'headline')
  t.ok(withTitle.length > 0, `${withTitle.length} rows`)
  for (const row of withTitle) t.match(row, { title: '网购退货指南' })
  for (const row of await rowsOf()) t.match(row, { title: '' })
})
