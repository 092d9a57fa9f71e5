import t, { type Test } from 'tap'
import { seededRandom } from '../../../lib/core/random.js'
import type { DriftError } from '../../../lib/errors.js'
import { DriftDetector, driftOptions, type Observation } from '../../../lib/run/drift/detector.js'

const seed = 20_240_601
const options = driftOptions.parse({})
const make = (random: () => number, more: Partial<Observation> = {}): Observation => ({
  stage: 'polish',
  kept: random() < 0.7,
  hanShare: 0.9 + random() * 0.1,
  chars: 100 + Math.round(random() * 200),
  wellFormed: random() < 0.97,
  ...more,
})

/** Returns the records from the change to its detection, and the error; null if it is not detected. */
function stoppedAfter(change: (random: () => number) => Observation): { records: number; error: DriftError } | null {
  const random = seededRandom(seed)
  const detector = new DriftDetector(options)
  for (let n = 0; n < 5000; n++) detector.observe(make(random))
  for (let n = 0; n < 5000; n++) {
    const error = detector.observe(change(random))
    if (error !== null) return { records: n + 1, error }
  }
  return null
}

/** Asserts that no observation of many is reported as drift. */
function noDrift(t: Test, detector: DriftDetector, records: number, next: () => Observation): void {
  for (let n = 0; n < records; n++) {
    const error = detector.observe(next())
    if (error !== null) {
      t.fail(`record ${n}: ${error.message}`)
      return
    }
  }
  t.pass(`${records} records without drift`)
}

t.test(`replies that do not change never stop the run, over 100,000 records (seed ${seed})`, async (t) => {
  const random = seededRandom(seed)
  const detector = new DriftDetector(options)
  noDrift(t, detector, 100_000, () => make(random))
  t.match(detector.starts(), { polish: { records: 400 } })
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
  ['lose the format', (random) => make(random, { wellFormed: random() < 0.5 }), /requested format/],
]

for (const [what, change, words] of changes) {
  t.test(`replies that ${what} stop the run, resumable, within 500 records, and the message says so`, async (t) => {
    const stopped = stoppedAfter(change)
    t.ok(stopped !== null && stopped.records <= 500, `after ${stopped?.records}`)
    t.match(stopped?.error.message, words)
    t.equal(stopped?.error.exitCode, 3)
  })
}

t.test(
  'the next process compares with the start that an earlier one stored, once its own window is full',
  async (t) => {
    const random = seededRandom(seed)
    const earlier = new DriftDetector(options)
    noDrift(t, earlier, 1000, () => make(random))
    earlier.observe(make(random, { stage: 'score' }))
    t.same(Object.keys(earlier.starts()), ['polish'], 'one record of a stage is not a start')
    const starts = JSON.parse(JSON.stringify(earlier.starts()))
    noDrift(t, new DriftDetector(options, starts), 5000, () => make(random))
    const resumed = new DriftDetector(options, starts)
    const english = () => make(random, { hanShare: 0.02 })
    noDrift(t, resumed, 399, english)
    const message = /share of Chinese characters went from 0\.9.*delete brakes\.json/
    t.match(resumed.observe(english()), { code: 'KUN_DRIFT', message })
    noDrift(t, new DriftDetector(options), 1000, english)
  },
)

t.test('each stage is compared with itself: one that keeps little from the start is not drift', async (t) => {
  const random = seededRandom(seed)
  const detector = new DriftDetector(options)
  let records = 0
  noDrift(t, detector, 6000, () =>
    records++ % 2 === 0 ? make(random) : make(random, { stage: 'score', kept: random() < 0.1 }),
  )
  t.same(Object.keys(detector.starts()), ['polish', 'score'])
})
