/**
 * The end of the pipeline: records arrive in input order and become rows or rejects, every one is counted, and where a
 * block ends a cut, the cut is committed. What this file has not counted has not happened.
 */
import type { OrderedSink, Released } from '../core/sink-node.js'
import type { Position } from '../core/types.js'
import { ContractError, type NoYieldError } from '../errors.js'
import { type RowOptions, rowOf } from '../kun/row.js'
import type { Candidate, Pair } from '../kun/types.js'
import type { CutWriter, ManifestEntry, Reject } from '../sinks/types.js'
import { recordId } from '../text/identity.js'
import type { Accounting } from './accounting.js'
import { type Counters, checkAccounting } from './accounting.js'
import { type BlockLedger, takeFacts } from './block-facts.js'
import { excerptOf, Refused } from './candidates.js'
import type { NoYieldDetector } from './no-yield.js'

export interface CutSinkOptions {
  readonly blocks: BlockLedger
  readonly writer: CutWriter
  readonly row: RowOptions
  /** Cumulative, from the start of the dataset. */
  readonly accounting: Accounting
  readonly noYield: NoYieldDetector
  /** Called when the first records all ended alike: stops the run; `stopping` is true from then on. */
  readonly onNoYield: (error: NoYieldError) => void
  /** Once a cut is durable. */
  readonly afterCommit: (entry: ManifestEntry, counters: Counters) => Promise<void>
  /** What came out last; calls about earlier records are served first. */
  readonly released: (position: Position) => void
  /** True once the run is being stopped or a limit is reached: the open cut is dropped then, not closed early. */
  readonly stopping: () => boolean
  /** Told of all work as it begins: the writer must not be closed before it is over. */
  readonly working: (work: Promise<void>) => void
}

interface EndedBlock {
  readonly number: number
  readonly cursor: unknown
  readonly open: readonly unknown[]
  readonly dedupLogBytes: number
}

type Arrived = Released<Candidate | Pair | Refused>

/** @throws {ContractError} from its writes: a record was lost or counted twice, or an account does not add up */
export function cutSink(options: CutSinkOptions): OrderedSink<Pair> {
  const { blocks, writer, accounting } = options
  let blocksOpen = 0
  let lastEnded: EndedBlock | null = null
  /** Shards that ended in the open cut. */
  let inputsEnded: unknown[] = []

  const endBlock = async (number: number): Promise<void> => {
    const facts = takeFacts(blocks, number)
    accounting.endBlock(facts.split, facts.documents)
    blocksOpen++
    for (const each of facts.reads.ended) inputsEnded.push(each)
    lastEnded = { number, cursor: facts.cursor, open: facts.reads.open, dedupLogBytes: facts.dedupLogBytes }
    if (facts.endsCut) await commit(lastEnded)
  }

  const commit = async ({ number, cursor, open, dedupLogBytes }: EndedBlock): Promise<void> => {
    const counters = accounting.counters()
    for (const fault of checkAccounting(counters)) {
      throw new ContractError(`split '${fault.split}': ${fault.equation} does not hold: ${fault.left} ≠ ${fault.right}`)
    }
    const inputs = { ended: inputsEnded, open }
    const entry = await writer.commit({ blocks: number + 1, cursor, inputs, dedupLogBytes, counters: { ...counters } })
    inputsEnded = []
    blocksOpen = 0
    await options.afterCommit(entry, counters)
  }

  const write = async (batch: readonly Arrived[]): Promise<void> => {
    for (const released of batch) {
      if (options.stopping()) return
      const barren = options.noYield.released(released)
      if (barren !== null) return options.onNoYield(barren)
      await settle(released, options)
      if (released.endsOrigin) await endBlock(released.position[0] as number)
    }
    const last = batch.at(-1)
    if (last !== undefined) options.released(last.position)
  }

  const end = async (): Promise<void> => {
    if (options.stopping() || blocksOpen === 0 || lastEnded === null) return
    await commit(lastEnded)
  }

  const told = (work: Promise<void>): Promise<void> => {
    options.working(work)
    return work
  }
  return {
    name: 'write',
    write: (batch) => told(write(batch as readonly Arrived[])),
    end: () => told(end()),
  }
}

async function settle(
  { value, settlement, position }: Arrived,
  { writer, accounting, row }: CutSinkOptions,
): Promise<void> {
  // A block with no document in it (blank lines only) is the only thing that arrives undivided.
  if (position.length === 1) return
  if (value instanceof Refused) {
    const { split, reject } = value
    accounting.refused(split, reject)
    await writer.reject(rejectOfRefused(value))
    return
  }
  if (settlement === null) {
    const pair = value as Pair
    accounting.row(pair.candidate.split, pair.candidate)
    await writer.row(pair.candidate.split, rowOf(pair, row))
    return
  }
  const how = { stage: settlement.stage, reason: settlement.reason, detail: settlement.detail }
  if ('candidate' in value) {
    accounting.attemptRejected(value.candidate.split, value.candidate, settlement)
    await writer.reject({
      ...rejectOf(value.candidate, value.id, value.variant),
      ...how,
      excerpt: excerptOf(value.instruction || value.candidate.text),
    })
    return
  }
  const candidate = value as Candidate
  if (settlement.stage === 'dedup') accounting.chunkRejected(candidate.split, candidate, settlement)
  else accounting.attemptRejected(candidate.split, candidate, settlement)
  await writer.reject({ ...rejectOf(candidate, candidate.id, -1), ...how, excerpt: excerptOf(candidate.text) })
}

function rejectOf(
  { split, shard, offset, key, chunk }: Candidate,
  id: string,
  variant: number,
): Omit<Reject, 'stage' | 'reason' | 'detail' | 'excerpt'> {
  return { id, split, shard, offset, key, chunk, variant }
}

function rejectOfRefused({ split, shard, reject }: Refused): Reject {
  const { stage, reason, detail, excerpt, key, offset } = reject
  const chunk = reject.chunk ?? -1
  return {
    id: recordId(split, shard, offset, chunk),
    split,
    shard,
    offset,
    key,
    chunk,
    variant: -1,
    stage,
    reason,
    detail,
    excerpt,
  }
}
