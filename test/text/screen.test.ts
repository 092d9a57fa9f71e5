import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ScreenClassifier } from '../../lib/text/screen/classifier.js'
import { encodeScreen, loadScreen } from '../../lib/text/screen/screen-file.js'
import { agreementOf, type ScreenExample, trainScreen } from '../../lib/text/screen/train.js'

const goods = ['竹子', '稻米', '石桥', '丝绸', '茶叶', '陶器', '船只', '风车']
const uses = ['可以编成篮子', '在秋天收割', '经过多次修缮', '由工匠手工完成', '要在阴凉处保存', '需要先浸泡一夜']
const offers = ['限时优惠', '全场包邮', '点击领取', '扫码加群', '厂家直销', '欢迎来电咨询']

/** Prose is kept, adverts about the same goods are dropped. */
const examples = (from: number, count: number): ScreenExample[] =>
  Array.from({ length: count }, (_, index) => {
    const at = from + index
    const [good, use, offer] = [goods[at % 8], uses[(at >> 3) % 6], offers[(at >> 1) % 6]]
    return at % 2 === 0
      ? { text: `${good}在当地很有名，${use}，老人们常常这样说起${at}年前的事情。`, grade: 1 }
      : { text: `${good}${offer}，仅需${at}元，${good}${offers[(at >> 2) % 6]}，错过再等一年！`, grade: 0 }
  })

const codesOf = (text: string) => Uint16Array.from(text, (unit) => unit.charCodeAt(0))
const trained = (texts: readonly ScreenExample[], options = {}) => {
  const { header, weights } = trainScreen(texts, options)
  return new ScreenClassifier({ ...header, training: {} }, weights)
}

t.test('A screen agrees with the judge on texts that it was not trained on', async (t) => {
  const agreement = agreementOf(trained(examples(0, 80)), examples(80, 80), 0.5)
  t.ok(agreement.auc > 0.95, JSON.stringify(agreement))
  t.ok(agreement.agreement > 0.9, JSON.stringify(agreement))
  const noise = agreementOf(
    trained(examples(0, 80)),
    examples(80, 80).map((each, index) => ({ ...each, grade: index % 3 === 0 ? 1 : 0 })),
    0.5,
  )
  t.ok(noise.auc < 0.7, 'grades without a pattern are not predicted')
})

const bucketCount = 1024

t.test('The area under the curve is that of ranks, and ties count half', async (t) => {
  const grades = [1, 1, 0, 0, 1, 0]
  const texts = grades.map((grade, index) => ({ text: String.fromCharCode(0x4e00 + index), grade }))
  const flat = new ScreenClassifier(
    { kind: 'kun-stream screen', version: 1, buckets: bucketCount, bias: 0, scale: 1, training: {} },
    new Int16Array(bucketCount),
  )
  t.equal(agreementOf(flat, texts, 0.5).auc, 0.5)
})

t.test('The same examples give the same file, in any order of blocks; a seed gives another', async (t) => {
  const bytesOf = (options = {}) => {
    const { header, weights } = trainScreen(examples(0, 40), options)
    return encodeScreen({ ...header, training: {} }, weights)
  }
  t.ok(bytesOf().equals(bytesOf()))
  t.notOk(bytesOf().equals(bytesOf({ seed: 2 })))
  t.ok(bytesOf().length < 5e6)
})

t.test('A score depends on the text alone, not on earlier texts of the thread', async (t) => {
  const [first, second] = [trained(examples(0, 40)), trained(examples(0, 40))]
  const texts = examples(200, 30).map(({ text }) => codesOf(text))
  const forward = texts.map((codes) => first.score(codes, 0, codes.length))
  const backward = [...texts].reverse().map((codes) => second.score(codes, 0, codes.length))
  t.strictSame(forward, backward.reverse())
  const inside = codesOf(`前文${examples(300, 1)[0]?.text}后文`)
  const alone = codesOf(examples(300, 1)[0]?.text ?? '')
  t.equal(first.score(inside, 2, inside.length - 2), first.score(alone, 0, alone.length))
  t.equal(first.score(alone, 0, 0), Math.round(1e6 / (1 + Math.exp(-first.header.bias))) / 1e6, 'no text has the bias')
})

t.test('A file is read as it was written; a damaged, foreign, changed or missing one is refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'screen-'))
  const path = join(folder, 'screen.bin')
  const { header, weights } = trainScreen(examples(0, 40))
  await writeFile(path, encodeScreen({ ...header, training: { graded: 40 } }, weights))
  const loaded = await loadScreen(path)
  const text = codesOf(examples(500, 1)[0]?.text ?? '')
  t.equal(
    loaded.score(text, 0, text.length),
    new ScreenClassifier({ ...header, training: {} }, weights).score(text, 0, text.length),
  )
  t.strictSame(loaded.header.training, { graded: 40 })
  await t.rejects(loadScreen(path, '0'.repeat(64)), { code: 'KUN_INVALID_OPTION', message: /changed during the run/ })
  const bytes = await readFile(path)
  await writeFile(path, bytes.subarray(0, -2))
  await t.rejects(loadScreen(path), { code: 'KUN_INVALID_OPTION', message: /bytes of weights/ })
  await writeFile(path, 'not a screen')
  await t.rejects(loadScreen(path), { code: 'KUN_INVALID_OPTION', message: /does not begin with the header/ })
  await t.rejects(loadScreen(join(folder, 'none')), { code: 'KUN_INVALID_OPTION', message: /could not be loaded/ })
})

t.test('Examples of one grade are refused', async (t) => {
  t.throws(() => trainScreen(examples(0, 10).filter(({ grade }) => grade === 1)), RangeError)
})
