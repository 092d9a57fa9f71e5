import t from 'tap'
import { createCleaner } from '../../lib/text/clean.js'
import { filterReasons, filterText, qualityOptions } from '../../lib/text/filters.js'
import { createRepetitionMeter } from '../../lib/text/repetition.js'
import { TextMemory } from '../../lib/text/text-memory.js'
import { Random } from '../support/random.js'
import { article } from './support.js'

const memory = new TextMemory()
const cleaner = createCleaner(memory)
const repetitionOf = createRepetitionMeter(memory)
const off = Object.fromEntries(Object.keys(qualityOptions.shape).map((name) => [name, false]))

function reasonOf(text: string, options: unknown = {}): string | null {
  return filterText(cleaner(text), qualityOptions.parse(options), repetitionOf)?.reason ?? null
}

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')

/** A text for every reason, refused by its filter alone. */
const refused: Readonly<Record<(typeof filterReasons)[number], string>> = {
  'too-short': '太短。',
  'too-long': article(1, 30),
  'chinese-share': `${'The quick brown fox jumps over the lazy dog. '.repeat(3)}很快。`,
  'symbol-share': article(2).replace(/[，。]/g, '★■→★◆'),
  'digit-share': lines(20, (i) => `价格${i * 7919 + 10007}元编号${i * 104_729}`),
  'url-density': lines(8, (i) => `参见第${i}条资料的全文 http://www.example.cn/archive/${i}/index.html`),
  boilerplate: lines(
    12,
    (i) =>
      `${['上一篇：无', '版权所有 某某公司', '点击查看更多内容', '第三栏目的内容'][i % 4]}${'甲乙丙丁戊己庚辛壬癸子丑'[i]}`,
  ),
  'repeated-lines': `${article(3)}\n${lines(20, (i) => `这一行在页面上反复出现第${i % 2}次了啊`)}`,
  'repeated-ngrams': '他走到了桥边又走了回来接着想了想，'.repeat(30),
}

t.test('Every filter rejects the text made for it, and no other filter does', async (t) => {
  for (const reason of filterReasons) {
    const options = reason === 'too-long' ? { charsMax: 500 } : {}
    t.equal(reasonOf(refused[reason], options), reason)
    t.equal(reasonOf(refused[reason], off), null, 'nothing is refused with every filter off')
  }
  for (let index = 0; index < 20; index++) t.equal(reasonOf(article(index, 4 + index)), null)
})

t.test('A value equal to the threshold passes', async (t) => {
  const text = '天'.repeat(30) + 'x'.repeat(70)
  t.equal(reasonOf(text, { ...off, chineseShareMin: 0.3 }), null)
  t.equal(reasonOf(text, { ...off, chineseShareMin: 0.31 }), 'chinese-share')
  t.equal(reasonOf('天'.repeat(50), { ...off, charsMin: 50, charsMax: 50 }), null)
  t.equal(reasonOf('天'.repeat(49), { ...off, charsMin: 50 }), 'too-short')
  t.equal(reasonOf('天'.repeat(51), { ...off, charsMax: 50 }), 'too-long')
  t.equal(reasonOf('，。！', { ...off, chineseShareMin: 0.3 }), 'chinese-share', 'no letter at all')
})

t.test(
  'Repetition is measured alike whatever was measured before, and is a lower bound close to the truth',
  async (t) => {
    const share = (text: string) => repetitionOf(cleaner(text))
    const random = new Random(7)
    const once = String.fromCharCode(...Array.from({ length: 2000 }, () => random.between(0x4e00, 0x9f00)))
    const twice = `${once}${once}`
    const alone = share(twice)
    share(article(6, 200))
    t.same(share(twice), alone)
    t.ok(alone.gramShare > 0.4 && alone.gramShare <= 0.5, `${alone.gramShare}`)
    t.ok(share('哈'.repeat(300)).gramShare > 0.95)
    t.same(share('天地玄黄'), { lineShare: 0, gramShare: 0 })
    const line = (index: number) => `第${index}行的内容并不相同`
    t.equal(share(lines(10, line)).lineShare, 0)
    t.equal(share(lines(10, (index) => line(index % 5))).lineShare, 0.5)
  },
)

t.test('Thresholds out of range are refused with the path', async (t) => {
  t.throws(() => qualityOptions.parse({ chineseShareMin: 3 }), /chineseShareMin/)
  t.throws(() => qualityOptions.parse({ chinesShareMin: 0.3 }), /chinesShareMin/)
})
