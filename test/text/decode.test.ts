import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Block } from '../../lib/text/block.js'
import { codesToString } from '../../lib/text/code-units.js'
import { type DecodeFault, isFault, RecordReader } from '../../lib/text/decode.js'
import { jsonFault } from '../../lib/text/json-fault.js'
import type { FieldMapping } from '../../lib/text/mapping.js'
import { recordPlaces } from '../../lib/text/records.js'
import { TextMemory } from '../../lib/text/text-memory.js'
import { Random, testSeed } from '../support/random.js'
import { blockOf, ownBytes } from './support.js'

const mapping: FieldMapping = { text: 'text', id: 'id', title: 'title' }

interface PlainDocument {
  readonly key: string
  readonly title: string
  readonly text: string
}

/** The records of a block, as plain values. */
function readAll(block: Block): (PlainDocument | DecodeFault)[] {
  const reader = new RecordReader(new TextMemory())
  reader.open(block)
  return [...recordPlaces(block)].map(({ start, end }) => {
    const read = reader.read(start, end)
    if (isFault(read)) return { ...read }
    const { key, title, text } = read
    return { key, title, text: typeof text === 'string' ? text : codesToString(text, 0, text.length) }
  })
}

/** A record as a line between others, by bounds, and in a block that is no UTF-8 as a whole: always the same. */
function decoded(record: string | Uint8Array, fields: FieldMapping = mapping): PlainDocument | DecodeFault {
  const bytes = Buffer.from(record as string)
  const before = Buffer.from('{"text":"天😀"}\n\t\n')
  const after = Buffer.from('\n{"text":"地"}')
  const lines = readAll(blockOf(ownBytes(Buffer.concat([before, bytes, after])), { mapping: fields }))
  const bounds = Int32Array.from([0, before.length - 3, before.length, before.length + bytes.length])
  const bounded = readAll(blockOf(ownBytes(Buffer.concat([before, bytes])), { mapping: fields, bounds }))
  const broken = Buffer.concat([bytes, Buffer.from('\n'), Buffer.from([0xff])])
  const apart = readAll(blockOf(ownBytes(broken), { mapping: fields }))
  if (bytes.length > 0) {
    t.same(lines[1], bounded[1], 'as a line and by bounds')
    t.same(apart[0], bounded[1], 'beside a record that is no UTF-8')
  }
  return bounded[1] as PlainDocument | DecodeFault
}

t.test('A record becomes a document by its fields', async (t) => {
  t.same(decoded('{"text":"天地","id":"a","title":"题"}'), { key: 'a', title: '题', text: '天地' })
  t.same(decoded('\ufeff{"text":"天地"}'), { key: '', title: '', text: '天地' }, 'a byte order mark before it')
  t.match(decoded('{"text":"天","id":42}'), { key: '42' })
  t.match(decoded('{"other":{"id":1},"text":"天","id" : 12345678901234567890123}'), { key: '12345678901234567890123' })
  t.match(decoded('{"text":"天","id":1e400}'), { key: '1e400' })
  t.match(decoded('{"text":"天","id":{"a":1},"title":7}'), { key: '', title: '' })
  t.same(decoded('{"body":"天","key":null}', { text: 'body', id: 'key' }), { key: '', title: '', text: '天' })
  t.same(decoded('{"a":"天"}', { text: 'a', id: 'a', title: 'a' }), { key: '天', title: '天', text: '天' })
  t.match(decoded('{"__proto__":{"text":"不是"},"text":"天地"}'), { text: '天地' })
  t.match(decoded('{"__proto__":"天地"}', { text: '__proto__' }), { text: '天地' })
  t.match(decoded(`{"deep":${'['.repeat(100_000)}${']'.repeat(100_000)},"text":"天地"}`), { text: '天地' })
})

