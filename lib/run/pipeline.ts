/**
 * The graph of a run, from blocks to rows: the stages of stages/, over parts that open-run.ts opens and closes, and the
 * facts of each block that the commit of its cut needs. A run that is divided into units (lib/units) runs the head and
 * the tail of it in different processes.
 *
 *   blocks → prepare (workers) → dedup → credit → [screen] → label → score → polish → rows and rejects, in order
 */

import type { Credit } from '../core/credit.js'
import { from, type Graph, type GraphBuilder } from '../core/graph.js'
import type { OrderedSink, ReorderOptions } from '../core/sink-node.js'
import type { Deduplicator } from '../dedup/types.js'
import type { Candidate, KunStage, Pair } from '../kun/types.js'
import type { ModelServers } from '../llm/scheduler/model-servers.js'
import { blockCredit } from '../sources/block-credit.js'
import type { Block, PreparedBlock } from '../text/block.js'
import { type BlockFacts, BlockLedger } from './block-facts.js'
import { CutPlanner } from './cut-planner.js'
import { type CutSinkOptions, cutSink } from './cut-sink.js'
import { blockOf, type SettledRecord } from './records.js'
import { dedupStage } from './stages/dedup.js'
import { labelOf, modelStage, reportReleases } from './stages/model-stages.js'
import { prepareStage } from './stages/prepare.js'

/** Parts of the head: from blocks to records, in input order. */
interface HeadParts {
  readonly blocks: AsyncIterable<Pick<BlockFacts, 'cursor' | 'reads'> & { readonly block: Block }>
  readonly prepare: (block: Block) => Promise<PreparedBlock>
  /** Blocks in the worker pool, being prepared or waiting. */
  readonly blocksInWorkers: number
  readonly deduplicator: Deduplicator
  /** Called with the number of each block once its duplicates are known, in input order. */
  readonly onDecided?: (block: number) => void
  readonly blockCredit: Credit
  readonly candidatesPerCut: number
  readonly blocksPerCutMax: number
  /** Number of committed blocks. */
  readonly blocksDone: number
}

/** Parts of the tail: from records to rows. */
interface TailParts {
  /** Stages on chunks, before the label stage. */
  readonly chunkStages: readonly KunStage<Candidate, Candidate>[]
  /** Null if the selected phase ends before this stage. */
  readonly label: KunStage<Candidate, Pair> | null
  /** Stages on pairs: score, polish and others, each of them optional. */
  readonly pairStages: readonly KunStage<Pair, Pair>[]
  readonly servers: Pick<ModelServers, 'releaseUpTo'>
  readonly itemCredit: Credit
  readonly reorder: ReorderOptions
  /** Null in a phase, which leaves replies only. */
  readonly sink: Omit<CutSinkOptions, 'blocks' | 'noYield' | 'onNoYield'> | null
  readonly noYield: CutSinkOptions['noYield']
  readonly onNoYield: CutSinkOptions['onNoYield']
}

/** Builds the graph; the caller closes the parts. */
export function kunGraph(parts: HeadParts & TailParts): Graph {
  const facts = new BlockLedger()
  return tailGraph(headGraph(facts, parts), facts, parts)
}

/** Builds the graph up to the records. Cuts end here: the data alone decides, before any reply. */
export function headGraph(facts: BlockLedger, parts: HeadParts): GraphBuilder<Candidate, SettledRecord> {
  const planner = new CutPlanner(parts.candidatesPerCut, parts.blocksPerCutMax)
  return from(facts.register(parts.blocks), {
    name: 'read',
    unit: 'block',
    firstOrdinal: parts.blocksDone,
    credit: blockCredit(parts.blockCredit),
  })
    .via(
      prepareStage({
        blocksInFlightMax: parts.blocksInWorkers,
        prepare: parts.prepare,
        onPrepared: ({ number, documents, personal = null }) => facts.set(number, { documents, personal }),
      }),
    )
    .via(
      dedupStage(parts.deduplicator, ({ number }, { candidates, logBytes }) => {
        facts.set(number, { dedupLogBytes: logBytes, endsCut: planner.endsCut(candidates) })
        parts.onDecided?.(number)
      }),
    )
}

/**
 * Builds the rest of the graph: the model stages and the sink.
 *
 * @param records ends with a stage named `dedup`: the name is in rejects
 */
export function tailGraph(
  records: GraphBuilder<Candidate, SettledRecord>,
  facts: BlockLedger,
  parts: TailParts,
): Graph {
  const { itemCredit, noYield, onNoYield, sink } = parts
  const deduplicated = records.gate(itemCredit)
  const [first = null, ...otherChunkStages] = parts.chunkStages
  const candidates = otherChunkStages.reduce<GraphBuilder<Candidate, SettledRecord>>(
    (graph, stage) => graph.via(modelStage(stage, itemCredit.capacity)),
    first === null
      ? deduplicated
      : deduplicated.via(reportReleases(modelStage(first, itemCredit.capacity), parts.servers)),
  )
  if (parts.label === null) return candidates.to(phaseSink(facts, parts), parts.reorder)
  const label = labelOf(parts.label, itemCredit.capacity)
  const pairs = parts.pairStages.reduce(
    (graph, stage) => graph.via(modelStage(stage, itemCredit.capacity)),
    candidates.via(first === null ? reportReleases(label, parts.servers) : label),
  )
  const end = sink === null ? phaseSink(facts, parts) : cutSink({ ...sink, noYield, onNoYield, blocks: facts })
  return pairs.to(end, parts.reorder)
}

/** The sink of a phase. It writes nothing: the results of a phase are its stored replies. */
function phaseSink(
  facts: BlockLedger,
  { noYield, onNoYield }: Pick<TailParts, 'noYield' | 'onNoYield'>,
): OrderedSink<Candidate | Pair, SettledRecord> {
  let stopped = false
  return {
    name: 'phase',
    write(batch) {
      for (const released of batch) {
        const error = stopped ? null : noYield.released(released)
        if (error !== null) onNoYield(error)
        stopped ||= error !== null
        if (released.endsOrigin) facts.take(blockOf(released))
      }
    },
  }
}
