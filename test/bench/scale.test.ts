/** The model of many GPUs: its accounts are exact, and its figures follow from the arithmetic. */
import t from 'tap'
import { type ScaleOptions, simulateScale, wasteShare } from '../../lib/cli/plan/scale-model.js'

const options: ScaleOptions = {
  gpus: 50,
  units: 1000,
  unitSeconds: 3000,
  unitSpread: 0.05,
  meanLifeSeconds: 3 * 3600,
  replacementSeconds: 100,
  loadSeconds: 180,
  noticeSeconds: 60,
  keepsReplies: true,
  shipSeconds: 30,
  shipBytes: 8e6,
  replyBytesPerUnit: 24e6,
  inFlightSeconds: 10,
  partsPerUnit: 4,
  seed: 7,
}

t.test('GPU time is useful, repeated, loading, absent or idle, and nothing else', (t) => {
  for (const change of [{}, { keepsReplies: false }, { meanLifeSeconds: Infinity }, { gpus: 1 }, { units: 10 }]) {
    const result = simulateScale({ ...options, ...change })
    const { usefulSeconds, repeatedSeconds, loadingSeconds, absentSeconds, idleSeconds, gpuSeconds } = result
    const sum = usefulSeconds + repeatedSeconds + loadingSeconds + absentSeconds + idleSeconds
    t.ok(
      Math.abs(sum - gpuSeconds) < 1e-6 * gpuSeconds,
      JSON.stringify(change).replaceAll('{', '(').replaceAll('}', ')'),
    )
  }
  t.end()
})

t.test('The same seed gives the same figures, another seed others', (t) => {
  t.same(simulateScale(options), simulateScale(options))
  t.notSame(simulateScale({ ...options, seed: 8 }), simulateScale(options))
  t.end()
})

t.test('Without losses each unit has one attempt, nothing is repeated, and the hours are those of the work', (t) => {
  const result = simulateScale({ ...options, meanLifeSeconds: Infinity, unitSpread: 0 })
  t.match(result, { losses: 0, attempts: 1000, repeatedSeconds: 0, absentSeconds: 0, loadingSeconds: 50 * 180 })
  // 20 units for each of the 50 GPUs.
  t.equal(result.seconds, 180 + 20 * 3000)
  // 100 shipments, 4 parts and the result; the unit and the question whether it is done.
  t.equal(result.storeWrites, 1000 * 105)
  t.equal(result.storeReads, 2000)
  t.end()
})

t.test('Kept replies turn a lost unit into a lost half minute', (t) => {
  const kept = simulateScale(options)
  const discarded = simulateScale({ ...options, keepsReplies: false })
  t.ok(kept.losses > 200)
  // Half an interval and the requests in flight.
  t.ok(kept.repeatedSeconds / kept.losses < 30 + 10)
  // By arithmetic: half a unit.
  t.ok(discarded.repeatedSeconds / discarded.losses > 900)
  t.ok(wasteShare(kept) < 0.04 && wasteShare(discarded) > 0.1)
  t.end()
})
