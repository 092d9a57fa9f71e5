/** A run whose duplicates are decided in epochs, over an index in parts, has the bytes of one run. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { EpochObjects } from '../../lib/epochs/epoch-objects.js'
import { directoryStore } from '../../lib/objects/directory-store.js'
import type { ObjectStore } from '../../lib/objects/object-store.js'
import { openObjectStore } from '../../lib/objects/open-store.js'
import { startS3 } from '../../lib/simulator/s3/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { type EpochOptions, workOnEpochs } from '../../lib/units/prepare-epochs.js'
import { edited } from '../dedup/planted.js'
import { assembleTiny, generateTiny, manifestLines, plannedIds, prepareTiny } from '../support/divided.js'
import { mainInProcess } from '../support/main-in-process.js'
import { randomBelow } from '../support/random.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny, tinyRecipe } from '../support/session.js'

t.setTimeout(300_000)
const seed = Number(process.env.TEST_SEED ?? 20261129)
t.comment(`seed ${seed}`)

const never = new AbortController().signal

/** Whether a line of the fixtures has a text: some are damaged on purpose. */
function isWhole(line: string): boolean {
  try {
    return typeof (JSON.parse(line) as { readonly text?: unknown }).text === 'string'
  } catch {
    return false // it is one of those
  }
}

/** Documents of the fixtures, each followed by near copies, copies of copies, and exact ones, some of them much later. */
function writeCorpus(directory: string): string[] {
  const random = randomBelow(seed)
  const folder = join(projectRoot, 'fixtures/skypile/data')
  const [name = ''] = readdirSync(folder).filter((each) => each.endsWith('_0000.jsonl'))
  const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').filter(isWhole)
  const texts: string[] = []
  for (const line of lines.slice(0, 14)) {
    const { text } = JSON.parse(line) as { readonly text: string }
    texts.push(text, edited(text, 0.02, random))
    const earlier = texts[random(texts.length)] as string
    texts.push(random(2) === 0 ? edited(earlier, 0.03, random) : earlier)
  }
  const half = texts.length / 2
  const shards = [texts.slice(0, half), texts.slice(half)]
  for (const [number, shard] of shards.entries()) {
    writeFileSync(join(directory, `${number}.jsonl`), shard.map((text) => `${JSON.stringify({ text })}\n`).join(''))
  }
  return [`sources=[{"split":"web","text":"text","files":"${directory}/*.jsonl"}]`, 'output.candidatesPerCut=20']
}

const allOf = (directory: string): Record<string, string> => ({
  ...bytesOf(directory),
  manifest: JSON.stringify(manifestLines(directory)),
})

/** Waits until an object exists, at most two minutes. */
async function until(store: ObjectStore, key: string): Promise<void> {
  for (let tries = 0; tries < 1200 && (await store.head(key)) === null; tries++) await delay(100)
}

