/** Options of the worker pool; apart from pool.ts, so that a recipe is checked without loading the pool. */
import { z } from 'zod'
import { unpinned } from '../core/option-meta.js'

export const workersOptions = z.strictObject({
  threads: z
    .union([z.int().min(1).max(1024), z.literal('auto')])
    .default('auto')
    .meta(unpinned('Worker threads; auto is one fewer than there are cores, at least one')),
  dedupThreads: z
    .union([z.int().min(0).max(34), z.literal('auto')])
    .default('auto')
    .meta(
      unpinned(
        'Threads for duplicates: 0 is the main one, 1 another, 2 a further one for the log, 3 to 34 divide the tables of the index over those beyond two; auto goes by the cores',
      ),
    ),
  readThread: z
    .union([z.boolean(), z.literal('auto')])
    .default('auto')
    .meta(
      unpinned(
        'Whether files on disk are read, decompressed and hashed in a thread of their own; auto does so from 12 cores on',
      ),
    ),
  // Columns are outside of this heap.
  heapBytesMax: z
    .int()
    .min(32 * 2 ** 20)
    .default(512 * 2 ** 20)
    .meta(unpinned("Old space of a thread's heap; a thread that needs more crashes and its record is rejected")),
  lostRecordsMax: z.int().min(0).default(100).meta(unpinned('Records that may crash a thread before the run stops')),
  blockMsMax: z
    .int()
    .min(1)
    .max(86_400_000)
    .default(60_000)
    .meta(unpinned('Time limit of a thread for a block, then for each record alone, which is rejected after it')),
})

export type WorkersOptions = z.output<typeof workersOptions>
