import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import tar from 'tar-stream'
import { seededRandom } from '../../lib/core/random.js'
import type { Shard } from '../../lib/sources/index.js'
import { brokenCursors, collect, documents, memoryShard, records, summary } from '../sources/support.js'

/** More on demand: KUN_FUZZ_ROUNDS=5000. */
const rounds = Number(process.env.KUN_FUZZ_ROUNDS ?? 20)
const seed = Number(process.env.KUN_SEED ?? 20240607)
t.comment(`seed ${seed}, ${rounds} rounds`)
if (process.env.KUN_FUZZ_ROUNDS) t.setTimeout(0)

const texts = documents(30, seed)

async function tarOf(content: string): Promise<Buffer> {
  const pack = tar.pack()
  pack.entry({ name: 'a.jsonl', mtime: new Date(0) }, content)
  pack.entry({ name: 'b.json', mtime: new Date(0) }, `[${texts.join()}]`)
  pack.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of pack) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const tarBytes = await tarOf(texts.join('\n'))
const starts: Record<string, Buffer> = {
  'a.jsonl': Buffer.from(texts.join('\n')),
  'a.json': Buffer.from(`[${texts.join(', ')}]`),
  'b.json': Buffer.from(`{"RECORDS": [${texts.join(',\n')}]}`),
  'c.json': Buffer.from(texts.map((text) => JSON.stringify(JSON.parse(text), null, 1)).join('\n')),
  'a.jsonl.gz': gzipSync(texts.join('\n')),
  'a.tar': tarBytes,
  'a.tar.gz': gzipSync(tarBytes),
}

const pieces = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  '\n',
  '\0',
  '\ud800',
  '{"__proto__":{}}',
  '1e999',
  '[['.repeat(50),
  '\xff',
]

/** A few places changed: bytes flipped, cut out, doubled, or something that trips a parser put in. */
function mutated(bytes: Buffer, next: () => number): Buffer {
  let result = bytes
  for (let edits = 1 + Math.floor(next() * 4); edits > 0; edits--) {
    const at = Math.floor(next() * result.length)
    const to = Math.min(result.length, at + Math.floor(next() * 60))
    const kind = next()
    const [before, middle, after] = [result.subarray(0, at), result.subarray(at, to), result.subarray(to)]
    if (kind < 0.25) result = Buffer.concat([before, Buffer.from([Math.floor(next() * 256)]), result.subarray(at + 1)])
    else if (kind < 0.45) result = Buffer.concat([before, after])
    else if (kind < 0.6) result = Buffer.concat([before, middle, middle, after])
    else if (kind < 0.7) result = before
    else {
      const piece = Buffer.from(pieces[Math.floor(next() * pieces.length)] as string, 'utf8')
      result = Buffer.concat([before, piece, result.subarray(at)])
    }
  }
  return result
}

for (const [path, start] of Object.entries(starts)) {
  t.test(
    `${path}, mutated: no crash, the same blocks however it arrives, and from every cursor the exact rest`,
    async (t) => {
      const next = seededRandom(seed)
      let found = 0
      for (let round = 0; round < rounds; round++) {
        const bytes = mutated(start, next)
        const options = { recordBytesMax: 150 + Math.floor(next() * 500), blockBytes: 1 + Math.floor(next() * 600) }
        const first = await collect([memoryShard(path, bytes, round, 40)], options)
        const again = await collect([memoryShard(path, bytes, round + 1, 5000)], options)
        const same = JSON.stringify(summary(first)) === JSON.stringify(summary(again))
        if (!same) t.strictSame(summary(again), summary(first), `round ${round} differs by arrival`)
        const buffers = new Set(first.map(({ block }) => block.bytes.buffer))
        if (buffers.size !== first.length) t.fail(`round ${round}: two blocks in one buffer`)
        for (const { block } of first) {
          const [texts, limit] = [records({ block }), options.recordBytesMax]
          if (texts.some((text) => !text.includes('\ufffd') && Buffer.byteLength(text) > limit))
            t.fail(`round ${round}: over the limit`)
          found += texts.length
        }
        if (round % 15 === 0) {
          const { broken } = await brokenCursors([memoryShard(path, bytes, round, 900)], options)
          if (broken.length > 0) t.fail(`round ${round}: cursors ${broken}`)
        }
      }
      t.ok(found > rounds, `${found} records came through`)
    },
  )
}

