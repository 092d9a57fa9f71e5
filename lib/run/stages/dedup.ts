/**
 * Splits prepared blocks into records, in input order: candidates for the next stage, and rejected documents, rejected
 * chunks and duplicates, which are dropped here. Drops keep their position, so that rejects are written in input order.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { z } from 'zod'
import { Child, type Outcome, type Stage } from '../../core/types.js'
import { dedupOptions, openDeduplicator } from '../../dedup/index.js'
import type { Deduplicator, Duplicate } from '../../dedup/types.js'
import { closeAll } from '../../storage/close-all.js'
import type { PreparedBlock, PrepareReject } from '../../text/block.js'
import { dedupThreadCount } from '../../workers/thread-counts.js'
import { ChunkCandidate, Rejected } from '../records.js'

/** A stage from prepared blocks to candidates. */
export type RecordStage = Stage<PreparedBlock, ChunkCandidate, ChunkCandidate | Rejected>

/** Options for `dedup`; all optional. */
export interface DedupStageOptions extends z.input<typeof dedupOptions> {
  /** Directory of the index log, from which a later graph resumes; a temporary folder by default. */
  readonly directory?: string
  /** Threads, 0 (the calling one) to 34; 'auto', the default, goes by the cores. Verdicts do not depend on it. */
  readonly threads?: number | 'auto'
}

/**
 * Drops duplicates: of several equal or nearly equal chunks the earliest is kept.
 *
 * Shape: PreparedBlock → ChunkCandidate[]. All blocks must come from `prepare` with the same `near`.
 */
export function dedup({ directory, threads, ...options }: DedupStageOptions = {}): RecordStage {
  const parsed = dedupOptions.parse({ index: 'exact', ...options })
  let deduplicator: Promise<Deduplicator> | null = null
  let temporary: string | null = null
  const open = async (): Promise<Deduplicator> => {
    if (directory === undefined) temporary = await mkdtemp(join(tmpdir(), 'kun-stream-dedup-'))
    return openDeduplicator({
      options: parsed,
      directory: directory ?? (temporary as string),
      threads: dedupThreadCount(threads),
    })
  }
  return {
    ...recordStage('dedup', blocksDecidedMax, async (block) => {
      deduplicator ??= open()
      return splitIntoRecords(block, await deduplicator)
    }),
    close: () =>
      closeAll([
        async () => (await deduplicator?.catch(() => null))?.close(), // a failed opening was thrown by `process`
        async () => {
          if (temporary !== null) await rm(temporary, { recursive: true, force: true })
        },
      ]),
  }
}

/** Splits prepared blocks into candidates without looking for duplicates. */
export function chunks(): RecordStage {
  return recordStage('chunks', 1, async (block) => splitIntoRecords(block, null))
}

/** Returns the dedup stage for a deduplicator that the caller opens and closes. */
export function dedupStage(
  deduplicator: Deduplicator,
  onDecided: (block: PreparedBlock, records: BlockRecords) => void,
): RecordStage {
  return recordStage('dedup', blocksDecidedMax, async (block) => {
    const records = await splitIntoRecords(block, deduplicator)
    onDecided(block, records)
    return records
  })
}

/**
 * Blocks at the deduplicator: one whose frames are encoded, one that is decided, one that is searched for, and one that
 * waits, so that no thread need.
 */
export const blocksDecidedMax = 4

/** Processes blocks in input order: whether a chunk is a duplicate depends on all chunks before it. */
function recordStage(
  name: string,
  inFlightMax: number,
  split: (block: PreparedBlock) => Promise<BlockRecords>,
): RecordStage {
  return {
    name,
    unit: 'record',
    ordered: true,
    inFlightMax,
    process: async (blocks) => {
      const outcomes: Outcome<ChunkCandidate, ChunkCandidate | Rejected>[] = []
      for (const block of blocks) {
        const { records } = await split(block)
        outcomes.push(records.length > 0 ? { emit: records } : { drop: 'empty-block' })
      }
      return outcomes
    },
  }
}

interface BlockRecords {
  readonly records: readonly (ChunkCandidate | Child<ChunkCandidate | Rejected>)[]
  /** Number of chunks kept. The end of a cut depends on it. */
  readonly candidates: number
  /** Length of the dedup log including this block. */
  readonly logBytes: number
}

/** Returns the records of a block in input order, one per chunk and one per reject. Advances the deduplicator. */
async function splitIntoRecords(block: PreparedBlock, deduplicator: Deduplicator | null): Promise<BlockRecords> {
  const { chunks, rejects } = block
  const { verdicts, logBytes } =
    deduplicator === null ? { verdicts: [], logBytes: 0 } : await deduplicator.decide(block, null)
  const records: (ChunkCandidate | Child<ChunkCandidate | Rejected>)[] = []
  let candidates = 0
  let nextReject = 0
  for (let row = 0; row < chunks.rows; row++) {
    while (nextReject < rejects.length && comesBefore(rejects[nextReject] as PrepareReject, block, row)) {
      records.push(rejectChild(block, rejects[nextReject++] as PrepareReject))
    }
    const duplicate = verdicts[row] ?? null
    const candidate = new ChunkCandidate(block, row, duplicate)
    if (duplicate === null) {
      candidates++
      records.push(candidate)
    } else {
      records.push(new Child(candidate, { drop: duplicate.reason, detail: describe(duplicate) }))
    }
  }
  while (nextReject < rejects.length) records.push(rejectChild(block, rejects[nextReject++] as PrepareReject))
  return { records, candidates, logBytes }
}

function comesBefore(reject: PrepareReject, { chunks }: PreparedBlock, row: number): boolean {
  const document = chunks.document[row] as number
  if (reject.document !== document) return reject.document < document
  return (reject.chunk ?? -1) < (chunks.chunk[row] as number)
}

function rejectChild({ split, shard }: PreparedBlock, reject: PrepareReject): Child<Rejected> {
  return new Child(new Rejected(split, shard, reject), { drop: reject.reason, detail: reject.detail })
}

function describe({ of, similarity }: Duplicate): string {
  const estimate = Number.isNaN(similarity) ? '' : ` at similarity ${similarity.toFixed(3)}`
  return of === '' ? `seen before${estimate}` : `duplicate of ${of}${estimate}`
}
