/** Credit of a block: the memory that it takes between the source and its release. */
import type { Credit } from '../core/credit.js'
import type { SourceNodeOptions } from '../core/flow-nodes.js'
import type { Block } from '../text/block.js'

/**
 * Memory that a block takes per byte: its bytes, its columns, and the rows made from it. Measured: raw text, its
 * UTF-16 string in a prompt, the reply and the row, each about once.
 */
const expansionMax = 4

/** Charges each block to `credit`, in bytes. */
export function blockCredit(credit: Credit): NonNullable<SourceNodeOptions<Block>['credit']> {
  return { from: credit, amount: (block) => Math.max(1, block.bytes.byteLength * expansionMax) }
}
