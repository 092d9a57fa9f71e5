import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { NodeMetrics } from '../../lib/core/metrics.js'
import { bottleneckOf, nodeShares, waitingOn } from '../../lib/report/bottleneck.js'
import { appendTimings, readTimings, TimingsRecorder } from '../../lib/report/timings.js'

/** Times as waiting, blocked, working in percent. */
function node(name: string, waiting: number, blocked: number, working: number, inFlight = 0): NodeMetrics {
  const times = { waitingForInputMs: waiting * 10, blockedByOutputMs: blocked * 10, workingMs: working * 10 }
  return { name, unit: 'x', in: 10, out: 8, dropped: 2, failed: 0, inFlight, ...times }
}

const graph = (of: Record<string, [number, number, number, number?]>): NodeMetrics[] =>
  ['read', 'prepare', 'order', 'dedup', 'credit: records', 'label', 'score', 'polish', 'write'].map((name) =>
    node(name, ...(of[name] ?? ([100, 0, 0] as const))),
  )

t.test('the bottleneck is the node that works while those before it are blocked and those after it wait', async (t) => {
  const cases: [string, Record<string, [number, number, number, number?]>][] = [
    ['servers', { read: [0, 90, 10], 'credit: records': [5, 90, 5], label: [0, 0, 100, 9], write: [90, 0, 10, 4] }],
    ['servers', { label: [10, 0, 90, 9] }],
    ['write', { read: [0, 90, 10], 'credit: records': [5, 90, 5], label: [0, 50, 50], write: [5, 0, 95] }],
    ['prepare', { read: [0, 80, 20], prepare: [5, 0, 95], label: [90, 0, 10] }],
    ['dedup', { read: [0, 80, 20], prepare: [5, 60, 35], dedup: [10, 0, 90] }],
    ['read', { read: [95, 0, 5], prepare: [90, 0, 10], label: [90, 0, 10] }],
  ]
  for (const [expected, times] of cases) t.equal(bottleneckOf(nodeShares(graph(times))), expected, expected)
})

t.test('the bottleneck is that of the time between two measurements', async (t) => {
  const before = graph({ prepare: [0, 0, 1000], read: [0, 1000, 0] })
  const now = graph({ prepare: [10, 0, 1000], read: [0, 1010, 0], label: [100, 0, 90, 3] })
  t.equal(bottleneckOf(nodeShares(now)), 'prepare')
  t.equal(bottleneckOf(nodeShares(now, before)), 'servers')
})

t.test('each stage shows what it waits for', async (t) => {
  const busy = nodeShares(
    graph({
      read: [0, 90, 10],
      prepare: [60, 0, 40],
      'credit: records': [5, 90, 5],
      label: [0, 0, 100, 9],
      write: [90, 0, 10, 4],
    }),
  )
  const on = Object.fromEntries(busy.map(({ name }) => [name, waitingOn(busy, name)]))
  t.match(on, {
    read: 'a later stage',
    prepare: 'read',
    dedup: 'a later stage',
    label: 'servers',
    score: 'label',
    polish: 'score',
    write: 'an earlier record',
  })
})

t.test('timings.json keeps one entry for each call, and an incomplete file is replaced', async (t) => {
  const directory = t.testdir()
  const endpoint = { endpoint: 'http://127.0.0.1:1/v1', inFlight: 3, limit: 8, limiter: 'fixed' as const, reason: '' }
  const recorder = new TimingsRecorder(() => ({
    metrics: { nodes: graph({ label: [0, 0, 100, 3] }), reorderPeakBytes: 5 },
    servers: {
      waiting: 0,
      retries: 1,
      keptServed: 2,
      tokens: 100,
      stages: {},
      endpoints: [{ ...endpoint, down: false, figures: null }],
    },
    readBytes: 1000,
    cuts: 1,
  }))
  await appendTimings(directory, recorder.soFar())
  t.match(await readTimings(directory), [{ end: 'running' }])
  await appendTimings(directory, recorder.finish('input'))
  const [call, ...others] = await readTimings(directory)
  t.equal(others.length, 0, 'the end takes the place of what was written on the way')
  t.match(call, {
    end: 'input',
    bottleneck: 'servers',
    tokens: 100,
    retries: 1,
    repliesServedFromDisk: 2,
    endpoints: [
      { endpoint: 'http://127.0.0.1:1/v1', inFlightMean: 3, inFlightMost: 3, limitMean: 8, runningMean: null },
    ],
  })
  t.ok((call?.peakMemoryBytes ?? 0) > 1e7 && (call?.seconds ?? -1) >= 0)
  t.strictSame(
    call?.nodes.map(({ name }) => name),
    ['read', 'prepare', 'dedup', 'label', 'score', 'polish', 'write'],
  )
  await appendTimings(directory, { ...recorder.soFar('KUN_DRIFT'), startedAt: '2020-01-01T00:00:00.000Z' })
  t.equal((await readTimings(directory)).length, 2, 'another call, another entry')
  const file = join(directory, 'timings.json')
  writeFileSync(file, readFileSync(file).subarray(0, 100))
  t.strictSame(await readTimings(directory), [])
})
