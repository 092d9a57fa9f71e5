import t from 'tap'
import { seededRandom } from '../../lib/core/random.js'
import { brokenCursors, collect, documents, memoryShard, records, summary } from './support.js'

const seed = Number(process.env.KUN_SEED ?? 20240607)
t.comment(`seed ${seed}`)

const layouts: Record<string, (texts: string[]) => string> = {
  lines: (texts) => texts.map((text) => `${text}\n`).join(''),
  'lines without a last newline, with blank lines and CRLF': (texts) => texts.join('\r\n\n'),
  array: (texts) => `[${texts.join(',')}]`,
  'array printed with white space': (texts) => ` \n[\n  ${texts.join(' ,\n  ')}\n]\n`,
  'wrapped array': (texts) => `{ "RECORDS": [${texts.join(', ')}] }\n`,
  'wrapped array with more behind it': (texts) => `{"RECORDS":[${texts.join(',')}],"total":7}`,
  'arrays end to end': (texts) => `[${texts.slice(0, 20).join(',')}]\n[${texts.slice(20).join(',')}]`,
  'values over several lines': (texts) => texts.map((text) => JSON.stringify(JSON.parse(text), null, 2)).join('\n'),
}

for (const [name, layout] of Object.entries(layouts)) {
  t.test(`${name}: every record comes whole and once, however the bytes arrive`, async (t) => {
    const texts = documents(90, seed)
    const content = layout(texts)
    const shard = (chunkSeed: number, chunkBytesMax: number) => memoryShard('a.json', content, chunkSeed, chunkBytesMax)
    const blocks = await collect([shard(1, 300)])
    const parsed = blocks.flatMap((each) => records(each)).map((text) => JSON.stringify(JSON.parse(text)))
    t.strictSame(parsed, texts)
    t.ok(blocks.length > 10, 'there are block ends to speak of')
    t.equal(new Set(blocks.map(({ block }) => block.bytes.buffer)).size, blocks.length, 'a buffer each')
    for (const { block } of blocks) {
      const there = Buffer.from(content).subarray(block.offset, block.offset + block.bytes.byteLength)
      t.ok(there.equals(block.bytes), 'offset says where the bytes are')
    }
    for (let round = 0; round < 6; round++) {
      const chunkBytesMax = [1, 13, 64, 300, 1000, 1e6][round % 6] as number
      t.strictSame(summary(await collect([shard(seed + round, chunkBytesMax)])), summary(blocks), `${chunkBytesMax}`)
    }
  })

  t.test(`${name}: going on from any block gives exactly the rest, and seeks`, async (t) => {
    const shard = memoryShard('a.json', layout(documents(60, seed + 1)), seed)
    const { blocks, broken } = await brokenCursors([shard])
    t.strictSame(broken, [])
    t.ok(blocks > 5)
    t.ok(shard.opened.filter((offset) => offset > 0).length >= blocks - 1, 'it opens at the place it goes on from')
  })

  t.test(`${name}: a byte order mark is not part of the first record`, async (t) => {
    const content = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(layout(documents(30, seed)))])
    const blocks = await collect([memoryShard('a.json', content)])
    t.ok((blocks[0]?.block.offset ?? 0) >= 3)
    t.strictSame(
      blocks.flatMap((each) => records(each)).map((text) => (JSON.parse(text) as { id: number }).id),
      documents(30, seed).map((_, index) => index),
    )
  })

  t.test(`${name}: records over the limit are refused where they stand, the others come`, async (t) => {
    const next = seededRandom(seed + 5)
    const texts = documents(32, seed + 2).map((text, index) =>
      next() < 0.2 ? JSON.stringify({ id: index, text: `长${'字\\"'.repeat(200 + Math.floor(next() * 400))}` }) : text,
    )
    const kept = texts.filter((text) => Buffer.byteLength(text) <= 700)
    const lost = texts.filter((text) => Buffer.byteLength(text) > 700)
    const content = layout(texts)
    for (const chunkBytesMax of [3, 50, 700, 1e6]) {
      const options = { recordBytesMax: name.startsWith('values') ? 720 : 700 }
      const shard = memoryShard('a.json', content, seed, chunkBytesMax)
      const blocks = await collect([shard], options)
      const parsed = blocks.flatMap((each) => records(each)).map((text) => JSON.stringify(JSON.parse(text)))
      t.strictSame(parsed, kept)
      const refused = blocks.flatMap(({ block }) => block.rejected)
      t.equal(refused.length, lost.length)
      for (const [index, { offset, reason, excerpt }] of refused.entries()) {
        t.equal(reason, 'record-too-large')
        const id = (JSON.parse(lost[index] as string) as { id: number }).id
        t.match(Buffer.from(content).toString('utf8', offset, offset + 40), new RegExp(`^\\{\\s*"id":\\s*${id},`))
        t.equal([...excerpt].length, 200)
        t.notMatch(excerpt, /\ufffd/)
      }
      if (chunkBytesMax === 50) t.strictSame((await brokenCursors([shard], options)).broken, [])
    }
  })
}

