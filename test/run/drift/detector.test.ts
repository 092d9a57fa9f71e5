import t from 'tap'
import { seededRandom } from '../../../lib/core/random.js'
import { DriftError } from '../../../lib/errors.js'
import { driftDetector, type Observation } from '../../../lib/run/drift/detector.js'

const seed = 20_240_601
const make = (random: () => number, more: Partial<Observation> = {}): Observation => ({
  stage: 'polish',
  kept: random() < 0.7,
  hanShare: 0.9 + random() * 0.1,
  chars: 100 + Math.round(random() * 200),
  wellFormed: random() < 0.97,
  ...more,
})

/** Records after the change at which the brake stopped, or null. */
function stoppedAfter(change: (random: () => number) => Observation): { records: number; error: DriftError } | null {
  const random = seededRandom(seed)
  const brakes = driftDetector()
  for (let n = 0; n < 5000; n++) brakes.observe(make(random))
  for (let n = 0; n < 5000; n++) {
    try {
      brakes.observe(change(random))
    } catch (error) {
      if (error instanceof DriftError) return { records: n + 1, error }
      throw error
    }
  }
  return null
}

t.test(`Replies that stay as they are never stop the run, in a hundred thousand of them (seed ${seed})`, (t) => {
  const random = seededRandom(seed)
  const brakes = driftDetector()
  for (let n = 0; n < 100_000; n++) brakes.observe(make(random))
  t.match(brakes.figures().polish, { start: { records: 400 }, now: { records: 400 } })
  t.end()
})

const changes: [string, (random: () => number) => Observation, RegExp][] = [
  ['turn to English', (random) => make(random, { hanShare: 0.02 }), /share of Chinese characters went from 0.9\d* /],
  ['turn empty', () => ({ stage: 'polish', kept: false, wellFormed: false, chars: 0 }), /format|kept|length/],
  [
    'fall to half the yield',
    (random) => make(random, { kept: random() < 0.35 }),
    /share of records kept went from 0\.\d+/,
  ],
  ['turn to a tenth of the length', (random) => make(random, { chars: 15 }), /mean length in characters/],
  ['lose the format', (random) => make(random, { wellFormed: random() < 0.5 }), /format asked for/],
]

for (const [what, change, words] of changes) {
  t.test(`Replies that ${what} stop the run, resumable, within 500 records, and the message says so`, (t) => {
    const stopped = stoppedAfter(change)
    t.ok(stopped !== null && stopped.records <= 500, `after ${stopped?.records}`)
    t.match(stopped?.error.message, words)
    t.equal(stopped?.error.exitCode, 3)
    t.end()
  })
}

t.test('The next process judges by the start that an earlier one saw, once its own window is full', (t) => {
  const random = seededRandom(seed)
  const earlier = driftDetector()
  for (let n = 0; n < 1000; n++) earlier.observe(make(random))
  earlier.observe(make(random, { stage: 'score' }))
  t.same(Object.keys(earlier.starts()), ['polish'], 'one record of a stage is no start')
  const starts = JSON.parse(JSON.stringify(earlier.starts()))

  const same = driftDetector({}, starts)
  for (let n = 0; n < 5000; n++) same.observe(make(random))
  const english = driftDetector({}, starts)
  const drifted = () => english.observe(make(random, { hanShare: 0.02 }))
  for (let n = 0; n < 399; n++) drifted()
  t.throws(drifted, { code: 'KUN_DRIFT', message: /share of Chinese characters went from 0\.9.*delete brakes\.json/ })
  const anew = driftDetector()
  for (let n = 0; n < 1000; n++) anew.observe(make(random, { hanShare: 0.02 }))
  t.end()
})

t.test('Stages are watched apart: one that keeps little from the start is no drift', (t) => {
  const random = seededRandom(seed)
  const brakes = driftDetector()
  for (let n = 0; n < 3000; n++) {
    brakes.observe(make(random))
    brakes.observe(make(random, { stage: 'score', kept: random() < 0.1 }))
  }
  t.same(Object.keys(brakes.figures()), ['polish', 'score'])
  t.end()
})
