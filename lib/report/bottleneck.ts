/**
 * Finds the bottleneck of a run from the times of its nodes (lib/core/metrics.ts): the node that works while earlier ones
 * are blocked and later ones wait.
 */
import type { NodeMetrics } from '../core/metrics.js'

/** 'servers' are the model servers of all stages. */
export const bottlenecks = ['read', 'prepare', 'dedup', 'servers', 'write'] as const
export type Bottleneck = (typeof bottlenecks)[number]

/** Shares of a span of time, 0 to 1. */
interface NodeShares {
  readonly name: string
  readonly waiting: number
  readonly blocked: number
  readonly working: number
  /** Values in the node at the end of the span. */
  readonly inFlight: number
}

/**
 * Stages that call a model server. They count as working while any call is in flight, so they are judged separately.
 */
const isModelStage = (name: string): boolean => !otherNodes.includes(name) && !isPassage(name)
/** Nodes of a run that call no model. */
const otherNodes: readonly string[] = ['read', 'prepare', 'dedup', 'write', 'phase']
const gatePrefix = 'credit'

/** Returns how each node spent the time between two measurements, or since the start without the earlier one. */
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

/** Minimum share of working time at which dedup or the writer is the bottleneck. */
const busyShare = 0.7
/** Minimum share of time waiting for credit, or with calls in flight, at which the servers are the bottleneck. */
const servingShare = 0.5

/**
 * Returns the bottleneck. Looks from the end to the start, because a slow node blocks all nodes before it.
 */
export function bottleneckOf(shares: readonly NodeShares[]): Bottleneck {
  const of = (name: string): NodeShares | undefined => shares.find((node) => node.name === name)
  if ((of('write')?.working ?? 0) >= busyShare) return 'write'
  const gate = shares.find(({ name }) => name.startsWith(gatePrefix))
  const asks = shares.filter(({ name }) => isModelStage(name))
  const served = asks.some(({ working }) => working >= servingShare)
  if (asks.length > 0 && ((gate?.blocked ?? 0) >= servingShare || served)) return 'servers'
  if ((of('dedup')?.working ?? 0) >= busyShare) return 'dedup'
  return (of('prepare')?.working ?? 0) >= servingShare ? 'prepare' : 'read'
}

/** Returns what a node waits for, for the progress table; '' while it works. Example: 'servers', 'a later stage', 'read'. */
export function waitingOn(shares: readonly NodeShares[], name: string): string {
  const shown = shares.filter((node) => !isPassage(node.name))
  const place = shown.findIndex((node) => node.name === name)
  const own = shown[place]
  if (own === undefined) return ''
  if (isModelStage(name)) return own.inFlight > 0 ? 'servers' : (shown[place - 1]?.name ?? '')
  if (place === 0) return own.blocked >= servingShare ? 'a later stage' : 'source'
  const last = place === shown.length - 1
  if (last && own.working < servingShare && own.inFlight > 0) return 'an earlier record'
  if (own.working >= servingShare) return ''
  const gate = shares.find((node) => node.name.startsWith(gatePrefix))
  if (name === 'dedup' && (gate?.blocked ?? 0) >= servingShare) return 'a later stage'
  return own.blocked > own.waiting ? 'a later stage' : (shown[place - 1]?.name ?? '')
}

/** Whether a node only restores order or takes credit, and is not shown as a stage. */
export function isPassage(name: string): boolean {
  return name === 'order' || name.startsWith(gatePrefix)
}
