/**
 * Estimates how much of a run is left, from a series of samples. Pure: no clock, no I/O.
 *
 * Bytes of input say little, because reading is far ahead of the models. The estimate follows the records instead:
 *
 *   candidates to come = bytes not yet deduplicated × candidates per byte so far
 *   calls left at a stage = (records waiting + candidates to come × yield of the stages before) × calls per record
 *   time left at a lane = Σ calls left × slot time per call ÷ slot time done per second
 *
 * Stages that share their servers are one lane, because they take each other's slots. Nodes without a model count by the
 * time in which they worked. The slowest of all these determines the estimate.
 */
import type { NodeMetrics } from '../core/metrics.js'
import { latencyBoundMs, type StageWork } from '../llm/scheduler/stage-work.js'
import { isPassage } from './bottleneck.js'
import { type ProgressSample, rateWindowMaxMs } from './progress-sample.js'

/** Why there is no time: too few results yet, size of the input unknown, or nothing finished for a while. */
type NoEstimate = 'warming-up' | 'input-size-unknown' | 'stalled'

/** Estimate of what is left of a run. JSON-safe. */
export interface ProgressEstimate {
  /** Share of the expected work that is done, 0 to 1, at the stage that is furthest behind; null if it is unknown. */
  readonly doneShare: number | null
  /** Seconds to the end of the input, or to `rowsMax`; null if `reason` says why not. */
  readonly secondsLeft: number | null
  readonly reason: NoEstimate | null
  /** What limits the run: 'read', 'prepare', 'dedup', 'servers' or 'write'; null without an estimate. */
  readonly slowest: string | null
  /** Candidates that the model stages have not finished, those still to come included; null if it is unknown. */
  readonly candidatesLeft: number | null
  /** Rows expected in the end, with those of earlier calls; null if it is unknown. */
  readonly rowsExpected: number | null
}

/** Shortest time over which a rate is measured, ms. */
const rateWindowMinMs = 5_000
/** Share of the time since the first request over which rates are measured: it leaves the warm-up behind. */
const rateWindowShare = 0.5
/** Least time since the first request, and requests within the window, for an estimate. */
const warmUpMs = 8_000
const requestsMin = 24
/** Time without any finished request after which a run counts as stalled, ms. */
const stalledMs = 60_000
/** Share of a lane's work below which a stage without a request yet does not prevent an estimate. */
const unknownShareMax = 0.1
/** Blocks after which the speed of a node that calls no model is known. */
const blocksMin = 2

/**
 * @param samples oldest first; the first one is the start of the call
 * @param rowsMax rows at which the run ends; Infinity by default
 */
export function estimateProgress(
  samples: readonly ProgressSample[],
  rowsMax = Number.POSITIVE_INFINITY,
): ProgressEstimate {
  const [start, now] = [samples[0], samples.at(-1)]
  if (start === undefined || now === undefined) return without('warming-up')
  const totalBytes = now.input.totalBytes
  if (totalBytes === null) return without('input-size-unknown')
  const flow = flowOf(start, now, totalBytes)
  if (flow === null) return without('warming-up')
  const parts = [...nodeParts(now, flow), ...laneParts(samples, now, flow)]
  const unknown = parts.find(({ reason }) => reason !== null)
  const slowest = parts.reduce((most, part) => ((part.secondsLeft ?? 0) > (most.secondsLeft ?? 0) ? part : most))
  const behind = Math.min(flow.decidedShare, ...parts.map(({ doneShare }) => doneShare))
  const rowsExpected = Math.round(now.rows + flow.rowsToCome)
  // The run ends at the earlier of the two: the end of the input, or rowsMax.
  const rowsShare = rowsExpected > rowsMax ? Math.max(0, rowsMax - now.rows) / Math.max(1, flow.rowsToCome) : 1
  const before = totalBytes === 0 ? 0 : start.input.decidedBytes / totalBytes
  const doneShare = rowsShare < 1 ? Math.min(1, now.rows / rowsMax) : before + (1 - before) * behind
  return {
    doneShare: flow.isWarm ? doneShare : null,
    secondsLeft: unknown === undefined ? (slowest.secondsLeft ?? 0) * rowsShare : null,
    reason: unknown?.reason ?? null,
    slowest: unknown === undefined ? slowest.name : null,
    candidatesLeft: Math.round(flow.candidatesLeft * rowsShare),
    rowsExpected: Math.min(rowsMax, rowsExpected),
  }
}

