import { Buffer } from 'node:buffer'
import { Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import t from 'tap'
import { textAt } from '../../lib/text/columns.js'
import { pinnedFilters } from '../../lib/text/plan.js'
import { createPreparer, prepareBlock } from '../../lib/text/prepare.js'
import { toRecordBatch } from '../../lib/text/record-batch.js'
import { Random, testSeed } from '../support/random.js'
import { accountingFaults, article, blockOf, jsonl, ownBytes, planOf } from './support.js'

t.test('Every document of a block ends in chunks or in one reject with its reason, place and excerpt', async (t) => {
  const preparer = await createPreparer(await planOf({}, { signatureLength: 8 }))
  const block = blockOf(jsonl([{ id: 'a', text: article(1) }, { id: 'b' }, { id: 'c', text: '短' }]), { offset: 1000 })
  const prepared = prepareBlock(block, preparer)
  t.same(accountingFaults(prepared), [])
  t.equal(textAt(prepared.chunks.text, 0), article(1))
  t.match(prepared.rejects, [
    {
      document: 1,
      chunk: null,
      key: 'b',
      stage: 'decode',
      reason: 'no-text',
      detail: 'field "text" is missing; fields: "id"',
    },
    { document: 2, chunk: null, key: 'c', stage: 'filter', reason: 'too-short', excerpt: '短' },
  ])
  t.equal(prepared.rejects[0]?.offset, 1000 + jsonl([{ id: 'a', text: article(1) }]).length)
})

const prepared = async (records: readonly unknown[], options: unknown = {}, directory = '.') =>
  prepareBlock(blockOf(jsonl(records)), await createPreparer(await planOf(options, { directory, signatureLength: 4 })))

t.test('Chunks that are too short are rejected by ordinal; the document is rejected if no chunk is left', async (t) => {
  const long = article(1, 9).replaceAll('\n', '')
  const found = await prepared([{ text: `${long}\n\n短句。` }, { text: '一二三。'.repeat(2) }], {
    chunk: { tokensMax: 320, charsMin: 20 },
    quality: { charsMin: 1 },
  })
  t.same(accountingFaults(found), [])
  t.same(
    found.rejects.map(({ document, chunk, reason, stage }) => [document, chunk, reason, stage]),
    [[1, null, 'too-short', 'chunk']],
  )
  const cut = await prepared([{ text: `${long}\n\n短句。` }], {
    chunk: { tokensMax: 16, charsMin: 12 },
    quality: { charsMin: 1 },
  })
  t.same(accountingFaults(cut), [])
  t.ok(cut.rejects.length > 0 && cut.chunks.rows > 0)
  t.ok(cut.rejects.every(({ chunk, excerpt }) => chunk !== null && excerpt.length < 12))
})

t.test('A title of so many marks that the memory grows leaves the text of its record in place', async (t) => {
  const { chunks } = await prepared([{ title: '一。'.repeat(20_000), text: article(1) }])
  t.equal(textAt(chunks.text, 0), article(1))
})

t.test('A title has its own column: cleaned, on one line, and not repeated at the start of the text', async (t) => {
  const { chunks } = await prepared([
    { title: ' 城北\u200b的\n老桥 ', text: `城北的 老桥\n${article(1)}` },
    { title: '别的', text: `城北的老桥\n${article(1)}` },
  ])
  t.same([textAt(chunks.title, 0), textAt(chunks.text, 0)], ['城北的 老桥', article(1)])
  t.same([textAt(chunks.title, 1), textAt(chunks.text, 1)], ['别的', `城北的老桥\n${article(1)}`])
})

t.test('Custom filters keep, drop with their reason, and replace the text', async (t) => {
  const directory = t.testdir({
    'mine.mjs': `export default ({ text, title, id }) =>
      id === 'drop' ? 'my-reason' : id === 'change' ? { text: text.replaceAll('卷', '册') + '\\u200b' }
      : id === 'empty' ? { text: ' ' } : true`,
    'second.mjs': `export default ({ text }) => text.includes('册') ? 'saw-the-change' : true`,
  })
  const records = ['keep', 'drop', 'change', 'empty'].map((id) => ({ id, text: article(1) }))
  const first = await prepared(records, { filters: ['mine.mjs'] }, directory)
  t.same(accountingFaults(first), [])
  t.same([...first.chunks.document], [0, 2])
  t.equal(textAt(first.chunks.text, 1), article(1).replaceAll('卷', '册'))
  t.match(first.rejects, [
    { key: 'drop', stage: 'filter', reason: 'my-reason', detail: 'by mine.mjs' },
    { key: 'empty', stage: 'filter', reason: 'no-text' },
  ])
  const both = await prepared(records, { filters: ['mine.mjs', './second.mjs'] }, directory)
  t.same([...both.chunks.document], [0])
  t.equal(both.rejects[1]?.reason, 'saw-the-change')
})

t.test('A filter that does not load, or returns something else, is named with what to do', async (t) => {
  const directory = t.testdir({
    'broken.mjs': 'export default (',
    'empty.mjs': 'export const a = 1',
    'number.mjs': 'export default () => 1',
    'later.mjs': 'export default async () => true',
  })
  const using = (name: string) => prepared([{ text: article(1) }], { filters: [name] }, directory)
  await t.rejects(using('absent.mjs'), { code: 'KUN_RECIPE', message: /absent\.mjs/ })
  const plan = await planOf({ filters: ['number.mjs'] }, { directory })
  t.match(pinnedFilters(plan.filters), [{ name: 'number.mjs', sha256: /^[0-9a-f]{64}$/ }])
  t.notOk(JSON.stringify(pinnedFilters(plan.filters)).includes(directory), 'no path of this machine')
  await t.rejects(using('broken.mjs'), { code: 'KUN_CUSTOM_FILTER', message: /does not load/ })
  await t.rejects(using('empty.mjs'), { code: 'KUN_CUSTOM_FILTER', message: /no function as default export/ })
  await t.rejects(using('number.mjs'), { code: 'KUN_CUSTOM_FILTER', message: /returned 1 at test\.jsonl:0/ })
  await t.rejects(using('later.mjs'), { code: 'KUN_CUSTOM_FILTER', message: /synchronous/ })
})

t.test('Hostile records do not affect other records', async (t) => {
  const seed = testSeed()
  t.comment(`KUN_SEED=${seed}`)
  const random = new Random(seed)
  const preparer = await createPreparer(await planOf())
  for (let round = 0; round < 60; round++) {
    const good = Array.from({ length: 5 }, (_, index) => ({ id: `g${index}`, text: article(round + index) }))
    const lines = good.map((record) => Buffer.from(JSON.stringify(record)))
    const victim = random.between(0, 4)
    const bytes = lines[victim] as Buffer
    for (let hit = 0; hit < 3; hit++) {
      const at = random.between(0, bytes.length - 1)
      const byte = random.between(0, 255)
      bytes[at] = byte === 0x0a ? 0 : byte
    }
    const found = prepareBlock(blockOf(ownBytes(Buffer.concat(lines.flatMap((line) => [line, newline])))), preparer)
    t.same(accountingFaults(found), [])
    t.equal(found.documents, 5)
    const others = [0, 1, 2, 3, 4].filter((index) => index !== victim)
    t.ok(others.every((index) => found.chunks.document.includes(index)))
  }
})

const newline = Buffer.from('\n')

t.test('Columns are an Arrow record batch over the same memory', async (t) => {
  const { chunks } = await prepared([
    { id: 'a', title: '题', text: article(1) },
    { id: 'b', text: article(2) },
  ])
  const batch = toRecordBatch(chunks)
  t.equal(batch.numRows, 2)
  t.same(
    batch.schema.fields.map(({ name }) => name),
    ['document', 'chunk', 'offset', 'key', 'title', 'heading', 'text', 'tokens', 'letters', 'fingerprint', 'signature'],
  )
  t.equal(batch.getChild('text')?.get(1), article(2))
  t.equal(batch.getChild('key')?.get(0), 'a')
  t.same([...(batch.getChild('signature')?.get(1) ?? [])], [...chunks.signature.slice(4)])
  t.same([...(batch.getChild('fingerprint')?.get(1) ?? [])], [...chunks.fingerprint.slice(16)])
  t.equal(batch.getChild('text')?.data[0]?.values.buffer, chunks.text.bytes.buffer)
  const back = tableFromIPC(tableToIPC(new Table(batch)))
  t.equal(back.get(1)?.text, article(2))
  t.throws(() => textAt(chunks.text, 2), { code: 'KUN_INVALID_OPTION' })
  const none = await prepared([])
  t.same([none.documents, toRecordBatch(none.chunks).numRows], [0, 0])
})

t.test('Tokens are counted exactly if a tokenizer.json is given', async (t) => {
  const vocabulary = Object.fromEntries([...'[UNK]'].map((_, index) => [`x${index}`, index + 1]))
  const tokenizer = {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Split', pattern: { Regex: '[\\s\\S]' }, behavior: 'Isolated', invert: false },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      vocab: { '[UNK]': 0, ...vocabulary },
    },
  }
  const directory = t.testdir({ 'tokenizer.json': JSON.stringify(tokenizer), 'wrong.json': '{}' })
  const { chunks } = await prepared(
    [{ text: article(1, 20) }],
    { tokenizer: 'tokenizer.json', chunk: { tokensMax: 100 } },
    directory,
  )
  t.ok(chunks.rows > 3)
  for (let row = 0; row < chunks.rows; row++) {
    const visible = textAt(chunks.text, row).length
    t.ok(Math.abs((chunks.tokens[row] as number) - visible) <= 2, 'one a character')
    t.ok((chunks.tokens[row] as number) <= 100)
  }
  const using = (name: string) => prepared([], { tokenizer: name }, directory)
  await t.rejects(using('absent.json'), { code: 'KUN_RECIPE' })
  await t.rejects(using('wrong.json'), { code: 'KUN_INVALID_OPTION' })
})

