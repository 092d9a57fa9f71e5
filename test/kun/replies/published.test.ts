import t from 'tap'
import { fittingInstruction } from '../../../lib/kun/instruction-budget.js'
import { instructionFilterOptions, outputFilterOptions } from '../../../lib/kun/replies/filter-options.js'
import { closingRepair, publishedGrade } from '../../../lib/kun/replies/published.js'
import { readAnswer } from '../../../lib/kun/replies/read-answer.js'
import { readInstruction } from '../../../lib/kun/replies/read-instruction.js'
import { estimateTokens } from '../../../lib/text/tokens.js'

const none = { text: '', title: '', instruction: '' }
const forInstruction = instructionFilterOptions.parse({
  reading: 'published',
  keywords: ['文章'],
  charsMin: 1,
  charsMax: 1_000_000,
  hanShareMin: 0,
  selfContained: false,
})
const forAnswer = outputFilterOptions.parse({ reading: 'published', keywords: ['抱歉'], hanShareMin: 0 })
const instruction = (reply: string) => readInstruction(reply, none, forInstruction)
const answer = (reply: string) => readAnswer(reply, none, forAnswer)

t.test('a reply is cut at the end tokens, and loses spaces and line feeds at its end only', async (t) => {
  for (const [reply, text] of [
    ['怎样种竹？ \n \n', '怎样种竹？'],
    ['  怎样种竹？\t', '  怎样种竹？\t'],
    ['怎样种竹？<|endoftext|>怎样种木？', '怎样种竹？'],
    ['怎样种竹？</s>怎样种木？', '怎样种竹？'],
    ['怎样</s>种竹？<|endoftext|>', '怎样'],
    ['<|endoftext|>怎样种竹？', '<|endoftext|>怎样种竹？'],
    ['好的，以下是指令：\n1. “怎样种竹？”', '好的，以下是指令：\n1. “怎样种竹？”'],
    ['总结这段话。', '总结这段话。'],
  ] as const) {
    t.strictSame(instruction(reply), { text, fault: null }, JSON.stringify(reply))
  }
  t.match(instruction('</s>怎样种竹？'), { fault: { reason: 'empty-reply' } })
  t.match(instruction(' \n'), { fault: { reason: 'empty-reply' } })
  t.strictSame(instruction('<think>想</think>怎样种竹？'), { text: '怎样种竹？', fault: null })
})

t.test('keywords are looked for in the raw reply, before blanks are cut and repeated lines go', async (t) => {
  t.match(instruction('怎样种竹？      写一篇文章'), { fault: { reason: 'instruction-keyword', detail: '文章' } })
  t.strictSame(instruction('怎样种竹？</s>文章').fault, null, 'but after the end token nothing counts')
  t.match(answer('抱歉，我不能。'), { fault: { reason: 'output-keyword' } }, 'keywords come before the length')
})

t.test('an output has 20 characters, and does not start with one unit more than 5 times', async (t) => {
  t.match(answer(`${'水'.repeat(5)}往低处流，这是因为地球有引力。`), { fault: null })
  t.match(answer('水往低处流，因为地球有引力作用呢。。'), { fault: { reason: 'output-too-short', detail: '18 < 20' } })
  t.match(answer(`${'水'.repeat(6)}往低处流，这是因为地球有引力。`), {
    fault: { reason: 'output-repeats', detail: '水' },
  })
  t.match(answer(`${'\n'.repeat(6)}水往低处流，这是因为地球有引力的作用呢。`), { fault: { reason: 'output-repeats' } })
  t.match(answer(`好${'水往低处流。'.repeat(20)}`), { fault: null }, 'elsewhere a loop is not looked for')
})

t.test('a score has 【好】 and not 【差】', async (t) => {
  const grades = [
    '【好】',
    '评价：【好】，因为',
    '【差】',
    '【好】还是【差】',
    '好',
    '【 好 】',
    '<think>【差】</think>【好】',
  ].map(publishedGrade)
  t.strictSame(
    grades.map(({ score }) => score),
    [1, 1, 0, 0, 0, 0, 1],
  )
  t.strictSame(
    grades.map(({ readable }) => readable),
    [true, true, true, true, false, false, true],
  )
})

t.test('an instruction is repaired at the end: cut at 5 blanks, or the line that it begins with twice', async (t) => {
  for (const [before, after] of [
    ['怎样种竹？', '怎样种竹？'],
    [' 怎样种竹？', ' 怎样种竹？'],
    ['怎样种竹？\n \n \n怎样种木？', '怎样种竹？'],
    ['怎样种竹？    怎样种木？', '怎样种竹？    怎样种木？'],
    ['怎样种竹？\u3000\u3000\u2003 \n', '怎样种竹？'],
    ['怎样种竹？\u200b\u200b\u200b\u200b\u200b木？', '怎样种竹？\u200b\u200b\u200b\u200b\u200b木？'],
    ['      怎样种竹？', ''],
    ['怎样种竹？\n怎样种竹？', '怎样种竹？'],
    ['怎样种竹？\n写三点。\n怎样种竹？ ', '怎样种竹？'],
    ['写三点。\n怎样种竹？\n怎样种竹？', null],
    ['怎样\n怎样种竹？\n怎样\n怎样种竹？', null],
    ['怎样种竹？\n\n\n写三点。', '怎样种竹？\n\n\n写三点。'],
  ] as const) {
    t.equal(closingRepair(before), after, JSON.stringify(before))
  }
})

t.test('every reading is linear: 1 MB of anything takes less than a second', async (t) => {
  for (const unit of ['水', ' ', '\n', '水 ', '【', '</s', '<|endoftext|', '水\n', 'a\n\n\n\n']) {
    const text = unit.repeat(1_000_000 / unit.length)
    const start = performance.now()
    for (const read of [instruction, answer, publishedGrade, closingRepair]) read(text)
    const took = performance.now() - start
    t.ok(took < 4_000, `${JSON.stringify(unit)}: ${took.toFixed(0)} ms`)
  }
})

t.test('the instruction is cut, and not the text, so that both stay within the budget', async (t) => {
  const text = '水往低处流。'.repeat(80)
  const asked = '为什么水总是往低处流？请从重力的角度说明。'
  const estimate = estimateTokens(text)
  t.equal(fittingInstruction(asked, { text, tokens: estimate }, 2 * estimate), asked)
  for (const left of [1, 2, 5, 10]) {
    const fitting = fittingInstruction(asked, { text, tokens: estimate }, estimate + 12 + left)
    t.ok(asked.startsWith(fitting) && fitting !== asked)
    t.ok(estimateTokens(fitting) <= left, `${left}: ${fitting}`)
    t.ok(estimateTokens(asked.slice(0, fitting.length + 1)) > left, 'one more character would not fit')
  }
  t.equal(fittingInstruction(asked, { text, tokens: estimate }, estimate + 12), '', 'no tokens are left')
  t.equal(
    fittingInstruction(asked, { text, tokens: 2 * estimate }, 2 * estimate + 12 + 4).length,
    fittingInstruction(asked, { text, tokens: estimate }, estimate + 12 + 2).length,
    'a text with twice the tokens: so has the instruction',
  )
  const emoji = fittingInstruction('😀😀😀😀', { text, tokens: estimate }, estimate + 12 + 2)
  t.ok(emoji.isWellFormed(), 'no half of a character')
})
