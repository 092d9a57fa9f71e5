/**
 * Parquet output: rows of a run encoded on the calling thread and in threads, DuckDB's writer on the same rows, and files joined
 * for the Hub. Processor time, all threads, so that other programs count less.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from '../fixtures/generate.js'
import { type Cell, type Column, cellsOf } from '../lib/parquet/columns.js'
import { hyparquetEncoder } from '../lib/parquet/encoders/hyparquet.js'
import type { Encoder } from '../lib/parquet/encoders/types.js'
import { PartWriter } from '../lib/parquet/part-writer.js'
import { joinParquet } from '../lib/publish/join.js'
import { nodeFiles } from '../lib/storage/files.js'
import { median } from './median.js'
import type { BenchOptions, BenchResult, BenchRow } from './types.js'

export const bench = {
  name: 'parquet',
  description: 'Parquet output: rows/s of a core, beside DuckDB’s writer; joining files for the Hub',
  run,
}

/** Uncompressed bytes of rows; files that are joined; rounds that are counted, after one that is not. */
const sizes = { smoke: { bytes: 200_000, files: 2, rounds: 1 }, full: { bytes: 40_000_000, files: 8, rounds: 5 } }
const rowGroupBytesMax = 8 * 1024 * 1024

const columns: readonly Column[] = [
  { name: 'instruction', type: 'string' },
  { name: 'output', type: 'string' },
  { name: 'id', type: 'string' },
  { name: 'source', type: 'string' },
  { name: 'shard', type: 'string' },
  { name: 'offset', type: 'int64' },
  { name: 'chunk', type: 'int32' },
  { name: 'raw', type: 'string' },
  { name: 'score', type: 'float64', nullable: true },
  { name: 'model', type: 'string' },
  { name: 'prompt_version', type: 'string' },
]

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const { bytes, files, rounds } = sizes[size]
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  try {
    const cells = await rowsOf(folder, bytes)
    const encoder = await hyparquetEncoder()
    const rows: Record<string, number[]> = {}
    const note = (way: string, seconds: number, round: number) => {
      if (round < 0) return // it compiles
      rows[way] = [...(rows[way] ?? []), cells.length / seconds]
      say(`${way}: ${Math.round(cells.length / seconds)} rows/s`)
    }
    const duckdb = await duckdbWriter(cells)
    const sizesOf = new Map<string, number>()
    for (let round = -1; round < rounds; round++) {
      for (const [way, by] of [
        ['calling thread', onCallingThread(encoder)],
        ['threads', encoder],
      ] as const) {
        const file = join(folder, 'rows.parquet')
        const cost = await measured(() => write(cells, by, folder))
        note(way, cost.seconds, round)
        note(`${way}: main thread alone`, cost.mainSeconds, round)
        sizesOf.set(way, (await readFile(file)).length)
        await rm(file)
      }
      const file = join(folder, 'duckdb.parquet')
      note('DuckDB', (await measured(() => duckdb.write(file))).seconds, round)
      sizesOf.set('DuckDB', (await readFile(file)).length)
    }
    duckdb.close()
    const written = Object.entries(rows).map(
      ([way, each]): BenchRow => ({
        way,
        'rows/s of processor time': median(each),
        'bytes a row': (sizesOf.get(way) ?? 0) / cells.length || null,
      }),
    )
    const rate = median(rows['calling thread'] ?? [])
    const aims = [{ what: 'rows/s a core', figure: rate, aim: 'at least 60,000', met: rate >= 60_000 }]
    return {
      tables: [
        { title: `${cells.length} rows, zstd level 3, row groups of 8 MiB`, rows: written },
        { title: `${files} such files joined`, rows: await joins(cells, encoder, folder, files, rounds) },
      ],
      aims,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Rows with the texts of generated documents. */
async function rowsOf(folder: string, bytes: number): Promise<Cell[][]> {
  await generate({ out: folder, layouts: ['skypile'], shards: 1, bytes, seed: 15 })

  const lines = (await readFile(join(folder, 'skypile', 'data', '2020-40_zh_head_0000.jsonl'), 'utf8')).split('\n')
  const cells: Cell[][] = []
  let offset = 0
  for (const line of lines) {
    const raw = line.startsWith('{') && line.endsWith('}') ? JSON.parse(line).text : null
    if (typeof raw === 'string') {
      const instruction = `请围绕下面的主题写一段说明：${raw.slice(0, 24)}`
      const id = offset.toString(16).padStart(32, '0')
      const of = { source: 'skypile', shard: 'data/2020-40_zh_head_0000.jsonl', offset, chunk: 0 }
      const score = cells.length % 7 === 0 ? null : 0.5 + (cells.length % 1000) / 2000
      const model = { model: 'qwen3-8b', prompt_version: 'label-chat@3+score@2+polish@2' }
      const output = raw.slice(0, 400).replaceAll('，', '、')
      cells.push(cellsOf(columns, { instruction, output, id, ...of, raw, score, ...model }))
    }
    offset += Buffer.byteLength(line) + 1
  }
  return cells
}

async function write(cells: readonly (readonly Cell[])[], encoder: Encoder, directory: string): Promise<void> {
  const at = { files: nodeFiles, directory, path: 'rows.parquet', split: 'skypile' }
  const part = await PartWriter.open({ ...at, columns, encoder, rowGroupBytesMax })
  for (const row of cells) await part.add(row)
  await part.seal()
  await part.publish()
}

/** The encoder without threads: to it, every row group is small. */
function onCallingThread(encoder: Encoder): Encoder {
  return {
    ...encoder,
    open: (options) => {
      const file = encoder.open(options)
      return { writeRowGroup: (data, count) => file.writeRowGroup(data, count, 0), finish: () => file.finish() }
    },
  }
}

async function measured(work: () => Promise<void>): Promise<{ seconds: number; mainSeconds: number }> {
  const [before, loop] = [process.cpuUsage(), performance.eventLoopUtilization()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (user + system) / 1e6, mainSeconds: performance.eventLoopUtilization(loop).active / 1000 }
}

/** DuckDB with one thread, the rows in a table of its memory. */
async function duckdbWriter(cells: readonly (readonly Cell[])[]) {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  const types = { string: 'VARCHAR', int64: 'BIGINT', int32: 'INTEGER', float64: 'DOUBLE' } as Record<string, string>
  await connection.run(`CREATE TABLE rows (${columns.map(({ name, type }) => `"${name}" ${types[type]}`).join(', ')})`)
  const appender = await connection.createAppender('rows')
  for (const row of cells) {
    for (const [c, { type }] of columns.entries()) {
      const cell = row[c]
      if (cell === null) appender.appendNull()
      else if (type === 'int64') appender.appendBigInt(cell as bigint)
      else if (type === 'int32') appender.appendInteger(cell as number)
      else if (type === 'float64') appender.appendDouble(cell as number)
      else appender.appendVarchar(cell as string)
    }
    appender.endRow()
  }
  appender.closeSync()
  return {
    write: async (path: string): Promise<void> => {
      await connection.run(`COPY rows TO '${path}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)`)
    },
    close: () => connection.closeSync(),
  }
}

/** Joins files by copying their row groups, and by decoding and encoding all of them. */
async function joins(
  cells: readonly (readonly Cell[])[],
  encoder: Encoder,
  folder: string,
  files: number,
  rounds: number,
): Promise<BenchRow[]> {
  await write(cells, encoder, folder)
  const from = new Array(files).fill(join(folder, 'rows.parquet'))
  const ways = { 'copied from 4 MiB on': {}, 'all decoded': { copyFromBytes: Number.POSITIVE_INFINITY } }
  const rows: BenchRow[] = []
  for (const [way, options] of Object.entries(ways)) {
    const seconds: number[] = []
    let groups = 0
    for (let round = 0; round < Math.min(2, rounds); round++) {
      const cost = await measured(async () => {
        groups = (await joinParquet({ from, to: join(folder, 'joined.parquet'), ...options })).rowGroups
      })
      seconds.push(cost.seconds)
    }
    const rate = (files * cells.length) / median(seconds)
    rows.push({ 'row groups': way, 'rows/s of processor time': rate, 'row groups written': groups })
  }
  return rows
}
