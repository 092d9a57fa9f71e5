/**
 * Who a run waits for, from the times of its nodes: the one that works while those before it are blocked and those after
 * it wait. Pure; the times come from lib/core/metrics.ts, what is shown of it is up to the caller.
 */
import type { NodeMetrics } from '../core/metrics.js'

/** What keeps a run from going faster. 'servers' are the model servers, whatever stage asks them. */
export type Bottleneck = 'read' | 'prepare' | 'dedup' | 'servers' | 'write'

/** Shares of a span of time, 0 to 1. */
export interface NodeShares {
  readonly name: string
  readonly waiting: number
  readonly blocked: number
  readonly working: number
  /** Values inside at its end. */
  readonly inFlight: number
}

/** Stages that ask a model server: they 'work' as long as one call is under way, so their own times say little. */
const asking: readonly string[] = ['label', 'score', 'polish']
const gatePrefix = 'credit'

/** How each node spent the time between two looks; since the start without the earlier one. */
export function nodeShares(now: readonly NodeMetrics[], before: readonly NodeMetrics[] = []): NodeShares[] {
  const earlier = new Map(before.map((node) => [node.name, node]))
  return now.map((node) => {
    const old = earlier.get(node.name)
    const waiting = node.waitingForInputMs - (old?.waitingForInputMs ?? 0)
    const blocked = node.blockedByOutputMs - (old?.blockedByOutputMs ?? 0)
    const working = node.workingMs - (old?.workingMs ?? 0)
    const all = Math.max(1e-6, waiting + blocked + working)
    const { name, inFlight } = node
    return { name, inFlight, waiting: waiting / all, blocked: blocked / all, working: working / all }
  })
}

/** Above it a node counts as always at work: what is left are hand-overs. */
const busyShare = 0.7
/** Of the time that records wait for room before the servers, or that calls are under way. */
const servingShare = 0.5

/**
 * Looked for from the end, because whatever is slow blocks all that comes before it: the writer, the model servers,
 * then what comes before them.
 */
export function bottleneckOf(shares: readonly NodeShares[]): Bottleneck {
  const of = (name: string): NodeShares | undefined => shares.find((node) => node.name === name)
  if ((of('write')?.working ?? 0) >= busyShare) return 'write'
  const gate = shares.find(({ name }) => name.startsWith(gatePrefix))
  const asks = shares.filter(({ name }) => asking.includes(name))
  const served = asks.some(({ working }) => working >= servingShare)
  if (asks.length > 0 && ((gate?.blocked ?? 0) >= servingShare || served)) return 'servers'
  if ((of('dedup')?.working ?? 0) >= busyShare) return 'dedup'
  return (of('prepare')?.working ?? 0) >= servingShare ? 'prepare' : 'read'
}

/** What a node waits for, in a word or two; '' while it works. Example: 'servers', 'room ahead', 'read'. */
export function waitingOn(shares: readonly NodeShares[], name: string): string {
  const shown = shares.filter((node) => !isPassage(node.name))
  const place = shown.findIndex((node) => node.name === name)
  const own = shown[place]
  if (own === undefined) return ''
  if (asking.includes(name)) return own.inFlight > 0 ? 'servers' : (shown[place - 1]?.name ?? '')
  if (place === 0) return own.blocked >= servingShare ? 'room ahead' : 'source'
  const last = place === shown.length - 1
  if (last && own.working < servingShare && own.inFlight > 0) return 'an earlier record'
  if (own.working >= servingShare) return ''
  const gate = shares.find((node) => node.name.startsWith(gatePrefix))
  if (name === 'dedup' && (gate?.blocked ?? 0) >= servingShare) return 'room ahead'
  return own.blocked > own.waiting ? 'room ahead' : (shown[place - 1]?.name ?? '')
}

/** Nodes between stages, which only count. */
export function isPassage(name: string): boolean {
  return name === 'order' || name.startsWith(gatePrefix)
}
