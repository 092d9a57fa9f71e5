import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { parquetWriteFile } from 'hyparquet-writer'
import t from 'tap'
import { joinParquet } from '../../lib/publish/join.js'
import { groupsOf } from '../../lib/publish/plan.js'
import { foreignFiles, operationsTo, targetOf } from '../../lib/publish/target.js'
import { readManifest } from '../../lib/sinks/index.js'
import { addCuts, type RunDirectoryShape } from '../support/run-directory.js'

async function partsOf(directory: string, shape: RunDirectoryShape): Promise<string[]> {
  await addCuts(directory, { splits: ['wudao'], ...shape })
  const entries = await readManifest(directory)
  return entries.flatMap(({ files }) => files.map(({ path }) => join(directory, path)))
}

async function rowsOf(paths: readonly string[]): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (const path of paths)
    rows.push(...(await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })))
  return rows
}

async function duckdb(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS() as Record<string, unknown>[]
  } finally {
    connection.closeSync()
  }
}

t.test(
  'row groups are copied, merged or split by their size; the rows, their order and the metadata stay',
  async (t) => {
    const directory = t.testdir()
    const from = await partsOf(directory, { cuts: 3, rowsPerCut: 400, outputChars: 300, rowGroupBytesMax: 200_000 })
    const wanted = await rowsOf(from)
    const to = join(directory, 'joined.parquet')
    const groupsBefore = (await Promise.all(from.map(metadataOf))).reduce(
      (sum, { row_groups }) => sum + row_groups.length,
      0,
    )
    const ways = [
      { name: 'copied', copyFromBytes: 1, groups: groupsBefore },
      { name: 'merged', copyFromBytes: 10_000_000, groups: 1 },
      { name: 'some of each', copyFromBytes: 150_000, mergedBytes: 400_000 },
      { name: 'split', copyFromBytes: 1, groupBytesMax: 100_000, mergedBytes: 50_000 },
    ]
    for (const { name, groups, ...sizes } of ways) {
      const joined = await joinParquet({ from, to, ...sizes })
      t.ok(isDeepStrictEqual(await rowsOf([to]), wanted), name)
      const metadata = await metadataOf(to)
      if (groups !== undefined) t.equal(metadata.row_groups.length, groups)
      t.ok(
        metadata.row_groups.every(({ num_rows }) => num_rows > 0n),
        'none is empty',
      )
      t.match(metadata.key_value_metadata, [{ key: 'huggingface' }])
      const bytes = readFileSync(to)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      t.match(joined, { rows: wanted.length, bytes: bytes.length, sha256, rowGroups: metadata.row_groups.length })
      t.match(await joinParquet({ from, to, ...sizes }), { sha256 }, 'the same bytes again')
      const [found] = await duckdb(
        `select count(*)::int as rows, count(distinct id)::int as ids, min("offset")::int as least, max(score) as best, sum(length(output))::int as letters from read_parquet('${to}')`,
      )
      t.same(found, { rows: 1200, ids: 1200, least: 0, best: 11.99, letters: 360_000 }, 'as DuckDB reads it')
    }
  },
)

t.test(
  'the full row groups of a run are copied, without decoding, and the last ones of its files are merged',
  async (t) => {
    const directory = t.testdir()
    const shape = { cuts: 2, rowsPerCut: 6000, outputChars: 700, rowGroupBytesMax: 8 * 1024 * 1024 }
    const from = await partsOf(directory, shape)
    const before = await Promise.all(from.map(metadataOf))
    t.ok(
      before.every(({ row_groups }) => row_groups.length > 1),
      'each file has a full group and a last one',
    )
    const to = join(directory, 'joined.parquet')
    await joinParquet({ from, to })
    const pagesOf = (metadata: (typeof before)[number]) =>
      metadata.row_groups.map(({ columns }) =>
        columns.map(({ meta_data }) => meta_data?.total_compressed_size).join(' '),
      )
    const joined = pagesOf(await metadataOf(to))
    for (const metadata of before) {
      const full = metadata.row_groups.filter(({ total_byte_size }) => total_byte_size >= 4n * 1024n * 1024n)
      t.ok(full.length > 0)
      for (const pages of pagesOf({ ...metadata, row_groups: full })) t.ok(joined.includes(pages), 'copied')
    }
    t.ok(isDeepStrictEqual(await rowsOf([to]), await rowsOf(from)))
  },
)

t.test('row groups of another writer are decoded, as the footer names one writer', async (t) => {
  const directory = t.testdir()
  const columnData = [{ name: 'text', data: ['a', 'b'], type: 'STRING' as const }]
  const from = ['hyparquet', 'another 1.0'].map((createdBy, part) => {
    const filename = join(directory, `part-${part}.parquet`)
    parquetWriteFile({ filename, columnData, createdBy } as Parameters<typeof parquetWriteFile>[0])
    return filename
  })
  const to = join(directory, 'joined.parquet')
  const joined = await joinParquet({ from, to, copyFromBytes: 1 })
  t.equal(joined.rowGroups, 2)
  t.same(await rowsOf([to]), [{ text: 'a' }, { text: 'b' }, { text: 'a' }, { text: 'b' }])
})

