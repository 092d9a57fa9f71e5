import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { featuresOf } from '../../lib/parquet/features.js'
import { ownBuffer } from '../../lib/parquet/own-buffer.js'
import { type ByteRanges, ParquetFile } from '../../lib/parquet/parquet-file.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { readManifest } from '../../lib/sinks/index.js'
import { type FileLayer, nodeFiles } from '../../lib/storage/files.js'
import { addCuts } from '../support/run-directory.js'

/** A file in memory. Its ranges are views into a larger buffer, as a cache may return them. */
function memoryFile(content: Uint8Array): ByteRanges & { readonly reads: [offset: number, lengthBytes: number][] } {
  const shifted = Buffer.concat([Buffer.alloc(3), content])
  const reads: [number, number][] = []
  return {
    sizeBytes: content.byteLength,
    reads,
    async read(offset, lengthBytes) {
      reads.push([offset, lengthBytes])
      return shifted.subarray(3 + offset, 3 + offset + lengthBytes)
    },
  }
}

/** Numbers 0 to 999 in row groups of 100. */
const numbers = new Uint8Array(
  parquetWriteBuffer({
    columnData: [{ name: 'n', data: Int32Array.from({ length: 1000 }, (_, i) => i), type: 'INT32' }],
    rowGroupSize: 100,
  }),
)

async function partOf(directory: string): Promise<string> {
  await addCuts(directory, { cuts: 1, splits: ['skypile'], rowsPerCut: 300, rowGroupBytesMax: 20_000 })
  const [entry] = await readManifest(directory)
  return join(directory, entry?.files[0]?.path ?? '')
}

t.test('any range of rows is what hyparquet reads, over the ends of row groups too', async (t) => {
  const path = await partOf(t.testdir())
  const wanted = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })
  const part = await openPart(path)
  t.ok(part.rowGroups.length > 2, 'there are several row groups')
  const all: Record<string, unknown>[] = []
  for await (const row of rowsOf(part)) all.push(row)
  t.strictSame(all, wanted)
  for (const [start, end] of [
    [0, 1],
    [0, wanted.length],
    [37, 260],
    [299, 300],
    [10, 10],
    [290, 1000],
  ] as const) {
    t.strictSame(await part.read(start, end), wanted.slice(start, end), `rows ${start} to ${end}`)
  }
  await part.close()
})

t.test('ranges that are views into a larger buffer are read at their own offsets', async (t) => {
  const file = await ParquetFile.open(memoryFile(numbers))
  t.strictSame(
    await file.readRows(95, 105),
    Array.from({ length: 10 }, (_, i) => ({ n: 95 + i })),
  )
  const whole = new Uint8Array([1, 2, 3, 4])
  t.equal(ownBuffer(whole), whole.buffer, 'a buffer of its own is not copied')
  t.strictSame(new Uint8Array(ownBuffer(whole.subarray(1, 3))), new Uint8Array([2, 3]))
  t.ok(ownBuffer(new Uint8Array(new SharedArrayBuffer(4))) instanceof ArrayBuffer)
})

t.test('only the footer and the row groups asked for are read', async (t) => {
  const bytes = memoryFile(numbers)
  const file = await ParquetFile.open(bytes)
  const footerReads = bytes.reads.length
  t.equal(footerReads, 2, 'the length of the footer, then the footer')
  await file.readRows(250, 260)
  const [group] = bytes.reads.slice(footerReads)
  t.equal(bytes.reads.length, footerReads + 1, 'one column chunk')
  t.ok((group?.[1] ?? 0) < numbers.length / 5)
  const whole = memoryFile(numbers)
  await ParquetFile.open(whole, { tailBytes: numbers.length })
  t.equal(whole.reads.length, 1, 'a footer within tailBytes takes one read')
})

t.test(
  'a row group over the limit is refused before it is read, and one that decodes to more before it is decoded',
  async (t) => {
    const bytes = memoryFile(numbers)
    const stored = await ParquetFile.open(bytes, { limit: { bytesMax: 100, name: 'a.limit' } })
    const footerReads = bytes.reads.length
    await t.rejects(stored.readRows(0, 1), { code: 'KUN_SHARD_DAMAGE', message: /stored bytes, a\.limit is 100/ })
    t.equal(bytes.reads.length, footerReads)
    const decoded = await ParquetFile.open(memoryFile(numbers), { limit: { bytesMax: 1000, name: 'a.limit' } })
    await t.rejects(decoded.readRows(0, 1), { code: 'KUN_SHARD_DAMAGE', message: /100 rows decode to \d+ bytes/ })
  },
)

t.test('offsets and lengths outside the file are refused, not followed', async (t) => {
  const damaged = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(numbers)
    bytes.writeUInt32LE(value, bytes.length + at)
    return bytes
  }
  await t.rejects(ParquetFile.open(memoryFile(damaged(-8, 0xffffffff))), /metadata length 4294967295 exceeds/)
  await t.rejects(ParquetFile.open(memoryFile(damaged(-4, 0))), {
    code: 'KUN_SHARD_DAMAGE',
    message: /footer is missing/,
  })
  await t.rejects(ParquetFile.open(memoryFile(new Uint8Array(5))), {
    code: 'KUN_SHARD_DAMAGE',
    message: /footer is missing/,
  })
  const file = await ParquetFile.open(memoryFile(numbers))
  for (const [start, end] of [
    [0, numbers.length + 1],
    [10, 9],
    [-numbers.length - 1, 4],
  ] as const) {
    await t.rejects(file.readBytes(start, end), { code: 'KUN_SHARD_DAMAGE', message: /points to bytes/ })
  }
})

t.test('a part that ends early or is not Parquet is a corrupt file, by its name', async (t) => {
  const directory = t.testdir({ 'a.parquet': 'PAR1 and no more' })
  const refusal = (message: RegExp) => ({ code: 'KUN_CORRUPT_FILE', message })
  await t.rejects(
    openPart(join(directory, 'a.parquet')),
    refusal(/a\.parquet cannot be read as Parquet: the footer is missing/),
  )
  const path = await partOf(directory)
  const size = readFileSync(path).length
  const longer: FileLayer = { ...nodeFiles, sizeBytes: async () => size + 7 }
  await t.rejects(openPart(path, longer), refusal(new RegExp(`ends at byte ${size}, before ${size + 7}`)))
  truncateSync(path, size - 100)
  await t.rejects(openPart(path), refusal(/the footer is missing/))
})

t.test('features come from the key huggingface, else from the schema', async (t) => {
  const directory = t.testdir()
  const part = await ParquetFile.open(memoryFile(new Uint8Array(readFileSync(await partOf(directory)))))
  t.strictSame(featuresOf(part.metadata)[0], { name: 'instruction', dtype: 'string' })
  t.strictSame(featuresOf((await ParquetFile.open(memoryFile(numbers))).metadata), [{ name: 'n', dtype: 'int32' }])
  const features = { turns: [{ role: { dtype: 'string' } }], score: { dtype: 'float64' } }
  const kvMetadata = [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }]
  const columnData = [{ name: 'score', data: [1.5] }]
  const own = await ParquetFile.open(memoryFile(new Uint8Array(parquetWriteBuffer({ columnData, kvMetadata }))))
  t.strictSame(featuresOf(own.metadata), [
    { name: 'turns', list: [{ name: 'role', dtype: 'string' }] },
    { name: 'score', dtype: 'float64' },
  ])
})
