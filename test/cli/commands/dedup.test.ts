import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { tableFromIPC } from 'apache-arrow'
import t from 'tap'
import { letters } from '../../dedup/planted.js'
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
  t.match(stderr, /7 lines: 3 kept, 1 exact duplicate, 1 near duplicate, 2 unreadable/)
  const told = readFileSync(rejects, 'utf8')
    .trim()
    .split('\n')
    .map((each) => JSON.parse(each))
  t.match(told, [
    { id: 'b', at: '-:2', reason: 'exact-duplicate', of: 'a', similarity: 1 },
    { id: 'c', at: '-:5', reason: 'near-duplicate', of: 'a' },
    { at: '-:6', reason: 'unreadable', detail: /not JSON/ },
    { id: 'd', reason: 'unreadable', detail: "no text in the field 'body'" },
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
  t.match(missing.stderr, /there is no file .*nothing\.jsonl/)
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

/** Sentences of letters that are all different, so that no quality filter objects. */
function article(sentences: number): string {
  return Array.from({ length: sentences }, () => `${letters(random, 40)}。`).join('')
}

t.test('the text stages in a pipe: clean, filter, chunk, dedup, as JSON Lines and as Arrow', async (t) => {
  const [first, second] = [article(30), article(4)]
  const input = [first, second, '短', `${second}！`, first]
    .map((text, i) => `{"text":"${text}","key":"k${i}"}\n`)
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
    first + second,
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
