/** Keeps one chunk of each sampled record, so that a sample of 20 records makes at most 20 candidates. */
import { seededRandom } from '../core/random.js'
import { type Block, type PreparedBlock, releaseColumns } from '../text/block.js'
import { takeRows } from '../text/columns.js'

/** Returns `prepare`, which leaves one chunk in each block; `seed` and the place of the block decide which one. */
export function withOneChunk(
  prepare: (block: Block) => Promise<PreparedBlock>,
  seed: number,
): (block: Block) => Promise<PreparedBlock> {
  return async (block) => {
    const prepared = await prepare(block)
    const { rows } = prepared.chunks
    if (rows <= 1) return prepared
    const chunks = takeRows(prepared.chunks, [Math.floor(seededRandom(seed + block.offset)() * rows)])
    releaseColumns(prepared)
    prepared.chunks = chunks
    return prepared
  }
}
