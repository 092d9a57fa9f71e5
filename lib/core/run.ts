/**
 * A running graph. `done` settles when the sink has received everything; `drain` stops reading and lets what was read
 * reach the sink; `abort` stops immediately. Values that were not released are not acknowledged: a run that resumes
 * reads them again.
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

/** Options for `Graph.run`; all optional. */
export interface RunOptions {
  /** Aborting it aborts the run. */
  readonly signal?: AbortSignal
}

/** Figures of a running graph. */
export interface RunMetrics {
  /** In the order of the graph: source, nodes, sink. */
  readonly nodes: readonly NodeMetrics[]
  /** By unit ('block', 'record', …), in order of first use. */
  readonly units: Readonly<Record<string, Readonly<UnitCount>>>
  /** Leaves between source and release. */
  readonly inFlight: number
  /** Peak bytes of finished values that waited in memory for an earlier one. */
  readonly reorderPeakBytes: number
}

/** A running graph. */
export interface Run {
  /** Resolves when everything that was read has been released; rejects with the error that stopped the run. */
  readonly done: Promise<void>
  /** Cheap: may be called several times per second. */
  metrics(): RunMetrics
  /** Stops reading. `done` resolves once everything read so far is released. */
  drain(): void
  /** Stops immediately; `done` rejects with `reason`. */
  abort(reason?: Error): void
}

/** Connects the nodes of a plan and starts them. `done` rejects with the error that stopped the run. */
export function startRun(plan: GraphPlan, options: RunOptions): Run {
  const ledger = new Ledger()
  const controller = new AbortController()
  // Every call in flight may listen for the end of the run: many listeners are not a leak here.
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
    plan.source(controller.signal),
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
    const built = new StageNode(node.stage, {
      ledger,
      meter: meter(node.stage.name, unit),
      signal: controller.signal,
      valuesLeave: plan.valuesLeave,
    })
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

  const finish = async (): Promise<void> => {
    const failures: unknown[] = []
    await pipeline([source, ...middle, sink], { signal: controller.signal }).catch((error: unknown) => {
      // On abort the pipeline rejects with Node's AbortError; report the reason for the abort instead.
      failures.push(controller.signal.aborted ? controller.signal.reason : error)
      if (!controller.signal.aborted) controller.abort(error)
    })
    options.signal?.removeEventListener('abort', onAbort)
    await closeAll(plan, failures)
    if (failures.length > 0) throw failures[0]
  }
  const done = finish()
  done.catch(() => undefined) // reported to callers that await `done`; never an unhandled rejection

  return {
    done,
    metrics: () => ({
      nodes: meters.map((each) => each.read()),
      units: Object.fromEntries(ledger.units()),
      inFlight: ledger.inFlight(),
      reorderPeakBytes: sink.peakBytes,
    }),
    drain: () => {
      draining = true
    },
    abort: (reason = new AbortedError('the run was aborted')) => abort(reason),
  }
}

/** Closes the sink, the stages from the last to the first, and the spill store; adds errors to `failures`. */
async function closeAll({ sink, nodes, reorder }: GraphPlan, failures: unknown[]): Promise<void> {
  const stages = nodes.flatMap((node) => (node.kind === 'stage' ? [node.stage] : [])).reverse()
  for (const each of [sink, ...stages, reorder?.spill]) {
    try {
      await each?.close?.()
    } catch (error) {
      failures.push(error)
    }
  }
}
