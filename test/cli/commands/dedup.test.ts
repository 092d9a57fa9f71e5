import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { tableFromIPC } from 'apache-arrow'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { pack } from 'tar-stream'
import { startHub } from '../../../lib/simulator/hub/simulated-hub.js'
import { letters } from '../../dedup/planted.js'
import { documents } from '../../fault/mini-run.js'
import { randomBelow } from '../../support/random.js'

const program = fileURLToPath(new URL('../program.js', import.meta.url))

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [program, ...args])
}

async function run(args: readonly string[], input: Uint8Array | string = '') {
  const child = start(args)
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout?.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => err.push(bytes))
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return {
    code,
    bytes: Buffer.concat(out),
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
  }
}

const random = randomBelow(31)
const [one, other] = [letters(random, 300), letters(random, 300)]
const near = `${one.slice(0, 280)}${letters(random, 15)}`
const line = (id: string, body: string) => `{ "id":"${id}",  "body" : "${body}" }\r\n`

t.test('the lines that stay come out of a pipe byte for byte, in order', async (t) => {
  const kept = [line('a', one), '{"body":"\\u4e00\\u4e8c","x":[1, 2 ]}\n', `{"id":7,"body":"${other}"}`]
  const input = [kept[0], line('b', `${one}。`), '\n', kept[1], line('c', near), 'no json\n', '{"id":"d"}\n', kept[2]]
  const folder = t.testdir()
  const rejects = join(folder, 'rejects.jsonl')
  const { code, stdout, stderr } = await run(
    ['dedup', '-', '--text', 'body', '--id', 'id', '--rejects', rejects],
    input.join(''),
  )
  t.equal(code, 0)
  t.equal(stdout, kept.join(''))
  t.match(stderr, /7 records: 3 kept, 1 exact duplicate, 1 near duplicate, 2 unreadable/)
  t.match(linesIn(readFileSync(rejects, 'utf8')), [
    { id: 'b', at: '-:2', reason: 'exact-duplicate', of: 'a', similarity: 1 },
    { id: 'c', at: '-:5', reason: 'near-duplicate', of: 'a' },
    { at: '-:6', reason: 'unreadable', detail: /^invalid-json: at byte 0 of the record: expected a value/ },
    { id: 'd', reason: 'unreadable', detail: 'no-text: field "body" is missing; fields: "id"' },
  ])
})

t.test('of two calls on one index the second is refused, and the index holds what the first kept', async (t) => {
  const folder = t.testdir()
  const index = join(folder, 'seen')
  const first = start(['dedup', '-', '--text', 'body', '--index', index])
  first.stdout?.resume()
  first.stdin?.write(line('a', one))
  const ended = once(first, 'close') as Promise<[number]>
  while (!existsSync(`${index}.lock`) && first.exitCode === null) await setTimeout(10)
  const second = await run(['dedup', '-', '--text', 'body', '--index', index], line('b', other))
  t.match(second, { code: 2, stdout: '', stderr: /uses the index .*seen.*Wait for it/ })
  first.stdin?.end()
  t.equal((await ended)[0], 0)
  const third = await run(['dedup', '-', '--text', 'body', '--index', index], line('c', one) + line('d', other))
  t.match(third, { code: 0, stdout: line('d', other), stderr: /1 kept, 1 exact duplicate/ })
  t.same(readdirSync(folder).sort(), ['seen', 'seen.texts'])
})

