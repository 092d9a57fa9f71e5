import t from 'tap'
import { seededRandom } from '../../../lib/core/random.js'
import type { DriftError } from '../../../lib/errors.js'
import type { KunStage, StageCall } from '../../../lib/kun/types.js'
import type { Answer, Call } from '../../../lib/llm/types.js'
import { driftOptions } from '../../../lib/run/drift/detector.js'
import { DriftMonitor } from '../../../lib/run/drift/monitor.js'
import { testSeed } from '../../support/random.js'

interface Text {
  readonly id: string
}

/** A stage whose records end when `endRound` is called as often as they have requests. */
function slowStage(monitor: DriftMonitor, isKept: (id: string) => boolean, requests: (id: string) => number) {
  let waiting: { left: number; end: () => void }[] = []
  const stage: KunStage<Text, Text> = {
    name: 'label',
    stageOrder: 0,
    promptVersion: 'test@1',
    columns: [],
    run: async (input) => {
      await new Promise<void>((end) => waiting.push({ left: requests(input.id), end }))
      const call = { stage: 'label', record: input.id } as Call
      monitor.answered(call, { reply: { text: '一条中文的指令，长短都一样。' }, attempt: 0 } as Answer)
      return isKept(input.id) ? { emit: [input] } : { drop: 'instruction-none' }
    },
  }
  const endRound = (): void => {
    for (const record of waiting) if (--record.left === 0) record.end()
    waiting = waiting.filter(({ left }) => left > 0)
  }
  return { stage, endRound }
}

/** Runs records through a stage with so many in flight; returns the drift that stopped it. */
async function run(faultyShare: (record: number) => number, seed: number): Promise<DriftError | null> {
  const random = seededRandom(seed)
  const monitor = new DriftMonitor(driftOptions.parse({}))
  let drift: DriftError | null = null
  monitor.start((error) => {
    drift ??= error
  })
  const faulty = new Set<string>()
  // A record of which no reply is good has three requests, the others one.
  const { stage, endRound } = slowStage(
    monitor,
    (id) => !faulty.has(id),
    (id) => (faulty.has(id) ? 3 : 1),
  )
  const wrapped = monitor.stage(stage)
  const inFlight = new Set<Promise<unknown>>()
  for (let record = 0; record < 8000 && drift === null; record++) {
    const id = String(record)
    if (random() < faultyShare(record)) faulty.add(id)
    const running: Promise<unknown> = wrapped.run({ id }, {} as StageCall).finally(() => inFlight.delete(running))
    inFlight.add(running)
    while (inFlight.size >= 1024) {
      endRound()
      await Promise.race(inFlight)
      await new Promise(setImmediate)
    }
  }
  for (let round = 0; round < 3; round++) endRound()
  await Promise.all(inFlight)
  return drift
}

t.test('records that are requested again do not make a healthy run look as if its yield fell', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  t.equal(await run(() => 0.42, seed), null, '1,024 in flight, 42 % of the records without a good reply')
})

t.test('with as many in flight, half the yield stops the run', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const half = await run((record) => (record < 4000 ? 0.2 : 0.65), seed)
  t.match(half, { code: 'KUN_DRIFT', details: { stage: 'label' } })
})
