import t from 'tap'
import {
  ContaminationSearch,
  codesOfForm,
  contaminationDetail,
  contaminationIndex,
} from '../../lib/text/contamination.js'
import { comparisonForm } from '../../lib/text/signature.js'
import { Random, testSeed } from '../support/random.js'

const options = { gramChars: 13, shareMin: 0.5 }
const itemOf = (text: string, index = 0) => ({ place: `test.csv line ${index}`, form: comparisonForm(text) })
const searchFor = (texts: readonly string[], more = {}) => {
  const search = new ContaminationSearch(contaminationIndex(texts.map(itemOf), { ...options, ...more }))
  return (text: string) => search.find(codesOfForm(comparisonForm(text)))
}

const question = '某细胞在低渗溶液中吸水膨胀，下列关于细胞膜选择透过性的叙述中正确的一项是哪一项？'
const around = (text: string) => `生物课上，老师在黑板上写了一道题。${text}同学们讨论了很久，没有得出一致的结论。`

t.test('an item is found in a text whatever its width, case, blanks and punctuation', async (t) => {
  const find = searchFor([question])
  t.strictSame(find(around(question)), { place: 'test.csv line 0', share: 1 })
  t.strictSame(find(around([...question].join(' '))), { place: 'test.csv line 0', share: 1 })
  t.equal(find(around('')), null)
  t.equal(contaminationDetail({ place: 'test.csv line 0', share: 0.75 }), '0.75 of test.csv line 0')
})

t.test('half of the n-grams is enough, less is not; each counts once', async (t) => {
  const find = searchFor([question])
  const form = comparisonForm(question)
  const grams = form.length - 12
  const start = (count: number) => form.slice(0, 12 + count)
  const half = Math.ceil(grams / 2)
  t.equal(find(start(half))?.share, half / grams)
  t.equal(find(start(half - 1)), null)
  t.equal(find(`${start(3)}。`.repeat(40)), null)
})

t.test('an item shorter than an n-gram and a stem of many items are not looked for', async (t) => {
  const stem = '下列关于该物质性质的说法中不正确的是'
  const find = searchFor(['选出正确的一项', ...Array.from({ length: 9 }, () => stem), question])
  t.equal(find(`选出正确的一项。${stem}`), null)
  t.match(find(question), { place: 'test.csv line 10' })
})

t.test('of several items the one with the largest share is named, the first of equal ones', async (t) => {
  const find = searchFor([`${question}甲乙丙丁戊己庚辛`, question, question])
  t.strictSame(find(question), { place: 'test.csv line 1', share: 1 })
})

t.test('the shares are those of a search by sets', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = new Random(seed)
  const letters = '天地玄黄宇宙洪荒'
  const text = (length: number) =>
    Array.from({ length }, () => letters[random.between(0, letters.length - 1)] as string).join('')
  const items = Array.from({ length: 40 }, () => text(random.between(4, 20)))
  const find = searchFor(items, { gramChars: 5, shareMin: 0.2 })
  const gramsOf = (of: string) =>
    new Set(Array.from({ length: Math.max(0, of.length - 4) }, (_, at) => of.slice(at, at + 5)))
  const owners = new Map<string, number>()
  for (const item of items) for (const gram of gramsOf(item)) owners.set(gram, (owners.get(gram) ?? 0) + 1)
  for (let round = 0; round < 200; round++) {
    const item = items[random.between(0, items.length - 1)] as string
    const read = text(random.between(0, 30)) + item.slice(random.between(0, 5)) + text(random.between(0, 30))
    const has = gramsOf(read)
    const shares = items.map((each) => {
      const grams = [...gramsOf(each)].filter((gram) => (owners.get(gram) as number) <= 8)
      return grams.length === 0 ? 0 : grams.filter((gram) => has.has(gram)).length / grams.length
    })
    const best = Math.max(...shares)
    const expected = best >= 0.2 ? { place: `test.csv line ${shares.indexOf(best)}`, share: best } : null
    t.strictSame(find(read), expected, read)
  }
})

t.test('a text is searched in linear time, and too many n-grams are refused', async (t) => {
  const find = searchFor([question, '啊'.repeat(200), '哈哈嘿嘿'.repeat(30)])
  for (const unit of ['啊', '哈哈嘿嘿', question]) {
    const begun = process.cpuUsage()
    find(unit.repeat(Math.ceil(1e6 / unit.length)))
    t.ok(process.cpuUsage(begun).user < 5e6, unit.slice(0, 4))
  }
  const huge = [{ place: 'a', form: '一'.repeat(5_000_000) }]
  t.throws(() => contaminationIndex(huge, options), { code: 'KUN_RECIPE', message: /at most 4194304 are possible/ })
})
