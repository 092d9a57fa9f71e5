import t from 'tap'
import { factsOf } from '../../lib/kun/facts.js'
import { supportFault, supportOf, supportOptions } from '../../lib/kun/support.js'
import { generator } from '../../lib/simulator/random.js'

const text =
  '石拱桥建于1954年5月，全长２，０６０米，由三十七名工匠历时十五个月完成。设计者李明曾在Cambridge大学学习土木工程。'

t.test('an answer that keeps to its text is supported, one from elsewhere is not', async (t) => {
  const kept = supportOf('这座石拱桥在1954年建成，全长2060米，37名工匠用15个月完成。', text)
  t.ok((kept.support ?? 0) > 0.6, `${kept.support}`)
  t.equal(kept.facts, 1)
  const strange = supportOf('熊猫每天要吃掉大约40公斤竹子，其余时间都在Chengdu睡觉。', text)
  t.equal(strange.support, 0)
  t.equal(strange.facts, 0)
  t.equal(strange.copied, 0)
})

t.test('a copy is a copy whatever its punctuation, and the ratio of lengths is 1', async (t) => {
  const copy = supportOf(text.replaceAll('。', ' .\n'), text)
  t.match(copy, { support: 1, facts: 1, copied: 1, lengthRatio: 1 })
  const half = supportOf(`石拱桥建于1954年5月，全长2060米，由三十七名工匠。${'甲乙丙丁戊己庚辛'.repeat(4)}`, text)
  t.ok((half.copied ?? 0) > 0.3 && (half.copied ?? 1) < 0.6, `${half.copied}`)
})

t.test('numbers are compared by value, and those of a list are not facts', async (t) => {
  const same = ['2000', '２，０００', '2,000', '02000', '0.2万', '两千', '二〇〇〇']
  for (const number of same) t.ok(factsOf(`共${number}人`, 'listed').includes('2000'), number)
  t.strictSame(factsOf('2023-05-06', 'listed'), ['2023', '5', '6'])
  t.strictSame(factsOf('1. 先浸泡\n2、再焖\n（3）出锅\n 4) 装盘', 'listed'), [])
  t.strictSame(factsOf('千万不要一起去', 'listed'), [])
  t.ok(factsOf('一百零五', 'listed').includes('105') && factsOf('十五', 'listed').includes('15'))
  t.ok(factsOf('三千五百万', 'listed').includes('35000000') && factsOf('1.5亿', 'listed').includes('150000000'))
  t.strictSame(factsOf('GPT-4 在 London', 'listed').sort(), ['4', 'gpt', 'london'])
})

t.test('what has nothing to compare is null and breaks no bound', async (t) => {
  t.strictSame(supportOf('', ''), { support: null, facts: null, copied: null, lengthRatio: null })
  const all = supportOptions.parse({ supportMin: 1, factsMin: 1, copiedMax: 0, lengthRatioMin: 1, lengthRatioMax: 1 })
  t.equal(supportFault(supportOf('', ''), all), null)
})

t.test('each bound has its reason', async (t) => {
  const found = { support: 0.5, facts: 0.5, copied: 0.5, lengthRatio: 0.5 }
  const fault = (options: object) => supportFault(found, supportOptions.parse(options))
  t.equal(fault({}), null, 'all are off by default')
  t.strictSame(fault({ supportMin: 0.6 }), { reason: 'output-unsupported', detail: '0.5 < 0.6' })
  t.match(fault({ factsMin: 0.6 }), { reason: 'output-unsupported-facts' })
  t.match(fault({ copiedMax: 0.4 }), { reason: 'output-copied' })
  t.match(fault({ lengthRatioMin: 0.6 }), { reason: 'output-length-ratio', detail: '0.5 < 0.6' })
  t.match(fault({ lengthRatioMax: 0.4 }), { reason: 'output-length-ratio', detail: '0.5 > 0.4' })
})

t.test('the share of the content is that of sets of pairs and words, with characters outside of the BMP too', (t) => {
  const seed = Date.now() & 0xffff
  t.comment(`seed ${seed}`)
  const random = generator(seed)
  const parts = [
    '石拱桥',
    '的',
    '𠀀𠀁',
    '长',
    'Cambridge',
    'ｃａｍ',
    '建成',
    '，',
    '\ud840',
    '〇',
    '河',
    'Ж',
    '桥长河石',
  ]
  const drawn = () => Array.from({ length: 14 }, () => parts[Math.floor(random() * parts.length)]).join('')
  const contentOf = (text: string) => {
    const plain = text.normalize('NFKC').toLowerCase()
    const words: string[] = plain.match(/[\p{Script=Latin}\p{Script=Cyrillic}]+/gu) ?? []
    for (const run of plain.match(/\p{Script=Han}+/gu) ?? []) {
      const characters = [...run]
      for (const [at, second] of characters.entries()) {
        const first = characters[at - 1]
        if (first !== undefined && first !== '的' && second !== '的') words.push(first + second)
      }
    }
    return words
  }
  for (let round = 0; round < 500; round++) {
    const [answer, known] = [drawn(), drawn()]
    const content = contentOf(answer)
    const has = new Set(contentOf(known))
    const share = content.filter((each) => has.has(each)).length / content.length
    const expected = content.length === 0 ? null : Math.round(share * 1e6) / 1e6
    if (supportOf(answer, known).support === expected) continue
    t.fail('another share', { answer, known, expected, found: supportOf(answer, known).support })
    break
  }
  t.end()
})

t.test(
  'a megabyte of one character, of two in turn, of brackets, digits or addresses takes as long as prose',
  async (t) => {
    const size = 1 << 20
    const fill = (unit: string) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size)
    const time = (given: string): number => {
      const start = performance.now()
      supportOf(given, given)
      return performance.now() - start
    }
    const prose = fill(
      Array.from({ length: 4000 }, (_, at) => String.fromCharCode(0x4e00 + ((at * 7919) % 20000))).join(''),
    )
    const base = Math.max(time(prose), time(prose))
    for (const unit of [
      '中',
      '中文',
      '(',
      '[]',
      '1',
      '1,',
      '1.',
      '一',
      '一万',
      '十',
      'a',
      'a1',
      ' ',
      '\n1. ',
      'https://a.b/c?d=1 ',
    ]) {
      const taken = time(fill(unit))
      t.ok(taken < 6 * base + 200, `${JSON.stringify(unit)}: ${Math.round(taken)} ms, prose ${Math.round(base)} ms`)
    }
  },
)
