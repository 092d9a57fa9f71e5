import t from 'tap'
import { type Behaviour, type VirtualAnswer, virtualRun } from '../llm/virtual-models.js'
import { Random, testSeed } from '../support/random.js'

const MINUTE = 60_000
const numberOf = (text: string) => Number(/记录(\d+)/.exec(text)?.[1] ?? Number.NaN)

/** A server that does its worst: windows of trouble of every kind, and records that fail in every way. */
function adversary(random: Random, records: number) {
  const troubles: readonly Behaviour[] = [
    { status: 500 },
    { status: 401 },
    { status: 429, headers: { 'retry-after': '2' } },
    { status: 503, body: { error: { message: 'Loading model' } } },
    { status: 404 },
    { reset: true },
    { hang: true },
    { status: 502, ms: 3000 },
  ]
  const one = (): Behaviour => troubles[random.between(0, troubles.length - 1)] as Behaviour
  const poisoned = new Map<number, Behaviour>()
  const share = random.next() ** 2
  for (let n = 0; n < records; n++) if (random.next() < share) poisoned.set(n, one())
  const upMs = random.between(2000, 40_000)
  const downMs = random.between(0, 40_000)
  const trouble = one()
  const isCanaryWell = random.next() < 0.3
  const flaky = random.next() ** 3
  const answer: VirtualAnswer = ({ texts, nowMs }) => {
    const isRecord = texts.some((text) => text.includes('记录'))
    if (nowMs % (upMs + downMs) > upMs && (isRecord || !isCanaryWell)) return trouble
    if (isRecord && random.next() < flaky) return { status: 500 }
    const bad = texts.map((text) => poisoned.get(numberOf(text))).find((does) => does !== undefined)
    return bad ?? { reply: '好', ms: random.between(1, 4000) }
  }
  return { answer, poisoned }
}

t.test('Whatever its servers do, a run ends within its bound, and no good record is rejected', async (t) => {
  const seed = testSeed()
  t.comment(`KUN_SEED=${seed}`)
  const records = 16
  const outageMaxMs = MINUTE
  const deadlineMs = 10_000
  const boundMs = records * (outageMaxMs + 4 * deadlineMs)
  const endings = { done: 0, outages: 0, verdicts: 0 }
  for (let round = 0; round < 40; round++) {
    const random = new Random(seed + round)
    const { answer, poisoned } = adversary(random, records)
    const endpoints = ['http://one/v1', 'http://two/v1'].slice(0, random.between(1, 2))
    const lists = random.between(0, 1) === 0 ? 1 : 4
    const limits = { outageMaxMs, inFlightMax: random.between(1, 8), model: { deadlineMs } }
    const run = await virtualRun({ answer, records, endpoints, lists, ...limits, boundMs })
    const at = `seed ${seed + round}`
    if (run.hangs) t.fail(`${at}: no end within ${boundMs} ms`)
    const rejected = run.ends.flatMap((end, n) => (end !== null && end !== 'reply' && !poisoned.has(n) ? [n] : []))
    if (rejected.length > 0) t.fail(`${at}: good records ${rejected.join(', ')} were rejected`)
    if (run.error === null && run.ends.includes(null)) t.fail(`${at}: a record was lost`)
    if (run.error !== null && !['KUN_OUTAGE', 'KUN_ENDPOINT'].includes(run.error.code)) t.fail(`${at}: ${run.error}`)
    endings[run.error === null ? 'done' : 'outages']++
    endings.verdicts += run.ends.filter((end) => end !== null && end !== 'reply').length
  }
  t.comment(JSON.stringify(endings))
  t.ok(endings.done > 0 && endings.verdicts > 0)
})
