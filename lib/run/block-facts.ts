/**
 * Facts of the blocks in flight, collected from source, worker and dedup until the cut that a block ends is committed.
 */
import { ContractError } from '../errors.js'
import type { Block } from '../text/block.js'
import type { PersonalAccount } from '../text/personal/documents.js'

export interface BlockFacts {
  readonly split: string
  /** Name of the source in rows; the split if absent. */
  readonly source?: string
  readonly shard: string
  /** Cursor from which reading continues after the block. */
  readonly cursor: unknown
  /** State of the inputs at that block. */
  readonly reads: { readonly ended: readonly unknown[]; readonly open: readonly unknown[] }
  /** Documents read; the worker counts them independently of their outcomes. */
  documents: number
  /** Personal data in them; null if none was found. */
  personal: PersonalAccount | null
  /** Length of the dedup log including this block. */
  dedupLogBytes: number
  /** Whether a cut ends here; decided at dedup, before any reply. */
  endsCut: boolean
}

/** Facts by block number, deleted at the block's end. Bounded by block credit. */
export class BlockLedger {
  readonly #facts = new Map<number, BlockFacts>()

  /** Yields the blocks, and stores the source's facts of each. */
  async *register(
    blocks: AsyncIterable<Pick<BlockFacts, 'cursor' | 'reads'> & { readonly block: Block }>,
  ): AsyncGenerator<Block> {
    for await (const { block, cursor, reads } of blocks) {
      const { number, split, source, shard } = block
      const place = { split, ...(source !== undefined && { source }), shard }
      const unknown = { documents: 0, personal: null, dedupLogBytes: 0, endsCut: false }
      this.#facts.set(number, { ...place, cursor, reads, ...unknown })
      yield block
    }
  }

  /** Stores the facts of a block that was prepared earlier. */
  add(number: number, facts: BlockFacts): void {
    this.#facts.set(number, facts)
  }

  /** Adds facts from a stage. */
  set(number: number, found: Partial<BlockFacts>): void {
    Object.assign(this.#of(number), found)
  }

  /** Returns the facts of a block that has ended, and deletes them. */
  take(number: number): BlockFacts {
    const facts = this.#of(number)
    this.#facts.delete(number)
    return facts
  }

  #of(number: number): BlockFacts {
    const facts = this.#facts.get(number)
    if (facts === undefined)
      throw new ContractError(`block ${number} is unknown: it was not registered, or ended twice`)
    return facts
  }
}
