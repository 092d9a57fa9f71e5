import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { KunStreamError, RecipeError, UsageError } from '../../lib/errors.js'
import { formatUnit, parseUnit } from '../../lib/recipe/byte-units.js'
import { loadRecipe, parseRecipe, pinnedRecipe, type RecipeModel, recipeDifference } from '../../lib/recipe/index.js'
import { resolveModel } from '../../lib/recipe/secrets.js'
import { localShards, presets } from '../../lib/sources/index.js'
import { projectRoot } from '../support/root.js'

const text = `name: small
sources:
  - { split: wudao, preset: wudao, files: data/*.json }
models:
  writer:
    endpoints: [http://localhost:8000/v1]
    model: m-a-p/Kun-LabelModel
    apiKey: env:VLLM_KEY
    headers: { X-Team: env:TEAM, X-Plain: plain }
kun:
  label: { model: writer }
  score: { model: writer, keepAtLeast: 0.7 }
output: { dir: out/small }
`

const small = (...overrides: string[]) => parseRecipe(text, 'small.yaml', overrides)

/** The one line that a mistake gives. */
function mistake(changed: string, overrides: string[] = []): string {
  try {
    parseRecipe(changed, 'r.yaml', overrides)
  } catch (error) {
    if (error instanceof RecipeError || error instanceof UsageError) return error.message
    throw error
  }
  return 'no mistake found'
}

const replaced = (part: string, by: string) => {
  if (!text.includes(part)) throw new Error(`the recipe has no ${part}`)
  return mistake(text.replace(part, by))
}

t.test('defaults are filled in: one file as a list, and the prompt of the label model', async (t) => {
  const recipe = small()
  t.match(recipe, {
    name: 'small',
    sources: [{ split: 'wudao', files: ['data/*.json'] }],
    read: { blockBytes: 1024 * 1024 },
    workers: { threads: 'auto' },
    prepare: { chunk: { tokensMax: 512 }, dedup: { exact: true } },
    kun: { label: { prompt: 'label-kun', variants: 1 }, score: { keepAtLeast: 0.7, method: 'auto' } },
    output: { shape: 'pairs', encoder: 'hyparquet-writer', codec: 'zstd' },
    replies: { keep: true, from: [] },
    limits: { rowsMax: Number.POSITIVE_INFINITY },
  })
  t.equal(recipe.kun.polish, undefined)
  t.equal(small('models.writer.model=Qwen/Qwen3-8B').kun.label.prompt, 'label-chat')
  t.equal(small('kun.label.prompt=label-chat').kun.label.prompt, 'label-chat')
  t.match(small('models.writer={endpoints: [builtin]}').models.writer, { model: 'builtin-extractive' })
  t.equal(small('output.encoder=parquetjs-lite').output.codec, 'gzip')
  t.strictSame(small('replies=discard').replies, { keep: false, from: [] })
})

t.test('sizes and durations become bytes and milliseconds', async (t) => {
  const recipe = small('read.blockBytes=4KiB', 'models.writer.deadlineMs=5min', 'output.rowGroupBytesMax=1MB')
  t.equal(recipe.read.blockBytes, 4096)
  t.equal(recipe.models.writer?.deadlineMs, 300_000)
  t.equal(recipe.output.rowGroupBytesMax, 1_000_000)
  t.equal(small('servers.outageMaxMs=1500').servers.outageMaxMs, 1500)
  t.equal(parseUnit('1.5GiB', 'bytes'), 1.5 * 2 ** 30)
  for (const wrong of ['64', '64mib', 'MiB', '-1s', '1e3s', '']) t.equal(parseUnit(wrong, 'bytes'), null, wrong)
  for (const [value, unit] of [
    [67108864, 'bytes'],
    [1001, 'bytes'],
    [300000, 'ms'],
    [1500, 'ms'],
    [0, 'ms'],
  ] as const) {
    t.equal(parseUnit(formatUnit(value, unit), unit) ?? Number(formatUnit(value, unit)), value)
  }
})

t.test('overrides reach into lists and maps, the last one wins, and null removes a section', async (t) => {
  t.equal(small('sources[0].split=crawl').sources[0]?.split, 'crawl')
  t.equal(small('sources.1={split: b, text: body, files: b.jsonl}').sources[1]?.text, 'body')
  t.equal(small('kun.score.keepAtLeast=0.1', 'kun.score.keepAtLeast=0.2').kun.score?.keepAtLeast, 0.2)
  t.equal(small('kun.score=null').kun.score, undefined)
  t.equal(small('limits.rowsMax=10').limits.rowsMax, 10)
  t.match(small('kun.score.sampling.top_p=null').kun.score?.sampling, { temperature: 0.5, top_p: null })
})

