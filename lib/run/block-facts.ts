/** What is known of each block on its way from the source to the sink, and when the memory of its columns is given back. */
import { ContractError } from '../errors.js'
import { type PreparedBlock, releaseColumns } from '../text/block.js'

/** What a block's end must know when it is committed: known at three places, needed together at the sink. */
export interface BlockFacts {
  readonly split: string
  /** Where reading goes on behind the block; known at the source. */
  readonly cursor: unknown
  /** State of the inputs at that block; set by the source. */
  readonly reads: { readonly ended: readonly unknown[]; readonly open: readonly unknown[] }
  /** Documents read, counted by the worker apart from what became of them. */
  documents: number
  /** Its columns, which its records read from until the last of them is out; null before it is prepared. */
  prepared: PreparedBlock | null
  /** Length of the dedup log with this block; known once its duplicates are decided. */
  dedupLogBytes: number
  /** Whether a cut ends here; known at dedup, before any reply. */
  endsCut: boolean
}

/** Facts of the blocks on the way, by block number; deleted at the block's end. Bounded by block credit. */
export type BlockLedger = Map<number, BlockFacts>

/** Takes the facts of a block that has ended, and gives its columns' memory back: no record reads from them any more. */
export function takeFacts(blocks: BlockLedger, number: number): BlockFacts {
  const facts = blocks.get(number)
  if (facts === undefined) throw new ContractError(`block ${number} ended twice`)
  blocks.delete(number)
  if (facts.prepared !== null) releaseColumns(facts.prepared)
  return facts
}
