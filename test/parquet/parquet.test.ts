import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import t from 'tap'
import { ContractError, InvalidOptionError } from '../../lib/errors.js'
import type { Column, Row } from '../../lib/parquet/columns.js'
import { encoderIdentity, parquetEncoder } from '../../lib/parquet/encoders/index.js'
import { type CutWriterOptions, openCutWriter, type Reject } from '../../lib/sinks/index.js'
import { nodeFiles } from '../../lib/storage/files.js'

const columns: Column[] = [
  { name: 'instruction', type: 'string' },
  { name: 'source', type: 'string', nullable: true },
  { name: 'offset', type: 'int64' },
  { name: 'tokens', type: 'int32' },
  { name: 'score', type: 'float64', nullable: true },
  { name: 'good', type: 'boolean', nullable: true },
  { name: 'messages', type: 'messages' },
]

function rows(count: number, seed: number): Row[] {
  return Array.from({ length: count }, (_, i) => {
    const hash = createHash('sha256').update(`${seed}:${i}`).digest()
    const text = [...hash].map((byte) => String.fromCodePoint(0x4e00 + byte * 31)).join('')
    return {
      instruction: i % 7 === 0 ? '' : `${text.slice(0, i % 30)}😀`,
      source: i % 3 === 0 ? null : 'skypile',
      offset: i % 5 === 0 ? 2 ** 53 - 1 : i * 1000,
      tokens: i % 11 === 0 ? -(2 ** 31) : i,
      score: i % 4 === 0 ? null : (hash[0] ?? 0) / 256,
      good: i % 6 === 0 ? null : i % 2 === 0,
      messages: Array.from({ length: i % 4 }, (_, m) => ({ role: m % 2 ? 'assistant' : 'user', content: text + m })),
    }
  })
}

function reject(i: number): Reject {
  const where = { id: `r${i}`, split: 'skypile', shard: 'a.jsonl', offset: i, chunk: -1, variant: -1, key: '' }
  const rejected = { ...where, stage: 'filter', reason: 'too-short', detail: '', excerpt: '短' }
  return i % 2 === 0 ? rejected : { ...rejected, ...optional(i) }
}

const optional = (i: number) => ({ raw: `原文${i}`, instruction: '问', score: i / 10, screen: i / 20 })
const absent = { raw: null, instruction: null, score: null, screen: null }

const state = { blocks: 1, cursor: { shard: 0 }, dedupLogBytes: 0, counters: {} }

async function options(directory: string, change: Partial<CutWriterOptions> = {}): Promise<CutWriterOptions> {
  const encoder = await parquetEncoder()
  return { files: nodeFiles, directory, columns, splits: ['skypile', 'wudao'], encoder, from: null, ...change }
}

async function readWithHyparquet(path: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(path), compressors })
}

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const result = await connection.runAndReadAll(sql)
  connection.closeSync()
  return result.getRowObjectsJson()
}

/** A row as every reader can show it. */
function plain(row: Record<string, unknown>): Record<string, unknown> {
  const { offset, messages, ...rest } = row
  const list = (messages as { role: string; content: string }[]).map(({ role, content }) => ({ role, content }))
  return { ...rest, offset: String(offset), messages: list }
}

