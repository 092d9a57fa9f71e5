import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import t, { type Test } from 'tap'
import { pack } from 'tar-stream'
import { runRecipe } from '../../lib/cli/commands/run.js'
import { AbortedError } from '../../lib/errors.js'
import { publish } from '../../lib/publish/publish.js'
import { publishWhile } from '../../lib/publish/publish-while.js'
import { parseRecipe } from '../../lib/recipe/index.js'
import { settingsOf } from '../../lib/recipe/run-settings.js'
import { startKunRun } from '../../lib/run/run.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { Random, testSeed } from '../support/random.js'
import { recordBodies } from '../support/record-requests.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny, startTiny, tinyRecipe } from '../support/session.js'

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
output: { dir: ../unused, candidatesPerCut: 40, rowsPerFile: 30, rowGroupBytesMax: 16KiB }
`
}

async function run(text: string, directory: string): Promise<void> {
  const prepared = await settingsOf(parseRecipe(text, 'tiny-hub.yaml'), directory)
  try {
    await (await startKunRun(prepared.settings)).done
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

/** What a command writes does not belong into the report of the tests. */
async function silently<Result>(t: Test, work: () => Promise<Result>): Promise<Result> {
  const captured = [t.capture(process.stdout, 'write', () => true), t.capture(process.stderr, 'write', () => true)]
  try {
    return await work()
  } finally {
    for (const { restore } of captured) restore()
  }
}

for (const kind of ['a folder', 'the Hub'] as const) {
  t.test(
    `a run whose directory is lost goes on from its mirror in ${kind}: only what came since is asked again`,
    async (t) => {
      const root = t.testdir()
      const hub = await startHub({ directory: join(root, 'hub') })
      const model = await startSimulator({ preset: 'delay', latencyMs: 20 })
      t.teardown(() => Promise.all([model.close(), hub.close()]))
      setVariable(t, 'HF_ENDPOINT', hub.url)
      setVariable(t, 'HF_TOKEN', 'hf_test')
      const tiny = { endpoint: model.url, small: true }
      await runTiny({ ...tiny, directory: join(root, 'undisturbed') })
      const needed = recordBodies(model).length

      const to = kind === 'a folder' ? join(root, 'mirror') : 'hub:me/state'
      const directory = join(root, 'run')
      const mirrored = ['hub.backoffMs=0', `mirror.to=${to}`]
      const command = (...set: string[]) => parseRecipe(tinyRecipe(model.url, true), 'tiny.yaml', [...mirrored, ...set])
      const order = { directory, again: 'again' }
      // It stops at a limit, and the last pass of the mirror has all that was asked.
      const code = await silently(t, () =>
        runRecipe(command('limits.tokensMax=5000', 'models.writer.inFlightMax=8', 'models.judge.inFlightMax=8'), order),
      )
      t.equal(code, 3)
      const first = recordBodies(model).length - needed
      t.ok(first > 0 && first < needed, `${first} of ${needed} requests before the last pass`)

      let committed = 0
      let reached = (): void => {}
      const twoCuts = new Promise<void>((resolve) => {
        reached = resolve
      })
      const session = await startTiny({
        ...tiny,
        directory,
        session: {
          onStep: (step, when) => {
            if (step === 'manifest-fsync' && when === 'after' && ++committed === 2) reached()
          },
        },
      })
      await Promise.race([twoCuts, session.done])
      session.abort(new AbortedError('the machine is gone'))
      await session.done.catch(() => undefined)
      const since = recordBodies(model).length - needed - first
      rmSync(directory, { recursive: true })

      t.equal(await silently(t, () => runRecipe(command(), { ...order, fromMirror: true })), 0)
      t.strictSame(bytesOf(directory), bytesOf(join(root, 'undisturbed')), 'the same rows')
      const last = recordBodies(model).length - needed - first - since
      t.equal(first + last, needed, `${since} requests came after the last pass, and no others are made again`)
      const held = { code: 'KUN_RUN_MISMATCH', message: /holds a run: restore to an empty directory/ } as never
      await t.rejects(
        silently(t, () => runRecipe(command(), { ...order, fromMirror: true })),
        held,
      )
    },
  )
}

t.test('files are published as they are filled while the run goes on; their final names come at its end', async (t) => {
  const root = t.testdir()
  const hub = await startHub({ directory: join(root, 'hub'), lfsFromBytes: 1 })
  const model = await startSimulator({})
  t.teardown(() => Promise.all([model.close(), hub.close()]))
  const directory = join(root, 'run')
  const options = { directory, repo: 'me/live', hubUrl: hub.url, token: 'hf_test', fileBytes: 20_000 }
  const dataOf = (): string[] => Object.keys(hub.tree('me/live')).filter((path) => path.endsWith('.parquet'))
  const ending = new AbortController()
  const failures: unknown[] = []
  const seen: string[][] = []
  let wake = (): void => {}
  const publishing = publishWhile({
    publish: options,
    everyMs: 1000,
    // A turn comes with every cut.
    clock: {
      now: () => 0,
      sleep: (_waitMs, signal) =>
        new Promise<void>((resolve, reject) => {
          wake = resolve
          if (signal?.aborted) reject(signal.reason)
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        }),
    },
    ending: ending.signal,
    onPublished: () => seen.push(dataOf()),
    onFailure: (error) => failures.push(error),
  })
  const onStep = (step: string, when: string): void => {
    if (step === 'manifest-fsync' && when === 'after') wake()
  }
  await runTiny({ directory, endpoint: model.url, session: { onStep } })
  wake()
  ending.abort()
  await publishing
  t.strictSame(failures, [])
  t.ok(seen.length > 0, `published ${seen.length} times while it went on`)
  for (const paths of seen)
    t.ok(
      paths.every((path) => /^data\/\w+-\d{6}\.parquet$/.test(path)),
      paths.join(' '),
    )
  for (const [index, paths] of seen.slice(1).entries()) {
    t.strictSame(
      seen[index]?.filter((path) => !paths.includes(path)),
      [],
      'what was there stays',
    )
  }
  const result = await publish(options)
  t.ok(
    dataOf().every((path) => /^data\/\w+-\d{5}-of-\d{5}\.parquet$/.test(path)),
    dataOf().join(' '),
  )
  t.equal(result.files.length, dataOf().length)
  const uploads = hub.log.filter(({ method, path }) => method === 'PUT' && path.startsWith('/upload/'))
  const contents = uploads.map(({ path }) => path.split('?')[0])
  t.equal(new Set(contents).size, contents.length, `${contents.length} uploads, none twice`)
  t.ok(contents.length >= dataOf().length)
})