t.test('several files, packed ones too, are one input; a kept index drops what an earlier call kept', async (t) => {
  const folder = t.testdir({ 'a.jsonl': `{"text":"${one}"}`, 'b.jsonl': `{"text":"${other}"}\n{"text":"${one}"}\n` })
  writeFileSync(join(folder, 'c.jsonl.gz'), gzipSync(`{"text":"${near}"}\n{"text":"一"}\n`))
  const files = ['a.jsonl', 'b.jsonl', 'c.jsonl.gz'].map((name) => join(folder, name))
  const index = join(folder, 'kept', 'seen')
  const first = await run(['dedup', ...files, '--index', index])
  t.equal(first.stdout, `{"text":"${one}"}\n{"text":"${other}"}\n{"text":"一"}\n`)
  t.ok(existsSync(index))
  const fresh = letters(random, 80)
  const second = await run(['dedup', '--index', index], `{"text":"${near}"}\n{"text":"${fresh}"}\n{"text":"一"}\n`)
  t.equal(second.stdout, `{"text":"${fresh}"}\n`)
  const stricter = await run(['dedup', '--threshold', '0.99'], '')
  t.equal(stricter.code, 2)
  t.match(stricter.stderr, /--threshold is 0\.99: give a number from 0\.5 to 0\.98/)
  const missing = await run(['dedup', join(folder, 'nothing.jsonl')])
  t.equal(missing.code, 2)
  t.match(missing.stderr, /no file matches .*nothing\.jsonl/)
  const refused = await run(['dedup', '--threshold', '0.9', '--index', index], '')
  t.equal(refused.code, 2)
  t.match(refused.stderr, /was made with other settings/)
})

t.test('a reader that has had enough ends the command quietly', async (t) => {
  const lines = Array.from({ length: 3000 }, () => `{"text":"${letters(random, 300)}"}\n`).join('')
  const child = start(['dedup'])
  const err: Buffer[] = []
  child.stderr?.on('data', (bytes: Buffer) => err.push(bytes))
  child.stdin?.on('error', () => undefined)
  child.stdin?.write(lines)
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  child.stdout?.destroy()
  child.stdin?.end(lines.replaceAll('"text":"', '"text":"再'))
  const [code] = (await once(child, 'close')) as [number]
  t.equal(code, 0)
  t.equal(Buffer.concat(err).toString(), '')
})

/** Rows of the tests over several formats: two to keep, a copy of the first, one near the second, one without a text. */
const rows = [
  { id: 'a', text: one, other: { list: [1, 2] } },
  { id: 'b', text: other, other: null },
  { id: 'c', text: one, other: null },
  { id: 'd', text: `${other.slice(0, 280)}${letters(random, 15)}`, other: null },
  { id: 'e', text: '', other: null },
]

const rejectsOfRows = [
  { id: 'c', reason: 'exact-duplicate', of: 'a', similarity: 1 },
  { id: 'd', reason: 'near-duplicate', of: 'b' },
]

function linesIn(text: string) {
  return text
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each))
}

