import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { downloadFile, listFiles } from '@huggingface/hub'
import t from 'tap'
import { parse } from 'yaml'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { publish } from '../../lib/publish/publish.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { projectRoot } from '../support/root.js'
import { bytesOf, runTiny } from '../support/session.js'

/** Two folders with a file of the same name, so that paths alone would be ambiguous. */
function twoSources(root: string): string {
  const text = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'), 'utf8')
  const lines = text.trimEnd().split('\n')
  for (const [index, name] of ['books', 'web'].entries()) {
    mkdirSync(join(root, name))
    const own = lines.filter((_, at) => at % 2 === index)
    writeFileSync(join(root, name, 'part.jsonl'), `${own.join('\n')}\n`)
  }
  const source = (name: string) => `{ split: train, name: ${name}, text: text, files: '${root}/${name}/*.jsonl' }`
  return `sources=[${source('books')}, ${source('web')}]`
}

t.test('sources of one split: one set of files, one account, and rows that name their source', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const sources = twoSources(root)
  const directory = join(root, 'run')
  const run = (to: string, threads: number) =>
    runTiny({ directory: to, endpoint: server.url, small: true, set: [sources, `workers.threads=${threads}`] })
  await run(directory, 1)
  await run(join(root, 'again'), 3)
  t.strictSame(bytesOf(join(root, 'again')), bytesOf(directory), 'with one thread and with three')

  const names = new Map<string, number>()
  const files = (await readManifest(directory)).flatMap((cut) => cut.files)
  for (const { path, split } of files) {
    if (split === null) continue
    t.match(path, /^data\/train-/)
    const part = await openPart(join(directory, path))
    for await (const { source, shard } of rowsOf(part)) {
      const key = `${source} ${shard}`
      names.set(key, (names.get(key) ?? 0) + 1)
    }
    await part.close()
  }
  t.strictSame([...names.keys()].sort(), ['books books/part.jsonl', 'web web/part.jsonl'])
  const { splits } = JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8'))
  t.strictSame(Object.keys(splits), ['train'])
  t.equal(
    splits.train.rows,
    [...names.values()].reduce((sum, count) => sum + count, 0),
  )
  const { findings } = await verifyDirectory(directory)
  t.strictSame(findings, [], 'ids are unique and offsets in order, although the paths in both folders are equal')

  const hub = await startHub({ directory: join(root, 'hub') })
  t.teardown(() => hub.close())
  const connection = { triesMax: 1, backoffMs: 0 }
  await publish({ directory, repo: 'me/shared', hubUrl: hub.url, token: 'hf_writer', connection })
  const client = { repo: 'datasets/me/shared', hubUrl: hub.url, accessToken: 'hf_writer' }
  const data: string[] = []
  for await (const { path } of listFiles({ ...client, recursive: true })) {
    if (path.startsWith('data/')) data.push(path)
  }
  t.strictSame(data, ['data/train-00000-of-00001.parquet'])
  const card = await (await downloadFile({ ...client, path: 'README.md' }))?.text()
  const head = parse(/^---\n([\s\S]*?)\n---/.exec(card ?? '')?.[1] ?? '')
  t.match(head.configs, [{ data_files: [{ split: 'train', path: 'data/train-*' }] }])
  t.match(card, /\| `train`, source `books` \| files \| 1 \|.*\n\| `train`, source `web` \| files \| 1 \|/)
})
