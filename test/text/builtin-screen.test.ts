import { join } from 'node:path'
import t from 'tap'
import { addExamples, ExampleSample } from '../../lib/cli/screen-examples.js'
import { createCleaner } from '../../lib/text/clean.js'
import { classifierScore } from '../../lib/text/filters/classifier.js'
import { loadBuiltinScreen } from '../../lib/text/screen/builtin-screen.js'
import { agreementOf } from '../../lib/text/screen/train.js'
import { projectRoot } from '../support/root.js'
import { article } from './support.js'

const screen = loadBuiltinScreen()

async function labelled(): Promise<ExampleSample> {
  const sample = new ExampleSample(100_000)
  for (const name of ['documents-drop.jsonl', 'documents-keep.jsonl', 'documents-web.jsonl']) {
    await addExamples(join(projectRoot, 'fixtures/labelled', name), sample)
  }
  return sample
}

t.test('the built-in classifier is trained on the labelled documents that are here', async (t) => {
  const { digest } = (await labelled()).parts()
  t.equal(screen.header.training.examples, digest, 'the documents have changed: npm run train:builtin')
})

t.test('it told kept from dropped documents that it had not seen, when it was trained', async (t) => {
  const { auc, precision } = screen.header.training.heldOut as { auc: number; precision: number }
  t.ok(auc > 0.95, `${auc}`)
  t.ok(precision > 0.95, `${precision}`)
  const { train, heldOut } = (await labelled()).parts()
  t.ok(agreementOf(screen, [...train, ...heldOut], 0.2).agreement > 0.95, 'it decodes to what was trained')
})

t.test('plain prose is not scored, however low the score would be', async (t) => {
  const cleaner = createCleaner()
  const never = { ...screen, score: () => t.fail('it is scored') } as unknown as typeof screen
  const prose = Array.from({ length: 6 }, (_, index) => article(index))
    .join('')
    .replace(/\d/g, '几')
  t.equal(classifierScore(cleaner(prose), 1, never), null)
  t.match(classifierScore(cleaner(`${prose}${'电话12345 '.repeat(9)}`), 1, screen), /^score 0\.\d+ of at least 1$/)
  t.match(classifierScore(cleaner('欢迎前来选购'), 1, screen), /^score/)
})
