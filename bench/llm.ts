/** The model servers: how full they are kept, how fair the stages are, what one process sustains over HTTP. */

import { grouped } from '../lib/language/grouped.js'
import { DriftDetector, driftOptions } from '../lib/run/drift/detector.js'
import { endpoints, outliers, stages } from './llm-flow.js'
import { overHttp } from './llm-http.js'
import { drive, limiters, mean, type Scenario, secondsUntil } from './llm-limiter.js'
import { promptLists } from './llm-lists.js'
import type { Bench, BenchAim, BenchOptions, BenchRow, BenchTable } from './types.js'

interface Part {
  readonly tables: readonly BenchTable[]
  readonly aims: readonly BenchAim[]
}

export const bench: Bench = {
  name: 'llm',
  description: 'model servers kept full and not drowned; on the simulator’s engine (virtual time) and over HTTP',
  async run(options) {
    const parts: Part[] = []
    for (const [name, part] of Object.entries({
      limits,
      tightCache,
      stagesPart,
      outliersPart,
      endpointsPart,
      prefixes,
      drift,
      lists,
      http,
    })) {
      options.say(name.replace('Part', ''))
      parts.push(await part(options))
    }
    return { tables: parts.flatMap(({ tables }) => tables), aims: parts.flatMap(({ aims }) => aims) }
  },
}

/** Loads whose KV cache is the bottleneck: blocks of 16 tokens, prompts and replies of so many tokens. */
const tightCaches = [
  { name: '30,000 tokens', kvBlocks: 1875, promptTokens: [300, 700], outputMean: 200, outputMax: 1024 },
  { name: '10,000 tokens', kvBlocks: 625, promptTokens: [300, 700], outputMean: 200, outputMax: 1024 },
  { name: '96,000 tokens, long replies', kvBlocks: 6000, promptTokens: [300, 700], outputMean: 600, outputMax: 2000 },
] as const
/** Sequences that the server would run if its cache had space for them. */
const tightRunningMax = 128

/** How many requests a server with a full KV cache preempts, and what it delivers. */
async function tightCache({ size }: BenchOptions): Promise<Part> {
  const rows: BenchRow[] = []
  const aims: BenchAim[] = []
  for (const { name, kvBlocks, promptTokens, outputMean, outputMax } of size === 'smoke'
    ? tightCaches.slice(0, 1)
    : tightCaches) {
    const engine = { kvBlocks, runningMax: tightRunningMax }
    const load = { ...scenario(size, promptTokens), engine, outputMean, outputMax }
    const outcomes = Object.entries(limiters).map(([limiter, make]) => ({ limiter, ...drive(make(), load) }))
    const best = Math.max(...outcomes.map(({ tokensPerSecond }) => tokensPerSecond))
    for (const { limiter, tokensPerSecond, preemptions, requests, kvMedian, limitMedian } of outcomes) {
      const [share, preempted] = [(100 * tokensPerSecond) / best, (100 * preemptions) / requests]
      const figures = { 'tokens/s': tokensPerSecond, 'of the best %': share, 'preempted %': preempted }
      rows.push({ 'KV cache': name, limiter, ...figures, 'KV use': kvMedian, limit: limitMedian })
      if (limiter !== 'queue' || aims.length > 0) continue
      aims.push(
        aim(`KV cache of ${name}, by the server’s queue: preempted requests, %`, preempted, 1, 'most'),
        aim('… tokens/s of the best limiter, %', share, 99, 'least'),
      )
    }
  }
  return { tables: [{ title: 'A full KV cache, 128 sequences at most (virtual time)', rows }], aims }
}

/** The full load of the issue: lengths log-normal, mean 200, sigma 1, at most 1,024. */
function scenario(size: BenchOptions['size'], promptTokens: readonly [number, number]): Scenario {
  const smoke = size === 'smoke'
  return {
    preset: 'qwen3-8b-h100',
    seed: 7,
    durationMs: smoke ? 15_000 : 240_000,
    warmUpMs: smoke ? 5_000 : 20_000,
    promptTokens,
    outputMean: 200,
    outputSigma: 1,
    outputMax: 1024,
  }
}

