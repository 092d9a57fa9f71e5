import t from 'tap'
import { type Behaviour, type VirtualAnswer, virtualRun } from '../virtual-models.js'

const minute = 60_000
const good: Behaviour = { reply: '好', ms: 300 }
const numberOf = (text: string) => Number(/记录(\d+)/.exec(text)?.[1] ?? Number.NaN)
/** Answers all but some records, which fail as `does` says, in a list too. */
const poison =
  (isPoison: (n: number) => boolean, does: Behaviour): VirtualAnswer =>
  ({ texts }) =>
    texts.some((text) => isPoison(numberOf(text))) ? does : good
const expected = (records: number, isPoison: (n: number) => boolean, reason: string) =>
  Array.from({ length: records }, (_, n) => (isPoison(n) ? reason : 'reply'))

const failures: readonly [string, Behaviour][] = [
  ['500', { status: 500 }],
  ['502', { status: 502, ms: 40 }],
  ['503', { status: 503, ms: 1 }],
  ['a reset connection', { reset: true }],
]
const sets: readonly [string, number, (n: number) => boolean][] = [
  ['the last three records', 24, (n) => n >= 21],
  ['one in ten', 200, (n) => n % 10 === 3],
  ['the second half', 40, (n) => n >= 20],
  ['the last one', 24, (n) => n === 23],
  ['all three of three', 3, (n) => n >= 0],
]

for (const [name, does] of failures) {
  for (const [which, records, isPoison] of sets) {
    for (const endpoints of [['http://one/v1'], ['http://one/v1', 'http://two/v1']]) {
      t.test(
        `Records that fail with ${name} are verdicts, the others get replies: ${which}, ${endpoints.length} endpoints`,
        async (t) => {
          const run = await virtualRun({ answer: poison(isPoison, does), records, endpoints, boundMs: 60 * minute })
          t.equal(run.error, null)
          t.strictSame(run.ends, expected(records, isPoison, 'server-error'))
          t.comment(`${Math.round(run.tookMs / 1000)} s, ${run.requests} requests`)
        },
      )
    }
  }
}

t.test('Three hanging records are rejected within the hour, concurrently', async (t) => {
  const isPoison = (n: number) => n >= 21
  const run = await virtualRun({ answer: poison(isPoison, { hang: true }), records: 24, boundMs: 60 * minute })
  t.equal(run.error, null)
  t.strictSame(run.ends, expected(24, isPoison, 'deadline'))
  t.ok(run.tookMs < 55 * minute, `${run.tookMs / minute} minutes`)
})

t.test('Bad prompts in lists of three are found, and cost no other record', async (t) => {
  const isPoison = (n: number) => n >= 8 && n < 11
  for (const does of [{ status: 500 }, { status: 400, body: { error: { message: 'no' } } }]) {
    const run = await virtualRun({ answer: poison(isPoison, does), records: 64, lists: 16, boundMs: 60 * minute })
    t.equal(run.error, null)
    t.strictSame(run.ends, expected(64, isPoison, does.status === 500 ? 'server-error' : 'refused'))
  }
})

t.test('Records that crash the server for a minute are rejected, and no record in flight with them', async (t) => {
  const isPoison = (n: number) => n === 5 || n === 17
  let deadUntilMs = 0
  const answer: VirtualAnswer = ({ texts, nowMs }) => {
    if (nowMs < deadUntilMs) return { reset: true }
    if (!texts.some((text) => isPoison(numberOf(text)))) {
      return { reply: '好', ms: 300 }
    }
    deadUntilMs = nowMs + minute
    return { reset: true, ms: 1 }
  }
  const run = await virtualRun({ answer, records: 24, boundMs: 120 * minute })
  t.equal(run.error, null)
  t.strictSame(run.ends, expected(24, isPoison, 'server-error'))
})

for (const status of [500, 401, 404, 429, 503]) {
  for (const endpoints of [['http://one/v1'], ['http://one/v1', 'http://two/v1']]) {
    t.test(`Nine minutes of ${status} from everything cost no record, ${endpoints.length} endpoints`, async (t) => {
      const answer: VirtualAnswer = ({ nowMs }) =>
        nowMs > 2000 && nowMs < 9 * minute ? { status } : { reply: '好', ms: 700 }
      const run = await virtualRun({ answer, records: 100, endpoints, outageMaxMs: 10 * minute, boundMs: 60 * minute })
      t.equal(run.error, null)
      t.strictSame(
        run.ends,
        expected(100, () => false, ''),
      )
    })
  }
  t.test(`${status} from some moment on ends the run while earlier requests are still answered`, async (t) => {
    let nth = 0
    const answer: VirtualAnswer = ({ nowMs }) =>
      nowMs > 2000
        ? { status, body: { error: { message: 'the words' } }, ms: 1 }
        : { reply: '好', ms: (minute * (nth++ % 16)) / 5 + 500 }
    const limits = { outageMaxMs: 5 * minute, inFlightMax: 16, model: { deadlineMs: 4 * minute } }
    const run = await virtualRun({ answer, records: 100, ...limits, boundMs: 30 * minute })
    t.equal(run.hangs, false)
    t.equal(run.error?.code, 'KUN_OUTAGE')
    t.match(run.error?.message, new RegExp(`last error from http://one/v1: ${status} the words`))
    t.ok(run.ends.every((end) => end === null || end === 'reply'))
  })
}

