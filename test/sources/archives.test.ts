import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { compress, init } from '@bokuweb/zstd-wasm'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import tar from 'tar-stream'
import type { Shard } from '../../lib/sources/index.js'
import { brokenCursors, collect, documents, type MemoryShard, memoryShard, records, summary } from './support.js'

const seed = Number(process.env.KUN_SEED ?? 20240607)
t.comment(`seed ${seed}`)
await init()

const texts = documents(60, seed)
const lines = texts.map((text) => `${text}\n`).join('')
const array = `[${texts.join(',')}]`

async function packed(
  members: readonly (Partial<tar.Header> & { name: string } & { content?: string | Buffer })[],
): Promise<Buffer> {
  const pack = tar.pack()
  for (const { content, ...header } of members) pack.entry({ mtime: new Date(0), ...header }, content ?? '')
  pack.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of pack) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function zstd(content: Buffer | string): Buffer {
  return Buffer.from(compress(Buffer.from(content), 3))
}

const longName = `${'目录/'.repeat(60)}part-长.jsonl`
const members = await packed([
  { name: 'corpus/', type: 'directory' },
  { name: 'corpus/one.jsonl', content: texts.slice(0, 25).join('\n') },
  { name: '._one.jsonl', content: 'Mac OS X metadata' },
  { name: longName, content: `[${texts.slice(25, 40).join()}]` },
  { name: '../../escape.json', content: `{"RECORDS":[${texts.slice(40).join()}]}` },
])
const half = Math.floor(lines.indexOf('\n', lines.length / 2)) + 1

const formats: Record<string, { path: string; content: Buffer; seeks: boolean }> = {
  gzip: { path: 'a.jsonl.gz', content: gzipSync(lines), seeks: false },
  'gzip of several members': {
    path: 'a.jsonl.gz',
    content: Buffer.concat([gzipSync(lines.slice(0, half)), gzipSync(lines.slice(half))]),
    seeks: false,
  },
  'gzip of an array, without a telling name': { path: 'part', content: gzipSync(array), seeks: false },
  zstd: { path: 'a.jsonl.zst', content: zstd(lines), seeks: false },
  'zstd of several frames': {
    path: 'a.json.zst',
    content: Buffer.concat([zstd(lines.slice(0, half)), zstd(lines.slice(half))]),
    seeks: false,
  },
  tar: { path: 'a.tar', content: members, seeks: true },
  'tar in gzip': { path: 'part-006853-a894b46e.jsonl.tar.gz', content: gzipSync(members), seeks: false },
  'tar in zstd': { path: 'a.tar.zst', content: zstd(members), seeks: false },
}

