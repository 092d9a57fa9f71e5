import t from 'tap'
import { columnIssues } from '../../lib/kun/column-checks.js'
import { type ColumnOptions, columnOptions } from '../../lib/kun/column-options.js'
import { readCell } from '../../lib/kun/column-value.js'
import { kunOptions } from '../../lib/kun/options.js'

const base = { name: 'difficulty', after: 'label', model: 'judge', prompt: { text: '{instruction}' } }
const levels = columnOptions.parse({ ...base, type: 'enum', values: ['简单', '中等', '困难', '非常困难'] })
const number = columnOptions.parse({ ...base, type: 'number', min: 1, max: 10 })
const json = columnOptions.parse({ ...base, type: 'json' })

const read = (options: ColumnOptions, replies: Readonly<Record<string, string | number | null>>) =>
  Object.fromEntries(Object.keys(replies).map((reply) => [reply, readCell(reply, options)]))

t.test('a value of an enum is the reply, or the only value that it names', async (t) => {
  const replies = {
    中等: '中等',
    '【中等】': '中等',
    '难度：中等。': '中等',
    '“困难”': '困难',
    '这条指令属于非常困难。': '非常困难',
    '<think>简单吗？</think>困难': '困难',
    不困难: null,
    简单或中等: null,
    一般: null,
    '': null,
    [`${'这条指令要分很多步。'.repeat(30)}困难`]: null,
  }
  t.strictSame(read(levels, replies), replies)
})

t.test('a number is the only one in the reply, within its bounds', async (t) => {
  const replies = {
    8: 8,
    '８．５': 8.5,
    '评分：8/10': 8,
    '8分': 8,
    '难度为 3（1 到 5）': 3,
    '**7**': 7,
    '3-5': null,
    '7 或 8': null,
    '11': null,
    '-3': null,
    八: null,
    '1e3': null,
  }
  t.strictSame(read(number, replies), replies)
  const free = columnOptions.parse({ ...base, type: 'number' })
  t.ok(Object.is(readCell('-0', free), 0), 'no negative zero, which JSON does not keep')
  t.equal(readCell('-3', free), -3)
})

t.test('JSON is kept without blanks, also between words or in a fence', async (t) => {
  t.equal(readCell('```json\n{ "a": [1, 2] }\n```', json), '{"a":[1,2]}')
  t.equal(readCell('结果是 {"a": 1}，谢谢', json), '{"a":1}')
  t.equal(readCell('[1, 2', json), null)
  t.equal(readCell('['.repeat(100_000), json), null, 'depth is no crash')
})

t.test('what does not fit together is refused, with its place', async (t) => {
  const issuesOf = (columns: readonly object[], more: object = {}) => {
    const kun = kunOptions.parse({
      label: { model: 'm' },
      ...more,
      columns: columns.map((column) => ({ ...base, type: 'text', ...column })),
    })
    return columnIssues(kun).map(({ path, message }) => `${path.join('.')}: ${message}`)
  }
  t.strictSame(issuesOf([{}]), [])
  t.match(issuesOf([{ name: 'Score' }]), [/^columns\.0\.name: found "Score", a name that kun-stream uses/])
  t.match(issuesOf([{}, { name: 'Difficulty' }]), [/^columns\.1\.name: /])
  t.match(issuesOf([{ after: 'pair' }]), [/after: found pair, but the recipe has no kun\.pair/])
  t.match(issuesOf([{ after: 'dedup' }]), [/\{instruction\}, which does not exist after dedup/])
  t.match(issuesOf([{ prompt: { text: '{output}' } }]), [/\{output\}, which does not exist after label/])
  t.match(issuesOf([{ prompt: { text: '{b}' } }, { name: 'b' }]), [/\{b\}, a column that is not asked before/])
  t.strictSame(issuesOf([{ name: 'b' }, { prompt: { text: '{b}{LaTeX}' } }]), [], 'other braces are text')
  t.match(issuesOf([{ type: 'enum' }]), [/values: is needed/])
  t.match(issuesOf([{ values: ['a'] }]), [/values: applies to type: enum only/])
  t.match(issuesOf([{ min: 1 }]), [/min: applies to type: number only/])
  t.match(issuesOf([{ type: 'json', keepIf: { in: ['a'] } }]), [/keepIf: in and notIn/])
  t.match(issuesOf([{ type: 'enum', values: ['a'], keepIf: { in: ['b'] } }]), [/found "b", which is not in values/])
  t.throws(() => columnOptions.parse({ ...base, type: 'text', name: '1a' }))
  t.throws(() => columnOptions.parse({ ...base, type: 'text', name: 'a-b' }))
})