t.test('A real outage beside poison records costs only the poison records', async (t) => {
  const isPoison = (n: number) => n % 20 === 0
  const answer: VirtualAnswer = ({ texts, nowMs }) => {
    if (nowMs > 3000 && nowMs < 9 * minute) return { reset: true }
    return poison(isPoison, { status: 500 })({ texts, nowMs, endpoint: '', nth: 0 })
  }
  const run = await virtualRun({ answer, records: 100, boundMs: 60 * minute })
  t.equal(run.error, null)
  t.strictSame(run.ends, expected(100, isPoison, 'server-error'))
})

t.test('Poison of one stage does not touch another', async (t) => {
  const isPoison = (n: number) => n % 2 === 1
  const run = await virtualRun({
    answer: poison(isPoison, { status: 500 }),
    records: 60,
    stage: (n) => (isPoison(n) ? 'polish' : 'label'),
    outageMaxMs: 5 * minute,
    boundMs: 60 * minute,
  })
  t.ok(run.ends.every((end, n) => isPoison(n) || end === 'reply'))
  t.equal(run.hangs, false)
  t.equal(run.error?.code, 'KUN_OUTAGE', 'a stage none of whose requests passes is an outage, not thirty verdicts')
})

t.test('The message has the error text of a server that fails every record but passes its probe', async (t) => {
  const answer: VirtualAnswer = ({ texts }) =>
    texts.some((text) => text.includes('记录'))
      ? { status: 502, body: { error: { message: 'upstream GPU pool exhausted' } } }
      : good
  const run = await virtualRun({ answer, records: 80, outageMaxMs: 20_000, boundMs: 60 * minute })
  t.equal(run.error?.code, 'KUN_OUTAGE')
  t.match(run.error?.message, /last error from http:\/\/one\/v1: 502 upstream GPU pool exhausted/)
  t.notMatch(run.error?.message, /no model server responded/)
  t.ok(run.ends.every((end) => end === null))
})

const plain = (message: string) => ({ status: 400, body: { error: { message } } }) as const

for (const endpoints of [['http://one/v1'], ['http://one/v1', 'http://two/v1']]) {
  t.test(
    `A server that refuses everything for nine minutes costs no record, though one was rightly refused before, ${endpoints.length} endpoints`,
    async (t) => {
      const isPoison = (n: number) => n === 1 || n === 60
      const answer: VirtualAnswer = ({ texts, nowMs }) => {
        if (nowMs > 2000 && nowMs < 9 * minute) return plain('Bad request')
        return texts.some((text) => isPoison(numberOf(text))) ? plain('no') : { reply: '好', ms: 700 }
      }
      const run = await virtualRun({ answer, records: 100, endpoints, outageMaxMs: 10 * minute, boundMs: 60 * minute })
      t.equal(run.error, null)
      t.strictSame(run.ends, expected(100, isPoison, 'refused'))
    },
  )
}

t.test(
  'A server that refuses every text of a record from some moment on, and takes short ones, costs no record',
  async (t) => {
    const answer: VirtualAnswer = ({ texts, nowMs }) =>
      nowMs > 2000 && texts.some((text) => text.includes('记录')) ? plain('Bad request') : { reply: '好', ms: 700 }
    const run = await virtualRun({ answer, records: 100, outageMaxMs: 10 * minute, boundMs: 60 * minute })
    t.equal(run.error?.code, 'KUN_OUTAGE')
    t.match(run.error?.message, /last error from http:\/\/one\/v1: 400 Bad request/)
    t.ok(run.ends.every((end) => end === null || end === 'reply'))
  },
)

t.test(
  'Moderation is a verdict on that record alone from the first call on, however many follow each other',
  async (t) => {
    const isPoison = (n: number) => n < 12 || n % 9 === 0
    const does = { status: 400, body: { error: { message: 'no', code: 'content_filter' } } }
    const run = await virtualRun({ answer: poison(isPoison, does), records: 60, boundMs: 60 * minute })
    t.equal(run.error, null)
    t.strictSame(run.ends, expected(60, isPoison, 'content-refused'))
    t.equal(run.requests, 60, 'each is asked once')
  },
)

t.test('Records that are refused without a reason are verdicts, however many follow each other', async (t) => {
  for (const isPoison of [(n: number) => n >= 10 && n < 50, (n: number) => n < 12, (n: number) => n % 2 === 0]) {
    const run = await virtualRun({ answer: poison(isPoison, plain('no')), records: 60, boundMs: 60 * minute })
    t.equal(run.error, null)
    t.strictSame(run.ends, expected(60, isPoison, 'refused'))
    t.comment(`${run.requests} requests`)
  }
})
