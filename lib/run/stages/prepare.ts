/** Prepares blocks in worker threads: decoded, cleaned, filtered, divided into chunks, counted, signed. */
import type { z } from 'zod'
import type { Stage } from '../../core/types.js'
import { dedupOptions } from '../../dedup/index.js'
import { InvalidOptionError } from '../../errors.js'
import { say } from '../../language/say.js'
import { type Block, detachColumns, type PreparedBlock, releaseColumns } from '../../text/block.js'
import { planPreparation, prepareOptions, type SignaturePlan } from '../../text/plan.js'
import type { WorkersOptions } from '../../workers/options.js'
import type { WorkerPool } from '../../workers/pool.js'
import { threadCount } from '../../workers/thread-counts.js'
import { withDecontamination } from '../decontamination/plan.js'

/** Blocks in the pool per thread: one being prepared and one waiting, so that no thread waits for the main one. */
export const blocksPerThread = 2

/** Options for `prepare`; all optional. */
export interface PrepareStageOptions extends z.input<typeof prepareOptions> {
  /** Options of the later dedup stage, which determine how chunks are signed. False: fingerprints only. */
  readonly near?: z.input<typeof dedupOptions>['near']
  readonly workers?: Partial<WorkersOptions>
  /** Reports records that crashed a worker thread. */
  readonly onEvent?: (message: string) => void
  /** Called with each block in the order in which they are finished. */
  readonly onPrepared?: (block: PreparedBlock) => void
}

/** The stage that prepares blocks. */
export interface PrepareStage extends Stage<Block, PreparedBlock> {
  /**
   * Starts the threads before the first block, for a caller that has other things to open meanwhile. `close` must be
   * called even if the stage is then not used.
   */
  readonly start: () => void
}

/**
 * Prepares blocks in a worker pool, which is started with the first block.
 *
 * Shape: Block → PreparedBlock. Its columns are memory that is used again: they are valid until everything made from
 * the block has passed the sink.
 * @throws {RecipeError} in `process`: a filter or the tokenizer cannot be read
 */
export function prepare(options: PrepareStageOptions = {}): PrepareStage {
  const { near = dedupOptions.parse({}).near, workers = {}, onEvent, onPrepared, ...text } = options
  const threads = threadCount(workers.threads)
  let opening: Promise<WorkerPool> | null = null
  const open = async (): Promise<WorkerPool> => {
    const parsed = prepareOptions.parse(text)
    if (parsed.chunk.tokensOf === 'server') {
      throw new InvalidOptionError(say`chunk.tokensOf: server applies to a run only; give the family of the tokenizer`)
    }
    const planned = await planPreparation(parsed, process.cwd(), signaturePlan(near))
    const plan = await withDecontamination(planned, parsed.decontaminate, process.cwd())
    const { workerPool } = await import('../../workers/pool.js')
    return workerPool({ ...workers, threads, plan, ...(onEvent && { onEvent }) })
  }
  const opened = (): Promise<WorkerPool> => {
    opening ??= open()
    return opening
  }
  return {
    ...prepareStage({
      blocksInFlightMax: threads * blocksPerThread,
      prepare: async (block) => (await opened()).prepare(block),
      ...(onPrepared && { onPrepared }),
    }),
    start: () => {
      opened().catch(() => undefined) // reported to the first block
    },
    close: async () => (await opening?.catch(() => null))?.close(), // a failed start was thrown by `process`
  }
}

/** Returns the prepare stage for a pool that the caller opens and closes. */
export function prepareStage({
  blocksInFlightMax,
  prepare,
  onPrepared,
}: {
  readonly blocksInFlightMax: number
  readonly prepare: (block: Block) => Promise<PreparedBlock>
  readonly onPrepared?: (block: PreparedBlock) => void
}): Stage<Block, PreparedBlock> {
  return {
    name: 'prepare',
    inFlightMax: blocksInFlightMax,
    process: async (blocks, { hold }) => {
      const prepared = await Promise.all(blocks.map((block) => prepare(block)))
      return prepared.map((block, index) => {
        if (hold === null) detachColumns(block)
        else hold(index, () => releaseColumns(block))
        onPrepared?.(block)
        return { emit: [block] }
      })
    },
  }
}

/** How chunks are signed when near-duplicates are not looked for: fingerprints only. */
const noSignature: SignaturePlan = { ngram: 5, signatureLength: 0, seed: 1 }

/** Returns how chunks must be signed for near-duplicates to be found with these options. */
export function signaturePlan(near: z.input<typeof dedupOptions>['near']): SignaturePlan {
  const parsed = dedupOptions.parse({ near }).near
  if (parsed === false) return noSignature
  const { ngram, minima, seed } = parsed
  return { ngram, signatureLength: minima, seed }
}
