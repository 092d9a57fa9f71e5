import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openFilesMax } from '../../lib/core/concurrent.js'
import { CorruptFileError } from '../../lib/errors.js'
import { parquetEncoder } from '../../lib/parquet/encoders/index.js'
import { openCutWriter, readManifest } from '../../lib/sinks/index.js'
import { appendToManifest, formatLine, scanManifest } from '../../lib/sinks/manifest.js'
import type { ManifestEntry } from '../../lib/sinks/types.js'
import { type FileLayer, nodeFiles, writeFileDurably } from '../../lib/storage/files.js'
import { openReplies } from '../../lib/storage/replies/replies.js'

t.test('a committed part that is deleted during a run stops it at the next commit, and is named', async (t) => {
  const directory = t.testdir()
  const columns = [{ name: 'id', type: 'string' as const }]
  const encoder = await parquetEncoder()
  const writer = await openCutWriter({ files: nodeFiles, directory, columns, splits: ['s'], encoder, from: null })
  const commit = async (cut: number) => {
    await writer.row('s', { id: `${cut}` })
    await writer.commit({ blocks: cut + 1, cursor: null, dedupLogBytes: 0, counters: {} })
  }
  for (let cut = 0; cut < 3; cut++) await commit(cut)
  rmSync(join(directory, 'data', 's-000001-000.parquet'))
  await t.rejects(commit(3), {
    code: 'KUN_CORRUPT_FILE',
    message: /data\/s-000001-000\.parquet was committed and was deleted during the run/,
  })
  t.equal((await readManifest(directory)).length, 3, 'the cut is not committed')
  await writer.abandon()
})

t.test('files with other names in data/ do not hide a missing part', async (t) => {
  const directory = t.testdir({ data: { 'notes.txt': '', 's-000009-000.parquet.writing': '' } })
  const columns = [{ name: 'id', type: 'string' as const }]
  const encoder = await parquetEncoder()
  const writer = await openCutWriter({ files: nodeFiles, directory, columns, splits: ['s'], encoder, from: null })
  for (let cut = 0; cut < 2; cut++) {
    await writer.row('s', { id: `${cut}` })
    await writer.commit({ blocks: cut + 1, cursor: null, dedupLogBytes: 0, counters: {} })
  }
  rmSync(join(directory, 'data', 's-000000-000.parquet'))
  writeFileSync(join(directory, 'data', 'more.txt'), '')
  await writer.row('s', { id: '2' })
  await t.rejects(writer.commit({ blocks: 3, cursor: null, dedupLogBytes: 0, counters: {} }), CorruptFileError)
  await writer.abandon()
})

function entry(cut: number, chars: number): ManifestEntry {
  const cursor = { shard: '文'.repeat(chars) }
  return { cut, blocks: cut + 1, cursor, dedupLogBytes: 0, counters: {}, files: [] }
}

t.test('a manifest is read in pieces: its lines may end anywhere, and be longer than a piece', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'manifest.jsonl')
  // Lines of 1 to 3,000 characters of three bytes each, one of them over 1 MiB, in some 5 MiB.
  const sizes = Array.from({ length: 1000 }, (_, cut) => (cut === 500 ? 500_000 : 1 + ((cut * 37) % 3000)))
  writeFileSync(path, sizes.map((chars, cut) => formatLine(entry(cut, chars))).join(''))
  const { entries, wholeBytes, tornBytes } = await scanManifest(directory, nodeFiles)
  t.equal(entries.length, sizes.length)
  t.strictSame(
    entries.map(({ cursor }) => (cursor as { shard: string }).shard.length),
    sizes,
  )
  t.equal(tornBytes, 0)
  t.equal(wholeBytes, await nodeFiles.sizeBytes(path))
  await appendToManifest(nodeFiles, directory, entry(1000, 5))
  t.equal((await readManifest(directory)).length, 1001)
})

t.test('a file that could not be read back is rejected before anything is written', async (t) => {
  const directory = t.testdir({ 'run.json': 'old' })
  const path = join(directory, 'run.json')
  await t.rejects(writeFileDurably(nodeFiles, path, Buffer.alloc(1001), 1000), {
    code: 'KUN_TOO_LARGE',
    exitCode: 2,
    message: /would have 1001 bytes, more than the 1000 that can be read back: divide the input/,
  })
  t.same(readdirSync(directory), ['run.json'])
  await writeFileDurably(nodeFiles, path, Buffer.alloc(1000), 1000)
  t.equal(await nodeFiles.sizeBytes(path), 1000)
  const cursor = { shard: 'x'.repeat(30_000_000) }
  t.throws(() => formatLine({ ...entry(0, 1), cursor }), { code: 'KUN_CONTRACT', message: /could not be read back/ })
})

t.test('thousands of concurrent lookups of replies open few files', async (t) => {
  const directory = join(t.testdir(), 'earlier', 'replies')
  const keys = Array.from({ length: 3000 }, () => randomBytes(16))
  const earlier = await openReplies({ files: nodeFiles, directory, mode: 'keep', segmentBytes: 64 * 1024 })
  for (const key of keys) await earlier.keep(key, 0, { verdict: { reason: 'r', detail: 'd'.repeat(100) } })
  await earlier.close()
  let open = 0
  let most = 0
  const files: FileLayer = {
    ...nodeFiles,
    open: async (path, mode) => {
      most = Math.max(most, ++open)
      const file = await nodeFiles.open(path, mode)
      return Object.assign(file, {
        close: async () => {
          open--
          await Object.getPrototypeOf(file).close.call(file)
        },
      })
    },
  }
  const own = join(t.testdirName, 'own', 'replies')
  const replies = await openReplies({ files, directory: own, mode: 'keep', from: [directory] })
  most = open
  const found = await Promise.all(keys.map((key) => replies.find(key)))
  t.ok(found.every((each) => each !== null))
  t.ok(most <= openFilesMax + 1, `${most} files were open`)
  await replies.close()
  t.ok(existsSync(own))
})
