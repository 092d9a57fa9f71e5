import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ContractError, CorruptFileError, RunMismatchError } from '../../lib/errors.js'
import { parquetEncoder } from '../../lib/parquet/encoders/index.js'
import {
  type ManifestEntry,
  openCutWriter,
  openRunDirectory,
  type RunDirectory,
  readManifest,
  readRunRecord,
  recoverRunDirectory,
} from '../../lib/sinks/index.js'
import { formatLine } from '../../lib/sinks/manifest.js'
import { nodeFiles } from '../../lib/storage/files.js'

t.setTimeout(120_000)

const record = { pinned: { shards: [{ path: 'a.jsonl', bytes: 3 }], seed: 1 }, free: { threads: 2 } }

async function withTwoCuts(directory: string): Promise<RunDirectory> {
  const run = await openRunDirectory({ directory, record })
  const columns = [{ name: 'id', type: 'string' as const }]
  const encoder = await parquetEncoder()
  const writer = await openCutWriter({ files: nodeFiles, directory, columns, splits: ['s'], encoder, from: run.last })
  for (let cut = 0; cut < 2; cut++) {
    await writer.row('s', { id: `${cut}` })
    await writer.commit({ blocks: cut + 1, cursor: { at: cut, 名: '中' }, dedupLogBytes: 0, counters: { rows: cut } })
  }
  return run
}

t.test('a run directory reopens at its last cut, and a free value may change', async (t) => {
  const directory = join(t.testdir(), 'out', 'run')
  const first = await withTwoCuts(directory)
  t.equal(first.last, null)
  await first.close()
  const again = await openRunDirectory({
    directory,
    record: { ...record, free: { threads: 4 } },
    fresh: undefined as never,
  })
  t.match(again.last, { cut: 1, blocks: 2, cursor: { at: 1, 名: '中' }, counters: { rows: 1 } })
  t.equal(JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')).free.threads, 4)
  await again.close()
  t.notOk(existsSync(join(directory, 'lock.json')))
})

t.test('a run with other pinned values is refused with the difference', async (t) => {
  const directory = t.testdir()
  await (await withTwoCuts(directory)).close()
  const changed = { pinned: { shards: [{ path: 'a.jsonl', bytes: 4 }], extra: true }, free: {} }
  await t.rejects(openRunDirectory({ directory, record: changed }), {
    name: 'RunMismatchError',
    message: /extra was absent, is true\n.*seed was 1, is absent\n.*shards\[0\]\.bytes was 3, is 4/,
  })
  t.same((await readManifest(directory)).length, 2, 'nothing was touched')
  await (await openRunDirectory({ directory, record })).close()
})

t.test('fresh refuses a directory with a run, and discards all but the replies when forced', async (t) => {
  const directory = t.testdir({ replies: { 'a.log': 'paid for' }, dedup: { 'index.log': 'x' } })
  await (await withTwoCuts(directory)).close()
  await t.rejects(openRunDirectory({ directory, record, fresh: 'refuse' }), RunMismatchError)
  const other = { pinned: { seed: 2 }, free: {} }
  const run = await openRunDirectory({ directory, record: other, fresh: 'discard' })
  t.equal(run.last, null)
  await run.close()
  t.same(readdirSync(join(directory, 'data')), [])
  t.same(readdirSync(join(directory, 'dedup')), [])
  t.same(readdirSync(join(directory, 'replies')), ['a.log'])
})

t.test('a directory of another program, or a damaged one, is refused with advice', async (t) => {
  const directory = t.testdir()
  await (await withTwoCuts(directory)).close()
  const path = join(directory, 'run.json')
  const whole = readFileSync(path)
  rmSync(path)
  await t.rejects(openRunDirectory({ directory, record }), { name: 'RunMismatchError', message: /no run\.json/ })
  writeFileSync(path, whole.subarray(0, 10))
  await t.rejects(openRunDirectory({ directory, record }), CorruptFileError)
  writeFileSync(path, '{}')
  await t.rejects(openRunDirectory({ directory, record }), CorruptFileError)
  writeFileSync(path, whole)
  const part = join(directory, 'data', 's-000000-000.parquet')
  const bytes = readFileSync(part)
  writeFileSync(part, bytes.with(50, (bytes[50] as number) ^ 1))
  const soon = Date.now() / 1000 + 10
  utimesSync(part, soon, soon)
  await t.rejects(openRunDirectory({ directory, record }), {
    name: 'CorruptFileError',
    message: /s-000000-000\.parquet was committed with .* now has another sha256/,
  })
  writeFileSync(part, bytes)
  utimesSync(part, soon, soon)
  await (await openRunDirectory({ directory, record })).close()
  writeFileSync(part, bytes.subarray(1))
  await t.rejects(openRunDirectory({ directory, record }), {
    name: 'CorruptFileError',
    message: /s-000000-000\.parquet was committed with/,
  })
  rmSync(part)
  await t.rejects(openRunDirectory({ directory, record }), { name: 'CorruptFileError', message: /is missing/ })
  t.notOk(existsSync(join(directory, 'lock.json')), 'the lock was let go each time')
})

t.test('a manifest cut at any byte is recovered to the cuts whose lines are whole', async (t) => {
  const directory = t.testdir()
  await (await withTwoCuts(directory)).close()
  const path = join(directory, 'manifest.jsonl')
  const whole = readFileSync(path)
  const firstLine = whole.indexOf(10) + 1
  const parts = ['s-000000-000.parquet', 's-000001-000.parquet'].map((name) => ({
    path: join(directory, 'data', name),
    bytes: readFileSync(join(directory, 'data', name)),
  }))
  for (let length = whole.length; length >= 0; length--) {
    writeFileSync(path, whole.subarray(0, length))
    for (const part of parts) writeFileSync(part.path, part.bytes)
    // The newline is written again where it is all that is missing.
    const cuts = length >= whole.length - 1 ? 2 : length >= firstLine - 1 ? 1 : 0
    if (cuts === 0) {
      const error = await recoverRunDirectory(directory).catch((error) => error)
      if (!/lines at its end were lost/.test(error.message)) t.fail(`${length} bytes: ${error}`)
      rmSync((parts[1] as { path: string }).path)
    }
    const last = await recoverRunDirectory(directory)
    if ((last?.cut ?? -1) !== cuts - 1) t.fail(`${length} bytes: last cut is ${last?.cut}`)
    const left = readdirSync(join(directory, 'data')).length
    if (left !== cuts) t.fail(`${length} bytes: ${left} parts left`)
    const bytes = readFileSync(path).length
    if (bytes !== [0, firstLine, whole.length][cuts]) t.fail(`${length} bytes: the manifest has ${bytes}`)
  }
  t.pass(`${whole.length} lengths`)
})

t.test('a flipped bit in any line of the manifest is refused, the last one too: it is not torn', async (t) => {
  const directory = t.testdir()
  await (await withTwoCuts(directory)).close()
  const path = join(directory, 'manifest.jsonl')
  const whole = readFileSync(path)
  // Of each byte one bit, another one in turn.
  for (let at = 0; at < whole.length; at++) {
    const bit = at * 8 + (at % 8)
    writeFileSync(path, whole.with(at, (whole[at] as number) ^ (1 << (bit & 7))))
    const found = await readManifest(directory).catch((error) => error)
    const isLastNewline = at === whole.length - 1
    const right = isLastNewline ? found.length === 2 : found instanceof CorruptFileError
    if (!right) t.fail(`bit ${bit}: ${found instanceof Error ? found : `${found.length} cuts`}`)
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.alloc(300), Buffer.from('"}\n')]))
  t.equal((await readManifest(directory)).length, 2, 'zeros are what a crash leaves')
  writeFileSync(path, whole.with(whole.length - 1, 0xff))
  await recoverRunDirectory(directory)
  t.same(readFileSync(path), whole, 'a damaged last newline is written again')
})

