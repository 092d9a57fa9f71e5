import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { statusOf, statusText } from '../../lib/cli/commands/status.js'
import { verificationText } from '../../lib/cli/commands/verify.js'
import { AbortedError } from '../../lib/errors.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { publish } from '../../lib/publish/publish.js'
import { parseRecipe } from '../../lib/recipe/index.js'
import { settingsOf } from '../../lib/recipe/run-settings.js'
import { funnelLines } from '../../lib/report/funnel.js'
import { type Counters, checkAccounting } from '../../lib/run/accounting.js'
import { startKunRun } from '../../lib/run/run.js'
import { checkCounters } from '../../lib/run/verify.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest, verifyRun } from '../../lib/sinks/index.js'
import { documents } from '../fault/mini-run.js'

t.setTimeout(300_000)

/** What every JavaScript object inherits, and the one that is more than that. */
const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'isPrototypeOf']

/** A split a name; texts, ids and titles in fields of such names; a filter whose reasons are such names. */
function files(root: string): void {
  const texts = documents(8).map((line) => (JSON.parse(line) as { text: string }).text)
  for (const name of names) {
    const lines = texts.map((text, at) => `{"constructor":${JSON.stringify(`${name} ${text}`)},"__proto__":"t${at}"}`)
    writeFileSync(join(root, `${name}.jsonl`), [...lines, '{"other":1}'].join('\n'))
  }
  const reasons = JSON.stringify(names)
  writeFileSync(
    join(root, 'filter.mjs'),
    `let seen = 0\nexport default () => (++seen % 4 === 0 ? ${reasons}[(seen / 4) % ${names.length}] : true)\n`,
  )
}

function recipe(root: string, endpoint: string): string {
  const sources = names.map(
    (split) =>
      `  - { split: ${split}, text: constructor, id: toString, title: __proto__, files: '${root}/${split}.jsonl' }`,
  )
  return `
name: odd
sources:
${sources.join('\n')}
workers: { threads: 1 }
prepare: { filters: ['${root}/filter.mjs'] }
models:
  constructor: { endpoints: ['${endpoint}'], model: toString, limiter: fixed, inFlightMax: 8 }
  valueOf: { endpoints: ['${endpoint}'], model: __proto__, limiter: fixed, inFlightMax: 8 }
kun: { label: { model: constructor }, score: { model: valueOf }, polish: { model: constructor } }
output: { dir: unused, candidatesPerCut: 6 }
`
}

t.test('splits, reasons, models and fields may have the names of inherited properties', async (t) => {
  const root = t.testdir()
  files(root)
  const server = await startSimulator({ nonce: false })
  t.teardown(() => server.close())
  const directory = join(root, 'run')
  const text = recipe(root, server.url)
  const start = async () => {
    const prepared = await settingsOf(parseRecipe(text, 'odd.yaml'), directory)
    return startKunRun(prepared.settings, {})
  }

  const first = await start()
  while (first.progress().cuts < 2) await new Promise((resolve) => setTimeout(resolve, 1))
  first.abort(new AbortedError('killed by the test'))
  await first.done.catch(() => undefined)
  const resumed = await start()
  t.equal(await resumed.done, 'input', 'it resumes')

  const counters = (await readManifest(directory)).at(-1)?.counters as Counters
  t.strictSame(Object.keys(counters).sort(), [...names].sort(), 'every split is in the account')
  t.strictSame(checkAccounting(counters), [])
  const reasons = new Set(
    Object.values(counters).flatMap((own) => Object.values(own.documentRejects).flatMap((each) => Object.keys(each))),
  )
  for (const name of names) {
    t.ok(reasons.has(name), `reason ${name} is counted`)
    t.equal(Object.entries(counters).find(([split]) => split === name)?.[1].documents, 9, `split ${name}`)
  }
  const stats = readFileSync(join(directory, 'stats.json'), 'utf8')
  for (const name of names) t.match(stats, `"${name}": {`, `stats.json has ${name}`)

  const verification = await verifyRun(directory, { checkCounters })
  t.strictSame(verification.findings, [])
  t.match(verificationText(verification), /The dataset is intact/)
  const rows = Object.values(counters).reduce((sum, own) => sum + own.rows, 0)
  t.ok(rows > 0, `${rows} rows`)
  const status = await statusOf(directory)
  t.equal(status.rows, rows)
  t.match(statusText(status, 200), /__proto__ \d+/)
  t.match(funnelLines(counters, 400).join('\n'), /constructor \d+.*\n/)

  const [{ path = '' } = {}] = (await readManifest(directory)).flatMap(({ files }) => files)
  const part = await openPart(join(directory, path))
  for await (const row of rowsOf(part)) t.match(row, { model: 'toString+__proto__' }, 'names of the models in a row')
  await part.close()

  const hub = await startHub({ directory: join(root, 'hub') })
  t.teardown(() => hub.close())
  const token = { hubUrl: hub.url, token: 'hf_mine' }
  const published = await publish({ directory, repo: 'me/odd', ...token })
  t.equal(
    published.files.reduce((sum, file) => sum + file.rows, 0),
    rows,
  )
  const card = (await hub.content('me/odd', 'README.md')).toString('utf8')
  for (const { split } of published.files) t.match(card, `| \`${split}\` |`, `the card names ${split}`)
  t.match(card, /\| documents \|[^\n]*\\_\\_proto\\_\\_ \d+/, 'and the reasons')
  t.match(await publish({ directory, repo: 'me/odd', ...token }), { filesUploaded: 0, written: [] })
})

t.test('a recipe that refers to an undefined name which is an inherited property is refused', async (t) => {
  const root = t.testdir()
  files(root)
  const text = recipe(root, 'http://127.0.0.1:1/v1')
  for (const [setting, words] of [
    ['kun.label.model=toString', /kun\.label\.model: found "toString", which is not in models/],
    ['constructor=1', /constructor: unknown key/],
    ['models.toString.model=x', /models\.toString/],
    ['kun.constructor.model=x', /kun\.constructor: unknown key/],
    ['sources[0].valueOf=x', /sources\[0\]\.valueOf: unknown key/],
    ['__proto__.x=1', /allowed is path=value/],
  ] as const) {
    t.throws(() => parseRecipe(text, 'odd.yaml', [setting]), { message: words, exitCode: 2 } as never, setting)
  }
})
