import t from 'tap'
import { gradeOf, verdictFault } from '../../../lib/kun/replies/grade.js'
import { writtenVerdict } from '../../../lib/kun/replies/verdict.js'

t.test('a written verdict is read in all its forms', async (t) => {
  const good = [
    '【好】',
    '好',
    '好。',
    '「好」',
    '“好”',
    '【 好 】',
    '**【好】**',
    '评价：好',
    '结论是好。',
    '评级：【好】',
    '最终评价：【好】',
  ]
  good.push(
    '【好】该指令明确具体。',
    '【好】\n【好】',
    '应评为【好】',
    '判断结果为【好】',
    '综合来看：好',
    '指令完整明确，因此评为【好】。',
    '好\n理由：指令明确。',
  )
  good.push('分析：指令完整，没有指代。\n结论：【好】', '<think>看看【差】？不，指令具体。</think>【好】')
  for (const text of good) t.equal(writtenVerdict(text), 'good', text)
  const bad = [
    '【差】',
    '差',
    '结论是差',
    '【差】，因为达不到【好】的标准',
    '评价：差。',
    '该指令的评价为【差】',
    '指令依赖图片，评为【差】。',
  ]
  for (const text of bad) t.equal(writtenVerdict(text), 'bad', text)
})

t.test('a verdict that is denied, contradicted, of another word or language is none', async (t) => {
  const none = [
    '不能评为【好】',
    '不属于【好】',
    '达不到【好】的标准',
    '不差',
    '差不多',
    '很好',
    '好的，我来评价。',
    '好坏难说',
    '【好】不是【差】',
  ]
  none.push(
    '【好】/【差】',
    '【好】或【差】',
    '有的地方【好】，有的地方【差】',
    '【good】',
    'Good',
    '良',
    '',
    '【',
    '评价：很好',
  )
  none.push('【好】\n结论：【差】')
  for (const text of none) t.equal(writtenVerdict(text), null, text)
})

t.test('an explanation may be cut off behind a verdict; a verdict may not', async (t) => {
  const cut = (text: string) => verdictFault({ text, finishReason: 'length', promptTokens: 1, completionTokens: 9 })
  t.equal(cut('【好】这条指令完整而明确，因为'), null)
  t.equal(cut('【'), 'cut-off')
  t.equal(cut('这条指令完整而明确，因为'), 'cut-off')
})

t.test('the tokens of a label count with blanks and brackets, and an absent label is absent', async (t) => {
  const grade = (top: Record<string, number>) => {
    const firstTokenLogprobs = Object.fromEntries(Object.entries(top).map(([token, p]) => [token, Math.log(p)]))
    return gradeOf(
      { text: '好', finishReason: 'length', promptTokens: 1, completionTokens: 1, firstTokenLogprobs },
      true,
    )
  }
  for (const [good, bad] of [
    ['▁好', '▁差'],
    ['【好', '【差'],
    ['好】', '差】'],
    [' 好', ' 差'],
    ['「好」', '「差」'],
  ] as const) {
    t.match(grade({ [good]: 0.8, [bad]: 0.2 }), { kind: 'logprob', score: 0.8, mass: 1 }, good)
  }
  t.match(grade({ 好: 0.3, 的: 0.29 }), { score: 1, mass: 0.3 }, 'the least likely token is no bound of the absent one')
  t.match(grade({ 差: 0.9, 中: 0.01 }), { score: 0, mass: 0.9 })
  t.match(grade({ 好的: 0.9, 好: 0.04, 差: 0.04 }), { score: 0.5, mass: 0.08 }, '好的 is an interjection')
})
