import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withDecontamination } from '../../lib/run/decontamination/plan.js'
import { readItems } from '../../lib/run/decontamination/read-items.js'
import { ContaminationSearch, codesOfForm } from '../../lib/text/contamination.js'
import { decontaminationOptions } from '../../lib/text/contamination-options.js'
import { comparisonForm } from '../../lib/text/signature.js'
import { planOf } from '../text/support.js'

const first = '下列选项中，最早提出日心说并撰写《天体运行论》的科学家是哪一位？'
const second = '在标准大气压下，纯水的沸点约为多少摄氏度，请选择正确的一项。'

t.test('C-Eval, CMMLU and other layouts: one item for each row, with its file and line', async (t) => {
  const directory = t.testdir({
    'ceval.csv': `\ufeffid,question,A,B,C,D,answer\r\n0,"${first}",甲,乙,丙,丁,A\r\n1,"${second.replace('，', '，\n')}",甲,乙,丙,丁,B\r\n`,
    'cmmlu.csv': `,Question,A,B,C,D,Answer\n0,${first},甲,乙,丙,丁,A\n`,
    'a.jsonl': `${JSON.stringify({ prompt: first })}\n\n${JSON.stringify({ prompt: second, answer: 'B' })}\n`,
    'b.json': JSON.stringify([{ question: first }, { question: second }]),
    'c.json': JSON.stringify({ keywords: 'x', example: [{ question: first }] }),
    'd.tsv': `题目\t答案\n${first}\tA\n`,
  })
  const forms = [first, second].map(comparisonForm)
  const places = async (name: string, fields: readonly string[] = []) =>
    (await readItems(name, directory, fields)).items.map(({ place, form }) => [place, forms.indexOf(form)])
  t.strictSame(await places('ceval.csv'), [
    ['ceval.csv line 2', 0],
    ['ceval.csv line 4', 1],
  ])
  t.strictSame(await places('cmmlu.csv'), [['cmmlu.csv line 2', 0]])
  t.strictSame(await places('a.jsonl'), [
    ['a.jsonl line 1', 0],
    ['a.jsonl line 3', 1],
  ])
  t.strictSame(await places('b.json'), [
    ['b.json item 0', 0],
    ['b.json item 1', 1],
  ])
  t.strictSame(await places('c.json'), [['c.json item 0', 0]])
  t.strictSame(await places('d.tsv'), [['d.tsv line 2', 0]])
  t.strictSame(await places('ceval.csv', ['Question']), await places('ceval.csv'), 'fields are compared without case')
})

t.test('a file without items, another format and a pattern without files are named with what to do', async (t) => {
  const directory = t.testdir({ 'no.csv': 'a,b\n1,2\n', 'bad.jsonl': '{"question": "x"}\n[1]\n', 'empty.json': '' })
  const fails = (name: string, message: RegExp) =>
    t.rejects(readItems(name, directory, []), { code: 'KUN_RECIPE', message })
  await fails('no.csv', /no text in question, .*its fields are a, b\. Name them in prepare\.decontaminate\.fields/)
  await fails('bad.jsonl', /line 2 is not a JSON object/)
  await fails('empty.json', /its fields are none/)
  await fails('absent.csv', /absent\.csv cannot be read/)
  const plan = await planOf({})
  const options = decontaminationOptions.parse({ files: ['*.parquet'] })
  await t.rejects(withDecontamination(plan, options, directory), { message: /no file matches '\*\.parquet'/ })
})

t.test('globs: files sorted and pinned by content, items of all of them in one index', async (t) => {
  const directory = t.testdir({
    ceval: { 'b.csv': `id,question\n1,${second}\n`, 'a.csv': `id,question\n1,${first}\n` },
  })
  const options = decontaminationOptions.parse({ files: ['ceval/*.csv', 'ceval/a.csv'] })
  const { contamination } = await withDecontamination(await planOf({}), options, directory)
  t.strictSame(
    contamination?.files.map(({ name }) => name),
    ['ceval/a.csv', 'ceval/b.csv'],
  )
  t.match(contamination?.files[0]?.sha256, /^[0-9a-f]{64}$/)
  const search = new ContaminationSearch(contamination?.index as never)
  t.match(search.find(codesOfForm(comparisonForm(second))), { place: 'ceval/b.csv line 2', share: 1 })
  t.ok(readFileSync(join(directory, 'ceval/a.csv')).length > 0)
})
