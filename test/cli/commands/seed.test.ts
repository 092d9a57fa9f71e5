import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetWriteFile } from 'hyparquet-writer'
import t from 'tap'
import { startHub } from '../../../lib/simulator/hub/simulated-hub.js'
import { trl } from '../../training/trainer-schemas.js'

const program = fileURLToPath(new URL('../program.js', import.meta.url))

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [program, 'seed', ...args])
}

async function run(args: readonly string[], input = '') {
  const child = start(args)
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout?.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => err.push(bytes))
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}

function linesIn(text: string) {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const pairs = [
  { instruction: '怎样煮饭？', input: '', output: '先洗米，再浸泡。' },
  {
    messages: [
      { role: 'user', content: '一加一' },
      { role: 'assistant', content: '二' },
    ],
  },
  {
    conversations: [
      { from: 'human', value: '问' },
      { from: 'gpt', value: '答' },
    ],
  },
]
const texts = [
  ['怎样煮饭？', '先洗米，再浸泡。'],
  ['一加一', '二'],
  ['问', '答'],
] as const
const lines = pairs.map((pair) => `${JSON.stringify(pair)}\n`).join('')

t.test('pairs of three forms become messages in input order, and refused records are named by line', async (t) => {
  const folder = t.testdir()
  const rejects = join(folder, 'rejects.jsonl')
  const { code, stdout, stderr } = await run(
    ['-', '--rejects', rejects],
    `${lines}\n{"instruction":"空","output":""}\nno json\n`,
  )
  t.equal(code, 0, stderr)
  const rows = linesIn(stdout)
  for (const row of rows) t.strictSame(trl.conversationalLanguageModeling.safeParse(row).error, undefined)
  t.strictSame(
    rows.map(({ messages }) => messages.map(({ content }: { content: string }) => content)),
    texts,
  )
  t.match(stderr, /^-:5: no-output: output is blank\n-:6: unreadable: not valid JSON: character 0: expected a value/)
  t.match(stderr, /5 records: 3 examples written, 2 refused: 1 no-output, 1 unreadable/)
  t.match(linesIn(readFileSync(rejects, 'utf8')), [
    { at: '-:5', reason: 'no-output' },
    { at: '-:6', reason: 'unreadable' },
  ])
})

t.test('inverted, the output asks for its instruction, in the format of the published label model', async (t) => {
  const { code, stdout } = await run(['--invert', '--as', 'completion'], lines)
  t.equal(code, 0)
  t.strictSame(
    linesIn(stdout),
    texts.map(([instruction, output]) => ({
      prompt: `<|im_start|>user请直接告诉我，以下回复最有可能对应的指令是什么：\n${output}<|im_end|>\n<|im_start|>assistant\n`,
      completion: `${instruction}<|im_end|>`,
    })),
  )
})

t.test('Parquet, JSON arrays and packed files are read, and Parquet is written by the name of the file', async (t) => {
  const folder = t.testdir({ 'a.json': JSON.stringify(pairs, null, 2) })
  writeFileSync(join(folder, 'b.jsonl.gz'), gzipSync(lines))
  const columnData = [
    { name: 'instruction', data: texts.map(([instruction]) => instruction), type: 'STRING' as const },
    { name: 'output', data: texts.map(([, output]) => output), type: 'STRING' as const },
  ]
  parquetWriteFile({ filename: join(folder, 'c.parquet'), columnData })
  const out = join(folder, 'out.parquet')
  const inputs = ['a.json', 'b.jsonl.gz', 'c.parquet'].map((name) => join(folder, name))
  const info = join(folder, 'dataset_info.json')
  const { code, stdout, stderr } = await run([
    ...inputs,
    ...['--as', 'alpaca', '--out', out, '--json', '--dataset-info', info],
  ])
  t.equal(code, 0, stderr)
  t.match(JSON.parse(stdout), { records: 9, examples: 9, refused: {}, firstRefused: [] })
  const connection = await (await DuckDBInstance.create()).connect()
  const reader = await connection.runAndReadAll(`from read_parquet('${out}')`)
  connection.closeSync()
  const rows = texts.map(([instruction, output]) => ({ instruction, input: '', output, system: '' }))
  t.strictSame(reader.getRowObjectsJson(), [...rows, ...rows, ...rows])
  t.match(JSON.parse(readFileSync(info, 'utf8')), { out: { file_name: 'out.parquet', columns: { system: 'system' } } })
  t.strictSame(readdirSync(folder).sort(), ['a.json', 'b.jsonl.gz', 'c.parquet', 'dataset_info.json', 'out.parquet'])
})

t.test('a dataset on the Hub is read', async (t) => {
  const hub = await startHub({ directory: t.testdir(), port: 0 })
  t.teardown(() => hub.close())
  hub.seed('me/pairs', { 'data/a.jsonl': Buffer.from(lines) })
  const { code, stdout, stderr } = await run(['--hub', 'me/pairs', '--files', 'data/*.jsonl', '--hub-url', hub.url])
  t.equal(code, 0, stderr)
  t.equal(linesIn(stdout).length, 3)
})

t.test('wrong use is refused before anything is written', async (t) => {
  const folder = t.testdir({ 'a.jsonl': lines, 'odd.jsonl': '{"text":"正文"}\n[]\n', 'info.json': '[' })
  const input = join(folder, 'a.jsonl')
  const out = join(folder, 'out.jsonl')
  for (const [args, message] of [
    [[input, '--prompt', 'label-chat'], /--prompt requires --invert/],
    [[input, '--json'], /name a file with --out/],
    [[input, '--dataset-info', join(folder, 'new.json')], /name it with --out/],
    [[input, '--out', out, '--dataset-info', join(folder, 'info.json')], /info\.json is not valid JSON/],
    [[join(folder, 'none.jsonl')], /no file matches/],
    [
      [join(folder, 'odd.jsonl'), '--out', out],
      /none of 2 records is an example; the first: .*odd\.jsonl:1: unknown-form: fields: text/,
    ],
  ] as const) {
    const { code, stdout, stderr } = await run(args)
    t.equal(code, 2, stderr)
    t.match(stderr, message)
    t.equal(stdout, '')
  }
  t.notOk(existsSync(join(folder, 'new.json')))
})

t.test('a damaged file ends the command and leaves no output', async (t) => {
  const folder = t.testdir()
  const packed = gzipSync(lines.repeat(2000))
  writeFileSync(join(folder, 'a.jsonl.gz'), packed.subarray(0, packed.length / 2))
  const { code, stderr } = await run([join(folder, 'a.jsonl.gz'), '--out', join(folder, 'out.jsonl')])
  t.equal(code, 1)
  t.match(stderr, /a\.jsonl\.gz cannot be read \(shard-truncated\)/)
  t.strictSame(readdirSync(folder), ['a.jsonl.gz'])
})

t.test('a stop signal ends the command by that signal and removes the unfinished file', async (t) => {
  const folder = t.testdir()
  const child = start(['-', '--out', join(folder, 'out.jsonl')])
  child.stdin?.on('error', () => undefined)
  child.stdin?.write(lines.repeat(20_000))
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  while (!existsSync(join(folder, 'out.jsonl.writing')) && child.exitCode === null) await setTimeout(10)
  child.kill('SIGINT')
  t.strictSame(await closed, [null, 'SIGINT'])
  t.strictSame(readdirSync(folder), [])
})

t.test('a reader that has had enough ends the command quietly', async (t) => {
  const child = start(['-'])
  const err: Buffer[] = []
  child.stderr?.on('data', (bytes: Buffer) => err.push(bytes))
  child.stdin?.on('error', () => undefined)
  child.stdin?.write(lines.repeat(20_000))
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  child.stdout?.destroy()
  child.stdin?.end(lines.repeat(20_000))
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 0)
  t.equal(Buffer.concat(err).toString(), '')
})
