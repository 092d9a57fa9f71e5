import t from 'tap'
import { estimateProgress, type ProgressEstimate } from '../../lib/report/estimate.js'
import { type ProgressSample, SampleSeries } from '../../lib/report/progress-sample.js'
import { Random } from '../support/random.js'
import { type SimulatedRunOptions, type SimulatedStage, simulatedRun } from './simulated-run.js'

/** Log-normal with an arithmetic mean, at most `maxMs`. */
const logNormal =
  (meanMs: number, sigma: number, maxMs = Number.POSITIVE_INFINITY): SimulatedStage['latencyMs'] =>
  (random) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
    return Math.min(maxMs, meanMs * Math.exp(sigma * normal - sigma ** 2 / 2))
  }

const chain = (label: SimulatedStage['latencyMs'], score = label, polish = label): SimulatedStage[] => [
  { name: 'label', lane: 0, latencyMs: label, pass: 0.9 },
  { name: 'score', lane: 0, latencyMs: score, pass: 0.5 },
  { name: 'polish', lane: 0, latencyMs: polish, pass: 0.95 },
]

const onLanes = (stages: readonly SimulatedStage[], lanes: readonly number[]): SimulatedStage[] =>
  stages.map((stage, place) => ({ ...stage, lane: lanes[place] ?? 0 }))

const usual = { blocks: 3, candidatesPerBlock: 700, prepareMs: 1500, slots: [32] }

/** Each takes about three minutes. */
const scenarios: Readonly<Record<string, SimulatedRunOptions>> = {
  'one server for all stages': {
    ...usual,
    stages: chain(logNormal(2000, 0.6), logNormal(200, 0.3), logNormal(2500, 0.6)),
  },
  'bound by label, on servers of its own': {
    ...usual,
    slots: [16, 64],
    stages: onLanes(chain(logNormal(1400, 0.5), logNormal(100, 0.5), logNormal(900, 0.5)), [0, 1, 1]),
  },
  'bound by polish, which comes last': {
    ...usual,
    slots: [64, 16],
    stages: onLanes(chain(logNormal(900, 0.5), logNormal(100, 0.5), logNormal(3000, 0.5)), [0, 0, 1]),
  },
  'bound by preparation': {
    ...{ blocks: 90, candidatesPerBlock: 30, prepareMs: 2000, slots: [64] },
    stages: chain(logNormal(900, 0.6), logNormal(100, 0.3), logNormal(1200, 0.6)),
  },
  'low yield: one pair in a hundred': {
    ...usual,
    slots: [24],
    stages: chain(logNormal(1800, 0.6), logNormal(100, 0.3), logNormal(4000, 0.6)).map((stage) =>
      stage.name === 'score' ? { ...stage, pass: 0.012 } : stage,
    ),
  },
  'heavy-tailed latency': {
    ...usual,
    slots: [40],
    stages: chain(logNormal(2500, 1.1, 20_000), logNormal(300, 1.1, 20_000), logNormal(2500, 1.1, 20_000)),
  },
  'many blocks that yield different numbers of candidates': {
    ...{ blocks: 60, candidatesPerBlock: 40, prepareMs: 100, slots: [32], credit: 300 },
    stages: chain(logNormal(1500, 0.6), logNormal(200, 0.3), logNormal(2500, 0.6)),
  },
  'the first replies are served from disk': {
    ...usual,
    candidatesPerBlock: 1200,
    stages: chain(logNormal(2000, 0.6), logNormal(200, 0.3), logNormal(2500, 0.6)),
    storedReplies: 3000,
  },
}

/** The estimates as a run would get them, one for each sample. */
function estimates(samples: readonly ProgressSample[], rowsMax?: number): (ProgressEstimate & { atMs: number })[] {
  const series = new SampleSeries()
  return samples.map((sample) => {
    series.add(sample)
    return { ...estimateProgress(series.read(), rowsMax), atMs: sample.atMs }
  })
}

for (const [name, options] of Object.entries(scenarios)) {
  t.test(`the time left is within 25 % at 20, 50 and 80 % of a run: ${name}`, async (t) => {
    for (const seed of [1, 2, 3]) {
      const samples = simulatedRun(options, new Random(seed))
      const endMs = samples.at(-1)?.atMs ?? 0
      t.ok(endMs > 90_000 && endMs < 400_000, `a run of ${Math.round(endMs / 1000)} s, seed ${seed}`)
      const all = estimates(samples)
      for (const share of [0.2, 0.5, 0.8]) {
        const estimate = all.findLast(({ atMs }) => atMs <= share * endMs)
        const left = (endMs - (estimate?.atMs ?? 0)) / 1000
        const said = estimate?.secondsLeft ?? Number.NaN
        const what = `seed ${seed}, ${100 * share} %: ${said.toFixed(0)} s for ${left.toFixed(0)} s, ${estimate?.reason ?? estimate?.slowest}`
        t.ok(Math.abs(said / left - 1) <= 0.25, what)
      }
      t.equal(all.at(-1)?.candidatesLeft, 0)
      t.ok((all.at(-1)?.doneShare ?? 0) > 0.999, 'all of it is done at the end')
    }
  })
}
