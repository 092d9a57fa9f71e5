import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import t from 'tap'
import { pack } from 'tar-stream'
import { settingsOf } from '../../lib/cli/settings.js'
import { startSession } from '../../lib/kun/session.js'
import { publish } from '../../lib/publish/publish.js'
import { parseRecipe } from '../../lib/recipe/index.js'
import { startHub } from '../../lib/simulator/hub.js'
import { startSimulator } from '../../lib/simulator/index.js'
import { Random, testSeed } from '../support/random.js'
import { projectRoot } from '../support/root.js'
import { bytesOf } from '../support/session.js'

const fixtures = join(projectRoot, 'fixtures')

/** Sets a variable of the environment until the test is over. */
function setVariable(t: { teardown: (after: () => void) => void }, name: string, value: string): void {
  const before = process.env[name]
  process.env[name] = value
  t.teardown(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
}

/** Documents that no filter keeps, between those of the fixtures: shards of megabytes that are quickly read. */
function withFiller(lines: readonly string[], random: Random): string[] {
  const filler = () => Buffer.from(Array.from({ length: 90_000 }, () => random.between(0, 255))).toString('base64')
  return lines.flatMap((line, index) =>
    index % fillerEvery === 0 ? [line, JSON.stringify({ text: filler() })] : [line],
  )
}

const fillerEvery = 2

/** Shards of four layouts in data/, as a dataset has them. */
async function makeCorpus(folder: string, seed: number): Promise<Map<string, Buffer>> {
  const data = join(folder, 'data')
  mkdirSync(data, { recursive: true })
  const random = new Random(seed)
  const lines = [0, 1].flatMap((number) => {
    const text = readFileSync(join(fixtures, `skypile/data/2020-40_zh_head_000${number}.jsonl`), 'utf8')
    return withFiller(text.trimEnd().split('\n'), random)
  })
  const quarter = Math.ceil(lines.length / 4)
  const part = (number: number) => lines.slice(number * quarter, (number + 1) * quarter)
  writeFileSync(join(data, 'a.jsonl'), part(0).join('\n'))
  writeFileSync(join(data, 'b.jsonl.gz'), gzipSync(part(1).join('\n')))
  const archive = pack()
  archive.entry({ name: 'c.jsonl' }, part(2).join('\n'))
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  writeFileSync(join(data, 'c.jsonl.tar.gz'), gzipSync(Buffer.concat(chunks)))
  // Some lines of the fixtures are damaged, which a Parquet file cannot hold.
  const texts = part(3).flatMap((line) => {
    const text = /"text": ?("(?:[^"\\]|\\.)*")/.exec(line)?.[1]
    return text === undefined ? [] : [JSON.parse(text) as string]
  })
  const columnData = [{ name: 'text', data: texts, type: 'STRING' as const }]
  parquetWriteFile({ filename: join(data, 'd.parquet'), columnData, rowGroupSize: 10 })
  return new Map(
    readdirSync(data)
      .sort()
      .map((name) => [`data/${name}`, readFileSync(join(data, name))]),
  )
}

function recipeOf(endpoint: string, hub: string | null): string {
  const from = hub === null ? '' : `, hub: ${hub}`
  return `
name: tiny-hub
sources:
  - { split: skypile, preset: skypile, files: ['*/*', '!**/*.tar.gz']${from} }
  - { split: archive, preset: skypile, files: '*/*.tar.gz'${from} }
read: { blockBytes: 4KiB }
hub: { backoffMs: 0 }
workers: { threads: 1 }
models:
  writer: { endpoints: ['${endpoint}'], model: writer, limiter: fixed, inFlightMax: 64 }
  judge: { endpoints: ['${endpoint}'], model: judge, limiter: fixed, inFlightMax: 64 }
kun: { label: { model: writer }, score: { model: judge }, polish: { model: judge } }
output: { dir: unused, candidatesPerCut: 40, rowsPerFile: 30, rowGroupBytesMax: 16KiB }
`
}

async function run(text: string, directory: string): Promise<void> {
  const prepared = await settingsOf(parseRecipe(text, 'tiny-hub.yaml'), directory)
  try {
    await (await startSession(prepared.settings)).done
  } finally {
    await prepared.close()
  }
}

t.test('a run from a Hub whose connections break in every shard gives the bytes of a run from disk', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const root = t.testdir({ corpus: {} })
  const corpus = await makeCorpus(join(root, 'corpus'), seed)
  const model = await startSimulator({})
  const hub = await startHub({ directory: join(root, 'hub'), lfsFromBytes: 1 })
  t.teardown(() => Promise.all([model.close(), hub.close()]))
  setVariable(t, 'HF_ENDPOINT', hub.url)
  setVariable(t, 'HF_TOKEN', 'hf_test')
  const commit = hub.seed('me/corpus', Object.fromEntries(corpus))
  for (const [index, path] of [...corpus.keys()].entries()) {
    const match = `GET /cdn/content/.*filename=${encodeURIComponent(path)}`
    // What the connection held unread is lost with it, 64 KiB at most: one break in a shard of a megabyte is within 5 %.
    hub.faults.add({ kind: 'cut', match, seed: seed + index })
  }
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(join(root, 'corpus'))
  await run(recipeOf(model.url, null), join(root, 'local'))
  await run(recipeOf(model.url, 'me/corpus'), join(root, 'remote'))

  const bytes = bytesOf(join(root, 'remote'))
  t.ok(Object.keys(bytes).length > 8, `${Object.keys(bytes).length} files`)
  t.strictSame(bytes, bytesOf(join(root, 'local')))
  let [served, wanted] = [0, 0]
  for (const [path, { length }] of corpus) {
    const reads = hub.log.filter(
      (entry) => entry.host === 'cdn' && entry.path.includes(`filename=${encodeURIComponent(path)}`),
    )
    t.ok(reads.filter(({ fault }) => fault === 'cut').length > 0, `${path}: ${reads.length} connections`)
    const bytesOut = reads.reduce((sum, entry) => sum + entry.bytesOut, 0)
    t.comment(`${path}: ${bytesOut} of ${length}`)
    served += bytesOut
    wanted += length
  }
  t.ok(served <= 1.05 * wanted, `${served} bytes were downloaded of ${wanted}`)

  const record = JSON.parse(readFileSync(join(root, 'remote', 'run.json'), 'utf8'))
  t.match(record.pinned.shards[0].content, new RegExp(`^${commit} [0-9a-f]{64}$`), 'the commit is pinned')
  await publish({ directory: join(root, 'remote'), repo: 'me/made' })
  const card = (await hub.content('me/made', 'README.md')).toString('utf8')
  t.match(card, /source_datasets:\n\s*- me\/corpus\n/, 'the card names the dataset that it was made of')
})
