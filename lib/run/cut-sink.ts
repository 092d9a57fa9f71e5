/**
 * The sink of a run: receives records in input order, writes them as rows or rejects and counts them. At the end of a
 * block that ends a cut, it commits the cut.
 */
import { ownValue } from '../core/dictionary.js'
import type { Settlement } from '../core/item.js'
import type { OrderedSink } from '../core/sink-node.js'
import type { InstructionIndex } from '../dedup/instruction-index.js'
import { ContractError, type NoYieldError } from '../errors.js'
import { type RowOptions, rowOf } from '../kun/row.js'
import type { Candidate, Pair } from '../kun/types.js'
import type { CutWriter, ManifestEntry, Reject } from '../sinks/types.js'
import { recordId } from '../text/identity.js'
import { readPersonalCounts } from '../text/personal/kinds.js'
import { type Accounting, type Counters, checkAccounting, type PersonalPlace } from './accounting.js'
import type { BlockFacts, BlockLedger } from './block-facts.js'
import { CutInstructions } from './cut-instructions.js'
import type { NoYieldDetector } from './no-yield.js'
import type { RowsLimit } from './record-credit.js'
import { blockOf, excerptOf, isPair, Rejected, type ReleasedRecord, recordOf, type SettledRecord } from './records.js'

export interface CutSinkOptions {
  readonly blocks: BlockLedger
  readonly writer: CutWriter
  readonly row: RowOptions
  /** Cumulative, from the start of the dataset. */
  readonly accounting: Accounting
  readonly noYield: Pick<NoYieldDetector, 'released'>
  /** For the instructions of the rows of the open cut; null if they are not compared. */
  readonly instructions: InstructionIndex | null
  /** Called when the first records all ended for one reason: stops the run; `stopping` returns true afterwards. */
  readonly onNoYield: (error: NoYieldError) => void
  /** Ends the run at an exact number of rows. */
  readonly rowsLimit: RowsLimit
  /** Called once a cut is durable. */
  readonly afterCommit: (entry: ManifestEntry, counters: Counters) => Promise<void>
  /** Returns whether the run is being stopped or a limit is reached: the open cut is then dropped, not closed early. */
  readonly stopping: () => boolean
  /** Receives each write as it begins: the writer must not be closed before it has ended. */
  readonly working: (work: Promise<void>) => void
}

interface EndedBlock {
  readonly number: number
  readonly cursor: unknown
  readonly open: readonly unknown[]
  readonly dedupLogBytes: number
}

/** Keeps the facts of a block that the commit of its cut needs. */
function endedBlock(number: number, { cursor, reads, dedupLogBytes }: BlockFacts): EndedBlock {
  return { number, cursor, open: reads.open, dedupLogBytes }
}

/** @throws {ContractError} in `write`: a record was lost or counted twice, or the counters do not add up */
export function cutSink(options: CutSinkOptions): OrderedSink<Candidate | Pair, SettledRecord> {
  const { blocks, writer, accounting } = options
  const instructions = options.instructions === null ? null : new CutInstructions(options.instructions)
  let blocksOpen = 0
  let lastEnded: EndedBlock | null = null
  /** Shards that ended in the open cut. */
  let inputsEnded: unknown[] = []

  const endBlock = async (number: number): Promise<void> => {
    const facts = blocks.take(number)
    accounting.endBlock(facts.split, facts.documents)
    if (facts.personal !== null) accounting.personal(facts.split, 'text', facts.personal)
    blocksOpen++
    for (const each of facts.reads.ended) inputsEnded.push(each)
    lastEnded = endedBlock(number, facts)
    if (facts.endsCut) await commit(lastEnded)
  }

  /**
   * Commits the rows up to the limit, within a block or after it. A run with a higher limit drops this cut, so that its
   * bytes are those of a run that had that limit from the start.
   */
  const commitAtLimit = async (released: ReleasedRecord): Promise<void> => {
    if (!released.endsOrigin) {
      const number = blockOf(released)
      const facts = blocks.take(number)
      for (const each of facts.reads.ended) inputsEnded.push(each)
      lastEnded = endedBlock(number, facts)
    }
    if (lastEnded !== null) await commit(lastEnded, options.rowsLimit.rowsMax)
  }

  const commit = async ({ number, cursor, open, dedupLogBytes }: EndedBlock, rowsMax?: number): Promise<void> => {
    const counters = accounting.counters()
    for (const fault of checkAccounting(counters)) {
      throw new ContractError(`split '${fault.split}': ${fault.equation} does not hold: ${fault.left} ≠ ${fault.right}`)
    }
    const inputs = { ended: inputsEnded, open }
    const entry = await writer.commit({
      ...{ blocks: number + 1, cursor, inputs, dedupLogBytes, counters: { ...counters } },
      ...(rowsMax !== undefined && { rowsMax }),
    })
    inputsEnded = []
    blocksOpen = 0
    instructions?.clear()
    await options.afterCommit(entry, counters)
  }

  const write = async (batch: readonly ReleasedRecord[]): Promise<void> => {
    for (const released of batch) {
      if (options.stopping()) return
      const error = options.noYield.released(released)
      if (error !== null) return options.onNoYield(error)
      await settle(released, options, instructions)
      if (released.endsOrigin) await endBlock(blockOf(released))
      options.rowsLimit.settled(accounting.rows)
      // A cut that ended here has stopped the run.
      if (!options.stopping() && options.rowsLimit.isReached(accounting.rows)) await commitAtLimit(released)
    }
  }

  const end = async (): Promise<void> => {
    if (options.stopping() || blocksOpen === 0 || lastEnded === null) return
    await commit(lastEnded)
  }

  const tracked = (work: Promise<void>): Promise<void> => {
    options.working(work)
    return work
  }
  return {
    name: 'write',
    write: (batch) => tracked(write(batch)),
    end: () => tracked(end()),
  }
}

