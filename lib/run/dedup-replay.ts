/**
 * Brings deduplication back to where the last cut left it, when its log lost what was committed (a disk that lied, a
 * file that was damaged): the blocks whose verdicts are gone are read, prepared and decided once more, in order. What
 * they were is given by the data alone, so that nothing else has to be done again.
 */
import type { OpenedDeduplicator } from '../dedup/deduplicator.js'
import { CorruptFileError } from '../errors.js'
import type { ManifestEntry } from '../sinks/index.js'
import { blocks, type SourceCursor } from '../sources/index.js'
import { type Block, type PreparedBlock, releaseColumns } from '../text/block.js'
import type { KunSettings } from './settings.js'
import { splitIntoRecords } from './stages/dedup.js'

export interface DedupReplayOptions {
  readonly deduplicator: OpenedDeduplicator
  readonly prepare: (block: Block) => Promise<PreparedBlock>
  readonly settings: Pick<KunSettings, 'shards' | 'read'>
  /** All that are committed, at least one. */
  readonly cuts: readonly ManifestEntry[]
}

/** @throws {CorruptFileError} what the blocks come to is not what was committed */
export async function replayDedup({ deduplicator, prepare, settings, cuts }: DedupReplayOptions): Promise<void> {
  const committed = cuts.at(-1) as ManifestEntry
  const before = cuts.findLast((cut) => cut.blocks - 1 <= deduplicator.lastBlock)
  const from = before?.cursor as SourceCursor | undefined
  for await (const { block } of blocks(settings.shards, { ...settings.read, shared: true }, from)) {
    if (block.number >= committed.blocks) break
    if (block.number <= deduplicator.lastBlock) continue
    const prepared = await prepare(block)
    await splitIntoRecords(prepared, deduplicator)
    releaseColumns(prepared)
  }
  await deduplicator.flush()
  if (deduplicator.logBytes === committed.dedupLogBytes) return
  throw new CorruptFileError(
    `the dedup log was damaged, and ${deduplicator.logBytes} bytes came of deciding its blocks again, where ` +
      `${committed.dedupLogBytes} were committed: build the dataset anew from the kept replies`,
    { details: { bytes: deduplicator.logBytes, committedBytes: committed.dedupLogBytes } },
  )
}
