import t from 'tap'
import { kneeOf } from '../../lib/server-bench/knee.js'
import { closedForm, enginePresets } from '../../lib/simulator/vllm/index.js'

const levels = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

t.test(
  'the knee of an engine with few slots is within 10 % of the slots, for each preset and number of slots',
  async (t) => {
    for (const [name, { engine }] of Object.entries(enginePresets)) {
      for (const runningMax of [12, 24, 40, 100]) {
        const rateAt = (inFlight: number) =>
          closedForm({ ...engine, runningMax }, { inFlight, promptTokens: 60, outputTokens: 60 }).tokensPerSecond
        const knee = kneeOf(levels.map((concurrency) => ({ concurrency, rate: rateAt(concurrency) })))
        const label = `${name}, ${runningMax} slots: ${knee?.fullAt?.toFixed(1)}`
        t.ok(knee?.fullAt != null && Math.abs(Math.log(knee.fullAt / runningMax)) < 0.1, label)
        const share = rateAt(knee?.concurrency ?? 0) / rateAt(512)
        t.ok(share > 0.93 && share < 0.97, `${name}: the knee reaches ${share.toFixed(3)} of the best rate`)
      }
    }
  },
)

t.test('a rate that doubles with the concurrency has no knee', async (t) => {
  const knee = kneeOf(levels.map((concurrency) => ({ concurrency, rate: 7 * concurrency })))
  t.match(knee, { concurrency: null, fullAt: null, declinesAt: null })
})

t.test('a server of which requests slow each other down has a knee without being full', async (t) => {
  const rateAt = (n: number) => n / (1 + 0.1 * n)
  const knee = kneeOf(levels.map((concurrency) => ({ concurrency, rate: rateAt(concurrency) })))
  const share = rateAt(knee?.concurrency ?? 0) / rateAt(512)
  t.ok(Math.abs(share - 0.95) < 0.01, `reaches ${share}`)
})

t.test('levels at which an overloaded server declines are named and do not move the knee', async (t) => {
  const rateAt = (n: number) => (n <= 40 ? n : n < 200 ? 40 : 20)
  const knee = kneeOf(levels.map((concurrency) => ({ concurrency, rate: rateAt(concurrency) })))
  t.equal(knee?.declinesAt, 256)
  t.ok(Math.abs((knee?.concurrency ?? 0) - 38) < 1, String(knee?.concurrency))
})

t.test('fewer than three levels, or no rate at all, give no knee', async (t) => {
  const two = [1, 2].map((concurrency) => ({ concurrency, rate: concurrency }))
  t.equal(kneeOf(two), null)
  t.equal(kneeOf(levels.map((concurrency) => ({ concurrency, rate: 0 }))), null)
})