t.test('an issue names the position, the path, the value found and the allowed values', async (t) => {
  t.equal(
    replaced('keepAtLeast: 0.7', 'keepAtLeast: high'),
    'r.yaml:12:40 kun.score.keepAtLeast: found "high", allowed is a number from 0 to 1',
  )
  t.equal(
    replaced('keepAtLeast', 'keepAtleast'),
    'r.yaml:12:27 kun.score.keepAtleast: unknown key; did you mean keepAtLeast?',
  )
  t.equal(
    replaced('preset: wudao', 'preset: wudoa'),
    'r.yaml:3:29 sources[0].preset: found "wudoa", allowed is one of wudao, wanjuan, skypile, cci, cci3-hq, chinesewebtext, chinesewebtext2, fineweb-edu-chinese, fineweb2, map-cc, mc4, telechat-ptd, ultra-fineweb, wikipedia; did you mean wudao?',
  )
  t.match(replaced('name: small\n', ''), /^r\.yaml:1:1 name: missing; needed is letters/)
  t.match(
    replaced('output: { dir: out/small }', 'output: {}'),
    /^r\.yaml:13:1 output\.dir: missing; needed is a string/,
  )
  t.match(
    replaced('name: small', 'name: small\ncolour: red'),
    /^r\.yaml:2:1 colour: unknown key; allowed are name, seed/,
  )
  t.match(replaced('split: wudao', 'split: wu-dao'), /sources\[0\]\.split: found "wu-dao", allowed is letters/)
  t.match(
    replaced('[http://localhost:8000/v1]', '[localhost]'),
    /models\.writer\.endpoints\[0\]: found "localhost", allowed is builtin, or a URL/,
  )
  t.match(replaced('sources:', 'sources: 7\nx:'), /sources: found 7, allowed is a list/)
  t.match(replaced('  writer:', '  a b:'), /models\.a b: the name "a b" is not allowed/)
  t.match(replaced('  label: { model: writer }', '  label:'), /kun\.label: found null, allowed is a map/)
})

t.test('an issue of an override names the override', async (t) => {
  t.equal(
    mistake(text, ['kun.score.keepAtLeast=2']),
    '--set kun.score.keepAtLeast=… kun.score.keepAtLeast: found 2, allowed is a number from 0 to 1',
  )
  t.match(
    mistake(text, ['read.blokBytes=1MiB']),
    /^--set read\.blokBytes=… read\.blokBytes: unknown key; did you mean blockBytes/,
  )
  t.match(
    mistake(text, ['kun.scor.keepAtLeast=1']),
    /^--set kun\.scor\.keepAtLeast=… kun\.scor: unknown key; did you mean score\?/,
  )
  t.match(mistake(text, ['read.blockBytes=1Mib']), /found "1Mib", allowed is a size such as 64MiB from 1B to 256MiB/)
  for (const wrong of ['kun', '=1', 'a..b=1', 'name.x=1', 'sources[5]=1', '__proto__.x=1', 'name=[']) {
    t.match(mistake(text, [wrong]), /^--set /, wrong)
  }
})

t.test('a map is compared with the member of a union that is a map', async (t) => {
  t.equal(
    mistake(text, ['prepare.dedup.near={threshhold: 0.8}']),
    '--set prepare.dedup.near=… prepare.dedup.near.threshhold: unknown key; did you mean threshold?',
  )
  t.match(
    mistake(text, ['prepare.dedup.near.threshold=2']),
    /near\.threshold: found 2, allowed is a number from 0\.5 to 0\.98/,
  )
  t.match(mistake(text, ['prepare.dedup.near=7']), /dedup\.near: found 7, allowed is false, or a map/)
  t.match(
    mistake(text, ['kun.label.prompt={text: 写指令}']),
    /kun\.label\.prompt\.text: found "写指令"; the prompt has no \{text\}/,
  )
  t.match(
    mistake(text, ['kun.label.prompt=polish']),
    /kun\.label\.prompt: found "polish", allowed is one of label-chat, label-kun/,
  )
})

t.test('all issues are reported together, one per line', async (t) => {
  const lines = mistake(text, ['seed=-1', 'kun.score.keepAtLeast=2', 'limits.hoursMax=0']).split('\n')
  t.equal(lines.length, 3)
})