for (const blockBytes of [1, 2, 40, 5000]) {
  t.test(`blocks of ${blockBytes} bytes hold the same records`, async (t) => {
    const texts = documents(40, seed + 3)
    for (const content of [texts.join('\n'), `[${texts.join()}]`]) {
      const blocks = await collect([memoryShard('a.json', content)], { blockBytes })
      t.strictSame(
        blocks.flatMap((each) => records(each)),
        texts,
      )
      if (blockBytes < 20) t.equal(blocks.length, texts.length)
    }
  })
}

t.test('an array that ends early gives what was whole and one reject with the place', async (t) => {
  const texts = documents(40, seed + 4)
  const content = Buffer.from(`[${texts.join(',\n')}]`)
  const lastStart = content.length - 1 - Buffer.byteLength(texts.at(-1) as string)
  for (const cut of [content.length - 1, content.length - 2, lastStart + 1, lastStart]) {
    const blocks = await collect([memoryShard('a.json', content.subarray(0, cut))])
    const whole = cut === content.length - 1 ? texts : texts.slice(0, -1)
    t.strictSame(
      blocks.flatMap((each) => records(each)),
      whole,
    )
    const refused = blocks.flatMap(({ block }) => block.rejected)
    t.strictSame(
      refused.map(({ reason, offset }) => ({ reason, offset })),
      [{ reason: 'shard-truncated', offset: cut === content.length - 1 ? cut : lastStart }],
    )
  }
})

t.test('bytes behind an array are reported, not read', async (t) => {
  const blocks = await collect([memoryShard('a.json', '[{"text":"一"}] x {"text":"二"}')])
  t.strictSame(
    blocks.flatMap((each) => records(each)),
    ['{"text":"一"}'],
  )
  t.strictSame(
    blocks.flatMap(({ block }) => block.rejected.map(({ reason, offset }) => [reason, offset])),
    [['shard-corrupt', 17]],
  )
})

t.test(
  'values of an array that are no objects are records too: the worker refuses them by what they are',
  async (t) => {
    const blocks = await collect([memoryShard('a.json', '[1, "a,]b" ,null,[1,[2]],{"text":"\\\\"},true]')])
    t.strictSame(
      blocks.flatMap((each) => records(each)),
      ['1', '"a,]b"', 'null', '[1,[2]]', '{"text":"\\\\"}', 'true'],
    )
  },
)

t.test('an empty shard, an empty array and white space hold nothing and are no error', async (t) => {
  for (const content of ['', '[]', '[ ]\n', '{"RECORDS":[]}', '\ufeff']) {
    t.strictSame(await collect([memoryShard('a.json', content)]), [], JSON.stringify(content))
  }
})

t.test('the first blocks of the first shard may be smaller; they double up to the usual size', async (t) => {
  const content = documents(200, seed + 9)
    .map((text) => `${text}\n`)
    .join('')
  const shards = (chunkSeed: number) => ['a.jsonl', 'b.jsonl'].map((name) => memoryShard(name, content, chunkSeed))
  const options = { order: 'in-order', blockBytes: 1024, firstBlockBytes: 128 } as const
  const blocks = await collect(shards(1), options)
  for (const path of ['a.jsonl', 'b.jsonl']) {
    const bytes = blocks.filter(({ block }) => block.shard === path).map(({ block }) => Buffer.from(block.bytes))
    t.equal(Buffer.concat(bytes).toString(), content, path)
    const targets = path === 'a.jsonl' ? [128, 256, 512, 1024, 1024] : [1024, 1024]
    for (const [index, target] of targets.entries()) {
      const block = bytes[index] as Buffer
      const lastLine = block.lastIndexOf(0x0a, block.length - 2) + 1
      t.ok(lastLine < target && target <= block.length, `${path}, block ${index}`)
    }
  }
  t.strictSame(summary(await collect(shards(seed), options)), summary(blocks), 'however the bytes arrive')
})
