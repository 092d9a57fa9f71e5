import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { compress, init } from '@bokuweb/zstd-wasm'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'

await init()
t.setTimeout(600_000)
const folder = t.testdir()
const childMs = 120_000
const mebibyte = 2 ** 20

/** Reads a file in a process of its own: what came, and the most memory that it took beyond an empty file. */
const reader = `
import { blocks, localShards, readOptions } from ${JSON.stringify(new URL('../../lib/sources/index.js', import.meta.url).href)}
const [root, file, decodeBytesMax] = process.argv.slice(1)
const shards = await localShards({ split: 's', root, files: [file], mapping: { text: 'text' } })
const result = { rows: 0, refused: [] }
let peakBytes = 0
const before = process.memoryUsage.rss()
const sampled = setInterval(() => { peakBytes = Math.max(peakBytes, process.memoryUsage.rss()) }, 2)
for await (const { block } of blocks(shards, readOptions.parse({ decodeBytesMax: Number(decodeBytesMax) }))) {
  result.rows += Buffer.from(block.bytes).filter((byte) => byte === 10).length
  result.refused.push(...block.rejected.map(({ reason, detail }) => reason + ' ' + detail))
}
clearInterval(sampled)
console.log(JSON.stringify({ ...result, grownBytes: peakBytes - before }))
`

interface Read {
  readonly rows: number
  readonly refused: string[]
  readonly grownBytes: number
}

async function readApart(name: string, content: ArrayBuffer, decodeBytesMax = 32 * mebibyte): Promise<Read> {
  writeFileSync(join(folder, name), Buffer.from(content))
  const args = ['--input-type=module', '-e', reader, folder, name, String(decodeBytesMax)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: childMs })
  const read = JSON.parse(stdout) as Read
  t.comment(read.refused)
  t.comment(
    `${name}: ${content.byteLength} bytes, ${Math.round(read.grownBytes / mebibyte)} MiB taken, ${read.rows} rows`,
  )
  return read
}

const megabyte = 'x'.repeat(mebibyte)
const gzip = { codec: 'GZIP' as const, compressors: { GZIP: (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes)) } }
const column = (data: string[], encoding?: 'PLAIN') => ({
  columnData: [{ name: 'text', data, type: 'STRING' as const, ...(encoding && { encoding }) }],
})

t.test(
  'a page that decodes to hundreds of megabytes costs its row group, not the memory; other groups are read',
  async (t) => {
    const data = [...Array.from({ length: 300 }, (_, index) => `${index}${megabyte}`), 'after']
    const content = parquetWriteBuffer({
      ...column(data),
      ...gzip,
      rowGroupSize: [300, 1],
      pageSize: 2 ** 30,
      statistics: false,
    })
    const { rows, refused, grownBytes } = await readApart('page.parquet', content)
    t.ok(content.byteLength < mebibyte)
    t.equal(rows, 1, 'the row of the other group')
    t.match(refused, [
      /^shard-too-large parquet: rows 0 to 299 of row group 0: 300 rows decode to \d+ bytes at once, read\.decodeBytesMax is 33554432$/,
    ])
    t.equal(refused.length, 1)
    t.ok(grownBytes < 150 * mebibyte, `${Math.round(grownBytes / mebibyte)} MiB`)
  },
)

t.test('a row group of many pages is decoded in ranges: all rows are read, in constant memory', async (t) => {
  const data = Array.from({ length: 150 }, (_, index) => `${index}${megabyte}`)
  const content = parquetWriteBuffer({ ...column(data), ...gzip, pageSize: mebibyte, statistics: false })
  const { rows, refused, grownBytes } = await readApart('pages.parquet', content, 128 * mebibyte)
  t.strictSame([rows, refused], [150, []])
  t.ok(grownBytes < 600 * mebibyte, `${Math.round(grownBytes / mebibyte)} MiB`)
})

t.test('one stored text repeated in thousands of rows is cut off at a limit relative to its stored size', async (t) => {
  const data = Array.from({ length: 5000 }, () => megabyte)
  const content = parquetWriteBuffer({ ...column(data), ...gzip, rowGroupSize: 5000, statistics: false })
  const { rows, refused, grownBytes } = await readApart('dictionary.parquet', content)
  t.ok(rows > 50 && rows < 200, `${rows} rows`)
  t.match(refused, [
    /^shard-too-large parquet: rows \d+ to 4999 of row group 0: row \d+ is past the \d+ bytes that the stored size allows$/,
  ])
  t.equal(refused.length, 1)
  t.ok(grownBytes < 500 * mebibyte, `${Math.round(grownBytes / mebibyte)} MiB`)
})

t.test('a page that decompresses to more than its header says is damage, and is not unpacked', async (t) => {
  const bomb = Buffer.alloc(300 * mebibyte)
  for (const [codec, packed] of [
    ['ZSTD', compress(bomb, 3)],
    ['GZIP', gzipSync(bomb)],
  ] as const) {
    const content = parquetWriteBuffer({
      ...column(['a', 'b', 'c'], 'PLAIN'),
      codec,
      compressors: { [codec]: () => new Uint8Array(packed) },
    })
    const { rows, refused, grownBytes } = await readApart(`${codec}.parquet`, content)
    t.equal(rows, 0)
    t.match(refused, [
      /^shard-corrupt parquet: rows 0 to 2 of row group 0: a page does not decompress to the 15 bytes of its header$/,
    ])
    t.ok(grownBytes < 150 * mebibyte, `${Math.round(grownBytes / mebibyte)} MiB`)
  }
})

t.test('texts that repeat the start of the previous one count by their decoded size', async (t) => {
  const data = Array.from({ length: 60 }, (_, index) => `${megabyte}${index}`)
  const encoded = [
    { name: 'text', data, type: 'STRING' as const, encoding: 'DELTA_BYTE_ARRAY' as const, nullable: true },
  ]
  const content = parquetWriteBuffer({ columnData: encoded, ...gzip, pageSize: 2 ** 30, statistics: false })
  const { rows, refused } = await readApart('delta.parquet', content)
  t.equal(rows, 0)
  const bytes = Number(/decode to (\d+) bytes/.exec(String(refused[0]))?.[1])
  t.ok(bytes > 59 * mebibyte && bytes < 63 * mebibyte, `${bytes} bytes by the lengths of the page`)
  t.strictSame((await readApart('delta.parquet', content, 256 * mebibyte)).rows, 60, 'read where the limit allows')
})
