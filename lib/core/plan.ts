/** What a graph is made of, before it runs. */
import type { Credit } from './credit.js'
import type { SourceOptions } from './flow-nodes.js'
import type { OrderedSink, ReorderOptions } from './sink-node.js'
import type { Stage } from './types.js'

/** What stands between source and sink: a stage, the restoring of order, or a gate that takes credit. */
export type GraphNode =
  | { readonly kind: 'stage'; readonly stage: Stage<unknown, unknown> }
  | { readonly kind: 'order' }
  | { readonly kind: 'gate'; readonly credit: Credit }

/** A graph as it was put together, ready to be run. */
export interface GraphPlan {
  readonly source: AsyncIterable<unknown>
  readonly sourceOptions: SourceOptions<unknown>
  readonly nodes: readonly GraphNode[]
  readonly sink: OrderedSink<unknown>
  readonly reorder: ReorderOptions | null
}
