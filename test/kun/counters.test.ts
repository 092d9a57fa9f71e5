import t from 'tap'
import { addCounters, checkAccounting, countersOfBlock } from '../../lib/kun/counters.js'
import { Tally } from '../../lib/kun/tally.js'
import type { PreparedBlock, PrepareReject } from '../../lib/text/batch.js'

const stages = ['label', 'score', 'polish']

/** Documents 0 and 1 chunked, 2 refused whole, 3 with its only chunk refused. */
function block(split = 'wudao'): PreparedBlock {
  const reject = (document: number, chunk: number | null, stage: string, reason: string): PrepareReject => {
    return { document, chunk, offset: document, key: '', stage, reason, detail: '', excerpt: '' }
  }
  const column = { offsets: new Int32Array(4), bytes: new Uint8Array(0) }
  return {
    number: 0,
    split,
    shard: 'a.jsonl',
    documents: 4,
    chunks: {
      rows: 3,
      document: Int32Array.of(0, 0, 1),
      chunk: Int32Array.of(0, 2, 0),
      offset: new Float64Array(3),
      key: column,
      title: column,
      text: column,
      tokens: new Int32Array(3),
      letters: new Int32Array(3),
      fingerprint: new Uint8Array(48),
      signature: new Uint32Array(0),
    },
    rejects: [
      reject(0, 1, 'chunk', 'too-short'),
      reject(2, null, 'decode', 'not-json'),
      reject(3, 0, 'chunk', 'too-short'),
    ],
  }
}

/** Of three chunks one is a duplicate; of four attempts one becomes a row. */
function filled(): Tally {
  const tally = new Tally(stages)
  tally.block(block())
  tally.candidate('wudao', 2)
  tally.chunkReject('wudao', 'dedup', { drop: 'exact-duplicate' })
  tally.candidate('wudao', 2)
  tally.row('wudao')
  tally.attemptReject('wudao', 'polish', { drop: 'output-keyword' })
  tally.attemptReject('wudao', 'label', { drop: 'duplicate-variant' })
  tally.attemptReject('wudao', 'score', { fail: new TypeError('坏') })
  return tally
}

t.test('the account of a run adds up, and says what became of everything', async (t) => {
  const counters = filled().snapshot()
  t.strictSame(checkAccounting(counters), [])
  t.strictSame(counters, {
    wudao: {
      attemptRejects: {
        label: { 'duplicate-variant': 1 },
        polish: { 'output-keyword': 1 },
        score: { TypeError: 1 },
      },
      attempts: 4,
      candidates: 2,
      chunkRejects: { chunk: { 'too-short': 2 }, dedup: { 'exact-duplicate': 1 } },
      chunks: 5,
      documentRejects: { decode: { 'not-json': 1 } },
      documents: 4,
      documentsChunked: 3,
      rows: 1,
      stages: {
        chunks: { dropped: { 'too-short': 2 }, failed: 0, in: 5, out: 3 },
        dedup: { dropped: { 'exact-duplicate': 1 }, failed: 0, in: 3, out: 2 },
        documents: { dropped: { 'not-json': 1 }, failed: 0, in: 4, out: 3 },
        label: { dropped: { 'duplicate-variant': 1 }, failed: 0, in: 4, out: 3 },
        polish: { dropped: { 'output-keyword': 1 }, failed: 0, in: 2, out: 1 },
        score: { dropped: {}, failed: 1, in: 3, out: 2 },
      },
    },
  })
})

t.test('what is lost or counted twice is found, with the split and both sides', async (t) => {
  const { wudao } = filled().snapshot()
  const faultsOf = (change: object) =>
    checkAccounting({ wudao: { ...(wudao as NonNullable<typeof wudao>), ...change } }).map(({ equation }) => equation)
  t.strictSame(faultsOf({ documents: 5 }), ['documents = chunked + rejected'])
  t.strictSame(faultsOf({ chunks: 6 }), ['chunks = candidates + rejected'])
  t.strictSame(faultsOf({ rows: 2 }), ['attempts = rows + rejected + in flight'])
  const tally = filled()
  tally.candidate('wudao', 2)
  tally.chunkReject('wudao', 'dedup', { drop: 'exact-duplicate' })
  t.strictSame(checkAccounting(tally.snapshot())[0], {
    split: 'wudao',
    equation: 'chunks = candidates + rejected',
    left: 5,
    right: 7,
  })
})

t.test('attempts in flight are part of the third equation', async (t) => {
  const tally = new Tally(stages)
  tally.block({ ...block(), rejects: block().rejects.slice(0, 2), documents: 3 })
  for (let chunk = 0; chunk < 3; chunk++) tally.candidate('wudao', 1)
  tally.row('wudao')
  t.strictSame(checkAccounting(tally.snapshot(), { wudao: 2 }), [])
  t.equal(checkAccounting(tally.snapshot()).length, 1)
})

t.test('keys stand in order whatever came first, and a snapshot does not change later', async (t) => {
  const forwards = new Tally(stages)
  const backwards = new Tally(stages)
  for (const split of ['a', 'constructor', 'b']) forwards.block(block(split))
  for (const split of ['b', 'constructor', 'a']) backwards.block(block(split))
  const first = JSON.stringify(forwards.snapshot())
  t.equal(first, JSON.stringify(backwards.snapshot()))
  const before = forwards.snapshot()
  forwards.block(block('a'))
  forwards.row('a')
  t.equal(JSON.stringify(before), first)
})

t.test('a tally goes on from a commit, and parts add up to the whole', async (t) => {
  const half = filled()
  const resumed = new Tally(stages, JSON.parse(JSON.stringify(half.snapshot())))
  resumed.block(block('skypile'))
  const whole = addCounters(half.snapshot(), countersOfBlock(block('skypile')))
  t.equal(JSON.stringify(resumed.snapshot()), JSON.stringify(whole))
})
