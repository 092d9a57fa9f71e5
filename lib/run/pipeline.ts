/**
 * The graph of the Kun method, from blocks to rows, and what each block must carry from one end to the other.
 * The parts (pool, deduplicator, stages, writer) are made and closed by open-run.ts; what a stage asks is in label.ts,
 * score.ts and polish.ts.
 *
 *   blocks → prepare (workers) → in order → dedup → credit → label → score → polish → rows and rejects, in order
 */

import type { Credit } from '../core/credit.js'
import { from, type Graph } from '../core/graph.js'
import type { OrderedSink, ReorderOptions } from '../core/sink-node.js'
import type { Outcome, Position, Stage } from '../core/types.js'
import type { Deduplicator } from '../dedup/types.js'
import { ContractError } from '../errors.js'
import type { Candidate, KunStage, Pair } from '../kun/types.js'
import type { Block, PreparedBlock } from '../text/block.js'
import { type BlockFacts, type BlockLedger, takeFacts } from './block-facts.js'
import { splitIntoRecords } from './candidates.js'
import { CutPlanner } from './cut-planner.js'
import { type CutSinkOptions, cutSink } from './cut-sink.js'

export interface PipelineParts {
  readonly blocks: AsyncIterable<Pick<BlockFacts, 'cursor' | 'reads'> & { readonly block: Block }>
  readonly prepare: (block: Block) => Promise<PreparedBlock>
  /** Blocks in workers at once. */
  readonly blocksInWorkers: number
  readonly deduplicator: Deduplicator
  /** Null in a phase that ends before it. */
  readonly label: KunStage<Candidate, Pair> | null
  /** Score and polish; each may be left out. */
  readonly laterStages: readonly KunStage<Pair, Pair>[]
  readonly blockCredit: Credit
  readonly itemCredit: Credit
  readonly reorder: ReorderOptions
  readonly candidatesPerCut: number
  readonly blocksPerCutMax: number
  /** Blocks that are committed already. */
  readonly blocksDone: number
  /** Null in a phase: replies are all that it leaves. */
  readonly sink: Omit<CutSinkOptions, 'blocks' | 'released' | 'noYield' | 'onNoYield'> | null
  readonly noYield: CutSinkOptions['noYield']
  readonly onNoYield: CutSinkOptions['onNoYield']
  /** What came out last; calls about earlier records are served first. */
  readonly released: (position: Position) => void
}

/**
 * Room that a block takes per byte: its bytes, the columns that come back, and what its candidates become.
 * 4 is what was measured: raw text, its UTF-16 string in a prompt, the reply and the row, each about once.
 */
const expansionMax = 4

/** The graph, ready to run once; the parts stay the caller's to close. */
export function kunGraph(parts: PipelineParts): Graph {
  const facts: BlockLedger = new Map()
  const planner = new CutPlanner(parts.candidatesPerCut, parts.blocksPerCutMax)
  const candidates = from(register(parts.blocks, facts), {
    name: 'read',
    unit: 'block',
    firstOrdinal: parts.blocksDone,
    credit: { from: parts.blockCredit, amount: (block) => Math.max(1, block.bytes.byteLength * expansionMax) },
  })
    .via(prepareStage(parts, facts))
    .inOrder()
    .via(dedupStage(parts.deduplicator, facts, planner))
    .gate(parts.itemCredit)
  if (parts.label === null) return candidates.to(phaseSink(facts, parts), parts.reorder)
  const labelled = candidates.via(llmStage(parts.label, parts.itemCredit.capacity, 'attempt'))
  const finished = parts.laterStages.reduce(
    (graph, stage) => graph.via(llmStage(stage, parts.itemCredit.capacity)),
    labelled,
  )
  const { sink, released, noYield, onNoYield } = parts
  const end =
    sink === null ? phaseSink<Pair>(facts, parts) : cutSink({ ...sink, noYield, onNoYield, blocks: facts, released })
  return finished.to(end, parts.reorder)
}

/** The end of a phase: nothing is written but the replies, which are already kept. */
function phaseSink<T>(
  facts: BlockLedger,
  { released, noYield, onNoYield }: Pick<PipelineParts, 'released' | 'noYield' | 'onNoYield'>,
): OrderedSink<T> {
  let stopped = false
  return {
    name: 'phase',
    write(batch) {
      for (const arrived of batch) {
        const barren = stopped ? null : noYield.released(arrived)
        if (barren !== null) onNoYield(barren)
        stopped ||= barren !== null
        if (arrived.endsOrigin) takeFacts(facts, arrived.position[0] as number)
      }
      const last = batch.at(-1)
      if (last !== undefined) released(last.position)
    },
  }
}

async function* register(blocks: PipelineParts['blocks'], facts: BlockLedger): AsyncGenerator<Block> {
  for await (const { block, cursor, reads } of blocks) {
    facts.set(block.number, {
      split: block.split,
      cursor,
      reads,
      documents: 0,
      prepared: null,
      dedupLogBytes: 0,
      endsCut: false,
    })
    yield block
  }
}

function prepareStage(parts: PipelineParts, facts: BlockLedger): Stage<Block, PreparedBlock> {
  return {
    name: 'prepare',
    inFlightMax: parts.blocksInWorkers,
    process: async (blocks) => {
      const prepared = await Promise.all(blocks.map((block) => parts.prepare(block)))
      for (const block of prepared) {
        const { documents, number } = block
        Object.assign(factsOf(facts, number), { documents, prepared: block } satisfies Partial<BlockFacts>)
      }
      return prepared.map((block) => ({ emit: [block] }))
    },
  }
}

/** One call at a time, in input order: that a duplicate is one depends on all that came before. */
function dedupStage(
  deduplicator: Deduplicator,
  facts: BlockLedger,
  planner: CutPlanner,
): Stage<PreparedBlock, Candidate> {
  return {
    name: 'dedup',
    unit: 'record',
    process: async (blocks) => {
      const outcomes: Outcome<Candidate>[] = []
      for (const block of blocks) {
        const { records, candidates } = await splitIntoRecords(block, deduplicator)
        const known = factsOf(facts, block.number)
        known.dedupLogBytes = deduplicator.logBytes
        known.endsCut = planner.endsCut(candidates)
        outcomes.push(records.length > 0 ? { emit: records } : { drop: 'empty-block' })
      }
      return outcomes
    },
  }
}

/** Takes as much as there is item credit for: the only window between LLM stages. */
function llmStage<In, Out>(stage: KunStage<In, Out>, inFlightMax: number, unit?: string): Stage<In, Out> {
  const process: Stage<In, Out>['process'] = (values, { positions, signal }) =>
    Promise.all(values.map((value, index) => stage.run(value, { position: positions[index] ?? [], signal })))
  return unit === undefined
    ? { name: stage.name, inFlightMax, process }
    : { name: stage.name, unit, inFlightMax, process }
}

function factsOf(facts: BlockLedger, number: number): BlockFacts {
  const known = facts.get(number)
  if (known === undefined) throw new ContractError(`block ${number} passed without being registered`)
  return known
}