t.test('cross-checks between fields are reported like other issues', async (t) => {
  t.equal(
    replaced('label: { model: writer }', 'label: { model: wirter }'),
    'r.yaml:11:19 kun.label.model: found "wirter", which is not in models; did you mean writer?',
  )
  const source = '  - { split: wudao, preset: wudao, files: data/*.json }'
  const cases: [string, RegExp][] = [
    [
      `${source}\n${source}`,
      /^r\.yaml:3:14 sources\[0\]\.split: found "wudao", which is also the split of sources\[1\]; give each .* a name/,
    ],
    [
      '  - { split: a, name: b, files: c, text: d }\n  - { split: b, files: c, text: d }',
      /^r\.yaml:4:14 sources\[1\]\.split: found "b", which already names sources\[0\]/,
    ],
    [
      '  - { split: a, name: x, files: c, text: d }\n  - { split: a, name: x, files: c, text: d }',
      /sources\[1\]\.name: found "x", which already names sources\[0\]/,
    ],
    ['  - { split: a, files: b }', /^r\.yaml:3:5 sources\[0\]: needs preset .* or text/],
    ['  - { split: a, run: out/r1, preset: wudao }', /sources\[0\]\.run: found beside preset/],
    ['  - { split: a, run: out/r1, hub: a/b }', /sources\[0\]\.run: found beside hub/],
    [
      '  - { split: a, files: b, text: body, revision: main }',
      /sources\[0\]\.revision: applies to a dataset of the Hub only/,
    ],
    ['  - { split: a, files: "!b", text: body }', /sources\[0\]\.files: only excludes files/],
    ['  - { split: a, files: ["-", b], text: body }', /sources\[0\]\.files: found "-"/],
    [
      '  - { split: a, files: "-", text: c }\n  - { split: b, files: "-", text: c }',
      /sources\[1\]\.files: standard input/,
    ],
  ]
  for (const [by, message] of cases) t.match(replaced(source, by), message)
  t.match(mistake(text, ['models.writer.endpoints=[builtin, "http://a/v1"]']), /endpoints: found builtin among others/)
  t.match(mistake(text, ['models.judge={endpoints: ["http://a/v1"]}']), /models\.judge: needs model/)
  t.match(mistake(text, ['output.codec=snappy']), /output\.codec: found "snappy"; hyparquet-writer supports zstd/)
})

t.test(
  'a glob that finds what the run writes is refused, whatever it is, unless those files are excluded',
  async (t) => {
    const recipeOf = (files: string, dir: string) =>
      `name: x\nsources:\n  - { split: a, text: b, files: ${files} }\nmodels: { main: { endpoints: [builtin] } }\nkun: { label: { model: main } }\noutput: { dir: ${dir} }\n`
    const globs = [
      '"in/**"',
      '"**/*.parquet"',
      '"in/run/*.json"',
      '["in/*.jsonl", "in/run/rejects/*"]',
      '"in/*/manifest.jsonl"',
    ]
    for (const files of globs) {
      t.throws(
        () => parseRecipe(recipeOf(files, 'in/run'), 'r.yaml'),
        /sources\[0\]\.files: matches in\/run\/.*"!in\/run\/\*\*"/,
        files,
      )
    }
    for (const files of ['["in/**", "!in/run/**"]', '"in/*.jsonl"', '"in/runs/**"', '"-"', '"s3://in/**"']) {
      t.doesNotThrow(() => parseRecipe(recipeOf(files, 'in/run'), 'r.yaml'), files)
    }
  },
)

t.test('a text that is not YAML, not a map, or missing is reported with its position', async (t) => {
  t.match(mistake('name: [a\nb: c'), /^r\.yaml:2:\d+ is not YAML: /)
  t.match(mistake('name: a\nname: b'), /^r\.yaml:2:1 is not YAML: /)
  t.match(mistake(''), /^r\.yaml:1:1 is not a recipe: found nothing/)
  t.match(mistake('- a'), /found a list, allowed is a map/)
  t.match(mistake(`a: &a [x]\nb: [${'*a,'.repeat(200)}]`), /more than 100 aliases/)
  await t.rejects(loadRecipe('no/such.yaml'), { code: 'KUN_RECIPE', exitCode: 2, message: /there is no such file/ })
})

t.test('no message shows a key, and a literal key is refused', async (t) => {
  const secret = 'sk-very-secret'
  for (const message of [
    replaced('env:VLLM_KEY', secret),
    mistake(text, [`models.writer.apiKey=${secret}`]),
    mistake(text, [`models.writer.headers={X: [${secret}]}`]),
    mistake(text, [`models.writer.headers=${secret}`]),
  ]) {
    t.notMatch(message, secret)
    t.match(message, /not shown/)
  }
})

t.test('keys are read from the environment at the start, and a missing variable is named', async (t) => {
  const recipe = small()
  const model = resolveModel('writer', recipe.models.writer as RecipeModel, { VLLM_KEY: 'k', TEAM: 'nlp' })
  t.equal(model.apiKey, 'k')
  t.strictSame(model.headers, { 'X-Team': 'nlp', 'X-Plain': 'plain' })
  t.equal(recipe.models.writer?.apiKey, 'env:VLLM_KEY', 'the recipe itself keeps the name')
  t.throws(() => resolveModel('writer', recipe.models.writer as RecipeModel, { TEAM: 'nlp' }), {
    code: 'KUN_RECIPE',
    message:
      'models.writer.apiKey: found env:VLLM_KEY, but the environment variable VLLM_KEY is not set; set it, or remove the field',
  })
})

