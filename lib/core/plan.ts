/** The parts of a graph before it runs. Value types are erased here; `GraphBuilder` has checked that they fit. */
import type { Credit } from './credit.js'
import type { SourceNodeOptions } from './flow-nodes.js'
import type { ErasedSink, ReorderOptions } from './sink-node.js'
import type { ErasedStage } from './stage-node.js'

/** A node between source and sink: a stage, a node that restores input order, or a gate that takes credit. */
export type GraphNode =
  | { readonly kind: 'stage'; readonly stage: ErasedStage }
  | { readonly kind: 'order' }
  | { readonly kind: 'gate'; readonly credit: Credit }

/** A complete graph. */
export interface GraphPlan {
  readonly source: (signal: AbortSignal) => AsyncIterable<unknown>
  readonly sourceOptions: SourceNodeOptions<never>
  readonly nodes: readonly GraphNode[]
  readonly sink: ErasedSink
  readonly reorder: ReorderOptions | null
  /** Whether values are used after the sink returned: nothing made from them may be released then. */
  readonly valuesLeave: boolean
}