t.test('Parquet, a JSON array, tar and packed lines keep the same records, whole, as JSON Lines do', async (t) => {
  const folder = t.testdir({ 'rows.json': JSON.stringify(rows, null, 2) })
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  writeFileSync(join(folder, 'rows.jsonl'), lines)
  const tar = pack()
  tar.entry({ name: 'a/rows.jsonl' }, lines)
  tar.finalize()
  writeFileSync(join(folder, 'rows.tar.gz'), gzipSync(await buffer(tar)))
  const columnData: ColumnSource[] = [
    { name: 'id', data: rows.map(({ id }) => id), type: 'STRING' },
    { name: 'text', data: rows.map(({ text }) => text), type: 'STRING' },
    { name: 'other', data: rows.map((row) => row.other), type: 'JSON' },
  ]
  writeFileSync(join(folder, 'rows.parquet'), Buffer.from(parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED' })))
  const expected = [rows[0], rows[1], rows[4]]
  for (const name of ['rows.jsonl', 'rows.json', 'rows.tar.gz', 'rows.parquet']) {
    const [file, rejects] = [join(folder, name), join(folder, `${name}.rejects`)]
    const { code, stdout, stderr } = await run(['dedup', file, '--id', 'id', '--rejects', rejects, '--threads', '1'])
    t.equal(code, 0, `${name}: ${stderr}`)
    t.same(linesIn(stdout), expected, name)
    t.equal(stdout.split('\n').length, 4, 'a record is one line')
    const found = linesIn(readFileSync(rejects, 'utf8'))
    t.match(found, rejectsOfRows, name)
    t.same(
      found.map(({ at }) => at),
      [`${file}:3`, `${file}:4`],
    )
    if (name === 'rows.jsonl')
      t.equal(
        stdout,
        [0, 1, 4]
          .map((row) => lines.split('\n')[row])
          .join('\n')
          .concat('\n'),
      )
  }
})

t.test('an index holds what was kept of one format when another is read', async (t) => {
  const folder = t.testdir({ 'rows.json': JSON.stringify(rows.slice(0, 2)) })
  const index = join(folder, 'seen')
  const first = await run(['dedup', join(folder, 'rows.json'), '--id', 'id', '--index', index])
  t.equal(linesIn(first.stdout).length, 2)
  const [next] = [{ id: 'f', text: letters(random, 90) }]
  const input = [rows[2], rows[3], next].map((row) => `${JSON.stringify(row)}\n`).join('')
  const second = await run(['dedup', '-', '--id', 'id', '--index', index, '--rejects', join(folder, 'rejects')], input)
  t.equal(second.stdout, `${JSON.stringify(next)}\n`)
  t.match(linesIn(readFileSync(join(folder, 'rejects'), 'utf8')), rejectsOfRows)
})

t.test('a dataset on the Hub is read without a copy on disk', async (t) => {
  const hub = await startHub({ directory: t.testdir(), port: 0 })
  t.teardown(() => hub.close())
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  hub.seed('me/texts', { 'data/rows.jsonl': Buffer.from(lines) })
  const args = ['dedup', '--hub', 'me/texts', '--files', 'data/*.jsonl', '--hub-url', hub.url, '--id', 'id']
  const { code, stdout, stderr } = await run(args)
  t.equal(code, 0, stderr)
  t.same(
    linesIn(stdout).map(({ id }) => id),
    ['a', 'b', 'e'],
  )
  t.match(await run(['dedup', '--hub', 'me/texts']), { code: 2, stderr: /--hub me\/texts needs --files GLOB/ })
  t.match(await run(['dedup', '-', '--hub', 'me/texts']), { code: 2, stderr: /are two sources: give one/ })
})

/** By Python's lzma.compress: three lines, of which the last repeats the first. */
const threeLinesXz =
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4ACDAFBdAD2IioaUiBPg84mFEwrj+m92V8exQphdG3yIdUQAsEB5G5epE7wM55mPmNYqQg+TyY6DK/Tu' +
  'tqKtBJFl/08nw11Aiq2QnaFnzlcbrxCgCoAAAJuKlncmf6SxAAFshAEAAADLarlAscRn+wIAAAAABFla'

t.test('xz is read from a file and from a pipe, and the lines that stay come out byte for byte', async (t) => {
  const packed = Buffer.from(threeLinesXz, 'base64')
  const file = join(t.testdir(), 'lines.jsonl.xz')
  writeFileSync(file, packed)
  const kept = '{"text":"春天的花园里开满了鲜花"}\n{"text":"夏天的河边有许多孩子"}\n'
  t.equal((await run(['dedup', file])).stdout, kept)
  t.equal((await run(['dedup'], packed)).stdout, kept)
})

t.test(
  'files are read in the order of the arguments, an empty one too, and each line is named by its file',
  async (t) => {
    const text = (body: string) => `{"text":"${body}"}\n`
    const folder = t.testdir({
      'z.jsonl': `\n${text(one)}`,
      'a.jsonl': `${text(other)}\n \n${text(one)}`,
      'e.jsonl': '',
    })
    const files = ['z.jsonl', 'e.jsonl', 'a.jsonl', 'z.jsonl'].map((name) => join(folder, name))
    const rejects = join(folder, 'rejects')
    const { code, stdout, stderr } = await run(['dedup', ...files, '--rejects', rejects])
    t.equal(code, 0, stderr)
    t.equal(stdout, text(one) + text(other))
    t.match(linesIn(readFileSync(rejects, 'utf8')), [
      { at: `${files[2]}:4`, of: `${files[0]}:2` },
      { at: `${files[0]}:2`, of: `${files[0]}:2` },
    ])
    const glob = await run(['dedup', join(folder, '*.jsonl'), '--rejects', rejects])
    t.equal(glob.stdout, text(other) + text(one), 'files of one pattern are sorted')
  },
)

t.test(
  'texts that are empty, not UTF-8 or hold half a character are compared and their lines kept as they are',
  async (t) => {
    const lines = ['{"text":""}', '{"text":"。"}', `{"text":"${one}\\ud800"}`, `{"text":"\\ud800${one}"}`]
    const foreign = Buffer.concat([
      Buffer.from('{"text":"'),
      Buffer.from('b4bac0d6', 'hex'),
      Buffer.from(`${other}"}\n`),
    ])
    const input = Buffer.concat([Buffer.from(`${[...lines, '{"text":"。"}', ''].join('\n')}`), foreign, foreign])
    const { code, bytes, stderr } = await run(['dedup'], input)
    t.equal(code, 0, stderr)
    t.same(bytes, Buffer.concat([Buffer.from(`${lines.slice(0, 3).join('\n')}\n`), foreign]))
    t.match(stderr, /7 records: 4 kept, 3 exact duplicates/)
  },
)

t.test('a file that breaks off ends the command with an error, after the lines that could be read', async (t) => {
  const folder = t.testdir()
  const file = join(folder, 'half.jsonl.gz')
  const packed = gzipSync(Array.from({ length: 400 }, () => `{"text":"${letters(random, 300)}"}\n`).join(''))
  writeFileSync(file, packed.subarray(0, packed.length >> 1))
  const { code, stdout, stderr } = await run(['dedup', file])
  t.equal(code, 1)
  t.match(stderr, /half\.jsonl\.gz cannot be read \(shard-truncated\)/)
  const lines = linesIn(stdout)
  t.ok(lines.length > 50 && lines.length < 400)
  const none = await run(['dedup', '--text', 'body'], '{"text":"一"}\n')
  t.match(none, { code: 2, stderr: /none of 1 record could be read, the first for: no-text: field "body" is missing/ })
  const threads = await run(['dedup', '--threads', '0'], '')
  t.match(threads, { code: 2, stderr: /--threads is 0: give a number from 1, or auto/ })
})

/** Paragraphs of the fixtures without their titles, so that no quality filter objects. */
function article(...indexes: number[]): string {
  const texts = documents(6).map((line) => (JSON.parse(line) as { text: string }).text)
  return indexes.map((index) => (texts[index] as string).split('\n').slice(1).join('\n')).join('\n')
}

t.test('the text stages in a pipe: clean, filter, chunk, dedup, as JSON Lines and as Arrow', async (t) => {
  const [first, second] = [article(0, 2, 5), article(1)]
  const input = [first, second, '短', `${second}！`, first]
    .map((text, i) => `${JSON.stringify({ text, key: `k${i}` })}\n`)
    .join('')
  const rejects = join(t.testdir(), 'rejects.jsonl')
  const args = ['pipe', '--id', 'key', '--threads', '1', '--rejects', rejects]
  const { code, stdout, stderr } = await run(args, input)
  t.equal(code, 0, stderr)
  const rows = stdout
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each))
  t.ok(rows.length > 2, 'the long text was cut')
  t.equal(
    rows
      .map((row) => row.text)
      .join('')
      .replaceAll('\n', ''),
    `${first}${second}`.replaceAll('\n', ''),
  )
  t.same([...new Set(rows.map((row) => row.key))], ['k0', 'k1'])
  const reasons = readFileSync(rejects, 'utf8')
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each).reason)
  t.same(new Set(reasons), new Set(['too-short', 'exact-duplicate']))
  t.equal(reasons.length, 1 + rows.length)
  const arrow = tableFromIPC((await run(['pipe', '--to', 'arrow', '--threads', '1'], input)).bytes)
  t.same(
    [...(arrow.getChild('text') ?? [])],
    rows.map((row) => row.text),
  )
  const bare = await run(['pipe', '--stages', 'clean', '--threads', '1'], input)
  t.equal(bare.stdout.trim().split('\n').length, 5, 'without the other stages nothing is refused or cut')
  const empty = await run(['pipe', '--to', 'arrow', '--threads', '1'], '')
  t.equal(tableFromIPC(empty.bytes).numRows, 0)
  const wrong = await run(['pipe', '--stages', 'dedup,clean'], '')
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /--stages is dedup,clean/)
})
