import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { findModels } from '../../../lib/cli/init/find-servers.js'
import { parseRecipe } from '../../../lib/recipe/index.js'
import { startHub } from '../../../lib/simulator/hub/index.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { projectRoot } from '../../support/root.js'

/** The command in a folder of its own. */
async function kunStream(cwd: string, args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/bin/kun-stream.js'), ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (bytes) => (said.stdout += bytes))
  child.stderr.on('data', (bytes) => (said.stderr += bytes))
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...said }
}

const passage = '春天来了，河边的柳树发出嫩芽，孩子们在草地上放风筝。老人坐在长椅上晒太阳，谈论着今年的收成和天气。'

function records(count: number): object[] {
  return Array.from({ length: count }, (_, n) => ({
    uid: `u${n}`,
    headline: `第${n}篇`,
    meta: { lang: 'zh', note: 'x'.repeat(300) },
    data: { body: `${n}：${passage.repeat(2)}` },
  }))
}

const lines = (all: readonly object[]) => all.map((each) => `${JSON.stringify(each)}\n`).join('')

function folderWith(t: Test, files: Record<string, string | Buffer>): string {
  const folder = t.testdir()
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

t.test('in a folder with data: a recipe with the Chinese text field, id and title, that runs', async (t) => {
  const server = await startSimulator()
  t.teardown(() => server.close())
  const folder = folderWith(t, { 'data/a.jsonl': lines(records(30)) })
  const { code, stderr, stdout } = await kunStream(folder, ['init', '--server', `${server.url}/`, '--out', 'run'])
  t.equal(code, 0, stderr)
  t.equal(stdout, '')
  const text = readFileSync(join(folder, 'recipe.yaml'), 'utf8')
  t.match(text, /^# yaml-language-server: \$schema=\S+recipe\.schema\.json\n/)
  t.match(parseRecipe(text, 'recipe.yaml'), {
    sources: [{ split: 'train', files: ['data/a.jsonl'], text: 'data.body', id: 'uid', title: 'headline' }],
    models: { main: { endpoints: [server.url] } },
    output: { dir: 'run' },
  })
  const run = await kunStream(folder, ['run', 'recipe.yaml'])
  t.equal(run.code, 0, run.stderr)
  t.ok(existsSync(join(folder, 'run/stats.json')))
})

t.test('a recipe that exists is not overwritten without --force', async (t) => {
  const folder = folderWith(t, { 'a.jsonl': lines(records(3)), 'recipe.yaml': 'mine' })
  const args = ['init', 'a.jsonl', '--server', 'builtin']
  t.match(await kunStream(folder, args), { code: 2, stderr: /^recipe\.yaml exists: .*--force\n$/ })
  t.equal(readFileSync(join(folder, 'recipe.yaml'), 'utf8'), 'mine')
  t.match(await kunStream(folder, [...args, '--force']), { code: 0 })
  t.match(readFileSync(join(folder, 'recipe.yaml'), 'utf8'), /endpoints: \[builtin\]/)
})

t.test('comments are in the language of the user, and the recipe is the same', async (t) => {
  const folder = folderWith(t, { 'a.jsonl': lines(records(3)) })
  const write = (language: string) =>
    kunStream(folder, ['init', 'a.jsonl', '--server', 'builtin', '--write', '-', '--lang', language])
  const [english, chinese] = await Promise.all([write('en'), write('zh')])
  t.match(chinese.stdout, /# .*配方/)
  t.notMatch(english.stdout, /\p{Script=Han}/u)
  t.strictSame(parseRecipe(chinese.stdout, 'x'), parseRecipe(english.stdout, 'x'))
})

t.test('every format is looked at: gzip, a JSON list, the corpora with their presets', async (t) => {
  const folder = folderWith(t, {
    'zip/a.jsonl.gz': gzipSync(lines(records(5))),
    'list/a.json': JSON.stringify(records(5)),
  })
  const sourceOf = async (...args: string[]) => {
    const { code, stdout, stderr } = await kunStream(folder, ['init', ...args, '--server', 'builtin', '--write', '-'])
    t.equal(code, 0, stderr)
    return parseRecipe(stdout, 'x').sources[0]
  }
  const fixtures = join(projectRoot, 'fixtures')
  const [zip, list, wudao, wanjuan] = await Promise.all([
    sourceOf('zip'),
    sourceOf('list/*.json'),
    sourceOf(join(fixtures, 'wudao')),
    sourceOf(join(fixtures, 'wanjuan/raw/nlp/CN/*/*.jsonl.tar.gz')),
  ])
  t.match(zip, { files: ['zip/a.jsonl.gz'], text: 'data.body' })
  t.match(list, { text: 'data.body', id: 'uid' })
  t.match(wudao, { preset: 'wudao' })
  t.match(wanjuan, { preset: 'wanjuan' })
})

t.test('a dataset of the Hub', async (t) => {
  const folder = folderWith(t, {})
  const hub = await startHub({ directory: join(folder, 'hub') })
  t.teardown(() => hub.close())
  hub.seed('me/texts', { 'data/a.jsonl': Buffer.from(lines(records(4))), 'README.md': Buffer.from('x') })
  const args = ['init', '--hub', 'me/texts', '--server', 'builtin', '--hub-url', hub.url]
  const { code, stderr } = await kunStream(folder, args, { HF_TOKEN: 'hf_try' })
  t.equal(code, 0, stderr)
  const recipe = parseRecipe(readFileSync(join(folder, 'recipe.yaml'), 'utf8'), 'x')
  t.match(recipe, { name: 'texts', sources: [{ hub: 'me/texts', text: 'data.body' }] })
})

t.test('what cannot be used is one line with the mend, exit code 2', async (t) => {
  const folder = folderWith(t, {
    'a.jsonl': lines(records(3)),
    'empty.jsonl': '',
    'binary.jsonl': Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * 37) % 256)),
    'none/x.md': 'text',
    'numbers.jsonl': lines([{ a: 1 }, { a: 2 }]),
  })
  const wrong: readonly (readonly [string, string[], RegExp])[] = [
    ['a missing file', ['nowhere.jsonl'], /no file matches nowhere\.jsonl/],
    ['an empty file', ['empty.jsonl'], /empty\.jsonl: shard-empty/],
    ['a binary file', ['binary.jsonl'], /binary\.jsonl: invalid-/],
    ['a folder without data', ['none'], /none has no file of a known format/],
    ['a wrong field', ['a.jsonl', '--text', 'txt'], /--text is txt: .*"uid", "headline", .*"data\.body"/],
    ['no text', ['numbers.jsonl'], /no field of the first records is a text; their fields are "a"/],
    ['no address', ['a.jsonl', '--server', 'localhost'], /--server is localhost: write an address/],
    ['no server', ['a.jsonl', '--server', 'http://127.0.0.1:1/v1'], /does not list its models: start it, or name/],
    ['demo with files', ['a.jsonl', '--demo'], /--demo has a corpus of its own/],
  ]
  await Promise.all(
    wrong.map(async ([what, args, words]) => {
      const { code, stderr } = await kunStream(folder, ['init', ...args])
      t.equal(code, 2, what)
      t.match(stderr, words, what)
      t.equal(stderr.trim().split('\n').length, 1, `${what}: ${stderr}`)
    }),
  )
  t.match(await kunStream(join(folder, 'none'), ['init']), { code: 2, stderr: /no data file is in this folder/ })
  t.equal(existsSync(join(folder, 'recipe.yaml')), false, 'nothing is written')
})

t.test('an address without /v1 is completed', async (t) => {
  const server = await startSimulator()
  t.teardown(() => server.close())
  const folder = folderWith(t, { 'a.jsonl': lines(records(3)) })
  const args = ['init', '--server', server.url.replace('/v1', ''), '--write', '-']
  const { stdout, stderr } = await kunStream(folder, args)
  t.match(stderr, /is the address without \/v1/)
  t.strictSame(parseRecipe(stdout, 'x').models.main?.endpoints, [server.url])
})

t.test('models are found at the addresses that respond, within a bound', async (t) => {
  const server = await startSimulator()
  t.teardown(() => server.close())
  const found = await findModels(['http://127.0.0.1:1/v1', server.url])
  t.match(found, [{ endpoint: server.url, contextTokensMax: Number }])
})

t.test('the demonstration runs in an empty folder', async (t) => {
  const folder = folderWith(t, {})
  t.match(await kunStream(folder, ['init', '--demo']), { code: 0, stderr: /run demo\.yaml/ })
  const { code, stderr } = await kunStream(folder, ['run', 'demo.yaml'])
  t.equal(code, 0, stderr)
  t.match(await kunStream(folder, ['init', '--demo']), { code: 2, stderr: /exists: .*--force/ })
})