async function limits({ size }: BenchOptions): Promise<Part> {
  const rows: BenchRow[] = []
  const aims: BenchAim[] = []
  for (const promptTokens of [
    [50, 150],
    [200, 600],
  ] as const) {
    const prompt = promptTokens.join('–')
    const load = scenario(size, promptTokens)
    const endless = drive(limiters.fixed5000(), load)
    for (const [limiter, make] of Object.entries(limiters)) {
      const held = drive(make(), load)
      const share = held.tokensPerSecond / endless.tokensPerSecond
      const until = secondsUntil(held.bySecond, 0.97 * endless.tokensPerSecond)
      const preempted = held.preemptions / held.requests
      rows.push({
        'prompt tokens': prompt,
        limiter,
        'tokens/s': held.tokensPerSecond,
        'of an endless queue %': 100 * share,
        '97 % after s': Number.isFinite(until) ? until : null,
        'preempted %': 100 * preempted,
        'waiting of running %': 100 * held.waitingShare,
        'KV use': held.kvMedian,
        limit: held.limitMedian,
      })
      if (limiter !== 'queue') continue
      const reached = secondsUntil(endless.bySecond, 0.97 * endless.tokensPerSecond)
      aims.push(
        aim(`queue limiter, prompts of ${prompt}: tokens/s of an endless queue, %`, 100 * share, 97, 'least'),
        aim(`… 97 % reached, s from cold (an endless queue: ${reached})`, until, 10, 'most'),
        aim('… preempted requests, %', 100 * preempted, 1, 'most'),
        aim('… median waiting of running, %', 100 * held.waitingShare, 15, 'most'),
      )
    }
    const third = load.durationMs / 3
    const changes = [
      { atMs: third, speed: 0.5 },
      { atMs: 2 * third, speed: 1 },
    ]
    const [held, full] = [limiters.queue, limiters.fixed5000].map((make) => drive(make(), { ...load, changes }))
    const later = ({ bySecond }: { bySecond: readonly number[] }) => mean(bySecond.slice(third / 1000))
    const share = held === undefined || full === undefined ? 0 : later(held) / later(full)
    aims.push(aim(`… after capacity halved, then doubled, %`, 100 * share, 97, 'least'))
  }
  return { tables: [{ title: 'Limiters on qwen3-8b-h100 (virtual time)', rows }], aims }
}

async function stagesPart({ size }: BenchOptions): Promise<Part> {
  const durationMs = size === 'smoke' ? 30_000 : 240_000
  const inOrder = await stages(durationMs, true)
  const mixed = await stages(durationMs, false)
  const share = inOrder.tokensPerSecond / mixed.tokensPerSecond
  const wait = inOrder.firstRowMs / inOrder.firstRowOwnMs
  const row = (way: string, outcome: typeof inOrder): BenchRow => ({
    way,
    'tokens/s': outcome.tokensPerSecond,
    'first row s': outcome.firstRowMs / 1000,
    'its own calls s': outcome.firstRowOwnMs / 1000,
  })
  return {
    tables: [
      {
        title: 'Label, score and polish on one endpoint (virtual time)',
        rows: [row('three stages', inOrder), row('the same calls, as of one stage', mixed)],
      },
    ],
    aims: [
      aim('three stages: tokens/s of the same calls as one stage, %', 100 * share, 97, 'least'),
      aim('first finished row over the time of its own three calls', wait, 2, 'most'),
    ],
  }
}

/** Bytes of a finished row with its raw text, as the reorder buffer counts them: 600 letters and an instruction. */
const ROW_BYTES = 2600

async function outliersPart({ size }: BenchOptions): Promise<Part> {
  const [durationMs, inFlight] = size === 'smoke' ? [15_000, 20] : [240_000, 200]
  const restored = await outliers(durationMs, inFlight, true)
  const free = await outliers(durationMs, inFlight, false)
  const row = (order: string, outcome: typeof free): BenchRow => ({
    order,
    'tokens/s': outcome.tokensPerSecond,
    'rows held at most': outcome.heldMost,
    'MB held at most': (outcome.heldMost * ROW_BYTES) / 1e6,
  })
  const share = (100 * restored.tokensPerSecond) / free.tokensPerSecond
  return {
    tables: [
      {
        title: `One record in 100 of 20 × the median, ${inFlight} in flight, credit for 24 × (virtual time)`,
        rows: [
          row('restored', restored),
          row('restored, credit for 8 ×', await outliers(durationMs, inFlight, true, 8)),
          row('not restored', free),
        ],
      },
    ],
    aims: [aim('one record in 100 of 20 × the median: tokens/s of the order not restored, %', share, 97, 'least')],
  }
}

async function endpointsPart({ size }: BenchOptions): Promise<Part> {
  const durationMs = size === 'smoke' ? 40_000 : 120_000
  const rate = async (speeds: readonly number[]) => {
    const { bySecond } = await endpoints({ durationMs, speeds })
    return bySecond.reduce((sum, seconds) => sum + mean(seconds.slice(durationMs / 2000)), 0)
  }
  const [fast, slow, both] = [await rate([1]), await rate([0.5]), await rate([1, 0.5])]
  const death = { atMs: durationMs / 2, backMs: durationMs / 2 + 10_000 }
  const killed = await endpoints({ durationMs: 2 * durationMs, speeds: [1, 1], death })
  const total = (killed.bySecond[0] ?? []).map((tokens, second) => tokens + (killed.bySecond[1]?.[second] ?? 0))
  const before = mean(total.slice(durationMs / 4000, durationMs / 2000))
  const back = secondsUntil(total, 0.95 * before, death.backMs / 1000)
  return {
    tables: [
      {
        title: 'Two endpoints (virtual time)',
        rows: [
          { servers: 'one', 'tokens/s': fast },
          { servers: 'one of half the speed', 'tokens/s': slow },
          { servers: 'both', 'tokens/s': both },
        ],
      },
    ],
    aims: [
      aim('two unequal endpoints: tokens/s of their sum, %', (100 * both) / (fast + slow), 95, 'least'),
      aim('one killed and restarted: verdicts', killed.lost, 0, 'most'),
      aim('… throughput back (95 %), s after the restart', back, 10, 'most'),
    ],
  }
}

