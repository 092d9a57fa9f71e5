import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { command } from '../../support/commands.js'

const passage = '春天来了，河边的柳树发出嫩芽，孩子们在草地上放风筝。老人坐在长椅上晒太阳，谈论着今年的收成和天气。'
const good = Array.from({ length: 20 }, (_, n) => `${JSON.stringify({ id: n, body: `${n}：${passage}` })}\n`).join('')
const binary = Buffer.from(Array.from({ length: 20_000 }, (_, n) => (n * 37 + (n >> 8)) % 256))

function folderWith(t: Test): string {
  const folder = t.testdir({ 'good.jsonl': good, 'empty.jsonl': '' })
  writeFileSync(join(folder, 'binary.jsonl'), binary)
  return folder
}

function recipe(folder: string, ...sources: readonly string[]): string {
  const file = join(folder, 'recipe.yaml')
  writeFileSync(
    file,
    `name: x
sources:
${sources.map((source) => `  - ${source}`).join('\n')}
models: { main: { endpoints: [builtin] } }
kun: { label: { model: main } }
output: { dir: '${join(folder, 'run')}' }
`,
  )
  return file
}

async function ended(...args: readonly string[]) {
  const { code, out, err } = await command('bin/kun-stream.js', args, { NO_COLOR: '1' }).ended
  return { code, out, err, lines: err.trim().split('\n').length }
}

t.test(
  'run: a source without one readable record is one line with the mend, exit code 2, nothing written',
  async (t) => {
    const folder = folderWith(t)
    const source = (text: string, file: string, split = 'train') =>
      `{ split: ${split}, text: ${text}, files: '${join(folder, file)}' }`
    const wrong: readonly (readonly [string, string[], RegExp])[] = [
      [
        'a wrong field',
        [source('text', 'good.jsonl')],
        /^sources\[0\]\.text: none of the first 20 records has a text: .*fields: "id", "body".*set text: body\n$/,
      ],
      ['an empty file', [source('body', 'empty.jsonl')], /^sources\[0\]\.files: .*empty\.jsonl: shard-empty/],
      ['a binary file', [source('body', 'binary.jsonl')], /^sources\[0\]\.files: .*binary\.jsonl: invalid-/],
      [
        'a wrong field beside a source that is right',
        [source('body', 'good.jsonl'), source('txet', 'good.jsonl', 'more')],
        /^sources\[1\]\.text: .*set text: body\n$/,
      ],
    ]
    for (const [what, sources, words] of wrong) {
      const { code, err, lines } = await ended('run', recipe(folder, ...sources))
      t.equal(code, 2, `${what}: ${err}`)
      t.match(err, words, what)
      t.equal(lines, 1, `${what}: ${err}`)
      t.equal(existsSync(join(folder, 'run')), false, what)
    }
    const right = recipe(folder, source('body', '{good,binary,empty}.jsonl'))
    t.match(await ended('run', right), { code: 0 }, 'bad files beside a good one become rejects')
  },
)

t.test('run: sameEndingRecords: false reads a source without a text all the same', async (t) => {
  const folder = folderWith(t)
  const file = recipe(folder, `{ split: train, text: text, files: '${join(folder, 'good.jsonl')}' }`)
  t.match(await ended('run', file, '--set', 'brakes.sameEndingRecords=false'), { code: 0 })
})

t.test('pipe and dedup: a wrong field, an empty and a binary file', async (t) => {
  const folder = folderWith(t)
  const of = (name: string) => join(folder, name)
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [['dedup', of('good.jsonl'), '--text', 'text'], /fields: "id", "body"\. Name the field of the text with --text/],
    [['dedup', of('binary.jsonl'), '--text', 'text'], /Check the format of the file/],
    [['dedup', of('empty.jsonl'), '--text', 'text'], /empty\.jsonl: no record; the files are empty/],
    [['pipe', of('good.jsonl'), '--text', 'text'], /fields: "id", "body"\. Name the field of the text with --text/],
    [['pipe', of('binary.jsonl'), '--text', 'text'], /Check the format of the file/],
    [['pipe', of('empty.jsonl'), '--text', 'text'], /the file has 0 bytes\. Check the format of the file/],
  ]
  for (const [args, words] of wrong) {
    const { code, err, lines } = await ended(...args)
    t.match({ code, err, lines }, { code: 2, err: words, lines: 1 }, args.join(' '))
  }
})

t.test(
  'a file that may not be read is no bug',
  { skip: process.getuid?.() === 0 ? 'root may read every file' : false },
  async (t) => {
    const folder = folderWith(t)
    chmodSync(join(folder, 'good.jsonl'), 0)
    const file = recipe(folder, `{ split: train, text: body, files: '${join(folder, 'good.jsonl')}' }`)
    for (const args of [
      ['run', file],
      ['pipe', join(folder, 'good.jsonl'), '--text', 'body'],
    ]) {
      const { code, err } = await ended(...args)
      t.match({ code, err }, { code: 2, err: /permission denied/ })
      t.notMatch(err, /bug|\n\s+at /)
    }
  },
)

t.test('dev-hub and simulate: a port in use is one line, and the command ends', async (t) => {
  const folder = t.testdir()
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await once(taken, 'listening')
  const port = String((taken.address() as AddressInfo).port)
  for (const args of [
    ['dev-hub', folder, '--port', port],
    ['simulate', '--port', port],
  ]) {
    const { code, err, lines } = await ended(...args)
    t.match({ err, lines }, { err: /port is in use\. Give another --port/, lines: 1 })
    t.equal(code, 2)
  }
})