for (const [name, { path, content, seeks }] of Object.entries(formats)) {
  t.test(`${name}: every record comes whole and once, however the bytes arrive`, async (t) => {
    const blocks = await collect([memoryShard(path, content)])
    t.strictSame(
      blocks.flatMap((each) => records(each)),
      texts,
    )
    t.ok(blocks.length > 8)
    t.strictSame(
      blocks.flatMap(({ block }) => block.rejected),
      [],
    )
    t.equal(new Set(blocks.map(({ block }) => block.bytes.buffer)).size, blocks.length, 'a buffer each')
    for (const chunkBytesMax of [3, 100, 513, 1e6]) {
      const again = await collect([memoryShard(path, content, seed, chunkBytesMax)])
      t.strictSame(summary(again), summary(blocks), `${chunkBytesMax}`)
    }
  })

  t.test(`${name}: going on from any block gives exactly the rest`, async (t) => {
    const shard = memoryShard(path, content, seed)
    const { blocks, broken } = await brokenCursors([shard])
    t.strictSame(broken, [])
    const seeked = shard.opened.filter((offset) => offset > 0).length
    if (seeks) t.ok(seeked >= blocks - 1)
    else t.equal(seeked, 0)
  })

  t.test(`${name}: cut anywhere, it gives the complete records and one reject, and nothing twice`, async (t) => {
    for (let cut = content.length - 1; cut > 0; cut -= Math.ceil(content.length / 15)) {
      const shard = memoryShard(path, content.subarray(0, cut))
      const blocks = await collect([shard])
      const found = blocks.flatMap((each) => records(each))
      const refused = blocks.flatMap(({ block }) => block.rejected.map(({ reason }) => reason))
      t.strictSame(found, texts.slice(0, found.length), `cut at ${cut}`)
      // A tar is complete once its last member and one empty block are there.
      if (found.length === texts.length && refused.length === 0) continue
      // Cut between two gzip members or zstd frames, the shard is whole by all that can be known.
      if (name.includes('several') && found.length > 0 && found.join('\n').length + 1 === lines.slice(0, half).length)
        continue
      t.strictSame(refused, ['shard-truncated'], `cut at ${cut}`)
      if (cut % 3 === 0) t.strictSame((await brokenCursors([shard])).broken, [])
    }
  })

  t.test(`${name}: a wrong byte anywhere is never a crash, and what came before it stays`, async (t) => {
    for (let at = 0; at < content.length; at += Math.ceil(content.length / 17)) {
      const wrong = Buffer.from(content)
      wrong[at] = (wrong[at] as number) ^ 0x55
      const blocks = await collect([memoryShard(path, wrong, 1, 100)])
      const again = await collect([memoryShard(path, wrong, 2, 7000)])
      t.strictSame(summary(again), summary(blocks), `byte ${at}: the same however it arrived`)
      if (path.endsWith('.gz') && !name.includes('tar')) {
        const refused = blocks.flatMap(({ block }) => block.rejected)
        if (at !== 4 && at !== 8 && at !== 9) t.ok(refused.length > 0 || at < 10, `byte ${at} is noticed`)
      }
    }
  })
}

t.test('a corrupt gzip gives the records before the corrupt place, not only those of earlier slices', async (t) => {
  const content = gzipSync(documents(4000, seed).join('\n'), { level: 1 })
  const wrong = Buffer.from(content)
  wrong.fill(0xff, Math.floor(content.length / 2), Math.floor(content.length / 2) + 40)
  const blocks = await collect([memoryShard('a.jsonl.gz', wrong, 1, 1e6)])
  const found = blocks.flatMap((each) => records(each))
  const before = gunzipSync(content.subarray(0, Math.floor(content.length / 2) - 100), {
    finishFlush: constants.Z_SYNC_FLUSH,
  })
  const whole = before.toString().split('\n').slice(0, -1)
  t.ok(content.length % 65536 > 0 && whole.length > 100)
  t.strictSame(found.slice(0, whole.length), whole)
  const refused = blocks.flatMap(({ block }) => block.rejected)
  t.equal(refused.length, 1)
  t.equal(refused[0]?.reason, 'shard-corrupt')
})

t.test('zero bytes behind a gzip are padding; other bytes are damage, and cost no record', async (t) => {
  const many = documents(3000, seed)
  const content = gzipSync(many.join('\n'))
  for (const [behind, reasons] of [
    [Buffer.alloc(300_000), []],
    [Buffer.from('what is this'), ['shard-corrupt']],
  ] as const) {
    const blocks = await collect([memoryShard('a.jsonl.gz', Buffer.concat([content, behind]), 1, 1e6)])
    t.strictSame(
      blocks.flatMap(({ block }) => block.rejected.map(({ reason }) => reason)),
      reasons,
    )
    const found = blocks.flatMap((each) => records(each))
    t.strictSame(
      found,
      reasons.length === 0 ? many : many.slice(0, -1),
      'the last line, without its newline, is not known to be whole',
    )
  }
})

t.test('a bomb is refused without being unpacked', async (t) => {
  const bomb = gzipSync(Buffer.alloc(120_000_000, 32))
  let records = 0
  const reasons: string[] = []
  for (const { block } of await collect([memoryShard('a.jsonl.gz', bomb, 1, 1e6)], { recordBytesMax: 1000 })) {
    records += block.bytes.byteLength
    reasons.push(...block.rejected.map(({ reason }) => reason))
  }
  t.equal(records, 0)
  t.strictSame(reasons, ['shard-corrupt'])
})

