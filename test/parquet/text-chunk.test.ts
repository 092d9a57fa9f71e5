import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import t from 'tap'
import { ContractError } from '../../lib/errors.js'
import type { Cell } from '../../lib/parquet/columns.js'
import { appendGroup, type Compress, encodeGroup, type GroupOptions } from '../../lib/parquet/encoders/encode-group.js'
import { zstdCompressor } from '../../lib/parquet/encoders/zstd.js'
import { randomBelow, testSeed } from '../support/random.js'

type Below = (below: number) => number

const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
const schema: SchemaElement[] = [
  { name: 'root', num_children: 6 },
  { name: 'required', ...text, repetition_type: 'REQUIRED' },
  { name: 'optional', ...text, repetition_type: 'OPTIONAL' },
  { name: 'number', type: 'INT64', repetition_type: 'OPTIONAL' },
  { name: 'message', repetition_type: 'OPTIONAL', num_children: 2 },
  { name: 'role', ...text, repetition_type: 'REQUIRED' },
  { name: 'content', ...text, repetition_type: 'REQUIRED' },
  { name: 'messages', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
  { name: 'role', ...text, repetition_type: 'REQUIRED' },
  { name: 'content', ...text, repetition_type: 'REQUIRED' },
  { name: 'few', ...text, repetition_type: 'REQUIRED' },
]
const names = ['required', 'optional', 'number', 'message', 'messages', 'few']

const pick = <Of>(below: Below, from: readonly Of[]): Of => from[below(from.length)] as Of

/** What hyparquet-writer makes of the same groups by itself. */
function fileOfLibrary(groups: readonly GroupOptions[], compress: Compress): Uint8Array {
  const writer = new ByteWriter()
  const parquet = new ParquetWriter({ writer, schema, codec: 'ZSTD', compressors: { ZSTD: compress } })
  for (const { columns, rows } of groups) {
    const columnData = names.map((name, c) => ({ name, data: columns[c] as Cell[] }))
    void parquet.write({ columnData, rowGroupSize: rows, pageSize: 1024 * 1024 })
  }
  void parquet.finish()
  return writer.getBytes()
}

function fileOfGroups(groups: readonly GroupOptions[], compress: Compress): Uint8Array {
  const writer = new ByteWriter()
  const parquet = new ParquetWriter({ writer, schema, codec: 'ZSTD', compressors: { ZSTD: compress } })
  for (const group of groups) {
    const encoded = encodeGroup(group, compress)
    appendGroup(encoded, parquet, writer.offset)
    writer.appendBytes(encoded.bytes)
  }
  void parquet.finish()
  return writer.getBytes()
}

/** Texts with characters at the borders of UTF-8 and of surrogate pairs; `kinds` different ones, as long as `length` or longer. */
function texts(below: Below, kinds: number, length: number): () => string {
  const characters = [...'a~\u007f\u0080é߿ࠀ中\ud7ff\ue000￿😀𐀀\u{10ffff}']
  const made = Array.from({ length: kinds }, () => {
    const part = Array.from({ length: below(8) }, () => pick(below, characters)).join('')
    return part.repeat(1 + below(1 + Math.ceil(length / (1 + part.length))))
  })
  return () => pick(below, made)
}

function groupOf(below: Below, rows: number): GroupOptions {
  const kinds = [1, 3, rows, 3 * rows]
  const [a, b, c] = [0, 1, 2].map(() => texts(below, pick(below, kinds), pick(below, [2, 200, 20_000])))
  const [first, second, third] = [a, b, c] as [() => string, () => string, () => string]
  const message = () => ({ role: third(), content: first() })
  const nullOr = (make: () => Cell): Cell => (below(4) === 0 ? null : make())
  const row = (): Cell[] => [
    first(),
    nullOr(second),
    nullOr(() => BigInt(below(1000))),
    nullOr(message),
    nullOr(() => Array.from({ length: below(4) }, message)),
    pick(below, ['skypile', 'wudao']),
  ]
  const cells = Array.from({ length: rows }, row)
  return { schema, names, columns: names.map((_, c) => cells.map((cell) => cell[c] as Cell)), rows }
}

t.test('groups have the bytes that hyparquet-writer gives the same rows', async (t) => {
  const seed = testSeed()
  t.comment(`KUN_SEED=${seed}`)
  const below = randomBelow(seed)
  const compress = await zstdCompressor(3)
  for (const rows of [1, 2, 9, 40, 200, 1500]) {
    const groups = [groupOf(below, rows), groupOf(below, 1 + below(rows))]
    const same = Buffer.compare(fileOfGroups(groups, compress), fileOfLibrary(groups, compress)) === 0
    t.ok(same, `${rows} rows`)
  }
})

t.test('a text larger than a page is a page by itself, and its buffer is not kept', async (t) => {
  const compress = await zstdCompressor(3)
  const large = '中'.repeat(2_000_000)
  const required = ['a', large, 'b', `${large}c`, 'd', '']
  const columns = [
    required,
    required,
    required.map(() => 1n),
    required.map(() => null),
    required.map(() => []),
    required,
  ]
  const group = { schema, names, columns, rows: required.length }
  t.equal(Buffer.compare(fileOfGroups([group], compress), fileOfLibrary([group], compress)), 0)
})

t.test('what is not a text is refused', async (t) => {
  const group = { schema, names, columns: [[1], [null], [null], [null], [null], ['a']], rows: 1 }
  t.throws(() => encodeGroup(group, (bytes) => bytes), ContractError)
})