t.test('statistics and page indexes of copied groups are right where they stand now', async (t) => {
  const directory = t.testdir()
  const from = [0, 1].map((part) => {
    const filename = join(directory, `part-${part}.parquet`)
    const numbers = Array.from({ length: 20_000 }, (_, i) => part * 20_000 + i)
    parquetWriteFile({
      filename,
      columnData: [
        { name: 'number', data: numbers, type: 'INT32' },
        {
          name: 'text',
          data: numbers.map((n) => `${String(n).padStart(6, '0')} 汉字 and more than sixteen bytes`),
          type: 'STRING',
        },
      ],
      pageSize: 4096,
      rowGroupSize: 10_000,
    })
    return filename
  })
  const to = join(directory, 'joined.parquet')
  await joinParquet({ from, to, copyFromBytes: 1 })
  const { row_groups } = await metadataOf(to)
  t.equal(row_groups.length, 4)
  t.ok(row_groups.every(({ columns }) => columns.every((column) => column.offset_index_offset !== undefined)))
  for (const n of [0, 9_999, 10_000, 25_123, 39_999]) {
    const text = `${String(n).padStart(6, '0')} 汉字 and more than sixteen bytes`
    t.same(await duckdb(`select number from read_parquet('${to}') where text = '${text}'`), [{ number: n }])
    const file = await asyncBufferFromFile(to)
    const [row] = await parquetReadObjects({ file, compressors, rowStart: n, rowEnd: n + 1, useOffsetIndex: true })
    t.same(row, { number: n, text }, 'found by the offset index')
  }
})

t.test('what cannot be joined is refused by name', async (t) => {
  const directory = t.testdir({ a: {}, b: {} })
  const [first] = await partsOf(join(directory, 'a'), { cuts: 1 })
  const other = join(directory, 'other.parquet')
  parquetWriteFile({ filename: other, columnData: [{ name: 'x', data: [1] }] })
  const to = join(directory, 'to.parquet')
  const different = { code: 'KUN_CONTRACT', message: /other.parquet has other columns/ } as never
  await t.rejects(joinParquet({ from: [first as string, other], to }), different)
  writeFileSync(other, 'not Parquet at all')
  await t.rejects(joinParquet({ from: [other], to }), {
    code: 'KUN_CORRUPT_FILE',
    message: /cannot be read as Parquet/,
  } as never)
})

t.test('groups follow from the cuts alone: what is sealed stays when more cuts come', async (t) => {
  const file = (split: string, cut: number, bytes: number) => ({
    path: `data/${split}-${cut}-0.parquet`,
    split,
    rows: 1,
    bytes,
    sha256: createHash('sha256').update(`${split}${cut}`).digest('hex'),
  })
  const entries = Array.from({ length: 10 }, (_, cut) => ({
    ...{ cut, blocks: cut, cursor: null, dedupLogBytes: 0, counters: {} },
    files: cut === 4 ? [] : [file('a', cut, 40), ...(cut % 2 === 0 ? [file('b', cut, 150)] : [])],
  }))
  const all = groupsOf(entries, 100)
  t.same(
    all.filter(({ split }) => split === 'a').map((group) => [group.firstCut, group.files.length, group.sealed]),
    [
      [0, 2, true],
      [2, 2, true],
      [5, 2, true],
      [7, 2, true],
      [9, 1, false],
    ],
  )
  t.same(
    all.filter(({ split }) => split === 'b').map(({ firstCut }) => firstCut),
    [0, 2, 6, 8],
    'a large one is alone',
  )
  for (let cuts = 1; cuts < 10; cuts++) {
    const sealed = groupsOf(entries.slice(0, cuts), 100).filter(({ sealed }) => sealed)
    for (const { key } of sealed) t.ok(all.some((group) => group.key === key && group.sealed))
  }
})

t.test('names and operations follow from what is wanted and what is there', async (t) => {
  const sha = (letter: string) => letter.repeat(64)
  const ours = [
    { split: 'a', firstCut: 0, sha256: sha('1'), bytes: 1 },
    { split: 'a', firstCut: 3, sha256: sha('2'), bytes: 2 },
  ]
  const there = { path: 'data/a-000003.parquet', split: 'a', sha256: sha('9'), sizeBytes: 9, oid: '' }
  const running = targetOf(ours, [there], { running: true })
  t.same([...running.keys()], ['data/a-000003.parquet', 'data/a-000000.parquet', 'data/a-000004.parquet'])
  const final = targetOf(ours, [there], { running: false })
  t.same(
    [...final].map(([path, { sha256 }]) => [path.slice(5), sha256[0]]),
    [
      ['a-00000-of-00003.parquet', '9'],
      ['a-00001-of-00003.parquet', '1'],
      ['a-00002-of-00003.parquet', '2'],
    ],
  )
  const mine = { path: 'data/mine.parquet', sha256: sha('7'), sizeBytes: 7, oid: '' }
  const listed = new Map([there, mine].map((file) => [file.path, file]))
  t.same(foreignFiles(listed, new Set([sha('9')])), [], "files with other names are the user's own")
  const operations = operationsTo(final, new Map(), listed)
  t.same(
    operations.map(({ kind }) => kind),
    ['large', 'large', 'large', 'delete'],
  )
  t.notOk(operations.some(({ path }) => path === mine.path))
})

async function metadataOf(path: string) {
  return parquetMetadataAsync(await asyncBufferFromFile(path))
}