t.test('an empty argument, as of a variable that is not set, is named, whatever the command', async (t) => {
  const folder = t.testdir()
  const calls: [string, ...string[]][] = [
    ['recipe', 'validate', ''],
    ['dir', 'status', ''],
    ['dir', 'dev-hub', '', '--port', '0'],
    ['files', 'dedup', 'a.jsonl', ''],
    ['where', 'generate', ''],
    ['--out', 'dedup', 'a.jsonl', '--out', ''],
    ['--out', 'rebuild', folder, '--out', ''],
  ]
  for (const [name, ...args] of calls) {
    t.match(await ended(...args), { code: 2, out: '', err: new RegExp(`^${name} is empty: .*\\n$`) }, args.join(' '))
  }
})

t.test(
  'a file that exists stays as it was if no record can be read; an option without effect is refused',
  async (t) => {
    const folder = folderWith(t)
    const [out, rejects] = [join(folder, 'out'), join(folder, 'rejects')]
    const bad = join(folder, 'bad.jsonl')
    writeFileSync(bad, good.replaceAll('春', String.fromCharCode(0)))
    const calls = [
      ['pipe', bad, '--text', 'absent', '--out', out],
      ['pipe', bad, '--text', 'absent', '--out', bad],
      ['pipe', bad, '--text', 'absent', '--to', 'parquet', '--out', out],
      ['seed', bad, '--out', out, '--rejects', rejects],
      ['seed', join(folder, 'empty.jsonl'), '--out', out],
      ['dedup', join(folder, 'good.jsonl'), '--text', 'body', '--out', out],
    ]
    const before = readFileSync(bad)
    for (const args of calls) {
      writeFileSync(out, 'of an earlier call')
      t.match(await ended(...args), { code: 2, out: '', lines: 1 }, args.join(' '))
      t.equal(readFileSync(out, 'utf8'), 'of an earlier call', args.join(' '))
    }
    t.strictSame(readFileSync(bad), before, 'an input that is also the output, too')
    t.equal(readFileSync(rejects, 'utf8').split('\n').length, 21, 'why, for each record')
    t.notMatch(readdirSync(folder).join(' '), /writing|tmp/, 'nothing is left')
  },
)

t.test('--rejects is not written over an input or the output', async (t) => {
  const folder = folderWith(t)
  const input = join(folder, 'good.jsonl')
  const link = join(folder, 'link')
  symlinkSync(input, link)
  const out = join(folder, 'out')
  const calls = [
    ['dedup', input, '--text', 'body', '--rejects', input],
    ['dedup', input, '--text', 'body', '--rejects', link],
    ['pipe', input, '--text', 'body', '--rejects', input],
    ['pipe', input, '--text', 'body', '--out', out, '--rejects', out],
    ['seed', input, '--rejects', input],
    ['seed', input, '--out', out, '--rejects', out],
  ]
  for (const args of calls) {
    t.match(await ended(...args), { code: 2, out: '', lines: 1, err: /the same file as/ }, args.join(' '))
    t.equal(readFileSync(input, 'utf8'), good)
    t.notOk(existsSync(out))
  }
})

t.test('What a command writes is not one of its inputs, nor found by their glob', async (t) => {
  const folder = folderWith(t)
  const input = join(folder, 'good.jsonl')
  const glob = join(folder, '*.jsonl')
  const through = join(folder, 'folder')
  symlinkSync(folder, through)
  const before = readdirSync(folder)
  const calls = [
    ['dedup', glob, '--text', 'body', '--rejects', join(folder, 'rejects.jsonl')],
    ['dedup', join(through, '*.jsonl'), '--text', 'body', '--rejects', join(folder, 'rejects.jsonl')],
    ['pipe', glob, '--text', 'body', '--rejects', join(folder, 'rejects.jsonl')],
    ['pipe', glob, '--text', 'body', '--out', join(folder, 'out.jsonl')],
    ['seed', glob, '--out', join(folder, 'out.jsonl')],
  ]
  for (const args of calls) {
    t.match(
      await ended(...args),
      { code: 2, out: '', lines: 1, err: /a file that .*\*\.jsonl matches/ },
      args.join(' '),
    )
  }
  t.strictSame(readdirSync(folder), before, 'nothing is written')
  const redirected = [
    [`dedup ${input} --text body >> ${input}`, /good\.jsonl, which is read/],
    [`dedup '${glob}' --text body > ${join(folder, 'out.jsonl')}`, /out\.jsonl, a file that .* matches/],
    [`pipe '${glob}' --text body >> ${input}`, /good\.jsonl, a file that .* matches/],
    [`seed ${input} >> ${input}`, /good\.jsonl, which is read/],
  ] as const
  for (const [words, message] of redirected) {
    const script = fileURLToPath(new URL('../../../bin/kun-stream.js', import.meta.url))
    const called = spawnSync('sh', ['-c', `"${process.execPath}" "${script}" ${words}`], { encoding: 'utf8' })
    t.equal(called.status, 2, words)
    t.match(called.stderr, message)
    t.equal(readFileSync(input, 'utf8'), good, 'the input is as it was')
  }
})
