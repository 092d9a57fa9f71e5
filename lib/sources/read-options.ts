/** Options for the size of blocks and the order of shards. All alter the order or the ids of the output. */
import { z } from 'zod'

export const readOptions = z.strictObject({
  blockBytes: z
    .int()
    .min(1)
    .max(256 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('Decompressed bytes of a block: it ends with the first record that reaches this size'),
  recordBytesMax: z
    .int()
    .min(1)
    .max(512 * 1024 * 1024)
    .default(16 * 1024 * 1024)
    .describe('Upper limit of a record; a longer one is rejected while it is read'),
  shardsOpenMax: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('Shards that are read concurrently, one block from each in turn'),
  order: z
    .enum(['interleaved', 'in-order'])
    .default('interleaved')
    .describe('interleaved mixes shards of a corpus that is sorted by category; in-order reads one after the other'),
  // Without the time of reads: a damaged row group can make a decoder loop forever.
  decodeMsMax: z
    .int()
    .min(1)
    .max(86_400_000)
    .default(300_000)
    .describe('Time limit to decode a row group of Parquet; after it the rest of the shard counts as corrupt'),
  decodeBytesMax: z
    .int()
    .min(1024 * 1024)
    .max(2 ** 31)
    .default(512 * 1024 * 1024)
    .describe('Bytes of Parquet that are read and decoded together; rows that take more are rejected'),
  // The default is that of the zstd command.
  zstdWindowBytesMax: z
    .int()
    .min(1024)
    .max(2 ** 31)
    .default(128 * 1024 * 1024)
    .describe('Window of a zstd frame, held in memory per open shard; 2GiB for shards made with zstd --long=31'),
})

/** Options for reading shards, defaults filled in. Sizes are decompressed bytes. */
export type ReadOptions = z.infer<typeof readOptions>
