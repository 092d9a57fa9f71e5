import t from 'tap'
import { RowFiguresCounter } from '../../lib/kun/row-figures.js'
import { type Counters, checkAccounting, count, type MutableRejects, sortKeys } from '../../lib/run/accounting.js'

/** Four documents give five chunks, two candidates, four attempts and one row. */
const exact: Counters = {
  wudao: {
    documents: 4,
    documentsChunked: 3,
    documentRejects: { decode: { 'not-json': 1 } },
    chunks: 5,
    candidates: 2,
    chunkRejects: { chunk: { 'too-short': 2 }, dedup: { 'exact-duplicate': 1 } },
    attempts: 4,
    rows: 1,
    attemptRejects: { label: { 'duplicate-variant': 1 }, score: { TypeError: 1 }, polish: { 'output-keyword': 1 } },
    stages: {
      documents: { in: 4, out: 3, dropped: { 'not-json': 1 }, failed: 0 },
      label: { in: 4, out: 3, dropped: { 'duplicate-variant': 1 }, failed: 0 },
      score: { in: 3, out: 2, dropped: {}, failed: 1 },
      polish: { in: 2, out: 1, dropped: { 'output-keyword': 1 }, failed: 0 },
    },
    figures: new RowFiguresCounter().figures(),
  },
}

t.test('an exact account has no fault', async (t) => {
  t.strictSame(checkAccounting(exact), [])
  t.strictSame(checkAccounting({}), [])
})

t.test('a record that is lost or counted twice is found, with the split and both sides', async (t) => {
  const faultsOf = (change: object, inFlight = {}) =>
    checkAccounting({ ...exact, crawl: { ...(exact.wudao as object), ...change } as never }, inFlight)
  t.strictSame(faultsOf({ documents: 5 }), [
    { split: 'crawl', equation: 'documents = chunked + rejected', left: 5, right: 4 },
  ])
  t.strictSame(faultsOf({ candidates: 1 }), [
    { split: 'crawl', equation: 'chunks = candidates + rejected', left: 5, right: 4 },
  ])
  t.strictSame(faultsOf({ rows: 2 }), [
    { split: 'crawl', equation: 'attempts = rows + rejected + in flight', left: 4, right: 5 },
  ])
  const label = { in: 5, out: 3, dropped: { 'duplicate-variant': 1 }, failed: 0 }
  t.strictSame(faultsOf({ stages: { label } }), [
    { split: 'crawl', equation: 'label: in = out + dropped + failed', left: 5, right: 4 },
  ])
})

t.test('attempts in flight are part of the third equation', async (t) => {
  const running: Counters = { wudao: { ...(exact.wudao as NonNullable<typeof exact.wudao>), attempts: 6 } }
  t.strictSame(checkAccounting(running, { wudao: 2 }), [])
  t.equal(checkAccounting(running).length, 1)
})

t.test('keys are in order of code unit, in any order of counting', async (t) => {
  const first: MutableRejects = {}
  const second: MutableRejects = {}
  const rejects = [
    ['label', 'empty'],
    ['dedup', 'near'],
    ['label', 'Z'],
    ['label', 'empty'],
  ] as const
  for (const [stage, reason] of rejects) count(first, stage, reason)
  for (const [stage, reason] of [...rejects].reverse()) count(second, stage, reason)
  t.equal(JSON.stringify(sortKeys(first)), '{"dedup":{"near":1},"label":{"Z":1,"empty":2}}')
  t.equal(JSON.stringify(sortKeys(second)), JSON.stringify(sortKeys(first)))
})