t.test('a flipped bit anywhere in run.json is refused, even if it is still valid JSON', async (t) => {
  const directory = t.testdir()
  await (await withTwoCuts(directory)).close()
  const path = join(directory, 'run.json')
  const whole = readFileSync(path)
  // Of each byte one bit, another one in turn.
  for (let at = 0; at < whole.length; at++) {
    const bit = at * 8 + (at % 8)
    writeFileSync(path, whole.with(at, (whole[at] as number) ^ (1 << (bit & 7))))
    const found = await readRunRecord(directory).catch((error) => error)
    if (!(found instanceof CorruptFileError) || !found.message.includes(path)) t.fail(`bit ${bit}: ${found}`)
  }
  writeFileSync(path, '{"pinned":{},"free":{}}')
  await t.rejects(readRunRecord(directory), { code: 'KUN_CORRUPT_FILE', message: /it has no checksum at its end/ })
})

t.test('recovery deletes parts that no line names and leftovers, and no other file', async (t) => {
  const directory = t.testdir()
  await (await withTwoCuts(directory)).close()
  const mine = ['s-000002-000.parquet', 's-000002-001.parquet.writing', 'other-000000-000.parquet']
  for (const name of mine) writeFileSync(join(directory, 'data', name), 'x')
  writeFileSync(join(directory, 'data', 'notes.txt'), 'x')
  writeFileSync(join(directory, 'run.json.writing'), 'x')
  await recoverRunDirectory(directory)
  t.same(readdirSync(join(directory, 'data')), ['notes.txt', 's-000000-000.parquet', 's-000001-000.parquet'])
  t.notOk(existsSync(join(directory, 'run.json.writing')))
})

t.test('a manifest path that leads elsewhere is refused, when written and when read', async (t) => {
  const file = { split: 's', rows: 1, bytes: 1, sha256: 'a'.repeat(64) }
  const entry = (path: string): ManifestEntry => ({
    cut: 0,
    blocks: 1,
    cursor: null,
    dedupLogBytes: 0,
    counters: {},
    files: [{ ...file, path }],
  })
  for (const path of [
    '../x-000000-000.parquet',
    '/etc/passwd',
    'data/../s-000000-000.parquet',
    'data/a/s-000000-000.parquet',
  ]) {
    t.throws(() => formatLine(entry(path)), ContractError, path)
  }
  const line = formatLine(entry('data/s-000000-000.parquet'))
  t.match(line, /,"crc32":"[0-9a-f]{8}"\}\n$/)
  const directory = t.testdir({ 'manifest.jsonl': line })
  t.equal((await readManifest(directory)).length, 1)
})