t.test('members that are no JSON by their name are reported, records of the others come', async (t) => {
  const content = await packed([
    { name: 'README.md', content: '# not data' },
    { name: 'a.jsonl', content: lines },
    { name: 'b.jsonl.gz', content: gzipSync(lines) },
  ])
  const blocks = await collect([memoryShard('a.tar', content)])
  t.strictSame(
    blocks.flatMap((each) => records(each)),
    texts,
  )
  t.strictSame(
    blocks.flatMap(({ block }) => block.rejected.map(({ reason, offset }) => [reason, offset])),
    [
      ['member-unsupported', 512],
      ['member-unsupported', content.lastIndexOf('b.jsonl.gz') + 512],
    ],
  )
  t.strictSame((await brokenCursors([memoryShard('a.tar', content)])).broken, [])
})

t.test('a shard that is not what its name says is one reject', async (t) => {
  for (const [path, content, reason] of [
    ['a.jsonl.gz', 'no gzip at all', 'shard-corrupt'],
    ['a.jsonl.gz', '', 'shard-truncated'],
    ['a.zst', Buffer.from([0x28, 0xb5]), 'shard-truncated'],
    ['a.parquet', 'no parquet at all', 'shard-corrupt'],
    ['a.jsonl', Buffer.from('\ufeff{"text":"一"}', 'utf16le'), 'shard-unsupported'],
    ['a.jsonl', Buffer.from('{"text":"一"}', 'utf16le'), 'shard-unsupported'],
    ['a.jsonl.gz', gzipSync(Buffer.from('\ufeff{"text":"一"}', 'utf16le')), 'shard-unsupported'],
    ['a.jsonl.gz', gzipSync(gzipSync(lines)), 'shard-unsupported'],
    ['a.jsonl.tar.gz.00', gzipSync(members).subarray(0, 500), 'shard-unsupported'],
    ['a.jsonl.tar.gz.01', gzipSync(members).subarray(500), 'shard-unsupported'],
    ['a.tar.zst.ab', Buffer.from([9, 9, 9, 9, 9]), 'shard-unsupported'],
    ['a.jsonl.br', Buffer.from([9, 9, 9, 9, 9]), 'shard-unsupported'],
    ['a.7z', Buffer.from('377abcaf271c00040000', 'hex'), 'shard-unsupported'],
    ['a.jsonl.lz4', Buffer.from('04224d1864', 'hex'), 'shard-unsupported'],
    ['a.rar', Buffer.from('Rar!\x1a\x07\x01\x00', 'latin1'), 'shard-unsupported'],
    ['a.arrow', Buffer.from('ARROW1\0\0'), 'shard-truncated'],
    ['README.md', '# no data', 'shard-unreadable'],
  ] as const) {
    const blocks = await collect([memoryShard(path, Buffer.from(content))])
    t.strictSame(
      blocks.flatMap(({ block }) => block.rejected.map((each) => each.reason)),
      [reason],
      path,
    )
    t.equal(blocks[0]?.block.bytes.byteLength, 0)
  }
  const named = (await collect([memoryShard('a.7z', Buffer.from('377abcaf271c0004', 'hex'))]))[0]?.block.rejected[0]
  t.equal(named?.detail, '7z is not read; unpack it first: 7z x FILE', 'it says what to do')
  t.equal((await collect([memoryShard('a.jsonl.gz.00', lines)])).flatMap((each) => records(each)).length, texts.length)
  t.equal((await collect([memoryShard('a.jsonl.gz', lines)])).flatMap((each) => records(each)).length, texts.length)
})

function parquetShard(rowGroupSize: number, codec: 'SNAPPY' | 'UNCOMPRESSED' = 'SNAPPY'): MemoryShard {
  const parsed = texts.map((text) => JSON.parse(text) as { id: number; text: string })
  const content = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: parsed.map(({ id }) => BigInt(id) + 2n ** 60n), type: 'INT64' },
      { name: 'text', data: parsed.map(({ id, text }) => (id === 7 ? null : text)), type: 'STRING', nullable: true },
      { name: 'unused', data: parsed.map(() => 'x'.repeat(100)), type: 'STRING' },
    ],
    rowGroupSize,
    codec,
  })
  return { ...memoryShard('a.parquet', Buffer.from(content)), mapping: { text: 'text', id: 'id' } }
}

