import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { init, parse } from 'es-module-lexer'
import t from 'tap'
import * as api from '../lib/index.js'
import { projectRoot } from './support/root.js'

t.test('the package exports what it says, and every error by its code', async (t) => {
  t.strictSame(
    Object.entries(api)
      .filter(([name]) => !name.endsWith('Error'))
      .map(([name]) => name)
      .sort(),
    [
      ...['ChunkCandidate', 'Child', 'Credit', 'Rejected', 'arrowSink', 'arrowSource', 'blocks', 'chunkRows', 'chunks'],
      ...['dedup', 'from', 'hubShards', 'hubSource', 'jsonlSink', 'label', 'loadRecipe', 'localShards', 'localSource'],
      ...['mirrorRun', 'mirrorWhile', 'openMirror', 'openModels', 'openPart', 'pairRows', 'parquetSink', 'parseRecipe'],
      ...['polish', 'prepare', 'presets', 'publish', 'readManifest', 'restoreFromMirror', 'rowsOf', 'score', 'screen'],
      ...['settingsOf', 'sinkStream', 'sourceOf', 'stageStream', 'startHub', 'startKunRun', 'startSimulator'],
      ...['stdinSource', 'verifyRun', 'column', 'pair', 'perplexity', 'ifd'],
    ].sort(),
  )
  const { KunStreamError, ...rest } = api
  for (const [name, value] of Object.entries(rest)) {
    if (name.endsWith('Error')) t.ok((value as typeof KunStreamError).prototype instanceof KunStreamError, name)
  }
})

t.test('a graph of any values', async (t) => {
  const halves: api.Stage<number, number> = {
    name: 'halves',
    process: (values) => values.map((value) => (value % 2 === 0 ? { emit: [value / 2] } : { drop: 'odd' })),
  }
  const seen: (number | string)[] = []
  const sink: api.OrderedSink<number> = {
    name: 'list',
    write(released) {
      for (const { value, settlement } of released) seen.push(settlement === null ? value : `${value} dropped`)
    },
  }
  await api
    .from(
      (async function* () {
        yield* [2, 3, 4]
      })(),
    )
    .via(halves)
    .to(sink)
    .run().done
  t.strictSame(seen, [1, '3 dropped', 2])
})

t.test('package.json points at its bundle, which has the same exports and types', async (t) => {
  const { exports } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8'))
  const { types, default: bundle } = exports['.']
  t.strictSame(Object.keys(await import(join(projectRoot, bundle))).sort(), Object.keys(api).sort())
  t.equal(
    await readFile(join(projectRoot, types), 'utf8'),
    await readFile(join(projectRoot, 'dist/lib/index.d.ts'), 'utf8'),
  )
})

t.test('the library and the command share the modules of the bundle: a class is in it once', async (t) => {
  const bundle = join(projectRoot, 'dist/bundle')
  // These run nothing that imports the library, and are loaded by no other file.
  const alone = [
    'dedup/dedup-thread',
    'dedup/frames-thread',
    'dedup/index-thread',
    'sources/reading-thread',
    'workers/worker',
  ].map((name) => `lib/${name}.js`)
  const files = (await readdir(bundle, { recursive: true })).filter(
    (name) => name.endsWith('.js') && !alone.includes(name),
  )
  const texts = await Promise.all(files.map((name) => readFile(join(bundle, name), 'utf8')))
  for (const name of ['KunStreamError', 'Child']) {
    const having = files.filter((_, index) =>
      new RegExp(`\\bclass ${name}\\b|\\b${name} = class\\b`).test(texts[index] ?? ''),
    )
    t.equal(having.length, 1, `${name} is in ${having.join(', ')}`)
  }
})

t.test('importing the library loads neither the commands nor the stand-in servers', async (t) => {
  await init
  const lib = join(projectRoot, 'dist/lib')
  const loaded = new Set<string>()
  const load = async (file: string): Promise<void> => {
    if (loaded.has(file)) return
    loaded.add(file)
    const [imports] = parse(await readFile(file, 'utf8'))
    for (const each of imports) {
      const isStatic = each.type === 'static' || each.type === 'reexport-star'
      if (isStatic && each.specifier.startsWith('.')) await load(join(dirname(file), each.specifier))
    }
  }
  await load(join(lib, 'index.js'))
  const files = [...loaded].map((file) => relative(lib, file))
  t.ok(files.includes('core/graph.js') && files.includes('recipe/run-settings.js'), `${files.length} files were found`)
  t.strictSame(
    files.filter((file) => /^(?:cli|simulator)\//.test(file)),
    ['simulator/on-demand.js'],
  )
})

t.test('the options of exported functions have exported types that fit them', async (t) => {
  // What this asserts is checked by the compiler: each annotation is the type of the argument it is given as.
  const source: api.SourceNodeOptions<number> = { name: 'numbers', unit: 'number', credit: null as never }
  const { credit: _, ...plain } = source
  async function* numbers() {
    yield* [1, 2, 3]
  }
  const graph: api.GraphBuilder<number> = api.from(numbers(), plain)
  t.ok(graph)
  const reading: api.BlocksOptions = {
    ...{ blockBytes: 4096, recordBytesMax: 65_536, shardsOpenMax: 1, decodeMsMax: 1000 },
    ...((await api.loadRecipe(join(projectRoot, 'recipes/demo.yaml'))).read as api.BlocksOptions),
    order: 'in-order',
  }
  const files = [join(projectRoot, 'fixtures/skypile/data/*_0000.jsonl')]
  const shards: api.Shard[] = await api.localShards({ split: 's', root: projectRoot, files, mapping: { text: 'text' } })
  let bytes = 0
  for await (const { block } of api.blocks(shards, reading)) bytes += block.bytes.length
  t.ok(bytes > 0, `${bytes} bytes`)
})
