/**
 * A graph at work. `done` settles when the sink has everything; `drain` stops reading and lets what was read reach the
 * sink; `abort` stops now. Either way nothing is lost: what was not released was not acknowledged.
 */
import { setMaxListeners } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { AbortedError } from '../errors.js'
import { gateNode, orderNode, sourceNode } from './flow-nodes.js'
import { Ledger, type UnitCount } from './ledger.js'
import { NodeMeter, type NodeMetrics } from './metrics.js'
import type { GraphNode, GraphPlan } from './plan.js'
import { SinkNode } from './sink-node.js'
import { StageNode } from './stage-node.js'

/** What `Graph.run` is told. */
export interface RunOptions {
  /** Aborting it aborts the run. */
  readonly signal?: AbortSignal
}

/** A graph as it is at this moment. */
export interface RunMetrics {
  /** In the order of the graph: source, nodes, sink. */
  readonly nodes: readonly NodeMetrics[]
  /** By unit ('block', 'record', …), in the order in which they came up. */
  readonly units: Readonly<Record<string, Readonly<UnitCount>>>
  /** Leaves between source and release. */
  readonly onTheWay: number
  /** The most bytes of finished values that waited for an earlier one in memory. */
  readonly reorderPeakBytes: number
}

/** A graph at work. */
export interface Run {
  /** Resolves when all that was read has been released; rejects with what stopped it. */
  readonly done: Promise<void>
  /** Cheap: may be asked many times a second. */
  metrics(): RunMetrics
  /** Stops reading. `done` resolves once everything read so far is released. */
  drain(): void
  /** Stops at once; `done` rejects with `reason`. */
  abort(reason?: Error): void
}

/** Connects the nodes of a plan and starts them. What stops the run is what `done` rejects with. */
export function startRun(plan: GraphPlan, options: RunOptions): Run {
  const ledger = new Ledger()
  const controller = new AbortController()
  // Every call in flight may listen for the end of the run: many listeners are no leak here.
  setMaxListeners(0, controller.signal)
  const firstOrdinal = plan.sourceOptions.firstOrdinal ?? 0
  const meters: NodeMeter[] = []
  let draining = false
  const meter = (name: string, unit: string): NodeMeter => {
    const created = new NodeMeter(name, unit)
    meters.push(created)
    return created
  }

  const source = sourceNode(
    plan.source,
    plan.sourceOptions,
    ledger,
    meter(plan.sourceOptions.name, plan.sourceOptions.unit),
    controller.signal,
    () => draining,
  )
  let unit = plan.sourceOptions.unit
  const build = (node: GraphNode) => {
    if (node.kind === 'order') return orderNode(firstOrdinal, meter('order', unit))
    if (node.kind === 'gate')
      return gateNode(node.credit, ledger, meter(`credit: ${node.credit.name}`, unit), controller.signal)
    const built = new StageNode(node.stage, ledger, meter(node.stage.name, unit), controller.signal)
    unit = node.stage.unit ?? unit
    return built
  }
  const middle = plan.nodes.map(build)
  const sink = new SinkNode(plan.sink, firstOrdinal, ledger, meter(plan.sink.name, unit), plan.reorder)

  const abort = (reason: unknown): void =>
    controller.abort(reason instanceof Error ? reason : new AbortedError('the run was aborted', { cause: reason }))
  const onAbort = (): void => abort(options.signal?.reason)
  if (options.signal?.aborted) onAbort()
  else options.signal?.addEventListener('abort', onAbort, { once: true })

  const done = pipeline([source, ...middle, sink], { signal: controller.signal })
    .catch((error: unknown) => {
      // The pipeline answers an abort with an error of its own; what matters is why it was aborted.
      const cause = controller.signal.aborted ? controller.signal.reason : error
      if (!controller.signal.aborted) controller.abort(cause)
      throw cause
    })
    .finally(() => {
      options.signal?.removeEventListener('abort', onAbort)
      return plan.reorder?.spill.close()
    })
  done.catch(() => undefined) // whoever awaits `done` gets it; a metrics-only user must not crash the process

  return {
    done,
    metrics: () => ({
      nodes: meters.map((each) => each.read()),
      units: Object.fromEntries(ledger.units()),
      onTheWay: ledger.onTheWay(),
      reorderPeakBytes: sink.peakBytes,
    }),
    drain: () => {
      draining = true
    },
    abort: (reason = new AbortedError('the run was aborted')) => abort(reason),
  }
}
