import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest, readRunRecord } from '../../lib/sinks/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { bytesOn, differing, documents, runMini, startMini } from './mini-run.js'
import { cutShort, inOrder, shardRejects } from './paused-runs.js'

t.setTimeout(300_000)

const server = await startSimulator({ nonce: true })
t.teardown(() => server.close())

/** Good shards, and one broken in each way; the order is fixed so that cuts are known. */
function brokenCorpus(root: string): Record<string, string> {
  const input = join(root, 'in')
  mkdirSync(input)
  const lines = documents(20)
  for (const [index, name] of ['a', 'm', 'z'].entries()) {
    writeFileSync(join(input, `${name}.jsonl`), lines.slice(index * 6, index * 6 + 6).join('\n'))
  }
  writeFileSync(join(input, 'b.parquet'), 'this is not Parquet, whatever its name says')
  const columns = parquetWriteBuffer({ columnData: [{ name: 'body', data: lines, type: 'STRING' }] })
  writeFileSync(join(input, 'bb.parquet'), Buffer.from(columns))
  writeFileSync(join(input, 'c.jsonl.gz'), Buffer.concat([Buffer.from([0x1f, 0x8b, 9, 0xff]), Buffer.alloc(90, 7)]))
  writeFileSync(join(input, 'd.rar'), Buffer.from('Rar!\x1a\x07\x01\x00 whatever follows'))
  writeFileSync(join(input, 'e.jsonl'), '')
  mkdirSync(join(input, 'f.jsonl'))
  symlinkSync('../blobs/none', join(input, 'g.jsonl'))
  execFileSync('mkfifo', [join(input, 'h.jsonl')])
  return {
    'b.parquet': 'shard-corrupt',
    'bb.parquet': 'shard-columns',
    'c.jsonl.gz': 'shard-corrupt',
    'd.rar': 'shard-unsupported',
    'e.jsonl': 'shard-empty',
    'f.jsonl': 'shard-unreadable',
    'g.jsonl': 'shard-missing',
    'h.jsonl': 'shard-unreadable',
  }
}

t.test('a shard broken in any way is one reject and the run continues; resumed, it gives the same bytes', async (t) => {
  const root = t.testdir()
  const expected = brokenCorpus(root)
  const run = { directory: join(root, 'run'), endpoint: server.url, input: join(root, 'in/*'), set: inOrder }
  t.equal(await runMini(run), 'input')
  const bad = await shardRejects(run.directory)
  t.strictSame(Object.fromEntries(bad.map(({ shard, reason }) => [shard, reason])), expected)
  t.equal(bad.length, Object.keys(expected).length, 'one each')

  const whole = await bytesOn(nodeFiles, run.directory)
  const again = { ...run, directory: join(root, 'again'), set: [...inOrder, `replies.from=[${run.directory}]`] }
  for (let commits = 1; commits <= 3; commits++) await cutShort(again, 1)
  t.equal(await runMini(again), 'input')
  t.strictSame(differing(await bytesOn(nodeFiles, again.directory), whole), [])
})

t.test('a shard of which no committed block was read can be removed, and the run continues', async (t) => {
  const root = t.testdir()
  brokenCorpus(root)
  const input = join(root, 'in')
  const run = { directory: join(root, 'run'), endpoint: server.url, input: join(input, '*.jsonl'), set: inOrder }
  await cutShort(run, 1)
  renameSync(join(input, 'm.jsonl'), join(root, 'm.away'))
  const told: string[] = []
  const session = await startMini(run, { onEvent: (message) => void told.push(message) })
  t.equal(await session.done, 'input')
  t.match(told.join('\n'), /m\.jsonl \(skypile\) is not listed any more: removed/)
  const pinned = (await readRunRecord(run.directory))?.pinned.shards as { path: string; removed?: true }[]
  t.strictSame(
    pinned.filter(({ removed }) => removed).map(({ path }) => path),
    ['m.jsonl'],
    'run.json says so',
  )
  const shards = new Set<unknown>()
  for (const name of await nodeFiles.list(join(run.directory, 'data'))) {
    const part = await openPart(join(run.directory, 'data', name))
    for await (const { shard } of rowsOf(part)) shards.add(shard)
    await part.close()
  }
  t.ok(shards.has('a.jsonl') && shards.has('z.jsonl') && !shards.has('m.jsonl'))

  renameSync(join(root, 'm.away'), join(input, 'm.jsonl'))
  await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', message: /m\.jsonl.*listed again.*cannot be added/ })
})

t.test('a shard of which committed blocks were read cannot be removed, exchanged or added, and is named', async (t) => {
  const root = t.testdir()
  brokenCorpus(root)
  const input = join(root, 'in')
  const run = { directory: join(root, 'run'), endpoint: server.url, input: join(input, '*.jsonl'), set: inOrder }
  await cutShort(run, 1)
  const cuts = (await readManifest(run.directory)).length
  renameSync(join(input, 'a.jsonl'), join(root, 'a.away'))
  await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', exitCode: 2, message: /a\.jsonl.*cannot be removed/ })
  symlinkSync('nothing', join(input, 'a.jsonl'))
  await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', message: /a\.jsonl.*cannot be read any more/ })
  unlinkSync(join(input, 'a.jsonl'))
  renameSync(join(root, 'a.away'), join(input, 'a.jsonl'))
  writeFileSync(join(input, 'b.jsonl'), '{"text":"new"}\n')
  await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', message: /b\.jsonl.*not a shard of this run/ })
  rmSync(join(input, 'b.jsonl'))
  t.equal((await readManifest(run.directory)).length, cuts, 'nothing was committed in between')
  t.equal(await runMini(run), 'input', 'put back, it resumes')
})

t.test(
  'a link that is mended: before its reject is committed the file is read, afterwards the reject stays',
  async (t) => {
    const root = t.testdir()
    const input = join(root, 'in')
    mkdirSync(input)
    const lines = documents(20)
    writeFileSync(join(input, 'a.jsonl'), lines.slice(0, 6).join('\n'))
    symlinkSync('../b.file', join(input, 'b.jsonl'))
    const mend = () => writeFileSync(join(root, 'b.file'), lines.slice(6, 12).join('\n'))
    const run = { directory: join(root, 'run'), endpoint: server.url, input: join(input, '*'), set: inOrder }
    await cutShort(run, 1)
    mend()
    t.equal(await runMini(run), 'input')
    t.notOk((await shardRejects(run.directory)).some(({ reason }) => reason === 'shard-missing'))

    rmSync(join(root, 'b.file'))
    const other = { ...run, directory: join(root, 'other') }
    t.equal(await runMini(other), 'input')
    mend()
    const told: string[] = []
    const session = await startMini(other, { onEvent: (message) => void told.push(message) })
    t.equal(await session.done, 'input')
    t.match(told.join('\n'), /b\.jsonl.*its reject is committed and stays/)
    t.ok((await shardRejects(other.directory)).some(({ reason }) => reason === 'shard-missing'))
  },
)
