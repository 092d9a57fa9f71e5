import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createPreparer, prepareBlock } from '../../../lib/text/prepare.js'
import { command } from '../../support/commands.js'
import { article, blockOf, jsonl, planOf } from '../../text/support.js'

const advert = (index: number) =>
  `本店第${index}批新品到货，全场包邮，限时优惠，扫码进群领取礼包，数量有限，先到先得，错过再等一年，厂家现货。`
const lines = Array.from({ length: 60 }, (_, index) =>
  JSON.stringify(index % 2 === 0 ? { text: article(index), label: 'keep' } : { text: advert(index), grade: 0 }),
)

t.test('train-screen writes a classifier that a recipe uses, and prints how it agrees on texts held out', async (t) => {
  const folder = t.testdir({ 'labelled.jsonl': `${lines.join('\n')}\n` })
  const file = join(folder, 'screen.bin')
  const { code, out, err } = await command('bin/kun-stream.js', [
    'train-screen',
    join(folder, 'labelled.jsonl'),
    '--out',
    file,
    '--json',
  ]).ended
  t.equal(code, 0, err)
  const printed = JSON.parse(out)
  t.match(printed, { file, graded: 60, heldOut: { auc: Number, agreement: Number } })
  t.ok(printed.heldOut.auc > 0.9, out)
  t.equal(printed.train + printed.heldOut.examples, 60)

  const quality = { advertisingMax: false, classifierScoreMin: false }
  const plan = await planOf({ screen: { file: 'screen.bin' }, quality }, { directory: folder })
  const preparer = await createPreparer(plan)
  const records = [{ text: article(100) }, { text: advert(101) }, { text: article(102) }]
  const { chunks, rejects } = prepareBlock(blockOf(jsonl(records)), preparer)
  t.equal(chunks.rows, 2)
  t.match(rejects, [{ document: 1, stage: 'chunk', reason: 'classifier-low', detail: /^0\.\d+ < 0\.5$/ }])
})

t.test('train-screen refuses what has no grades, too few, or one grade only', async (t) => {
  const folder = t.testdir({
    'bad.jsonl': `${lines[0]}\n{"text": "没有标签"}\n`,
    'few.jsonl': lines.slice(0, 6).join('\n'),
    'one.jsonl': lines.filter((_, index) => index % 2 === 0).join('\n'),
    empty: {},
  })
  for (const [name, message] of [
    ['bad.jsonl', /bad\.jsonl, line 2 is not an example/],
    ['few.jsonl', /at least 20 texts, and both grades/],
    ['one.jsonl', /both grades in each part/],
    ['empty', /has no graded text: its rows need the columns raw and screen/],
    ['none', /could not open/],
  ] as const) {
    const out = join(folder, 'screen.bin')
    const ended = await command('bin/kun-stream.js', ['train-screen', join(folder, name), '--out', out]).ended
    t.equal(ended.code, 2, name)
    t.match(ended.err, message, name)
    t.equal(existsSync(out), false, `${name}: nothing is written`)
  }
})

t.test('a recipe whose classifier is missing is refused', async (t) => {
  const directory = t.testdir({ 'other.bin': 'text' })
  writeFileSync(join(directory, 'text.jsonl'), '{}')
  await t.rejects(planOf({ screen: { file: 'none.bin' } }, { directory }), {
    code: 'KUN_RECIPE',
    message: /prepare\.screen\.file: none\.bin cannot be read/,
  })
  const plan = await planOf({ screen: { file: 'other.bin' } }, { directory })
  await t.rejects(createPreparer(plan), { code: 'KUN_INVALID_OPTION', message: /does not begin with the header/ })
})
