import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { readShard } from '../../lib/sources/formats/read-shard.js'
import type { FieldMapping } from '../../lib/text/mapping.js'
import { collect, memoryShard, records, smallBlocks } from './support.js'

type Written = Parameters<typeof parquetWriteBuffer>[0]

function written(columnData: ColumnSource[], options: Partial<Written> = {}): Buffer {
  return Buffer.from(parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED', ...options }))
}

async function read(content: Buffer, mapping: FieldMapping = { text: 'text' }) {
  const blocks = await collect([{ ...memoryShard('a.parquet', content), mapping }])
  return {
    bytes: Buffer.concat(blocks.map(({ block }) => Buffer.from(block.bytes))),
    rows: blocks.flatMap((each) => records(each)).map((text) => JSON.parse(text) as Record<string, unknown>),
    refused: blocks.flatMap(({ block }) => block.rejected),
  }
}

t.test(
  'bytes of a string column that are not UTF-8 stay as they are, for the decoder to refuse the record',
  async (t) => {
    const content = written([{ name: 'text', data: ['天地玄黄', 'AAAA', '宇"宙'], type: 'STRING' }], {
      statistics: false,
    })
    const at = content.indexOf('AAAA')
    const foreign = Buffer.from([0xc4, 0xe3, 0x22, 0x0a])
    foreign.copy(content, at)
    const { bytes, refused } = await read(content)
    t.strictSame(refused, [])
    const line = Buffer.concat([Buffer.from('{"text":"'), Buffer.from([0xc4, 0xe3]), Buffer.from('\\"\\n"}\n')])
    t.strictSame(
      bytes,
      Buffer.concat([Buffer.from('{"text":"天地玄黄"}\n'), line, Buffer.from('{"text":"宇\\"宙"}\n')]),
      'one line a row, the escapes of JSON among foreign bytes',
    )
  },
)

t.test('a column of bytes without the annotation of a string is text where it is UTF-8', async (t) => {
  const data = [Buffer.from('天地'), Buffer.from([0xff, 0xfe]), Buffer.from('玄黄')].map((each) => new Uint8Array(each))
  const { bytes } = await read(written([{ name: 'text', data, type: 'BYTE_ARRAY' }]))
  t.strictSame(
    bytes
      .toString('latin1')
      .split('\n')
      .map((line) => Buffer.from(line, 'latin1').toString()),
    ['{"text":"天地"}', '{"text":"\ufffd\ufffd"}', '{"text":"玄黄"}', ''],
  )
})

t.test('a JSON column with a value that is not JSON costs neither the record nor its row group', async (t) => {
  const content = written([{ name: 'text', data: [['a'], ['bbbb'], ['c']], type: 'JSON' }], { statistics: false })
  content.write('x', content.indexOf('["bbbb"]'))
  t.strictSame((await read(content)).rows, [{ text: ['a'] }, { text: 'x"bbbb"]' }, { text: ['c'] }])
})

const nested: Pick<Written, 'schema'> & { columnData: ColumnSource[] } = {
  schema: [
    { name: 'root', num_children: 3 },
    { name: 'data', repetition_type: 'OPTIONAL', num_children: 2 },
    { name: 'content', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    { name: 'image', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
    { name: 'parts', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', num_children: 2 },
    { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    { name: 'picture', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
    { name: 'tags', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  ],
  columnData: [
    {
      name: 'data',
      data: [{ content: '天', image: new Uint8Array([1, 2]) }, { content: null, image: null }, null],
    },
    {
      name: 'parts',
      data: [
        [
          { text: '地', picture: new Uint8Array(3) },
          { text: '玄', picture: null },
        ],
        [],
        null,
      ],
    },
    { name: 'tags', data: [['甲', '乙'], ['丙'], []] },
  ],
}

t.test('a text in a struct or a list is read, and no column beside it', async (t) => {
  const content = written(nested.columnData, { schema: nested.schema as never })
  t.strictSame((await read(content, { text: 'data.content' })).rows, [
    { data: { content: '天' } },
    { data: { content: null } },
    {},
  ])
  t.strictSame((await read(content, { text: 'parts', id: 'tags.0' })).rows, [
    { parts: [{ text: '地' }, { text: '玄' }], tags: ['甲', '乙'] },
    { parts: [], tags: ['丙'] },
    { tags: [] },
  ])
  t.strictSame((await read(content, { text: 'parts.text' })).rows[0], { parts: [{ text: '地' }, { text: '玄' }] })
  t.strictSame((await read(content, { text: 'tags' })).rows[1], { tags: ['丙'] })
})

t.test('a shard without the column of a path names the paths that it has', async (t) => {
  const { refused } = await read(written(nested.columnData, { schema: nested.schema as never }), { text: 'data.body' })
  t.match(refused, [
    {
      reason: 'shard-columns',
      detail:
        'parquet: no column "data.body" for the text; columns: "data.content", "data.image", "parts", "tags". Name the right one as `text`',
    },
  ])
  t.equal(refused.length, 1)
})

t.test(
  'a reading that is aborted while a row group is decoded leaves no timer that keeps the process alive',
  async (t) => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const content = written([
      { name: 'text', data: Array.from({ length: 900 }, (_, row) => `第${row}行`), type: 'STRING' },
    ])
    const stop = new AbortController()
    const options = { ...smallBlocks, decodeMsMax: 3_600_000 }
    const pieces = readShard(memoryShard('a.parquet', content), null, options, stop.signal)
    await pieces.next()
    const before = timers()
    const next = pieces.next()
    stop.abort(new Error('stopped'))
    await t.rejects(next, /stopped/)
    t.equal(timers(), before)
  },
)
