import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { letters, randomSource } from '../dedup/planted.js'

const commands = new URL('../../lib/cli/', import.meta.url).href
const program = `
  import { Command } from 'commander'
  import { registerDedup } from '${commands}dedup.js'
  const program = new Command()
  registerDedup(program)
  program.parseAsync(process.argv.slice(1), { from: 'user' }).catch((error) => {
    process.stderr.write(error.name + ': ' + error.message)
    process.exitCode = error.exitCode ?? 1
  })
`

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '-e', program, 'dedup', ...args], { cwd: process.cwd() })
}

async function run(args: readonly string[], input: Uint8Array | string = '') {
  const child = start(args)
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout?.on('data', (bytes: Buffer) => out.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => err.push(bytes))
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}

const random = randomSource(31)
const [one, other] = [letters(random, 300), letters(random, 300)]
const near = `${one.slice(0, 280)}${letters(random, 15)}`
const line = (id: string, body: string) => `{ "id":"${id}",  "body" : "${body}" }\r\n`

t.test('the lines that stay come out of a pipe byte for byte, in order', async (t) => {
  const kept = [line('a', one), '{"body":"\\u4e00\\u4e8c","x":[1, 2 ]}\n', `{"id":7,"body":"${other}"}`]
  const input = [kept[0], line('b', `${one}。`), '\n', kept[1], line('c', near), 'no json\n', '{"id":"d"}\n', kept[2]]
  const folder = t.testdir()
  const rejects = join(folder, 'rejects.jsonl')
  const { code, stdout, stderr } = await run(
    ['-', '--text', 'body', '--id', 'id', '--rejects', rejects],
    input.join(''),
  )
  t.equal(code, 0)
  t.equal(stdout, kept.join(''))
  t.match(stderr, /7 lines: 3 kept, 1 exact duplicates, 1 near duplicates, 2 unreadable/)
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

t.test('several files, packed ones too, are one input; a kept index drops what an earlier call kept', async (t) => {
  const folder = t.testdir({ 'a.jsonl': `{"text":"${one}"}`, 'b.jsonl': `{"text":"${other}"}\n{"text":"${one}"}\n` })
  writeFileSync(join(folder, 'c.jsonl.gz'), gzipSync(`{"text":"${near}"}\n{"text":"一"}\n`))
  const files = ['a.jsonl', 'b.jsonl', 'c.jsonl.gz'].map((name) => join(folder, name))
  const index = join(folder, 'kept', 'seen')
  const first = await run([...files, '--index', index])
  t.equal(first.stdout, `{"text":"${one}"}\n{"text":"${other}"}\n{"text":"一"}\n`)
  t.ok(existsSync(index))
  const fresh = letters(random, 80)
  const second = await run(['--index', index], `{"text":"${near}"}\n{"text":"${fresh}"}\n{"text":"一"}\n`)
  t.equal(second.stdout, `{"text":"${fresh}"}\n`)
  const stricter = await run(['--threshold', '0.99'], '')
  t.equal(stricter.code, 2)
  t.match(stricter.stderr, /--threshold is 0\.99: give a number from 0\.5 to 0\.98/)
  const missing = await run([join(folder, 'nothing.jsonl')])
  t.equal(missing.code, 2)
  t.match(missing.stderr, /there is no file .*nothing\.jsonl/)
  const refused = await run(['--threshold', '0.9', '--index', index], '')
  t.equal(refused.code, 2)
  t.match(refused.stderr, /was made with other settings/)
})

t.test('a reader that has had enough ends the command quietly', async (t) => {
  const lines = Array.from({ length: 3000 }, () => `{"text":"${letters(random, 300)}"}\n`).join('')
  const child = start([])
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
