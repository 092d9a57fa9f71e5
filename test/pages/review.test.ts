import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { UsageError } from '../../lib/errors.js'
import {
  areaUnderCurve,
  reviewerAgreement,
  scoreAgreement,
  suggestedThreshold,
} from '../../lib/pages/review-figures.js'
import { appendReview, readReviews } from '../../lib/pages/review-file.js'
import { stratifiedSample } from '../../lib/pages/review-sample.js'
import type { Review, Verdict } from '../../lib/pages/view.js'

const at = '2026-01-01T00:00:00.000Z'
const review = (id: string, verdict: Verdict | null, score: number | null = 0.5): Review => ({ id, verdict, score, at })

t.test('a sample has as many rows of each tenth of the scores, and depends on seed and rows only', async (t) => {
  const rows = Array.from({ length: 1000 }, (_, n) => ({ id: `r${n}`, score: n / 1000 }))
  const chosen = stratifiedSample(rows, 50, 1)
  const counts = new Array<number>(10).fill(0)
  for (const { score } of chosen) counts[Math.floor(score * 10)] = (counts[Math.floor(score * 10)] ?? 0) + 1
  t.strictSame(counts, new Array(10).fill(5))
  t.strictSame(stratifiedSample(rows.toReversed(), 50, 1), chosen, 'the order of the rows does not matter')
  t.notSame(stratifiedSample(rows, 50, 2), chosen, 'another seed takes others')
  t.notSame(
    chosen,
    chosen.toSorted((a, b) => a.score - b.score),
    'the order does not tell the score',
  )
})

t.test('a sample of few rows, of equal scores or of none takes what there is, each once', async (t) => {
  const three = ['a', 'b', 'c'].map((id) => ({ id, score: 1 }))
  t.equal(new Set(stratifiedSample(three, 100, 1)).size, 3)
  t.strictSame(stratifiedSample([], 100, 1), [])
  const without = Array.from({ length: 40 }, (_, n) => ({ id: `r${n}`, score: n < 20 ? null : 0.9 }))
  t.equal(new Set(stratifiedSample(without, 25, 1)).size, 25)
  t.ok(stratifiedSample(without, 22, 1).some(({ score }) => score === null))
})

t.test('the suggested threshold maximises the balanced accuracy; the lowest of several', async (t) => {
  t.strictSame(suggestedThreshold([0.7, 0.8, 0.9], [0.5, 0.6, 0.85]), {
    keepAtLeast: 0.7,
    balancedAccuracy: (1 + 2 / 3) / 2,
    goodKept: 3,
    badDropped: 2,
  })
  t.equal(suggestedThreshold([0.9], [0.2, 0.4])?.balancedAccuracy, 1)
  t.equal(suggestedThreshold([0.2], [0.9])?.keepAtLeast, 0.2, 'a score that says the opposite keeps everything')
  t.match(suggestedThreshold([0.893_67, 0.57], [0.2]), { keepAtLeast: 0.57, goodKept: 2, badDropped: 1 })
  t.match(suggestedThreshold([0.893_67], [0.2]), { keepAtLeast: 0.8936, goodKept: 1 }, 'rounded, it keeps the row')
  t.equal(suggestedThreshold([0.2], []), null)
  t.equal(areaUnderCurve([0.7, 0.8, 0.9], [0.5, 0.6, 0.85]), 7 / 9)
  t.equal(areaUnderCurve([0.5], [0.5]), 0.5)
})

t.test('edited, withdrawn and unscored reviews do not move the threshold', async (t) => {
  const found = scoreAgreement([
    review('a', 'good', 0.9),
    review('b', 'bad', 0.3),
    review('c', 'edit', 0.1),
    review('d', null, 0.2),
    review('e', 'good', null),
    review('f', 'good', 1),
  ])
  t.match(found, { good: 3, bad: 1, edit: 1, scored: 3, auc: 1, threshold: { keepAtLeast: 0.9, goodKept: 2 } })
  t.strictSame(found.bins[9], { from: 0.9, good: 2, bad: 0, edit: 0 })
})

t.test("Cohen's kappa of two reviewers is that of a known table, and undefined without variation", async (t) => {
  // 20 both yes, 5 and 10 apart, 15 both no: kappa 0.4.
  const cells: readonly [Verdict, Verdict, number][] = [
    ['good', 'good', 20],
    ['good', 'bad', 5],
    ['bad', 'good', 10],
    ['bad', 'bad', 15],
  ]
  const pairs = cells.flatMap(([a, b, count]) => Array.from({ length: count }, () => [a, b] as const))
  const first = [...pairs.map(([verdict], n) => review(`r${n}`, verdict)), review('only here', 'good')]
  const second = pairs.map(([, verdict], n) => review(`r${n}`, verdict))
  const found = reviewerAgreement(['a', first], ['b', second])
  t.match(found, { rows: 50, same: 35 })
  t.ok(Math.abs((found.kappa ?? 0) - 0.4) < 1e-12, `${found.kappa}`)
  t.equal(reviewerAgreement(['a', first], ['b', []]).kappa, null)
  const good = [review('x', 'good'), review('y', 'good')]
  t.match(reviewerAgreement(['a', good], ['b', good]), { rows: 2, same: 2, kappa: null })
})

t.test('the last line of a pair counts; a torn line is reported, kept, and spoils no later one', async (t) => {
  const directory = t.testdir()
  await appendReview(directory, '小李', review('a', 'good'))
  await appendReview(directory, '小李', review('b', 'bad'))
  await appendReview(directory, '小李', review('a', null))
  const path = join(directory, 'reviews/小李.jsonl')
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"id":"c","verd`)
  const edited = { ...review('d', 'edit'), instruction: '问', output: '答\n二' }
  await appendReview(directory, '小李', edited)
  writeFileSync(join(directory, 'reviews/notes.txt'), 'not a file of reviews')
  const { byReviewer, faults } = await readReviews(directory)
  t.strictSame([...byReviewer], [['小李', [review('b', 'bad'), edited]]])
  t.strictSame(faults, ['reviews/小李.jsonl: lines that are not reviews and do not count: 1 (line 4)'])
})

t.test('a name that leads out of the folder is refused', async (t) => {
  const directory = t.testdir()
  for (const name of ['../a', 'a/b', '', '.', '.hidden', 'a\0', 'x'.repeat(61)]) {
    await t.rejects(appendReview(directory, name, review('a', 'good')), UsageError, JSON.stringify(name))
  }
  t.notOk(existsSync(join(directory, 'reviews')))
})