async function settle(
  released: ReleasedRecord,
  { writer, accounting, row }: CutSinkOptions,
  instructions: CutInstructions | null,
): Promise<void> {
  const record = recordOf(released)
  if (record === null) return
  const isRow = released.settlement === null && !(record instanceof Rejected) && isPair(record)
  const settlement = isRow ? (instructions?.check(record) ?? null) : released.settlement
  if (record instanceof Rejected) {
    accounting.prepareRejected(record.split, record.reject)
    await writer.reject(rejectOfPreparation(record))
    return
  }
  if (settlement === null) {
    if (!isPair(record)) throw new ContractError(`candidate ${record.id} reached the sink without a label`)
    countPersonal(record, null, accounting)
    accounting.row(record.candidate.split, record)
    await writer.row(record.candidate.split, rowOf(record, row))
    return
  }
  if (isPair(record)) {
    countPersonal(record, settlement, accounting)
    accounting.attemptRejected(record.candidate.split, record.candidate, settlement)
  } else accounting.chunkRejected(record.split, record, settlement)
  await writer.reject(rejectOf(record, settlement))
}

const personalReasons: Readonly<Record<string, PersonalPlace>> = {
  'instruction-personal': 'instruction',
  'output-personal': 'output',
}

/** Counts the personal data that was masked in a pair, and that of the reply for which it was dropped. */
function countPersonal({ personal, candidate }: Pair, settlement: Settlement | null, accounting: Accounting): void {
  const { split } = candidate
  if (personal?.instruction) accounting.personal(split, 'instruction', { masked: personal.instruction, dropped: {} })
  if (personal?.output) accounting.personal(split, 'output', { masked: personal.output, dropped: {} })
  const place = personalReasons[settlement?.reason ?? '']
  if (place !== undefined && settlement !== null) {
    accounting.personal(split, place, { masked: {}, dropped: readPersonalCounts(settlement.detail) })
  }
}

/** Returns the reject of a candidate or pair that a stage dropped or failed. */
export function rejectOf(record: Candidate | Pair, { stage, reason, detail }: Settlement): Reject {
  const candidate = isPair(record) ? record.candidate : record
  const { split, shard, offset, key, chunk } = candidate
  const instruction = isPair(record) && record.instruction !== '' ? record.instruction : null
  const excerpt = excerptOf(instruction ?? candidate.text)
  const variant = isPair(record) ? record.variant : -1
  const reject = { id: record.id, split, shard, offset, key, chunk, variant, stage, reason, detail, excerpt }
  // The text of a duplicate is in the row or reject of the first.
  if (stage === 'dedup') return reject
  const grade = (name: string): number | null => {
    const cell = ownValue(record.columns, name)
    return typeof cell === 'number' ? cell : null
  }
  return { ...reject, raw: candidate.text, instruction, score: grade('score'), screen: grade('screen') }
}

/** Returns the reject of a document or chunk that a worker rejected. */
function rejectOfPreparation({ split, shard, reject }: Rejected): Reject {
  const { stage, reason, detail, excerpt, key, offset } = reject
  const chunk = reject.chunk ?? -1
  const id = recordId(split, shard, offset, chunk)
  return { id, split, shard, offset, key, chunk, variant: -1, stage, reason, detail, excerpt }
}
