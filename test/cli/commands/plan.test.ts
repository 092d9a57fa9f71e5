import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startHub } from '../../../lib/simulator/hub/index.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { command } from '../../support/commands.js'

async function ended(args: readonly string[], variables: Record<string, string> = {}) {
  const { code, out, err } = await command('bin/kun-stream.js', args, { NO_COLOR: '1', ...variables }).ended
  return { code, out, err }
}

const nouns = ['柳树', '风筝', '老人', '收成', '铁路', '算法', '厨房', '病人', '股票', '山谷', '诗歌', '课堂']
const verbs = ['改变了', '影响着', '离不开', '来自', '取决于', '说明了', '保护着', '推动了', '记录着', '连接着']

/** Texts that are not alike. */
const records = Array.from({ length: 80 }, (_, n) => {
  const sentence = (k: number) =>
    `第${n * 7 + k}次观察里，${nouns[(n * 5 + k) % 12]}${verbs[(n * 3 + k * 7) % 10]}${nouns[(n + k * 5) % 12]}，编号${n * k}。`
  return `${JSON.stringify({ id: `${n}`, body: Array.from({ length: 12 }, (_, k) => sentence(k)).join('') })}\n`
}).join('')

function recipeIn(t: Test, endpoint: string, more = ''): { readonly file: string; readonly folder: string } {
  const folder = t.testdir({ 'a.jsonl': records })
  const file = join(folder, 'recipe.yaml')
  writeFileSync(
    file,
    `name: x
sources: [{ split: train, text: body, id: id, files: '${join(folder, 'a.jsonl')}' }]
models: { main: { endpoints: ['${endpoint}'], model: builtin-extractive } }
kun: { label: { model: main }, score: { model: main }, polish: { model: main } }
output: { dir: '${join(folder, 'run')}' }
${more}`,
  )
  return { file, folder }
}

async function serverFor(t: Test, options: Parameters<typeof startSimulator>[0] = {}) {
  const server = await startSimulator(options)
  t.teardown(() => server.close())
  return server
}

t.test('everything in order: a line for each check, exit code 0, nothing written', async (t) => {
  const server = await serverFor(t)
  const { file, folder } = recipeIn(t, server.url)
  const { code, out, err } = await ended(['plan', file])
  t.equal(code, 0, err)
  t.match(out, /^ok {4}sources\[0\]: 80 of the first 80 records have a text$/m)
  t.match(out, /^ok {4}models\.main\.endpoints: http:\S+ serves builtin-extractive$/m)
  t.match(out, /^ok {4}models\.main: a context of [\d,]+ tokens, \w+ needs up to about/m)
  t.match(out, /^ok {4}\S+run: .* free$/m)
  t.notMatch(out, /^(?:fail|warn)/m)
  t.equal(existsSync(join(folder, 'run')), false)
})

t.test('what is wrong is one line each, with the mend, and exit code 1', async (t) => {
  const server = await serverFor(t)
  const { file } = recipeIn(t, server.url)
  const wrong: readonly (readonly [string, string, string, RegExp])[] = [
    ['no /v1', `models.main.endpoints=["${server.url.replace('/v1', '')}"]`, 'without-v1', /write http:\S+\/v1$/m],
    ['no server', 'models.main.endpoints=["http://127.0.0.1:1/v1"]', 'no-response', /start the server/],
    ['another model', 'models.main.model=builtin-extractiv', 'other-model', /set model: builtin-extractive/],
    ['a wrong field', 'sources[0].text=text', 'no-text', /set text: body/],
    ['a context that is too short', 'prepare.chunk.tokensMax=40000', 'too-short', /lower prepare\.chunk\.tokensMax/],
  ]
  await Promise.all(
    wrong.map(async ([what, setting, finding, words]) => {
      const { code, out } = await ended(['plan', file, '--set', setting])
      t.equal(code, 1, what)
      const failed = out.split('\n').filter((line) => line.startsWith('fail'))
      t.equal(failed.length, 1, `${what}: ${out}`)
      t.match(failed[0], words, what)
      const { out: json } = await ended(['plan', file, '--set', setting, '--json', '--lang', 'zh'])
      t.notMatch(json, /[\u4e00-\u9fff]/, 'JSON is the same in every language')
      const { checks } = JSON.parse(json) as { checks: { level: string; finding: string }[] }
      t.ok(
        checks.some((check) => check.level === 'fail' && check.finding === finding),
        what,
      )
    }),
  )
})