t.test('a field that does not alter the output may change; differences in others are listed by field', async (t) => {
  const before = pinnedRecipe(small())
  const free = [
    'name=other',
    'workers.threads=3',
    'models.writer.endpoints=["http://b/v1"]',
    'models.writer.inFlightMax=3',
    'models.writer.apiKey=env:OTHER',
    'memory.reorderBytesMax=1MiB',
    'limits.rowsMax=5',
    'output.dir=elsewhere',
    'replies=discard',
    'publish={repo: me/x}',
    'servers.outageMaxMs=1s',
    'sources[0].files=/elsewhere/data/*.json',
  ]
  t.strictSame(recipeDifference(before, pinnedRecipe(small(...free))), [])
  t.strictSame(Object.keys(before), ['kun', 'models', 'output', 'prepare', 'promptVersions', 'read', 'seed', 'sources'])
  t.notMatch(JSON.stringify(before), /localhost|env:|out\/small|data\//)

  const altering = ['kun.score.keepAtLeast=0.8', 'kun.label.sampling.top_k=5', 'prepare.dedup.near=false', 'seed=2']
  t.strictSame(
    recipeDifference(before, pinnedRecipe(small(...altering, 'sources[1]={split: b, text: c, files: d}'))).map(
      ({ path }) => path,
    ),
    ['kun.label.sampling.top_k', 'kun.score.keepAtLeast', 'prepare.dedup.near', 'seed', 'sources[1]'],
  )
  t.strictSame(recipeDifference(before, pinnedRecipe(small('kun.score.keepAtLeast=0.8'))), [
    { path: 'kun.score.keepAtLeast', before: 0.7, after: 0.8 },
  ])
  t.strictSame(recipeDifference(before, JSON.parse(JSON.stringify(before))), [], 'as read back from run.json')
  t.strictSame(before.promptVersions, { label: 'label-kun@2', score: 'score@2' })
  t.strictSame(
    recipeDifference(before, pinnedRecipe(small('kun.label.prompt={text: "{text}？", version: mine}'))).map(
      ({ path }) => path,
    ),
    ['kun.label.prompt', 'promptVersions.label'],
  )
  t.equal(JSON.stringify(pinnedRecipe(small('seed=1'))), JSON.stringify(before), 'order of keys does not matter')
})

t.test('every recipe in recipes/ loads', async (t) => {
  const folder = join(projectRoot, 'recipes')
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml'))
  t.ok(names.length >= 3)
  for (const name of names) t.resolves(loadRecipe(join(folder, name)), name)
  const { kun, models } = await loadRecipe(join(folder, 'kun-paper.yaml'))
  t.equal(kun.label.prompt, 'label-kun')
  t.equal(models['label-model']?.model, 'm-a-p/Kun-LabelModel')
})

t.test('the demo recipe finds its fixtures, from the project folder', async (t) => {
  const { sources } = await loadRecipe(join(projectRoot, 'recipes/demo.yaml'))
  for (const { split, files, preset } of sources) {
    const mapping = presets[preset as keyof typeof presets]
    const shards = await localShards({ split, root: projectRoot, files, mapping })
    t.ok(shards.length > 0, split)
  }
})

t.test('a refused recipe ends with exit code 2', async (t) => {
  try {
    small('seed=x')
    t.fail('it was taken')
  } catch (error) {
    t.equal((error as KunStreamError).exitCode, 2)
    t.ok(error instanceof KunStreamError)
  }
})

t.test('YAML merge keys are resolved, and an issue in a merged map is reported where it is written', async (t) => {
  const merged = (share: string) => `
name: merged
sources: [{ split: a, preset: skypile, files: '*.jsonl' }]
models:
  writer: &server
    endpoints: [http://127.0.0.1:8000/v1]
    model: writer
    ${share}
  judge:
    <<: *server
    model: judge
kun: { label: { model: writer }, score: { model: judge }, polish: { model: judge } }
output: { dir: out }
`
  const { models } = parseRecipe(merged('inFlightMax: 7'), 'r.yaml')
  t.match(models.judge, { model: 'judge', endpoints: ['http://127.0.0.1:8000/v1'], inFlightMax: 7 })
  t.throws(() => parseRecipe(merged('inFlightMax: many'), 'r.yaml'), {
    message: /r\.yaml:8:18 models\.writer\.inFlightMax.*\n.*r\.yaml:8:18 models\.judge\.inFlightMax/,
  })
  t.throws(() => parseRecipe(merged('inFlihgtMax: 7'), 'r.yaml'), { message: /r\.yaml:8:5 models\.judge\.inFlihgtMax/ })
})