function without(reason: NoEstimate): ProgressEstimate {
  return { doneShare: null, secondsLeft: null, reason, slowest: null, candidatesLeft: null, rowsExpected: null }
}

/** One thing that may limit the run. */
interface Part {
  readonly name: string
  /** Null only if `reason` is not. */
  readonly secondsLeft: number | null
  readonly doneShare: number
  readonly reason: NoEstimate | null
}

/** Records expected at each stage in the whole call. */
interface Flow {
  /** Shares of the bytes of this call. */
  readonly readShare: number
  readonly decidedShare: number
  readonly stages: readonly StageFlow[]
  readonly candidatesLeft: number
  readonly rowsToCome: number
  /** Share of the records of the sink that it has written. */
  readonly writtenShare: number
  readonly isWarm: boolean
}

/** Records of one model stage. */
interface StageFlow {
  readonly name: string
  readonly done: number
  readonly left: number
}

/** Follows the records through the stages. Null before the first block was deduplicated. */
function flowOf(start: ProgressSample, now: ProgressSample, totalBytes: number): Flow | null {
  const nodes = now.nodes.filter(({ name }) => !isPassage(name))
  const firstModel = nodes.findIndex(({ unit }) => unit === 'record')
  const decide = nodes[firstModel - 1]
  const sink = nodes.at(-1)
  if (decide === undefined || sink === undefined) return null
  const bytes = Math.max(0, totalBytes - start.input.decidedBytes)
  const decidedBytes = now.input.decidedBytes - start.input.decidedBytes
  if (decidedBytes <= 0 && bytes > 0) return null
  const decidedShare = bytes === 0 ? 1 : Math.min(1, decidedBytes / bytes)
  const toCome = decidedShare === 0 ? 0 : 1 / decidedShare - 1
  let expected = decide.out * (1 + toCome)
  let isWarm = true
  const stages = nodes.slice(firstModel, -1).map((node): StageFlow => {
    const done = node.in - node.inFlight
    const left = Math.max(0, expected - done)
    if (done === 0 && left > 0) isWarm = false
    expected = node.out + left * (done === 0 ? 1 : node.out / done)
    return { name: node.name, done, left }
  })
  const lastOut = nodes.at(-2)?.out ?? 0
  const records = (decide.out + decide.dropped) * (1 + toCome)
  const written = sink.in - sink.inFlight
  return {
    readShare: bytes === 0 ? 1 : Math.min(1, (now.input.readBytes - start.input.decidedBytes) / bytes),
    decidedShare,
    stages,
    candidatesLeft: stages[0]?.left ?? 0,
    // Rows that wait in the sink for an earlier record are to come too.
    rowsToCome: Math.max(0, expected - lastOut) + Math.max(0, lastOut - (now.rows - start.rows)),
    writtenShare: records === 0 ? 1 : Math.min(1, written / Math.max(written, records)),
    isWarm,
  }
}

/** Source, preprocessing, deduplication and sink: the time in which each worked, extended to its whole share. */
function nodeParts({ nodes }: ProgressSample, flow: Flow): Part[] {
  const own = nodes.filter(({ name, unit }) => !isPassage(name) && unit === 'block')
  const sink = nodes.at(-1)
  const part = ({ name, workingMs }: NodeMetrics, share: number): Part => ({
    name,
    secondsLeft: share === 0 ? 0 : (workingMs / 1000) * (1 / share - 1),
    doneShare: share,
    reason: null,
  })
  const parts = own.map((node, place) => part(node, place === 0 ? flow.readShare : flow.decidedShare))
  const decided = own.at(-1)?.in ?? 0
  // A single block includes the start of the threads.
  const reliable = decided >= blocksMin || flow.decidedShare === 1
  return [...(reliable ? parts : []), ...(sink === undefined ? [] : [part(sink, flow.writtenShare)])]
}