t.test('parquet, mutated: no crash, a reject where rows are lost', async (t) => {
  const next = seededRandom(seed)
  const content = Buffer.from(
    parquetWriteBuffer({ columnData: [{ name: 'text', data: texts, type: 'STRING' }], rowGroupSize: 10 }),
  )
  let whole = 0
  let refused = 0
  for (let round = 0; round < Math.ceil(rounds / 10); round++) {
    const bytes = mutated(content, next)
    bytes.write('PAR1', 0, 'latin1')
    const shard: Shard = { ...memoryShard('a.parquet', bytes), mapping: { text: 'text' } }
    const blocks = await collect([shard])
    const rows = blocks.flatMap((each) => records(each)).length
    const lost = blocks.flatMap(({ block }) => block.rejected).length
    if (rows === texts.length) whole++
    refused += lost
  }
  t.ok(refused > 0, `${refused} shards refused, ${whole} whole`)
})

t.test('a page that a decoder follows for ever is refused after decodeMsMax; the rows before it came', async (t) => {
  const data = Array.from({ length: 40 }, (_, index) => `第${index % 7}段`)
  const bytes = Buffer.from(
    parquetWriteBuffer({ columnData: [{ name: 'text', data, type: 'STRING' }], rowGroupSize: 20 }),
  )
  // In the page header of the second group: a length of more than there is to read.
  t.equal(bytes[181], 4, 'the file is laid out as when the place was found')
  bytes[181] = 0xc5
  const shard: Shard = { ...memoryShard('a.parquet', bytes), mapping: { text: 'text' } }
  const blocks = await collect([shard], { decodeMsMax: 3000 })
  t.strictSame(
    blocks.flatMap((each) => records(each)).map((text) => JSON.parse(text).text),
    data.slice(0, 20),
  )
  t.match(
    blocks.flatMap(({ block }) => block.rejected),
    [{ reason: 'shard-corrupt', detail: 'parquet: nothing was decoded in 3 s (read.decodeMsMax)' }],
  )
})

t.test('a record of 200 MB is refused without being held, as a line, in an array and by deep nesting', async (t) => {
  const big = 200_000_000
  for (const [open, fill, close] of [
    ['{"text":"', 'x', '"}\n{"text":"after"}\n'],
    ['[{"text":"', 'x', '"},{"text":"after"}]'],
    ['[{"text":', '[', ''],
  ] as const) {
    const chunk = Buffer.alloc(1 << 20, fill)
    let peakBytes = 0
    const shard: Shard = {
      ...memoryShard('a.json', ''),
      async *open() {
        yield Buffer.from(open)
        for (let sent = 0; sent < big; sent += chunk.length) {
          peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers)
          yield chunk
        }
        yield Buffer.from(close)
      },
    }
    const before = process.memoryUsage().arrayBuffers
    const blocks = await collect([shard], { recordBytesMax: 1 << 20, blockBytes: 1 << 16 })
    t.ok(peakBytes - before < 64 << 20, `${(peakBytes - before) >> 20} MiB held at most`)
    const refused = blocks.flatMap(({ block }) => block.rejected)
    t.equal(refused.length, 1)
    t.equal(refused[0]?.reason, fill === '[' ? 'shard-truncated' : 'record-too-large')
    if (fill === 'x')
      t.strictSame(
        blocks.flatMap((each) => records(each)),
        ['{"text":"after"}'],
      )
  }
})
