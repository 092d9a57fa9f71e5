import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { bytesOf, runTiny } from '../support/session.js'

async function rowsIn(directory: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (const { path, split } of (await readManifest(directory)).flatMap(({ files }) => files)) {
    if (split === null) continue
    const part = await openPart(join(directory, path))
    for await (const row of rowsOf(part)) rows.push(row)
    await part.close()
  }
  return rows
}

t.test('a second round reads the texts of the first, names their rows, and pins the parts that it read', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const first = join(root, 'first')
  await runTiny({ directory: first, endpoint: server.url, small: true })
  const [part] = (await readManifest(first)).flatMap(({ files }) => files).filter(({ split }) => split !== null)
  const path = join(first, part?.path ?? '')
  copyFileSync(path, join(first, 'data', 'stray.parquet'))

  const again = (directory: string, ...set: string[]) =>
    runTiny({
      directory,
      endpoint: server.url,
      small: true,
      set: [`sources=[{ split: again, run: '${first}' }]`, ...set],
    })
  const second = join(root, 'second')
  await again(second)
  const texts = new Map((await rowsIn(first)).map(({ id, raw }) => [id, raw]))
  const rows = await rowsIn(second)
  t.ok(rows.length > 0 && rows.length <= texts.size, `${rows.length} rows of ${texts.size} texts`)
  for (const { key, raw, shard, source } of rows) {
    t.equal(raw, texts.get(key), 'the text of the row that `key` names')
    t.match(shard, /^data\/skypile-\d{6}-\d{3}\.parquet$/, 'the stray file is not read')
    t.equal(source, 'again')
  }
  const { pinned } = JSON.parse(readFileSync(join(second, 'run.json'), 'utf8'))
  t.equal(pinned.shards[0].path, part?.path)
  t.type(pinned.shards[0].content, 'string')
  await again(join(root, 'third'), 'workers.threads=3')
  t.strictSame(bytesOf(join(root, 'third')), bytesOf(second))

  const strict = ['kun.score.keepAtLeast=0.9']
  const picky = join(root, 'picky')
  await again(picky, ...strict)
  const retried = join(root, 'retried')
  await again(retried, `sources.0.run=${picky}`, 'sources.0.files=[rejects/*.parquet]')
  const kept = new Set((await rowsIn(picky)).map(({ raw }) => raw))
  const more = await rowsIn(retried)
  t.ok(more.length > 0, `${more.length} rows of texts that the stricter run rejected`)
  t.notOk(more.some(({ raw }) => kept.has(raw)))

  await t.rejects(again(join(root, 'none'), 'sources.0.files=[data/none-*]'), {
    name: 'SourceNotFoundError',
    message: /sources\[0\]\.files: no committed part of the run .*first matches data\/none-\*: it has data\/skypile/,
  })
  await t.rejects(again(join(root, 'empty'), `sources.0.run=${root}`), { message: /nothing is committed there/ })
  await t.rejects(again('out/x', 'sources.0.run=out/x', 'output.dir=out/x'), { message: /which is output\.dir/ })
  const bytes = readFileSync(path)
  bytes[50] = (bytes[50] as number) ^ 1
  writeFileSync(path, bytes)
  await t.rejects(again(join(root, 'damaged')), { name: 'CorruptFileError', message: /now has another sha256/ })
})