for (const settings of [
  { encoder: 'hyparquet-writer' },
  { encoder: 'parquetjs-lite' },
  { encoder: 'parquetjs-lite', codec: 'snappy' },
] as const) {
  t.test(`DuckDB and hyparquet read back every row that ${JSON.stringify(settings)} wrote`, async (t) => {
    const directory = t.testdir()
    const expected = rows(1203, 1)
    const encoder = await parquetEncoder(settings)
    const writer = await openCutWriter(
      await options(directory, { encoder, rowsPerFile: 500, rowGroupBytesMax: 20_000 }),
    )
    for (const row of expected) await writer.row('skypile', row)
    for (let i = 0; i < 10; i++) await writer.reject(reject(i))
    const entry = await writer.commit(state)
    const paths = entry.files.map(({ path }) => path)
    t.same(paths, [...[0, 1, 2].map((n) => `data/skypile-000000-00${n}.parquet`), 'rejects/000000-000.parquet'])
    t.same(
      entry.files.map(({ rows }) => rows),
      [500, 500, 203, 10],
    )
    t.same(
      readdirSync(join(directory, 'data')),
      paths.slice(0, 3).map((path) => path.slice(5)),
      'no empty split',
    )
    for (const { path, bytes, sha256 } of entry.files) {
      const content = readFileSync(join(directory, path))
      t.equal(content.length, bytes)
      t.equal(createHash('sha256').update(content).digest('hex'), sha256)
    }

    const found: Record<string, unknown>[] = []
    for (const path of paths.slice(0, 3)) found.push(...(await readWithHyparquet(join(directory, path))))
    t.same(found.map(plain), expected.map(plain))
    t.same(
      await readWithHyparquet(join(directory, paths[3] as string)),
      [...Array(10).keys()].map((i) => ({ ...absent, ...reject(i), offset: BigInt(i) })),
    )

    const glob = join(directory, 'data', '*.parquet')
    t.same((await query(`FROM read_parquet('${glob}')`)).map(plain), expected.map(plain))
    t.same(await query(`SELECT count(*)::INT AS n FROM '${glob}' WHERE instruction = '😀'`), [
      { n: expected.filter(({ instruction }) => instruction === '😀').length },
    ])
    t.same(await query(`SELECT count(*)::INT AS n FROM '${join(directory, 'rejects', '*.parquet')}'`), [{ n: 10 }])
    const types = await query(`DESCRIBE FROM read_parquet('${glob}')`)
    t.match(types.at(-1), { column_name: 'messages', column_type: 'STRUCT("role" VARCHAR, "content" VARCHAR)[]' })

    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(join(directory, paths[0] as string)))
    const { features } = JSON.parse(
      metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value ?? '',
    ).info
    t.same(features.offset, { dtype: 'int64', _type: 'Value' })
    t.same(features.good, { dtype: 'bool', _type: 'Value' })
    t.ok(metadata.row_groups.length > 3)
    for (const group of metadata.row_groups) {
      const sizes = group.columns.map(({ meta_data }) => Number(meta_data?.total_uncompressed_size))
      t.equal(
        Number(group.total_byte_size),
        sizes.reduce((a, b) => a + b),
      )
      t.ok(sizes.reduce((a, b) => a + b) < 25_000, 'a row group keeps to its size')
    }
  })
}

t.test('the same rows give the same bytes, and the pinned identity names codec and versions', async (t) => {
  for (const encoder of ['hyparquet-writer', 'parquetjs-lite'] as const) {
    const hashes = new Set<string>()
    for (const directory of [t.testdir({ a: {}, b: {} })].flatMap((root) => [join(root, 'a'), join(root, 'b')])) {
      const writer = await openCutWriter(await options(directory, { encoder: await parquetEncoder({ encoder }) }))
      for (const row of rows(100, 2)) await writer.row('wudao', row)
      hashes.add((await writer.commit(state)).files[0]?.sha256 ?? '')
    }
    t.equal(hashes.size, 1, encoder)
  }
  t.match(await encoderIdentity(), /^hyparquet-writer 0\.17\.0, zstd level 3 by @bokuweb\/zstd-wasm \d/)
  t.match(await encoderIdentity({ encoder: 'parquetjs-lite' }), /^parquetjs-lite 0\.8\.7, gzip by zlib \d/)
  await t.rejects(parquetEncoder({ encoder: 'parquetjs-lite', codec: 'zstd' }), InvalidOptionError)
  await t.rejects(parquetEncoder({ codec: 'gzip' }), InvalidOptionError)
})

t.test('the default encoder writes these very bytes, on every Node', async (t) => {
  const writer = await openCutWriter(await options(t.testdir(), { rowGroupBytesMax: 20_000 }))
  for (const row of rows(300, 3)) await writer.row('wudao', row)
  // A new version of the writer or codec changes it: then old run directories are refused, and the CHANGELOG says so.
  const expected = '376c0c9bdee47f2085e2d55efc4f0ea4d8486ea11a690b975690d08287f0d6b8'
  t.equal((await writer.commit(state)).files[0]?.sha256, expected)
})

t.test('a value of the wrong type is refused with its column and what was found', async (t) => {
  const good = rows(2, 4)[1] as Row
  for (const [change, message] of [
    [{ instruction: 3 }, /column instruction takes string, found 3/],
    [{ instruction: null }, /column instruction takes string, found null/],
    [{ offset: 1.5 }, /column offset takes int64, found 1.5/],
    [{ offset: 2 ** 53 }, /column offset/],
    [{ offset: 2n ** 63n }, /column offset takes int64, found 9223372036854775808n/],
    [{ tokens: 2 ** 31 }, /column tokens takes int32/],
    [{ tokens: 1n }, /column tokens/],
    [{ score: Number.NaN }, /column score takes float64 or null, found NaN/],
    [{ good: 'yes' }, /column good takes boolean or null, found "yes"/],
    [{ messages: [{ role: 'user' }] }, /column messages\[0\]\.content takes string, found undefined/],
    [{ messages: 'hi' }, /column messages takes messages/],
    [{ extra: 1 }, /"extra", which is not a column/],
  ] as const) {
    const writer = await openCutWriter(await options(t.testdir()))
    await t.rejects(writer.row('wudao', { ...good, ...change } as Row), { name: 'ContractError', message })
    await writer.row('wudao', good)
    t.equal((await writer.commit(state)).files[0]?.rows, 1, 'the refused row left nothing behind')
  }
  const writer = await openCutWriter(await options(t.testdir()))
  await t.rejects(writer.row('other', good), ContractError)
  await t.rejects(writer.reject({ ...reject(1), offset: '1' } as unknown as Reject), /column offset/)
})