t.test('A block gives the same, whatever its thread prepared before', async (t) => {
  const random = new Random(testSeed())
  const plan = await planOf()
  const blocks = Array.from({ length: 40 }, (_, number) => {
    // Of all sizes, so that memory grows at many of them, and close to the limits of the repetition filters.
    const lines = random.between(20, 400)
    const distinct = random.between(2, lines)
    const text = Array.from({ length: lines }, (_, line) => `第${line % distinct}行${article(line % distinct, 1)}`)
    return {
      number,
      bytes: jsonl([{ text: text.join(random.chance(0.5) ? '\n' : '\n\n') }, { text: article(number) }]),
    }
  })
  const outcome = (
    preparer: Awaited<ReturnType<typeof createPreparer>>,
    { number, bytes }: (typeof blocks)[number],
  ) => {
    const { chunks, rejects } = prepareBlock(blockOf(bytes.slice(), { number }), preparer)
    return { texts: Array.from({ length: chunks.rows }, (_, row) => textAt(chunks.text, row)), rejects }
  }
  const [forwards, backwards] = [await createPreparer(plan), await createPreparer(plan)]
  const inOrder = blocks.map((block) => outcome(forwards, block))
  const reversed = blocks.toReversed().map((block) => outcome(backwards, block))
  const alone = await Promise.all(blocks.map(async (block) => outcome(await createPreparer(plan), block)))
  t.ok(
    inOrder.some(({ rejects }) => rejects.some(({ reason }) => reason.startsWith('repeated'))),
    'the filters apply',
  )
  t.strictSame(reversed.reverse(), inOrder, `seed ${random.seed}: in the other order`)
  t.strictSame(alone, inOrder, `seed ${random.seed}: each in a thread of its own`)
})
