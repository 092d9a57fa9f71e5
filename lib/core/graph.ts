/**
 * A graph is a source, stages and a sink, assembled before anything runs:
 *
 *   from(source).via(stage).via(stage).to(sink).run({ signal })
 *
 * It is checked while it is built, can be described, and runs once. Edges are Node object streams in one pipeline.
 */
import { PassThrough, type Writable } from 'node:stream'
import { GraphError } from '../errors.js'
import type { Credit } from './credit.js'
import type { SourceNodeOptions } from './flow-nodes.js'
import type { Settlement } from './item.js'
import type { GraphNode, GraphPlan } from './plan.js'
import { type Run, type RunOptions, startRun } from './run.js'
import { type OrderedSink, type ReorderOptions, writableSink } from './sink-node.js'
import type { Stage } from './types.js'

/** An async iterable with its options as a source, which `from(source)` uses by default. */
export interface Source<T> extends AsyncIterable<T>, SourceNodeOptions<T> {
  /** Starts reading; a graph calls this in place of the iterator, and aborts the signal when it ends early. */
  readonly open: (signal: AbortSignal) => AsyncIterable<T>
}

/** Returns a source with these options. @param open starts reading */
export function sourceOf<T>(options: SourceNodeOptions<T>, open: Source<T>['open']): Source<T> {
  return { ...options, open, [Symbol.asyncIterator]: () => open(neverAborted)[Symbol.asyncIterator]() }
}

const neverAborted = new AbortController().signal

/**
 * Starts a graph at an async iterable; every Node Readable is one. Values are read one by one, each when there is
 * capacity for it.
 *
 * @param options by default those of the source itself, or the name 'source' and the unit 'value'
 */
export function from<T>(source: AsyncIterable<T> | Source<T>, options?: SourceNodeOptions<T>): GraphBuilder<T> {
  const known = 'unit' in source && 'open' in source
  const own = known ? source : { name: 'source', unit: 'value' }
  const open = known ? source.open : () => source
  return new GraphBuilder({ source: open, sourceOptions: options ?? own, nodes: [] })
}

/** Options of `GraphBuilder.values`. */
export interface ValuesOptions<Settled> extends RunOptions {
  /** Called with each value that a stage dropped or failed, in input order. Without it they are only counted. */
  readonly onSettled?: (value: Settled, settlement: Settlement) => void
}

/**
 * A graph without a sink. Each method returns a new one and leaves this one unchanged.
 *
 * `T` is the type of the values that the last node emits; `Settled` that of the values that a stage dropped or failed.
 */
export class GraphBuilder<T, Settled = never> {
  readonly #parts: Pick<GraphPlan, 'source' | 'sourceOptions' | 'nodes'>

  constructor(parts: Pick<GraphPlan, 'source' | 'sourceOptions' | 'nodes'>) {
    this.#parts = parts
  }

  /** Passes every value through `stage`. A stage with several concurrent calls may emit out of order. */
  via<Out, Dropped = Out>(stage: Stage<T, Out, Dropped>): GraphBuilder<Out, Settled | T | Dropped> {
    const { nodes } = this.#parts
    const taken = nodes.some((node) => node.kind === 'stage' && node.stage.name === stage.name)
    if (taken) throw new GraphError(`two stages are named '${stage.name}': reports could not tell them apart`)
    for (const [name, value] of Object.entries({
      batchMax: stage.batchMax ?? 1,
      inFlightMax: stage.inFlightMax ?? 1,
    })) {
      if (!(value >= 1)) throw new GraphError(`stage '${stage.name}': ${name} must be 1 or more, got ${value}`)
    }
    const order: GraphNode[] = stage.ordered && !isInOrder(nodes) ? [{ kind: 'order' }] : []
    return this.#with(...order, { kind: 'stage', stage })
  }

  /** Restores input order here. Sinks and stages that are `ordered` do not need it. */
  inOrder(): GraphBuilder<T, Settled> {
    return this.#with({ kind: 'order' })
  }

  /**
   * Adds a gate: each value takes one credit, in order of arrival; it is returned once all made from it is released.
   */
  gate(credit: Credit): GraphBuilder<T, Settled> {
    return this.#with({ kind: 'gate', credit })
  }

  /** Ends the graph. The sink receives every value in input order, including settled ones. */
  to(sink: OrderedSink<T, Settled>, reorder?: ReorderOptions): Graph
  to(sink: Writable): Graph
  to(sink: OrderedSink<T, Settled> | Writable, reorder: ReorderOptions | null = null): Graph {
    const ordered = 'pipe' in sink ? writableSink<T, Settled>(sink) : sink
    return new Graph({ ...this.#parts, sink: ordered, reorder, valuesLeave: false })
  }

  /** Runs the graph and yields the emitted values, in input order. Returning early aborts the run. */
  async *values({ onSettled, ...options }: ValuesOptions<Settled> = {}): AsyncGenerator<T, void, undefined> {
    const out = new PassThrough({ objectMode: true, highWaterMark: 1 })
    const sink = writableSink<T, Settled>(out, 'values', onSettled)
    const run = new Graph({ ...this.#parts, sink, reorder: null, valuesLeave: true }).run(options)
    run.done.catch((error: Error) => out.destroy(error))
    try {
      yield* out
    } finally {
      run.abort()
      await run.done.catch(() => undefined) // already thrown by `out`, or caused by this abort
    }
  }

  #with<Out, Dropped>(...added: readonly GraphNode[]): GraphBuilder<Out, Dropped> {
    return new GraphBuilder<Out, Dropped>({ ...this.#parts, nodes: [...this.#parts.nodes, ...added] })
  }
}

function isInOrder(nodes: readonly GraphNode[]): boolean {
  const since = nodes.slice(nodes.findLastIndex(({ kind }) => kind === 'order') + 1)
  return since.every((node) => node.kind !== 'stage' || (node.stage.inFlightMax ?? 1) === 1)
}

/** A complete graph, checked and not yet run. */
export class Graph {
  readonly #plan: GraphPlan
  #started = false

  constructor(plan: GraphPlan) {
    this.#plan = plan
  }

  /** Returns one line per node, in the order in which data passes them. */
  describe(): string[] {
    const { sourceOptions, nodes, sink } = this.#plan
    let unit = sourceOptions.unit
    const lines = [`${sourceOptions.name}: ${unit}s`]
    for (const node of nodes) {
      if (node.kind === 'order') lines.push('in order')
      else if (node.kind === 'gate') lines.push(`at most ${node.credit.capacity} ${node.credit.name}`)
      else {
        const to = node.stage.unit
        lines.push(
          `${node.stage.name}: ${unit}s${to === undefined ? '' : ` → ${to}s`}, ${node.stage.inFlightMax ?? 1} concurrently`,
        )
        unit = to ?? unit
      }
    }
    return [...lines, `${sink.name}: ${unit}s, in order`]
  }

  /** Starts the graph. It runs once, because its source is consumed. */
  run(options: RunOptions = {}): Run {
    if (this.#started) throw new GraphError('this graph was run already: build another one from a fresh source')
    this.#started = true
    return startRun(this.#plan, options)
  }
}
