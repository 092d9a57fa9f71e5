/** Flow over model servers on a virtual clock: three stages on one server, two servers for one stage, a death, prefixes. */

import { seededRandom } from '../lib/core/random.js'
import { type ModelServers, openServers } from '../lib/llm/scheduler/model-servers.js'
import { logNormal } from '../lib/simulator/random.js'
import { enginePresets } from '../lib/simulator/vllm/index.js'
import { mean } from './llm-limiter.js'
import { type VirtualServer, VirtualTime, virtualServer, type Work, workCall } from './llm-virtual.js'

const preset = enginePresets['qwen3-8b-h100']
const SEED = 20_240_601
/** Records between the first unfinished and the last begun, as item credit gives. */
const CREDIT = 24

async function opened(
  time: VirtualTime,
  servers: readonly VirtualServer[],
  inFlightMax?: number,
): Promise<ModelServers> {
  const waiting = [...servers]
  const endpoints = servers.map((_, place) => `http://virtual-${place}/v1`)
  const opening = openServers({
    models: {
      m: { model: 'm', endpoints, ...(inFlightMax === undefined ? {} : { limiter: 'fixed' as const, inFlightMax }) },
    },
    seed: SEED,
    clock: time,
    connect: () => (waiting.shift() as VirtualServer).connect(),
  })
  let done = false
  void opening.finally(() => {
    done = true
  })
  await time.run(() => done)
  return opening
}

/** What a record's three calls cost: label short, score one word, polish long. */
function worksOf(n: number): Record<'label' | 'score' | 'polish', Work> {
  const random = seededRandom(SEED + n)
  const text = Math.round(250 + 200 * random())
  const long = Math.max(20, Math.min(1024, Math.round(logNormal(200, 1, random(), random()))))
  return {
    label: { promptTokens: text + 30, outputTokens: 20 + Math.round(40 * random()), text: 3 * n + 1, call: `l${n}` },
    score: { promptTokens: 120, outputTokens: 2, text: 3 * n + 2, call: `s${n}` },
    polish: { promptTokens: text + 90, outputTokens: long, text: 3 * n + 3, call: `p${n}` },
  }
}

export interface StagesOutcome {
  readonly tokensPerSecond: number
  /** Of the first row finished. */
  readonly firstRowMs: number
  readonly firstRowOwnMs: number
  readonly mostBetween: number
}

/** Records through their three stages for so long; or the same calls as of one stage, with nothing to wait for. */
export async function stages(durationMs: number, inOrder: boolean): Promise<StagesOutcome> {
  const time = new VirtualTime()
  const server = virtualServer(time, preset)
  const servers = await opened(time, [server])
  const model = servers.model('m')
  let began = 0
  let finished = 0
  let mostBetween = 0
  let first: { readonly n: number; readonly ms: number; readonly began: number } | null = null
  const startMs = time.now()
  const record = async (n: number): Promise<void> => {
    const works = worksOf(n)
    const beganMs = time.now()
    if (inOrder) {
      await model.ask(workCall([0, n, 0], 'label', 0, works.label))
      await model.ask(workCall([0, n, 0], 'score', 1, works.score))
      await model.ask(workCall([0, n, 0], 'polish', 2, works.polish))
    } else {
      const calls = [works.label, works.score, works.polish]
      await Promise.all(calls.map((work, place) => model.ask(workCall([0, n, place], 'label', 0, work))))
    }
    first ??= { n, ms: time.now(), began: beganMs }
    finished++
    mostBetween = Math.max(mostBetween, began - finished)
    fill()
  }
  const fill = () => {
    const limit = servers.metrics().endpoints[0]?.limit ?? 1
    // The credit of a run is set by its greatest in flight; here it follows the limit, not to begin with too much.
    for (; began - finished < CREDIT * limit && time.now() < startMs + durationMs; began++) record(began).catch(ignored)
  }
  fill()
  await time.run(() => false, startMs + durationMs)
  await servers.close()
  const { n, ms, began: beganMs } = first ?? { n: 0, ms: Number.POSITIVE_INFINITY, began: 0 }
  const own = ['l', 's', 'p'].reduce((sum, stage) => sum + (server.tookMs.get(`${stage}${n}`) ?? 0), 0)
  // Label and score calls come first and bring few tokens: the mix is steady after a third.
  const from = Math.floor(durationMs / 3000)
  return {
    tokensPerSecond: mean(server.bySecond.slice(from, durationMs / 1000).map((tokens) => tokens ?? 0)),
    firstRowMs: ms - beganMs,
    firstRowOwnMs: own,
    mostBetween,
  }
}

