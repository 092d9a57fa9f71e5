/** A progress with a value in every field. */
import type { RunProgress } from '../../lib/report/progress.js'

const stage = {
  unitIn: 'record',
  unitOut: 'record',
  dropped: 1,
  failed: 0,
  active: 64,
  perSecond: 123.4,
  waitingFor: 'servers',
  workingSeconds: 10,
  waitingSeconds: 5,
  blockedSeconds: 1,
  model: null,
}

/** Progress of a run in the middle of its input. */
export const progressExample: RunProgress = {
  elapsedSeconds: 100,
  estimate: {
    doneShare: 0.4213,
    secondsLeft: 720,
    reason: null,
    slowest: 'servers',
    candidatesLeft: 123_456,
    rowsExpected: 98_765,
  },
  input: { readBytes: 10, decidedBytes: 10, totalBytes: 100 },
  readBytes: 1e9,
  readBytesPerSecond: 1.2e6,
  rows: 12_345,
  rowsPerSecond: 12,
  totals: { documents: 1000, chunks: 2000, rows: 12_000, rejects: 30 },
  cuts: 2,
  stages: [
    { ...stage, name: 'read', unitIn: 'block', unitOut: 'block', in: 12, out: 12, waitingFor: 'a later stage' },
    { ...stage, name: 'prepare', unitIn: 'block', unitOut: 'block', in: 12, out: 11 },
    { ...stage, name: 'dedup', unitIn: 'block', in: 11, out: 1_234_567, waitingFor: '' },
    {
      ...stage,
      name: 'label',
      unitOut: 'attempt',
      in: 1_234_567,
      out: 1_200_000,
      model: { requests: 9, tokens: 90, requestSeconds: 4.5 },
    },
    { ...stage, name: 'score', unitIn: 'attempt', unitOut: 'attempt', in: 1_200_000, out: 12_345 },
    { ...stage, name: 'write', unitIn: 'attempt', unitOut: 'attempt', in: 12_345, out: 12_000 },
  ],
  servers: [
    {
      endpoint: 'http://localhost:8000/v1',
      inFlight: 412,
      limit: 512,
      down: false,
      figures: {
        ...{ atMs: 0, running: 410, waiting: 38, kvUsage: 0.81, preemptions: 0 },
        ...{ generationTokens: 5, promptTokens: 5, prefixQueries: 0, prefixHits: 0 },
      },
    },
  ],
  requestsPerSecond: 45.6,
  tokensPerSecond: 12_345,
  requests: 1000,
  tokens: 100_000,
  storedRepliesUsed: 0,
  retries: 7,
  callsWaiting: 1500,
  bottleneck: 'servers',
  lastPair: {
    id: 'a',
    split: 'train',
    instruction: '请根据以下文字，说明水稻在不同生长阶段对水分的需求。\n要求分点作答。',
    output: '水稻在返青期需要浅水层，分蘖期'.repeat(20),
    score: 0.9,
  },
}