t.test('epochs in a bucket, with parts in other processes and a stop: the bytes of one run', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir({ corpus: {}, bucket: {} })
  const set = writeCorpus(join(root, 'corpus'))
  const s3 = await startS3({ directory: join(root, 'bucket') })
  t.teardown(() => s3.close())
  const before = { ...process.env }
  Object.assign(process.env, s3.environment)
  t.teardown(() => {
    for (const name of Object.keys(s3.environment)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
  const [single, work, into] = [join(root, 'single'), join(root, 'work'), join(root, 'out')]
  await runTiny({ directory: single, endpoint: server.url, set, small: true })
  const stats = readFileSync(join(single, 'stats.json'), 'utf8')
  t.ok(stats.includes('"near-duplicate"') && stats.includes('"exact-duplicate"'), 'there are duplicates of both kinds')

  const directory = 's3://kun/run'
  const store = await openObjectStore(directory)
  t.teardown(() => store.close())
  const epochs: EpochOptions = { parts: 2, epochRows: 12, elsewhere: true, waitMsMax: 120_000 }
  const prepared = (signal: AbortSignal) =>
    prepareTiny({ directory, work, endpoint: server.url, set, small: true, epochs }, true, signal)
  // They wait for prepare.
  const working = [1, 2].map((part) =>
    workOnEpochs(store, { part, of: 2, signal: never, waitMsMax: 120_000, onEvent: () => undefined }),
  )
  const stop = new AbortController()
  const stopped = prepared(stop.signal)
  await until(store, 'epochs/plan/0000001.json')
  stop.abort()
  await t.rejects(stopped, { code: 'KUN_ABORTED' })
  const counting = until(store, 'epochs/plan/done.json').then(() => new EpochObjects(store).epochCount())
  await prepared(never)
  const searched = await Promise.all(working)
  const count = (await counting) as number
  for await (const key of store.list('epochs/')) t.fail(`${key} is left`)
  t.ok(count > 2, `${count} epochs`)
  t.strictSame(searched, [count - 1, count - 1], 'every epoch but the first was searched for in both parts')

  await generateTiny(directory, await plannedIds(directory))
  t.match(await assembleTiny(directory, [], into), { end: 'complete' })
  t.strictSame(allOf(into), allOf(single))
})

t.test('prepare --dedup-parts plans the units of prepare', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir({ corpus: {} })
  const set = writeCorpus(join(root, 'corpus')).flatMap((each) => ['--set', each])
  const recipe = join(root, 'recipe.yaml')
  writeFileSync(recipe, tinyRecipe(server.url, true))
  const [plain, divided] = [join(root, 'plain'), join(root, 'divided')]
  const prepare = (where: string, ...flags: string[]) =>
    mainInProcess(t, ['prepare', recipe, '--out', where, ...set, ...flags])
  const one = await prepare(plain, '--json')
  const epochs = await prepare(divided, '--json', '--dedup-parts', '3', '--epoch-rows', '15')
  t.equal(epochs.code, 0)
  const { where: _, ...units } = JSON.parse(epochs.stdout)
  t.match(JSON.parse(one.stdout), units)
  // Ids and checksums of units cover how far shards were read ahead, which depends on the disk.
  const unitsOf = (directory: string) =>
    readFileSync(join(directory, 'plan/000000.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { candidates, firstBlock, blocks, cursor, dedupLogBytes } = JSON.parse(line)
        return { candidates, firstBlock, blocks, cursor, dedupLogBytes }
      })
  t.strictSame(unitsOf(divided), unitsOf(plain))
  for (const log of ['index', 'index.texts']) {
    const [found, wanted] = [divided, plain].map((directory) => readFileSync(join(directory, 'dedup', log)))
    t.ok(found?.equals(wanted as Buffer), `the same dedup/${log}`)
  }
  t.match(epochs.stderr, /epoch 0 is mapped: \d+ chunks[\s\S]*epoch 1: duplicates are decided/)

  const done = await mainInProcess(t, ['dedup-part', divided, '--part', '1/3'])
  t.match(done, { code: 0, stdout: /every duplicate is decided/ })
  t.equal(existsSync(join(divided, 'epochs')), false, 'epochs/ is removed once every unit is planned')
  const [begun, unlike] = [join(root, 'begun'), join(root, 'unlike')]
  for (const directory of [begun, unlike]) cpSync(join(plain, 'run.json'), join(directory, 'run.json'))
  await new EpochObjects(directoryStore(begun)).pin({ parts: 3, epochRows: 15 })
  cpSync(join(plain, 'plan/000000.jsonl'), join(unlike, 'plan/000000.jsonl'))
  for (const [words, args] of Object.entries({
    'has 3 parts: give 1/3': ['dedup-part', begun, '--part', '1/4'],
    'has no epochs: start `prepare RECIPE': ['dedup-part', unlike, '--part', '1/2'],
    'does not exist: give the directory': ['dedup-part', join(root, 'missing'), '--part', '1/2'],
    'waits for prepare, which has not begun': ['dedup-part', join(root, 'corpus'), '--part', '1/2', '--wait', '10ms'],
    'needs dedup.index: exact': ['prepare', recipe, '--dedup-parts', '2', '--set', 'prepare.dedup.index=bloom'],
    'cannot be used with dedup.against': [
      'prepare',
      recipe,
      '--dedup-parts',
      '2',
      '--set',
      'prepare.dedup.against=[x]',
    ],
    '--epoch-rows and --dedup-elsewhere need --dedup-parts': ['prepare', recipe, '--epoch-rows', '9'],
    '--dedup-wait needs --dedup-elsewhere': ['prepare', recipe, '--dedup-parts', '2', '--dedup-wait', '1min'],
  })) {
    const refused = await mainInProcess(
      t,
      args.includes('--out')
        ? args
        : [...args, ...(args[0] === 'prepare' ? ['--out', join(root, 'refused'), ...set] : [])],
    )
    t.equal(refused.code, 2, words)
    t.ok(refused.stderr.includes(words), `says: ${words}`)
  }
})