export interface OutliersOutcome {
  readonly tokensPerSecond: number
  /** Records finished and held for an earlier one, at most. */
  readonly heldMost: number
}

/** One record in a hundred of 20 times the median length, behind a window that restores their order, or does not. */
export async function outliers(
  durationMs: number,
  inFlight: number,
  inOrder: boolean,
  credit = CREDIT,
): Promise<OutliersOutcome> {
  const time = new VirtualTime()
  const server = virtualServer(time, preset)
  const servers = await opened(time, [server], inFlight)
  const model = servers.model('m')
  const held = new Set<number>()
  let [began, finished, released, heldMost] = [0, 0, 0, 0]
  const startMs = time.now()
  const record = async (n: number): Promise<void> => {
    const random = seededRandom(SEED + n)
    const usual = Math.round(80 + 40 * random())
    const work = { promptTokens: 200, outputTokens: n % 100 === 50 ? 2000 : usual, text: n + 1 }
    await model.ask(workCall([0, n], 'label', 0, work))
    finished++
    held.add(n)
    while (held.delete(released)) servers.releaseUpTo([0, released++])
    heldMost = Math.max(heldMost, held.size)
    fill()
  }
  const fill = () => {
    const gone = () => (inOrder ? released : finished)
    for (; began - gone() < credit * inFlight && time.now() < startMs + durationMs; began++)
      record(began).catch(ignored)
  }
  fill()
  await time.run(() => false, startMs + durationMs)
  await servers.close()
  const seconds = Array.from({ length: Math.floor(durationMs / 1000) }, (_, second) => server.bySecond[second] ?? 0)
  return { tokensPerSecond: mean(seconds.slice(seconds.length / 3)), heldMost }
}

export interface EndpointsOutcome {
  /** Tokens by second, of each server. */
  readonly bySecond: readonly (readonly number[])[]
  readonly replies: number
  readonly lost: number
  readonly prefixHitShare: number
}

export interface EndpointsOptions {
  readonly durationMs: number
  readonly speeds: readonly number[]
  /** The first one dies and comes back. */
  readonly death?: { readonly atMs: number; readonly backMs: number }
  /** Calls about one text, each with all of its prompt but the end in common. */
  readonly variants?: number
  /** False places the calls about a text anywhere. */
  readonly affinity?: boolean
}

/** One stage on several servers; calls never run out. */
export async function endpoints(options: EndpointsOptions): Promise<EndpointsOutcome> {
  const { durationMs, speeds, death, variants = 1, affinity = true } = options
  const time = new VirtualTime()
  const all = speeds.map((speed) => virtualServer(time, preset, speed))
  const servers = await opened(time, all)
  const model = servers.model('m')
  const startMs = time.now()
  let asked = 0
  let replies = 0
  let lost = 0
  const ask = async (n: number): Promise<void> => {
    const text = Math.floor(n / variants)
    const { promptTokens, outputTokens } = worksOf(text).polish
    // Without affinity every call is a text of its own to the routing, though not to the cache.
    const position = affinity ? [0, text, n % variants] : [0, n, 0]
    const answer = await model.ask(workCall(position, 'label', 0, { promptTokens, outputTokens, text: text + 1 }))
    if ('reply' in answer) replies++
    else lost++
    fill()
  }
  const fill = () => {
    const limit = servers.metrics().endpoints.reduce((sum, endpoint) => sum + endpoint.limit, 0)
    for (; asked - replies - lost < 3 * limit && time.now() < startMs + durationMs; asked++) ask(asked).catch(ignored)
  }
  fill()
  if (death !== undefined) {
    await time.run(() => false, startMs + death.atMs)
    all[0]?.kill()
    await time.run(() => false, startMs + death.backMs)
    if (all[0] !== undefined) all[0].dead = false
  }
  await time.run(() => false, startMs + durationMs)
  await servers.close()
  const sum = (of: (server: VirtualServer) => number) => all.reduce((total, server) => total + of(server), 0)
  const hits = sum(({ engine }) => engine.metrics.prefixCacheHits)
  const queries = sum(({ engine }) => engine.metrics.prefixCacheQueries)
  const seconds = Array.from({ length: Math.floor(durationMs / 1000) })
  return {
    bySecond: all.map(({ bySecond }) => seconds.map((_, second) => bySecond[second] ?? 0)),
    replies,
    lost,
    prefixHitShare: hits / Math.max(1, queries),
  }
}

/** Calls that the end of the bench cuts off. */
function ignored(): void {}
