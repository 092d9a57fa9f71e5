import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { blocks, localShards, readOptions, recordAt, recordNumber, type Shard } from '../../lib/sources/index.js'
import type { Block } from '../../lib/text/block.js'
import { recordPlaces } from '../../lib/text/records.js'

const read = readOptions.parse({ blockBytes: 200 })

function textsOf(block: Block): string[] {
  return [...recordPlaces(block)].map(({ start, end }) =>
    Buffer.from(block.bytes.subarray(start, end)).toString().trim(),
  )
}

t.test('a record is found by its place and by its number, in every format', async (t) => {
  const root = join(t.testdir(), 'in')
  mkdirSync(root)
  const lines = Array.from({ length: 12 }, (_, number) =>
    JSON.stringify({ text: `第${number}段`.repeat(1 + (number % 5)) }),
  )
  writeFileSync(join(root, 'a.jsonl'), lines.join('\n\n'))
  writeFileSync(join(root, 'b.json'), `[${lines.join(', ')}]`)
  writeFileSync(join(root, 'c.jsonl.gz'), gzipSync(lines.join('\n')))
  const data = lines.map((line) => JSON.parse(line).text)
  writeFileSync(
    join(root, 'd.parquet'),
    Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'text', data, type: 'STRING' }], rowGroupSize: 5 })),
  )
  const shards = await localShards({ split: 'train', root, files: ['*'], mapping: { text: 'text' } })
  let number = 0
  for await (const { block } of blocks(shards, read)) {
    const shard = shards.find(({ path }) => path === block.shard) as Shard
    const texts = textsOf(block)
    for (const [index, { offset }] of [...recordPlaces(block)].entries()) {
      const found = await recordAt(shard, offset, read)
      t.strictSame(found && textsOf(found), [texts[index]], `${shard.path}:${offset}`)
      t.equal(found?.offset, offset)
      if (number % 7 === 0) {
        const numbered = await recordNumber(shards, number, read)
        t.strictSame(numbered && textsOf(numbered), [texts[index]])
        t.equal(numbered?.offset, offset)
      }
      number++
    }
    const [first] = recordPlaces(block)
    if (block.offsetUnit === 'byte' && first !== undefined) {
      t.equal(await recordAt(shard, first.offset + 1, read), null, 'no record begins there')
    }
  }
  t.equal(number, 48)
  t.equal(await recordNumber(shards, number, read), null)
})