t.test('the rights on the Hub: no token, one that reads, another owner, the right one', async (t) => {
  const folder = t.testdir({})
  const hub = await startHub({ directory: join(folder, 'hub') })
  t.teardown(() => hub.close())
  const { file } = recipeIn(t, 'http://127.0.0.1:1/v1', `publish: { repo: someone/x, hubUrl: '${hub.url}' }\n`)
  const plan = (variables: Record<string, string>) =>
    ended(['plan', file], { HF_ENDPOINT: hub.url, HF_HOME: folder, HF_TOKEN: '', ...variables })
  t.match(await plan({}), { code: 1, out: /^fail {2}publish\.repo: no token for http:\S+: set HF_TOKEN/m })
  t.match(await plan({ HF_TOKEN: 'hf_try' }), {
    out: /^fail {2}publish\.repo: the token is that of .*, but someone\/x belongs to/m,
  })
})

t.test('--records runs a sample and predicts the whole: the true numbers are in the ranges', async (t) => {
  const server = await serverFor(t)
  const { file, folder } = recipeIn(t, server.url)
  const args = ['plan', file, '--records', '40', '--gpu-hour-price', '2', '--json']
  const { code, out, err } = await ended(args)
  t.equal(code, 0, err)
  const { forecast } = JSON.parse(out)
  t.equal(forecast.recordsSampled, 40)
  t.equal(forecast.documentsExact, true)
  t.equal(forecast.documents.value, 80)
  t.equal(existsSync(join(folder, 'run')), false, 'nothing is left')
  for (const name of ['chunks', 'candidates', 'rows', 'tokens', 'hours', 'gpuHours', 'cost', 'bytes']) {
    const { low, value, high } = forecast[name]
    t.ok(low <= value && value <= high, `${name}: ${low} ${value} ${high}`)
  }
  t.equal((await ended(['run', file])).code, 0)
  const { default: stats } = await import(join(folder, 'run/stats.json'), { with: { type: 'json' } })
  const { chunks, rows } = stats.splits.train
  t.ok(forecast.chunks.low <= chunks && chunks <= forecast.chunks.high, `${chunks} chunks`)
  t.ok(rows <= forecast.rows.high && rows > 0, `${rows} rows`)
})

t.test('--records warns of a threshold that drops nearly all; nothing is run where a check fails', async (t) => {
  const server = await serverFor(t)
  const { file } = recipeIn(t, server.url)
  const strict = await ended(['plan', file, '--records', '20', '--set', 'kun.score.keepAtLeast=1'])
  t.match(strict, { code: 0, out: /^warn {2}train: score drops \d+ of \d+ records as score-low/m })
  t.match(strict.out, /^warn {2}train: \d rows of \d+ chunks/m)
  const filtered = await ended(['plan', file, '--records', '20', '--set', 'prepare.quality.charsMin=100000'])
  t.match(filtered, { code: 0, out: /^warn {2}train: too-short \(filter\) drops \d+ of \d+ documents/m })
  const asked = server.stats().requests
  const failed = await ended(['plan', file, '--records', '20', '--set', 'sources[0].text=text'])
  t.match(failed, { code: 1, err: /nothing was run, because a check failed/ })
  t.ok(server.stats().requests <= asked + 2, 'no stage was asked')
})

t.test('compare: the same records through both recipes, with tokens and cost of a row', async (t) => {
  const server = await serverFor(t)
  const { file, folder } = recipeIn(t, server.url)
  const other = join(folder, 'other.yaml')
  writeFileSync(other, readFileSync(file, 'utf8').replace('polish: { model: main }', '').replace('name: x', 'name: y'))
  const { code, out, err } = await ended(['compare', file, other, '-n', '10', '--gpu-hour-price', '2', '--json'])
  t.equal(code, 0, err)
  const { records: taken, a, b, chunks } = JSON.parse(out)
  t.equal(taken, 10)
  t.match(
    [a, b],
    [
      { name: 'x', documents: 10 },
      { name: 'y', documents: 10 },
    ],
  )
  t.equal(a.chunks, b.chunks)
  t.ok(a.rows > 0 && b.rows > 0, `${a.rows} and ${b.rows} rows`)
  t.ok(a.tokensPerRow > b.tokensPerRow, 'without polish a row takes fewer tokens')
  t.ok(a.costPerRow > 0)
  t.ok(
    chunks.every((each: { a: unknown; b: unknown }) => each.a !== null && each.b !== null),
    'the same chunks',
  )
  const text = await ended(['compare', file, other, '-n', '3', '--show', '1'])
  t.match(text.out, /3 records through both recipes.*reply tokens for each row.*\n {2}A .*\n {2}B /s)
})