t.test('A record without a document gives a reason and does not throw', async (t) => {
  const broken = Buffer.concat([Buffer.from('{"text":"天'), Buffer.from([0xe5, 0xa4]), Buffer.from('"}')])
  t.match(decoded(broken), { reason: 'invalid-utf8', excerpt: /^\{"text":"天\ufffd/ })
  t.match(decoded(Buffer.from([0xed, 0xa0, 0x80])), { reason: 'invalid-utf8' }, 'a surrogate in UTF-8')
  t.match(decoded('{"text":"天'), { reason: 'invalid-json', excerpt: '{"text":"天' })
  t.match(decoded('{"text":"天"} {"text":"地"}'), { reason: 'invalid-json' })
  for (const value of ['null', '[1]', '"text"', '12']) {
    t.match(decoded(value), { reason: 'invalid-json', detail: /not an object/ }, value)
  }
  t.match(decoded('{"id":"b"}'), { reason: 'no-text', detail: 'field "text" is missing; fields: "id"', key: 'b' })
  t.match(decoded('{"text":""}'), { reason: 'no-text', detail: 'field "text" is empty; fields: "text"' })
  t.match(decoded('{"text":7}'), { reason: 'no-text', detail: 'field "text" is not a string; fields: "text"' })
  t.match(decoded('{}'), { reason: 'no-text', detail: 'field "text" is missing; fields: none' })
  t.match(decoded('{}', { text: 'constructor' }), { reason: 'no-text' })
  t.match(decoded(`${'['.repeat(200_000)}`), { reason: 'invalid-json' })
})

t.test('The fault of invalid JSON names its byte, in words that do not depend on the version of Node', async (t) => {
  for (const [record, detail] of [
    ['', 'at byte 0 of the record: expected a value, found the end'],
    ['天地', "at byte 0 of the record: expected a value, found '天'"],
    ['{"text":"天"，"id":1}', "at byte 13 of the record: expected a comma or }, found '，'"],
    ['\ufeff{"text":"天",}', "at byte 17 of the record: expected a name in double quotes, found '}'"],
    ['{"text":"天"} {', "at byte 15 of the record: expected the end, found '{'"],
    ["{'text':1}", "at byte 1 of the record: expected a name in double quotes or }, found '''"],
    ['{"text" "天"}', "at byte 8 of the record: expected a colon, found '\"'"],
    ['{"text":[1,]}', "at byte 11 of the record: expected a value, found ']'"],
    ['{"text":01}', "at byte 9 of the record: expected a comma or }, found '1'"],
    ['{"text":-}', "at byte 8 of the record: expected a value, found '-'"],
    ['{"text":"a\tb"}', 'at byte 10 of the record: U+0009 in a string must be written as an escape'],
    ['{"text":"a\\x"}', "at byte 10 of the record: a backslash before 'x' in a string is no escape"],
    ['{"text":"\\u12"}', "at byte 9 of the record: a backslash before 'u' in a string is no escape"],
    ['{"text":"天', 'at byte 12 of the record: the text ends inside a string'],
    ['{"text":"天\\', 'at byte 12 of the record: a backslash before the end in a string is no escape'],
    ['[NAN]', "at byte 1 of the record: expected a value or ], found 'N'"],
    ['{"a":NaN,"b":"天" 1}', "at byte 19 of the record: expected a comma or }, found '1'"],
  ] as const) {
    t.match(decoded(record), { reason: 'invalid-json', detail }, record)
  }
})

t.test('Texts that JSON.parse rejects have a fault, and texts that it accepts have none', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = new Random(seed)
  const pieces = [
    ...'{}[]:,"\\/ -+.eE0123456789天\u0001\ud800abtrufnls',
    'true',
    'null',
    '"text":',
    '\\u00e9',
    '[{"a":1.5e-3},""]',
  ]
  const whole = JSON.stringify({ text: '天地\n"', list: [1, -2.5e10, true, null, {}, []], deep: { a: { b: 'é' } } })
  let refused = 0
  for (let round = 0; round < 20_000; round++) {
    let source = random.chance(0.7) ? whole : ''
    for (let edits = random.between(1, 4); edits > 0; edits--) {
      const at = random.between(0, source.length)
      const piece = random.chance(0.6) ? (pieces[random.between(0, pieces.length - 1)] as string) : ''
      source = source.slice(0, at) + piece + source.slice(at + random.between(0, 2))
    }
    const fault = jsonFault(source)
    let parses = true
    try {
      JSON.parse(source)
    } catch {
      parses = false
      refused++
    }
    if (parses !== (fault === null)) t.fail(`${JSON.stringify(source)}: parses ${parses}, ${JSON.stringify(fault)}`)
    if (fault !== null && (fault.at < 0 || fault.at > source.length)) t.fail(`${fault.at} of ${source.length}`)
  }
  t.ok(refused > 5_000 && refused < 19_500, `${refused} of 20000 were refused`)
})

t.test('An exam question of WanJuan is composed from its parts', async (t) => {
  const exam: FieldMapping = { text: 'content', id: 'id', compose: 'wanjuan-exam' }
  const record = {
    id: 'q1',
    q_type: null,
    q_main: '下列哪一项正确？ ',
    option_a: '甲',
    option_b: '乙',
    option_c: '',
    std_ans: 'B',
    answer: '',
    answer_detail: '因为乙。',
  }
  t.match(decoded(JSON.stringify(record), exam), {
    key: 'q1',
    text: '下列哪一项正确？\nA. 甲\nB. 乙\n答案：B\n解析：因为乙。',
  })
  t.match(decoded(JSON.stringify({ ...record, content: '正文' }), exam), { text: '正文' })
  t.match(decoded(JSON.stringify({ ...record, q_main: '' }), exam), { reason: 'no-text' })
})

const places = (block: Parameters<typeof recordPlaces>[0]) =>
  [...recordPlaces(block)].map(({ document, offset, start, end, rejected }) => [
    document,
    offset,
    rejected === null ? Buffer.from(block.bytes.subarray(start, end)).toString() : rejected.reason,
  ])

t.test(
  'Records are found by line ends or bounds, with rejected ones at their position and in the row count',
  async (t) => {
    const refused = (offset: number) => ({ offset, reason: 'record-too-large' as const, detail: '', excerpt: '' })
    t.same(places(blockOf(ownBytes('{1}\n\n \t\r\n{2}\r\n{3}'), { offset: 100 })), [
      [0, 100, '{1}'],
      [1, 109, '{2}\r'],
      [2, 114, '{3}'],
    ])
    const array = blockOf(ownBytes('[{1},\n{\n2},'), { bounds: Int32Array.from([1, 4, 6, 10]), offset: 5 })
    t.same(places({ ...array, rejected: [refused(40), refused(8)] }), [
      [0, 6, '{1}'],
      [1, 8, 'record-too-large'],
      [2, 11, '{\n2}'],
      [3, 40, 'record-too-large'],
    ])
    t.same(places(blockOf(ownBytes('{1}\n{2}\n'), { offset: 7, offsetUnit: 'row', rejected: [refused(8)] })), [
      [0, 7, '{1}'],
      [1, 8, 'record-too-large'],
      [2, 9, '{2}'],
    ])
    t.same(places(blockOf(new Uint8Array(0), { rejected: [refused(0)] })), [[0, 0, 'record-too-large']])
  },
)

t.test('Records read without JSON.parse equal what JSON.parse gives', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = new Random(seed)
  const pieces = [
    ...'{}[]:,"\\/ -+.eE0123456789天é😀\u0001\u2028abtrufnls',
    '\\u00e9\\ud83d\\n\\/\\"',
    '"text":"地"',
    '"id":12345678901234567890,',
    '"id":"\\u5929"',
    '"title":null,',
    '"x":{"text":"不"},',
    '\t',
  ]
  const starts = [
    { text: '天地\n"玄黄"\\ 😀', id: 17, title: 'é题' },
    { id: 'a/b', other: [1, { a: 2 }], text: '宇宙' },
    { title: '', n: 1.5, flag: true, none: null, text: 'abc\u2028' },
  ].map((record) => JSON.stringify(record))
  let flat = 0
  for (let round = 0; round < 1500; round++) {
    const sources = Array.from({ length: random.between(1, 5) }, () => {
      let source = starts[random.between(0, starts.length - 1)] as string
      for (let edits = random.between(0, 2); edits > 0; edits--) {
        const at = random.between(0, source.length)
        const piece = random.chance(0.7) ? (pieces[random.between(0, pieces.length - 1)] as string) : ''
        source = source.slice(0, at) + piece + source.slice(at + random.between(0, 2))
      }
      return source.toWellFormed().replaceAll('\n', '')
    }).filter((source) => source.trim() !== '')
    const found = readAll(blockOf(ownBytes(sources.join('\n')), { mapping }))
    const expected = sources.map((source) => plainly(source))
    flat += expected.filter((each) => each !== null).length
    const wrong = expected.findIndex((each, index) => {
      const read = found[index] as PlainDocument | DecodeFault
      return each === null ? !('reason' in read) : JSON.stringify(read) !== JSON.stringify(each)
    })
    if (found.length !== sources.length || wrong >= 0) t.fail(`round ${round}, record ${wrong}: ${sources[wrong]}`)
  }
  t.ok(flat > 750, `${flat} documents compared`)
})

t.test(
  'A record is read where fields that are not mapped hold NaN or Infinity, as json.dumps of Python writes them',
  async (t) => {
    for (const [record, expected] of [
      ['{"text":"天","loss":NaN,"a":[Infinity,-Infinity]}', { text: '天' }],
      ['{"loss": NaN, "text":"NaN \\"-Infinity\\" \\\\"}', { text: 'NaN "-Infinity" \\' }],
      ['{"text":"天","id":NaN,"title":Infinity}', { text: '天', key: '', title: '' }],
      [
        '{"text":NaN,"id":5}',
        { reason: 'no-text', detail: 'field "text" is not a string; fields: "text", "id"', key: '5' },
      ],
      ['{"text":"天","a":1NaN}', { reason: 'invalid-json' }],
      ['{"text":"天","a":NaNs}', { reason: 'invalid-json' }],
      ['{"text":"天","a":"NaN', { reason: 'invalid-json' }],
      ['{NaN:1,"text":"天"}', { reason: 'invalid-json' }],
    ] as const) {
      t.match(decoded(record), expected, record)
    }
  },
)

t.test('A mapped field is found by its exact name, else by its path, in objects and in lists', async (t) => {
  const fields: FieldMapping = { text: 'data.content', id: 'meta.id', title: 'meta.t' }
  const text = (record: unknown, mapping: FieldMapping = fields) => decoded(JSON.stringify(record), mapping)
  t.match(text({ data: { content: '天' }, meta: { id: 7, t: '题' } }), { text: '天', key: '7', title: '题' })
  t.match(text({ 'data.content': '地', data: { content: '天' } }), { text: '地' }, 'the exact name goes first')
  t.match(text({ 'data.content': '', data: { content: '天' } }), { reason: 'no-text' })
  t.match(decoded('{"data":{"content":"天"},"meta":{"id":12345678901234567890}}', fields), {
    key: '12345678901234567890',
  })
  t.match(text({ data: [{ content: '天' }, { other: 1 }, { content: '地' }] }), { text: '天\n地' }, 'through a list')
  t.match(text({ data: { content: ['天', null, '地'] } }), { text: '天\n地' }, 'a list of texts')
  t.match(text({ data: { content: [{ type: 'text', text: '天' }] } }), { text: '天' }, 'a list of parts')
  t.match(
    text({ data: [{ content: '天' }, { content: '地' }] }, { text: 'data.1.content' }),
    { text: '地' },
    'an index',
  )
  t.match(text({ text: ['天', 1] }, { text: 'text' }), { reason: 'no-text', detail: /is a list without texts/ })
  t.match(text({ text: [] }, { text: 'text' }), { reason: 'no-text', detail: /is a list without texts/ })
  t.match(text({ data: 'x' }, { text: 'data.constructor' }), { reason: 'no-text', detail: /is missing/ })
  t.match(text({ data: {} }, { text: 'data.constructor.name' }), { reason: 'no-text', detail: /is missing/ })
})

t.test('The reject of a record without a text names its fields, escaped and bounded', async (t) => {
  const detail = (record: unknown) => (decoded(JSON.stringify(record)) as DecodeFault).detail
  t.equal(
    detail({ url: 1, data: { content: '天', lang: 'zh' }, list: [1], none: {} }),
    'field "text" is missing; fields: "url", "data.content", "data.lang", "list", "none"',
  )
  t.equal(detail({ 'a\u001b[31m\u202e"': 1 }), 'field "text" is missing; fields: "a\\u001b[31m\\u202e\\""')
  const many = detail(
    Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}${'长'.repeat(5000)}`, 1])),
  )
  t.match(many, /…", "1长.* and 484 more$/)
  t.ok(many.length < 1200, `${many.length} characters`)
})

t.test('The flat reader and JSON.parse find the same document by paths, in records of any form', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = new Random(seed)
  const names = ['data', 'data.content', 'content', 'meta', 'meta.id', 'id', 't', 'a.b.c', 'text']
  const scalars = [
    '"天"',
    '"地\\n"',
    '""',
    '7',
    '1e3',
    'true',
    'null',
    'NaN',
    '"NaN"',
    '12345678901234567890',
    '[]',
    '{}',
  ]
  const value = (depth: number): string => {
    if (depth > 2 || random.chance(0.6)) return scalars[random.between(0, scalars.length - 1)] as string
    if (random.chance(0.3)) return `[${Array.from({ length: random.between(0, 3) }, () => value(depth + 1)).join()}]`
    return object(depth + 1)
  }
  function object(depth: number): string {
    const fields = Array.from({ length: random.between(depth === 0 ? 2 : 0, 5) }, () => {
      return `"${names[random.between(0, names.length - 1)]}":${value(depth)}`
    })
    return `{${fields.join()}}`
  }
  let found = 0
  for (let round = 0; round < 500; round++) {
    const fields = {
      text: names[random.between(0, names.length - 1)] as string,
      id: names[random.between(0, names.length - 1)] as string,
      title: names[random.between(0, names.length - 1)] as string,
    }
    const sources = Array.from({ length: random.between(1, 4) }, () => object(0))
    const bytes = Buffer.from(`${sources.join('\n')}\n`)
    const fast = readAll(blockOf(ownBytes(bytes), { mapping: fields }))
    // A block that is not UTF-8 as a whole is read record by record, each by JSON.parse.
    const slow = readAll(blockOf(ownBytes(Buffer.concat([bytes, Buffer.from([0xff])])), { mapping: fields }))
    if (JSON.stringify(fast) !== JSON.stringify(slow.slice(0, -1)))
      t.fail(`round ${round}: ${JSON.stringify(fields)} ${bytes}`)
    found += fast.filter((each) => !('reason' in each)).length
  }
  t.ok(found > 50, `${found} documents compared`)
})

/** By JSON.parse alone; null where it is no document. */
function plainly(source: string): PlainDocument | null {
  let record: Record<string, unknown> | null = null
  try {
    record = JSON.parse(source.replace(/^\ufeff/, '')) as Record<string, unknown>
  } catch {
    return null
  }
  const { id, title, text } = record ?? {}
  if (typeof text !== 'string' || text === '') return null
  const digits = /"id"\s*:\s*(-?[\d.eE+-]+)(?![\s\S]*"id"\s*:)/.exec(source)?.[1]
  const key = typeof id === 'number' ? (Number.isSafeInteger(id) ? String(id) : (digits ?? '')) : id
  return { key: typeof key === 'string' ? key : '', title: typeof title === 'string' ? title : '', text }
}