/** Model stages, one part for all that share their servers. */
function laneParts(samples: readonly ProgressSample[], now: ProgressSample, flow: Flow): Part[] {
  if (flow.stages.length === 0) return []
  const calls = callsOf(samples, now, flow)
  const known = calls.filter(({ lane }) => lane !== null)
  if (known.length === 0) return [partWithout('warming-up')]
  const lanes = new Set(known.map(({ lane }) => lane as number))
  return [...lanes].map((lane) => {
    // A stage without a call yet: assumed here, with the cost of the others.
    const own = calls.filter((each) => each.lane === lane || each.lane === null)
    const costs = own.filter(({ costMs }) => costMs > 0)
    const usualMs = costs.length === 0 ? 1 : costs.reduce((sum, { costMs }) => sum + costMs, 0) / costs.length
    const workMs = (each: StageCalls, count: number): number => count * (each.costMs || usualMs)
    const leftMs = own.reduce((sum, each) => sum + workMs(each, each.sentLeft), 0)
    const doneMs = own.reduce((sum, each) => sum + workMs(each, each.done), 0)
    const allLeftMs = own.reduce((sum, each) => sum + workMs(each, each.left), 0)
    const doneShare = doneMs + allLeftMs === 0 ? 1 : doneMs / (doneMs + allLeftMs)
    const unknownMs = own
      .filter(({ costMs }) => costMs === 0)
      .reduce((sum, each) => sum + workMs(each, each.sentLeft), 0)
    const keptLeft = own.reduce((sum, { left, sentLeft }) => sum + left - sentLeft, 0)
    const isUnknown = unknownMs > unknownShareMax * (doneMs + allLeftMs)
    const callsLeft = own.reduce((sum, { sentLeft }) => sum + sentLeft, 0)
    const ahead = own.findIndex(({ sentLeft }) => sentLeft >= 1)
    const laterMs = ahead < 0 ? 0 : own.slice(ahead + 1).reduce((sum, { costMs }) => sum + costMs, 0)
    return lanePart(samples, { lane, leftMs, callsLeft, laterMs, keptLeft, doneShare, isUnknown })
  })
}

interface Lane {
  readonly lane: number
  /** Slot time of the requests that are still to be sent, ms. */
  readonly leftMs: number
  readonly callsLeft: number
  /** Time that the last record still spends in the later stages of the lane, ms. */
  readonly laterMs: number
  /** Calls that stored replies will serve. */
  readonly keptLeft: number
  readonly doneShare: number
  /** The cost of a stage is unknown, and it matters. */
  readonly isUnknown: boolean
}

function lanePart(samples: readonly ProgressSample[], lane: Lane): Part {
  const { leftMs, callsLeft, doneShare, isUnknown } = lane
  const kept = keptSeconds(samples, lane)
  const isServed = sumOf(samples.at(-1)?.work ?? {}, lane.lane, ({ requests }) => requests) === 0
  // Nearly everything comes from stored replies: the rest is too little to wait for its cost.
  const isLittle = isServed && callsLeft <= unknownShareMax * (callsLeft + lane.keptLeft)
  if (leftMs === 0 || isLittle) return { name: 'servers', secondsLeft: kept, doneShare, reason: null }
  const now = samples.at(-1) as ProgressSample
  const busy = (sample: ProgressSample): number => sumOf(sample.work, lane.lane, ({ slotMs }) => slotMs)
  const asked = (sample: ProgressSample): number => sumOf(sample.work, lane.lane, ({ requests }) => requests)
  // The last sample before the first request was finished.
  const idle = samples.findLast((sample) => asked(sample) === 0) ?? samples[0]
  const sinceMs = now.atMs - (idle?.atMs ?? 0)
  const windowMs = Math.min(rateWindowMaxMs, Math.max(rateWindowMinMs, sinceMs * rateWindowShare))
  const from = samples.findLast((sample) => now.atMs - sample.atMs >= windowMs) ?? idle
  if (from === undefined || isUnknown || sinceMs < warmUpMs) return { ...partWithout('warming-up'), doneShare }
  const seconds = (now.atMs - from.atMs) / 1000
  // Finished requests at the cost of all so far, like those that are left: a server that became faster or slower since
  // then changes the number of requests, not their weight.
  const doneMs = workBetween(from, now, lane.lane)
  if (asked(now) - asked(from) < requestsMin) {
    const nothing = asked(now) === asked(from) && now.atMs - from.atMs >= stalledMs
    return { ...partWithout(nothing ? 'stalled' : 'warming-up'), doneShare }
  }
  // Slots in use on average.
  const slots = (busy(now) - busy(from)) / (1000 * seconds)
  const inFlight = Math.max(1, Math.min(slots, callsLeft))
  const latencies = sumsOf(now.work, lane.lane)
  const drainMs = longestResidualMs(latencies, inFlight) - leftMs / Math.max(1, callsLeft)
  const secondsLeft = kept + (leftMs * seconds) / doneMs + (Math.max(0, drainMs) + lane.laterMs) / 1000
  return { name: 'servers', secondsLeft, doneShare, reason: null }
}