t.test('parquet: rows come as JSON Lines of the mapped columns, in blocks inside row groups', async (t) => {
  const blocks = await collect([parquetShard(25)])
  const expected = texts.map((text) => {
    const parsed = JSON.parse(text) as { id: number; text: string }
    return { id: String(BigInt(parsed.id) + 2n ** 60n), text: parsed.id === 7 ? null : parsed.text }
  })
  t.strictSame(
    blocks.flatMap((each) => records(each)).map((text) => JSON.parse(text) as unknown),
    expected,
  )
  let row = 0
  for (const each of blocks) {
    t.equal(each.block.offset, row)
    t.equal(each.block.offsetUnit, 'row')
    t.equal(Math.floor(row / 25), Math.floor((row + records(each).length - 1) / 25), 'in one row group')
    row += records(each).length
  }
})

t.test('parquet: going on from any block gives exactly the rest', async (t) => {
  const { blocks, broken } = await brokenCursors([parquetShard(25)], { blockBytes: 600 })
  t.ok(blocks > 5)
  t.strictSame(broken, [])
})

t.test('parquet: a row over the limit is refused and rows keep their numbers', async (t) => {
  const blocks = await collect([parquetShard(25)], { recordBytesMax: 120 })
  let row = 0
  for (const { block } of blocks) {
    t.equal(block.offset, row)
    const rows = Buffer.from(block.bytes).toString().split('\n').length - 1
    if (block.rejected.length > 0) t.equal(block.rejected[0]?.offset, row + rows)
    row += rows + block.rejected.length
  }
  t.equal(row, texts.length)
  t.ok(blocks.some(({ block }) => block.rejected.length > 0))
})

t.test('parquet: a shard without the text column is one reject that names the columns it has', async (t) => {
  const shard: Shard = { ...parquetShard(25), mapping: { text: 'content' } }
  const blocks = await collect([parquetShard(25), shard, parquetShard(25)], { order: 'in-order' })
  t.strictSame(
    blocks.flatMap(({ block }) => block.rejected),
    [
      {
        offset: 0,
        reason: 'shard-columns',
        detail:
          'parquet: no column "content" for the text; columns: "id", "text", "unused". Name the right one as `text`',
        excerpt: '',
      },
    ],
  )
  t.equal(blocks.flatMap((each) => records(each)).length, 2 * texts.length, 'the other shards are read')
})

t.test('parquet: cut short or corrupt, it ends in one reject after the groups that were whole', async (t) => {
  const whole = parquetShard(20, 'UNCOMPRESSED')
  const bytes = Buffer.from(await whole.read(0, whole.sizeBytes as number, AbortSignal.timeout(1000)))
  const change = (edit: (copy: Buffer) => Buffer): Shard => {
    const shard = memoryShard('a.parquet', edit(Buffer.from(bytes)))
    return { ...shard, mapping: whole.mapping }
  }
  for (const [shard, reason] of [
    [change((copy) => copy.subarray(0, copy.length - 30)), 'shard-truncated'],
    [change((copy) => copy.fill(0xff, copy.length - 60, copy.length - 10)), 'shard-corrupt'],
    [change((copy) => copy.fill(0xff, Math.floor(copy.length / 2), copy.length - 2000)), 'shard-corrupt'],
  ] as const) {
    const refused = (await collect([shard])).flatMap(({ block }) => block.rejected)
    t.strictSame(
      refused.map((each) => each.reason),
      [reason],
    )
  }
})

t.test('parquet: bytes that cannot be read stop the run with that error, not a reject', async (t) => {
  const shard: Shard = { ...parquetShard(25), read: () => Promise.reject(new Error('the disk is gone')) }
  await t.rejects(collect([shard]), { message: 'the disk is gone' })
})
