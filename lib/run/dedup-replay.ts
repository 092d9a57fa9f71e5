/**
 * Restores the deduplicator to the last cut if its log lost committed entries: the blocks whose verdicts are missing are
 * read, prepared and deduplicated again, in order. The verdicts depend on the data alone, so no later stage has to run.
 */
import type { OpenedDeduplicator } from '../dedup/deduplicator.js'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { ManifestEntry } from '../sinks/index.js'
import { blocks, type ReadOptions, type Shard } from '../sources/index.js'
import { type Block, type PreparedBlock, releaseColumns } from '../text/block.js'
import { cursorOf } from './committed-cut.js'

interface DedupReplayOptions {
  readonly deduplicator: OpenedDeduplicator
  readonly prepare: (block: Block) => Promise<PreparedBlock>
  readonly shards: readonly Shard[]
  readonly read: ReadOptions
  /** All committed cuts. */
  readonly cuts: readonly ManifestEntry[]
}

/** @throws {CorruptFileError} the log differs from the committed one */
export async function replayDedup({ deduplicator, prepare, shards, read, cuts }: DedupReplayOptions): Promise<void> {
  const committed = cuts.at(-1)
  if (committed === undefined) return
  const before = cuts.findLast((cut) => cut.blocks - 1 <= deduplicator.lastBlock)
  for await (const { block } of blocks(shards, { ...read, shared: true }, before && cursorOf(before))) {
    if (block.number >= committed.blocks) break
    if (block.number <= deduplicator.lastBlock) continue
    const prepared = await prepare(block)
    await deduplicator.decide(prepared, null)
    releaseColumns(prepared)
  }
  await deduplicator.flush()
  if (deduplicator.logBytes === committed.dedupLogBytes) return
  throw new CorruptFileError(
    say`the dedup log is damaged: replaying its blocks gave ${deduplicator.logBytes} bytes,
      ${committed.dedupLogBytes} were committed: rebuild the dataset from the kept replies`,
    { details: { bytes: deduplicator.logBytes, committedBytes: committed.dedupLogBytes } },
  )
}
