import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { blocks, localShards, readOptions, type Shard, sampleBlocks } from '../../lib/sources/index.js'
import type { Block } from '../../lib/text/block.js'
import { recordPlaces } from '../../lib/text/records.js'

const read = readOptions.parse({})

/** Text of every record by shard and offset. */
async function recordsIn(sourced: AsyncIterable<{ readonly block: Block }>): Promise<Map<string, string>> {
  const records = new Map<string, string>()
  for await (const { block } of sourced) {
    for (const { offset, start, end } of recordPlaces(block)) {
      records.set(`${block.shard}:${offset}`, Buffer.from(block.bytes.subarray(start, end)).toString().trim())
    }
  }
  return records
}

const lineOf = (number: number): string =>
  JSON.stringify({ id: number, text: `第${number}段。${'水'.repeat(number % 300)}` })

/** Two shards of lines, one of them larger than what is read whole; an array; gzip; Parquet of three row groups. */
async function corpus(t: { testdir: () => string }): Promise<Shard[]> {
  const root = join(t.testdir(), 'in')
  mkdirSync(root)
  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)
  writeFileSync(join(root, 'a.jsonl'), `${numbers(12_000).map(lineOf).join('\n')}\n`)
  writeFileSync(join(root, 'b.jsonl'), `\n${numbers(5).map(lineOf).join('\n\n')}\n`)
  writeFileSync(join(root, 'c.json'), `[${numbers(50).map(lineOf).join(',\n')}]`)
  writeFileSync(join(root, 'd.jsonl.gz'), gzipSync(numbers(300).map(lineOf).join('\n')))
  const texts = numbers(900).map((number) => `第${number}行`)
  const parquet = parquetWriteBuffer({
    columnData: [{ name: 'text', data: texts, type: 'STRING' }],
    rowGroupSize: 300,
  })
  writeFileSync(join(root, 'e.parquet'), Buffer.from(parquet))
  writeFileSync(join(root, 'f.jsonl'), '')
  return [...(await localShards({ split: 'train', root, files: ['*'], mapping: { text: 'text' } }))]
}

t.test(
  'sampled records are those of a whole run: same shard, same offset, same bytes, spread over shards',
  async (t) => {
    const shards = await corpus(t)
    const all = await recordsIn(blocks(shards, read))
    const sampled = await recordsIn(sampleBlocks(shards, { ...read, records: 20, seed: 7 }))
    t.equal(sampled.size, 20)
    for (const [place, text] of sampled) t.equal(text, all.get(place), place)
    const names = new Set([...sampled.keys()].map((place) => place.split(':')[0]))
    t.strictSame([...names].sort(), ['a.jsonl', 'b.jsonl', 'c.json', 'd.jsonl.gz', 'e.parquet'])
    const offsets = [...sampled.keys()].filter((place) => place.startsWith('a.')).map((place) => Number(place.slice(8)))
    t.ok(Math.max(...offsets) > 1_000_000, `not the first lines: ${offsets.join(', ')}`)
    const again = await recordsIn(sampleBlocks(shards, { ...read, records: 20, seed: 7 }))
    t.strictSame([...again.keys()], [...sampled.keys()], 'the seed decides')
    const other = await recordsIn(sampleBlocks(shards, { ...read, records: 20, seed: 8 }))
    t.notSame([...other.keys()], [...sampled.keys()])
  },
)

t.test('each source has a record; an input with fewer records gives all of them', async (t) => {
  const shards = await corpus(t)
  const sourced = shards.map((shard, index) => ({ ...shard, source: index < 4 ? 'x' : `y${index}` }))
  const two = await recordsIn(sampleBlocks(sourced, { ...read, records: 3, seed: 1 }))
  t.ok(
    [...two.keys()].some((place) => place.startsWith('e.parquet')),
    [...two.keys()].join(),
  )
  const small = shards.filter(({ path }) => path === 'b.jsonl' || path === 'f.jsonl')
  t.equal((await recordsIn(sampleBlocks(small, { ...read, records: 20, seed: 1 }))).size, 5)
  t.equal((await recordsIn(sampleBlocks([], { ...read, records: 20, seed: 1 }))).size, 0)
})