/** Requests that were finished between two samples × the slot time per request of their stage, ms. */
function workBetween(from: ProgressSample, to: ProgressSample, lane: number): number {
  return Object.entries(to.work).reduce((sum, [stage, own]) => {
    const finished = own.requests - (from.work[stage]?.requests ?? 0)
    return own.lane === lane && own.requests > 0 ? sum + (finished * own.slotMs) / own.requests : sum
  }, 0)
}

/** Adds up the latencies of the stages of a lane. */
function sumsOf(work: ProgressSample['work'], lane: number): number[] {
  const sums: number[] = []
  for (const own of Object.values(work)) {
    if (own.lane !== lane) continue
    for (const [place, count] of own.latencies.entries()) sums[place] = (sums[place] ?? 0) + count
  }
  return sums
}

/**
 * Returns the expected time from the moment when no call waits any more to the end of the last request, with `inFlight`
 * requests at that moment: the integral of 1 − exp(−inFlight × R(u)), where R is the share of requests in flight with more
 * than u left, ∫ S from u ÷ mean, and S(u) the share of requests that take longer than u (renewal theory).
 */
function longestResidualMs(latencies: readonly number[], inFlight: number): number {
  const all = latencies.reduce((sum, count) => sum + count, 0)
  if (all === 0) return 0
  const bounds = latencies.map(
    (_, place) => [place === 0 ? 0 : latencyBoundMs(place - 1), latencyBoundMs(place)] as const,
  )
  // Within a class, latencies are taken as evenly spread.
  let longer = all
  const areas = latencies.map((count, place) => {
    const [from, to] = bounds[place] as readonly [number, number]
    const area = ((longer - count / 2) / all) * (to - from)
    longer -= count
    return area
  })
  let rest = areas.reduce((sum, area) => sum + area, 0)
  const mean = rest
  let residual = 0
  for (const [place, area] of areas.entries()) {
    const [from, to] = bounds[place] as readonly [number, number]
    residual += (1 - Math.exp((-inFlight * (rest - area / 2)) / mean)) * (to - from)
    rest -= area
  }
  return residual
}

/** Time for the calls that stored replies will serve, at the rate of this call of the command; 0 if none was served. */
function keptSeconds(samples: readonly ProgressSample[], { lane, keptLeft }: Lane): number {
  const [start, now] = [samples[0] as ProgressSample, samples.at(-1) as ProgressSample]
  const served = sumOf(now.work, lane, ({ kept }) => kept)
  return served === 0 ? 0 : (keptLeft * (now.atMs - start.atMs)) / 1000 / served
}

function partWithout(reason: NoEstimate): Part {
  return { name: 'servers', secondsLeft: null, doneShare: 0, reason }
}

/** Calls of a stage. */
interface StageCalls {
  /** Null if it had no call yet. */
  readonly lane: number | null
  /** Slot time per request, ms; 0 if it is unknown. */
  readonly costMs: number
  readonly done: number
  readonly left: number
  /** Of these, the calls that no stored reply serves. */
  readonly sentLeft: number
}

function callsOf(samples: readonly ProgressSample[], now: ProgressSample, flow: Flow): StageCalls[] {
  const recent = samples.findLast(({ atMs }) => now.atMs - atMs >= rateWindowMinMs)
  const own = flow.stages.map(({ name, done, left }) => {
    const work = now.work[name]
    const calls = work === undefined ? done : work.requests + work.kept
    const perRecord = done === 0 ? 1 : calls / done
    const costMs = work === undefined || work.requests === 0 ? 0 : work.slotMs / work.requests
    // Stored replies come first: the share of the last seconds says whether any are left for the stage.
    const before = recent?.work[name]
    const [kept, sent] = [(work?.kept ?? 0) - (before?.kept ?? 0), (work?.requests ?? 0) - (before?.requests ?? 0)]
    // Without a call in that time, as between two blocks, the share of the whole call.
    const quiet = kept + sent === 0
    const keptShare = quiet ? (work?.kept ?? 0) / Math.max(1, calls) : kept / (kept + sent)
    return { lane: work?.lane ?? null, costMs, done: calls, left: left * perRecord, keptShare }
  })
  const left = own.reduce((sum, each) => sum + each.left, 0)
  const keptMax = left === 0 ? 0 : Math.min(left, now.storedReplies) / left
  return own.map((each) => ({ ...each, sentLeft: each.left * (1 - Math.min(keptMax, each.keptShare)) }))
}

function sumOf(work: ProgressSample['work'], lane: number, of: (own: StageWork) => number): number {
  return Object.values(work).reduce((sum, own) => sum + (own.lane === lane ? of(own) : 0), 0)
}
