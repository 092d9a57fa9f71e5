/**
 * A graph is a source, stages, and a sink, put together before anything runs:
 *
 *   from(source).via(stage).inOrder().via(stage).to(sink).run({ signal })
 *
 * It is checked as it is built, can be described, and is run once. Edges are Node object streams in one pipeline.
 */
import type { Writable } from 'node:stream'
import { GraphError } from '../errors.js'
import type { Credit } from './credit.js'
import type { SourceOptions } from './flow-nodes.js'
import type { GraphNode, GraphPlan } from './plan.js'
import { type Run, type RunOptions, startRun } from './run.js'
import { type OrderedSink, type ReorderOptions, writableSink } from './sink-node.js'
import type { Stage } from './types.js'

/**
 * Starts a graph at any async iterable; every Node Readable is one.
 * Values are read one by one, each when there is room for it.
 */
export function from<T>(
  source: AsyncIterable<T>,
  options: SourceOptions<T> = { name: 'source', unit: 'value' },
): GraphBuilder<T> {
  return new GraphBuilder<T>(source, options as SourceOptions<unknown>, [])
}

/** A graph that has no end yet; `T` is what comes out of it. Each method gives a new one, this one stays as it is. */
export class GraphBuilder<T> {
  constructor(
    private readonly source: AsyncIterable<unknown>,
    private readonly sourceOptions: SourceOptions<unknown>,
    private readonly nodes: readonly GraphNode[],
  ) {}

  /** Has every value go through `stage`. A stage with several calls under way may hand on out of order. */
  via<Out>(stage: Stage<T, Out>): GraphBuilder<Out> {
    const taken = this.nodes.some((node) => node.kind === 'stage' && node.stage.name === stage.name)
    if (taken) throw new GraphError(`two stages are named '${stage.name}': reports could not tell them apart`)
    for (const [name, value] of Object.entries({
      batchMax: stage.batchMax ?? 1,
      inFlightMax: stage.inFlightMax ?? 1,
    })) {
      if (!(value >= 1)) throw new GraphError(`stage '${stage.name}': ${name} must be 1 or more, got ${value}`)
    }
    return this.#with({ kind: 'stage', stage: stage as unknown as Stage<unknown, unknown> })
  }

  /** Restores the order of the input here. The sink always does; a stage that needs it asks. */
  inOrder(): GraphBuilder<T> {
    return this.#with({ kind: 'order' })
  }

  /** Lets a value pass when it gets one credit, in order of arrival; returned once all made from it is released. */
  gate(credit: Credit): GraphBuilder<T> {
    return this.#with({ kind: 'gate', credit })
  }

  /** Ends the graph. The sink gets every value in the order of the input, settled ones too. */
  to(sink: OrderedSink<T>, reorder?: ReorderOptions): Graph
  to(sink: Writable): Graph
  to(sink: OrderedSink<T> | Writable, reorder: ReorderOptions | null = null): Graph {
    const ordered = 'pipe' in sink ? writableSink<T>(sink) : sink
    return new Graph({
      source: this.source,
      sourceOptions: this.sourceOptions,
      nodes: this.nodes,
      sink: ordered as OrderedSink<unknown>,
      reorder,
    })
  }

  #with<Out>(node: GraphNode): GraphBuilder<Out> {
    return new GraphBuilder<Out>(this.source, this.sourceOptions, [...this.nodes, node])
  }
}

/** A whole graph, checked and not yet run. */
export class Graph {
  #started = false

  constructor(private readonly plan: GraphPlan) {}

  /** One line a node, in the order that data meets them. */
  describe(): string[] {
    const { sourceOptions, nodes, sink } = this.plan
    let unit = sourceOptions.unit
    const lines = [`${sourceOptions.name}: ${unit}s`]
    for (const node of nodes) {
      if (node.kind === 'order') lines.push('in order')
      else if (node.kind === 'gate') lines.push(`at most ${node.credit.capacity} ${node.credit.name}`)
      else {
        const to = node.stage.unit
        lines.push(
          `${node.stage.name}: ${unit}s${to === undefined ? '' : ` → ${to}s`}, ${node.stage.inFlightMax ?? 1} at once`,
        )
        unit = to ?? unit
      }
    }
    return [...lines, `${sink.name}: ${unit}s, in order`]
  }

  /** Starts it. A graph runs once: its source is read as it goes. */
  run(options: RunOptions = {}): Run {
    if (this.#started) throw new GraphError('this graph was run already: build another one from a fresh source')
    this.#started = true
    return startRun(this.plan, options)
  }
}
