import t from 'tap'
import { seededRandom } from '../../lib/core/random.js'
import { instructionTypeOf } from '../../lib/kun/instruction-type.js'
import { addRowFigures, distinctOf, RowFiguresCounter, rowFiguresSchema } from '../../lib/kun/row-figures.js'
import type { Pair } from '../../lib/kun/types.js'
import { statsText } from '../../lib/run/stats-file.js'
import { testSeed } from '../support/random.js'

const pair = (instruction: string, columns: Pair['columns'] = {}, output: string | null = null): Pair => ({
  candidate: {
    ...{ id: 'a', split: 's', shard: 'f', offset: 0, chunk: 0, key: '', title: '', heading: '' },
    ...{ text: '水往低处流。', tokens: 5, columns: {} },
  },
  variant: 0,
  id: 'b',
  instruction,
  labelAttempt: 0,
  output,
  columns,
})

t.test('grades are counted by tenths, lengths by powers of two, words by value', async (t) => {
  const counter = new RowFiguresCounter()
  const rows = [0, 0.05, 0.1, 0.55, 0.999, 1]
  for (const score of rows)
    counter.add(pair('水往哪里流？', { score, score_kind: 'logprob', note: '长'.repeat(40) }, '低处'))
  counter.add(pair('水往哪里流？', { score: 3, score_kind: 'rule' }))
  const { grades, words, lengths } = counter.figures()
  t.strictSame({ ...grades }, { score: [2, 1, 0, 0, 0, 1, 0, 0, 0, 2] })
  t.strictSame({ ...words.score_kind }, { logprob: 6, rule: 1 })
  t.notOk('note' in words, 'a long cell is not a word')
  t.equal(lengths.instruction?.[2], 7, 'six characters are in bin 2: 4 to 7')
  t.strictSame([lengths.output?.[1], lengths.output?.[2]], [6, 1], 'without a polish stage the output is the raw text')
})

t.test('figures that are read from a cut continue as if there had been no stop', async (t) => {
  const add = (counter: RowFiguresCounter, from: number, to: number) => {
    for (let index = from; index < to; index++) {
      counter.add(pair(`请介绍第${index}座桥的来历`, { score: (index % 10) / 10, kind: `种类${index % 40}` }))
    }
  }
  const whole = new RowFiguresCounter()
  add(whole, 0, 300)
  const first = new RowFiguresCounter()
  add(first, 0, 123)
  const stored = rowFiguresSchema.parse(JSON.parse(JSON.stringify(first.figures())))
  const second = new RowFiguresCounter(stored)
  add(second, 123, 300)
  t.equal(JSON.stringify(second.figures()), JSON.stringify(whole.figures()))
  t.equal(Object.keys(whole.figures().words.kind ?? {}).length, 32, 'the number of words of a column has a limit')
})

t.test('the number of distinct n-grams is estimated within 10 percent', async (t) => {
  for (const count of [1, 50, 700, 5000, 40_000]) {
    const counter = new RowFiguresCounter()
    for (let index = 0; index < count; index++) {
      const instruction = String.fromCharCode(0x4e00 + (index % 20_000), 0x4e00 + Math.floor(index / 20_000))
      counter.add(pair(instruction))
      counter.add(pair(instruction))
    }
    const { bigrams } = counter.figures()
    t.equal(bigrams.all, 2 * count)
    t.ok(Math.abs(distinctOf(bigrams.sketch) / count - 1) <= 0.1, `${distinctOf(bigrams.sketch)} of ${count}`)
  }
  t.equal(distinctOf(new RowFiguresCounter().figures().bigrams.sketch), 0)
})

t.test('an instruction has the type of what it asks for', async (t) => {
  for (const [instruction, type] of [
    ['请把下面这句话翻译成英文：水往低处流。', 'translate'],
    ['用 Python 写一个函数，返回列表的中位数。', 'code'],
    ['已知圆的半径是三厘米，计算它的面积。', 'calculate'],
    ['租庸调制和两税法有什么不同？', 'compare'],
    ['常见的保温材料有哪些？', 'list'],
    ['怎样给月季修剪和施肥？', 'steps'],
    ['为什么竹子开花后会枯死？', 'reason'],
    ['请以家乡的秋天为题写一篇文章。', 'write'],
    ['概括《背影》的主要内容。', 'summarise'],
    ['谈谈你对躺平的看法。', 'explain'],
    ['请介绍赵州桥的构造。', 'describe'],
    ['中国最长的河是哪一条？', 'fact'],
    ['春天', 'other'],
  ] as const) {
    t.equal(instructionTypeOf(instruction), type, instruction)
  }
})

t.test('stats.json has the estimates in place of sketches, and a list in one line', async (t) => {
  const counter = new RowFiguresCounter()
  counter.add(pair('水往哪里流？', { score: 0.5 }))
  const text = statsText({ cuts: 1, splits: { s: { figures: counter.figures(), reason: { '[ 1, 2 ]': 1 } } } })
  t.match(text, '"score": [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]')
  t.match(text, '"[ 1, 2 ]": 1')
  t.match(JSON.parse(text).splits.s.figures.bigrams, { all: 4, distinct: 4 })
})

t.test('figures of parts add up to those of one counter, also beyond the limit of words', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = seededRandom(seed)
  for (let round = 0; round < 20; round++) {
    const whole = new RowFiguresCounter()
    let sum = new RowFiguresCounter().figures()
    for (let part = 0; part < 5; part++) {
      const counter = new RowFiguresCounter(undefined, true)
      for (let row = Math.floor(random() * 30); row > 0; row--) {
        // Words that are numbers: an object would put them into another order.
        const words = { kind: String(Math.floor(random() * 60)), score: random() }
        const one = pair(`请介绍第${Math.floor(random() * 99)}座桥`, random() < 0.8 ? words : {})
        for (const each of [whole, counter]) each.add(one)
      }
      sum = addRowFigures(sum, counter.figures(), counter.wordOrder())
    }
    t.equal(JSON.stringify(sum), JSON.stringify(whole.figures()))
  }
})