t.test('a message and a list of turns are read back from both encoders, and checked', async (t) => {
  const forms: readonly Column[] = [
    { name: 'chosen', type: 'message' },
    { name: 'conversations', type: 'turns' },
  ]
  const row = { chosen: { role: 'assistant', content: '二' }, conversations: [{ from: 'human', value: '一加一😀' }] }
  for (const encoder of ['hyparquet-writer', 'parquetjs-lite'] as const) {
    const directory = t.testdir()
    const writer = await openCutWriter(
      await options(directory, { columns: forms, encoder: await parquetEncoder({ encoder }) }),
    )
    await t.rejects(writer.row('wudao', { ...row, chosen: [] }), /column chosen\.role takes string, found undefined/)
    await t.rejects(
      writer.row('wudao', { ...row, conversations: [{ from: 'human' }] } as unknown as Row),
      /column conversations\[0\]\.value takes string, found undefined/,
    )
    await writer.row('wudao', row)
    await writer.row('wudao', { ...row, conversations: [] })
    const path = join(directory, (await writer.commit(state)).files[0]?.path ?? '')
    t.same(await query(`FROM '${path}'`), [row, { ...row, conversations: [] }], encoder)
  }
})

t.test('integers beyond 2^53 are kept by hyparquet-writer and refused by parquetjs-lite', async (t) => {
  const row = { ...(rows(1, 5)[0] as Row), offset: 2n ** 62n + 1n }
  const directory = t.testdir()
  const writer = await openCutWriter(await options(directory))
  await writer.row('wudao', row)
  const path = join(directory, (await writer.commit(state)).files[0]?.path ?? '')
  t.equal((await readWithHyparquet(path))[0]?.offset, 2n ** 62n + 1n)
  const other = await openCutWriter(
    await options(t.testdir(), { encoder: await parquetEncoder({ encoder: 'parquetjs-lite' }) }),
  )
  await t.rejects(other.row('wudao', row), { name: 'ContractError', message: /use the encoder hyparquet-writer/ })
})

t.test('lone surrogates are made well-formed', async (t) => {
  const directory = t.testdir()
  const writer = await openCutWriter(await options(directory))
  const messages = [{ role: 'user', content: 'x\udc00' }]
  await writer.row('wudao', { ...(rows(1, 6)[0] as Row), instruction: 'a\ud83dz', messages })
  const path = join(directory, (await writer.commit(state)).files[0]?.path ?? '')
  t.match((await readWithHyparquet(path))[0], { instruction: 'a\ufffdz', messages: [{ content: 'x\ufffd' }] })
})

t.test('a writer that cannot work as asked is refused before it writes', async (t) => {
  const refused = async (change: Partial<CutWriterOptions>, message: RegExp): Promise<void> => {
    await t.rejects(openCutWriter(await options(t.testdir(), change)), { name: 'InvalidOptionError', message })
  }
  await refused({ memoryBytesMax: 3 * 1024, rowGroupBytesMax: 1025 }, /need up to 3075 bytes/)
  await refused({ splits: ['../up'] }, /a split is named "\.\.\/up"/)
  await refused({ splits: ['a-b'] }, /split/)
  await refused({ columns: [] }, /at least one column/)
  await refused({ columns: [{ name: '__proto__', type: 'string' }] }, /__proto__/)
  await refused({ columns: [{ name: 'a b', type: 'string' }] }, /letters, digits/)
  await refused(
    {
      columns: [
        { name: 'a', type: 'string' },
        { name: 'a', type: 'int32' },
      ],
    },
    /two columns/,
  )
})

t.test('abandon deletes what has no name yet and ends the writer', async (t) => {
  const directory = t.testdir()
  const writer = await openCutWriter(await options(directory, { rowsPerFile: 10 }))
  for (const row of rows(25, 7)) await writer.row('wudao', row)
  await writer.reject(reject(1))
  t.equal(readdirSync(join(directory, 'data')).length, 3)
  await writer.abandon()
  t.same(readdirSync(join(directory, 'data')), [])
  t.same(readdirSync(join(directory, 'rejects')), [])
  await t.rejects(writer.commit(state), ContractError)
  await writer.abandon()
})

t.test('two calls at once are a mistake of the caller, and said to be', async (t) => {
  const writer = await openCutWriter(await options(t.testdir()))
  const [row] = rows(1, 8) as [Row]
  const first = writer.row('wudao', row)
  await t.rejects(writer.row('wudao', row), { name: 'ContractError', message: /one call at a time/ })
  await first
})
