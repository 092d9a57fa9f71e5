import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SourceNotFoundError } from '../../lib/errors.js'
import { localShards } from '../../lib/sources/index.js'
import { collect, records } from './support.js'

const mapping = { text: 'text' }
const list = (root: string, ...files: string[]) => localShards({ split: 's', root, files, mapping })
const paths = async (root: string, ...files: string[]) => (await list(root, ...files)).map(({ path }) => path)
const isRoot = process.getuid?.() === 0

t.test('unreadable files are listed with their reject, and are one reject each; nothing is skipped', async (t) => {
  const root = t.testdir({
    'a.jsonl': '{"text":"一"}\n',
    'empty.jsonl': '',
    'folder.jsonl': {},
    'nothing.jsonl': t.fixture('symlink', '../blobs/not-downloaded'),
    'self.jsonl': t.fixture('symlink', 'self.jsonl'),
    'device.jsonl': t.fixture('symlink', '/dev/null'),
  })
  execFileSync('mkfifo', [join(root, 'pipe.jsonl')])
  const shards = await list(root, '*.jsonl')
  t.strictSame(
    shards.map(({ path, reject }) => `${path} ${reject?.reason ?? 'readable'}`),
    [
      'a.jsonl readable',
      'device.jsonl shard-unreadable',
      'empty.jsonl shard-empty',
      'folder.jsonl shard-unreadable',
      'nothing.jsonl shard-missing',
      'pipe.jsonl shard-unreadable',
      'self.jsonl shard-missing',
    ],
  )
  const blocks = await collect(shards)
  t.equal(blocks.flatMap((block) => records(block)).length, 1)
  t.strictSame(
    blocks.flatMap(({ block }) => block.rejected.map(({ reason }) => `${block.shard} ${reason}`)).sort(),
    shards.flatMap(({ path, reject }) => (reject == null ? [] : [`${path} ${reject.reason}`])),
  )
  for (const { cursor } of blocks) {
    const rest = await collect(shards, {}, JSON.parse(JSON.stringify(cursor)))
    t.equal(rest.length, blocks.length - cursor.block, 'and a run resumes after each of them')
  }
})

t.test('a file or directory without permission is one reject', { skip: isRoot && 'root may read all' }, async (t) => {
  const root = t.testdir({ 'a.jsonl': '{"text":"一"}\n', 'b.jsonl': '{}\n', closed: { 'c.jsonl': '{}\n' } })
  for (const name of ['b.jsonl', 'closed']) chmodSync(join(root, name), 0)
  t.teardown(() => chmodSync(join(root, 'closed'), 0o700))
  const shards = await list(root, '**/*.jsonl')
  t.strictSame(
    shards.map(({ path, reject }) => [path, reject?.detail ?? 'readable']),
    [
      ['a.jsonl', 'readable'],
      ['b.jsonl', 'permission denied (EACCES)'],
      ['closed', 'a directory that cannot be listed (EACCES)'],
    ],
  )
})

t.test('a name that is not UTF-8 is read; ids and messages show its bytes', async (t) => {
  const root = t.testdir({ 'ok.jsonl': '{"text":"好"}\n', '%D6%D0.jsonl': '{"text":"转义"}\n', 中文: {} })
  const gbk = (name: number[]) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name), Buffer.from('.jsonl')])
  try {
    writeFileSync(gbk([0xd6, 0xd0, 0xce, 0xc4]), '{"text":"中文"}\n')
    writeFileSync(gbk([0xd6, 0xd0]), '{"text":"中"}\n')
    mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xb2, 0xe2])]))
    writeFileSync(
      Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xb2, 0xe2]), Buffer.from('/深.jsonl')]),
      '{"text":"深"}\n',
    )
  } catch {
    t.comment('this file system takes names in UTF-8 only')
    return
  }
  const shards = await list(root, '**/*.jsonl')
  t.strictSame(
    shards.map(({ path, reject }) => [path, reject ?? null]),
    [
      ['%B2%E2/深.jsonl', null],
      ['%D6%D0%CE%C4.jsonl', null],
      ['%D6%D0.jsonl', null],
      ['%D6%D0.jsonl~', null],
      ['ok.jsonl', null],
    ],
    'each has a path of its own',
  )
  t.strictSame((await collect(shards)).flatMap((block) => records(block)).sort(), [
    '{"text":"中"}',
    '{"text":"中文"}',
    '{"text":"好"}',
    '{"text":"深"}',
    '{"text":"转义"}',
  ])
})

t.test('links to directories are followed, and a cyclic link does not loop', async (t) => {
  const root = t.testdir({ data: { 'a.jsonl': '{}\n' }, 'part.parquet': { 'b.jsonl': '{}\n' } })
  symlinkSync('../data', join(root, 'data', 'again'))
  symlinkSync('../part.parquet', join(root, 'data', 'more'))
  t.strictSame(await paths(root, 'data/**/*'), ['a.jsonl', 'more/b.jsonl'])
  t.strictSame(await paths(root, '**/*.{jsonl,parquet}'), ['data/a.jsonl', 'data/more/b.jsonl', 'part.parquet/b.jsonl'])
})

t.test('patterns match as documented, and "!" excludes files and whole directories', async (t) => {
  const root = t.testdir({
    'a.jsonl': '{}',
    'b(1).jsonl': '{}',
    '[c].jsonl': '{}',
    '.hidden.jsonl': '{}',
    data: { 'x.jsonl': '{}', deep: { 'y.jsonl': '{}', '.z': { 'z.jsonl': '{}' } } },
  })
  t.strictSame(await paths(root, '*.jsonl'), ['[c].jsonl', 'a.jsonl', 'b(1).jsonl'])
  t.strictSame(await paths(root, 'b(1).jsonl', '\\[c\\].jsonl'), ['[c].jsonl', 'b(1).jsonl'])
  t.strictSame(await paths(root, '**/*.jsonl', '!data/deep'), ['[c].jsonl', 'a.jsonl', 'b(1).jsonl', 'data/x.jsonl'])
  await t.rejects(list(root, '*.jsonl', '!*.jsonl'), { message: /every file that matches is excluded/ })
  t.strictSame(await paths(root, './data/*/*.jsonl'), ['deep/y.jsonl'])
  t.strictSame(await paths(root, 'data/{x,deep/y}.jsonl'), ['deep/y.jsonl', 'x.jsonl'])
  t.strictSame(await paths(root, '.hidden.jsonl', 'data/deep/.z/*'), ['.hidden.jsonl', 'data/deep/.z/z.jsonl'])
  t.strictSame(await paths(join(root, 'data'), '../*.jsonl', '!../a.jsonl'), ['[c].jsonl', 'b(1).jsonl'])
})

t.test('a source of which no file can be read is refused at the start', async (t) => {
  const root = t.testdir({ 'a.jsonl': t.fixture('symlink', 'none'), b: {} })
  await t.rejects(list(root, '*.jsonl'), { code: 'KUN_SOURCE_NOT_FOUND', message: /a\.jsonl: there is nothing/ })
  await t.rejects(list(root, 'b'), { constructor: SourceNotFoundError, message: /b\/\*\*\/\*\.jsonl/ })
  await t.rejects(list(root, 'c/*'), SourceNotFoundError)
})