async function prefixes({ size }: BenchOptions): Promise<Part> {
  const durationMs = size === 'smoke' ? 10_000 : 120_000
  const rows: BenchRow[] = []
  for (const variants of [1, 2, 4, 8]) {
    for (const affinity of [false, true]) {
      const { bySecond, prefixHitShare } = await endpoints({ durationMs, speeds: [1, 1], variants, affinity })
      const tokens = bySecond.reduce((sum, seconds) => sum + mean(seconds.slice(durationMs / 3000)), 0)
      const routing = affinity ? 'by text' : 'anywhere'
      rows.push({ variants, routing, 'prefix hits %': 100 * prefixHitShare, 'tokens/s': tokens })
    }
  }
  return { tables: [{ title: 'Calls about one text, on two endpoints (virtual time)', rows }], aims: [] }
}

/** Records until a drift is noticed: English, empty, half the yield. */
async function drift(): Promise<Part> {
  const normal = { stage: 'polish', hanShare: 0.95, chars: 200, wellFormed: true }
  const drifts = {
    English: () => ({ ...normal, kept: true, hanShare: 0.02 }),
    empty: () => ({ stage: 'polish', kept: false, chars: 0, wellFormed: false }),
    'half the yield': (n: number) => ({ ...normal, kept: n % 10 < 4 }),
  }
  const aims = Object.entries(drifts).map(([name, drifted]) => {
    const detector = new DriftDetector(driftOptions.parse({}))
    for (let n = 0; n < 5000; n++) detector.observe({ ...normal, kept: n % 10 < 8 })
    let records = 0
    while (records < 5000 && detector.observe(drifted(records++)) === null);
    return aim(`drift to ${name} at record 5,000: records until stopped`, records, 500, 'most')
  })
  return { tables: [], aims }
}

async function lists({ size }: BenchOptions): Promise<Part> {
  const rows = await promptLists(size === 'smoke' ? 400 : 8000)
  return {
    tables: [{ title: 'One-token grades, several prompts a request (HTTP, client and server in one process)', rows }],
    aims: [],
  }
}

async function http({ size }: BenchOptions): Promise<Part> {
  const smoke = size === 'smoke'
  const load = smoke
    ? { inFlight: 200, delayMs: 100, requests: 2000, asked: 1000 }
    : // In flight over delay is the most that could be answered: 5,000 a second, so that the delay is not what is measured.
      { inFlight: 10_000, delayMs: 2000, requests: 80_000, asked: 60_000 }
  const outcomes = [await overHttp({ ...load, keepReplies: false }), await overHttp({ ...load, keepReplies: true })]
  const rows = outcomes.map((outcome, place) => ({
    replies: place === 0 ? 'not kept' : 'kept',
    'in flight': outcome.inFlightMost,
    'requests/s': outcome.requestsPerSecond,
    cores: outcome.cores,
    'ms of a core a request': outcome.cpuMsEach,
    '… in the server': outcome.serverCpuMsEach,
    'memory MB': outcome.residentMostMb,
    'replies MB': outcome.replyBytesMb,
    'index bytes a reply': outcome.indexBytesEach,
  }))
  const kept = outcomes[1] as (typeof outcomes)[number]
  const title = `HTTP, a server that answers after ${load.delayMs} ms, ${load.asked} calls asked at once`
  return {
    tables: [{ title, rows }],
    aims: [
      aim('requests in flight in one process', kept.inFlightMost, load.inFlight, 'least'),
      aim('… requests/s, replies kept', kept.requestsPerSecond, smoke ? 500 : 2000, 'least'),
      aim('… cores', kept.cores, 1.2, 'most'),
      aim('… cores that 2,000 requests/s take', 2 * kept.cpuMsEach, 1.2, 'most'),
      aim('… memory, MB', kept.residentMostMb, 1500, 'most'),
    ],
  }
}

function aim(what: string, figure: number, bound: number, kind: 'least' | 'most'): BenchAim {
  const met = kind === 'least' ? figure >= bound : figure <= bound
  return { what, figure, aim: `${kind === 'least' ? '≥' : '≤'} ${grouped(bound)}`, met }
}
