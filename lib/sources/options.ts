/** How shards are cut and in which order they are read. Everything here alters the order or the ids of the output. */
import { z } from 'zod'

export const sourceOptions = z.strictObject({
  /** Decompressed bytes of a block, about: it ends with the first record that ends at or past this size. */
  blockBytes: z
    .int()
    .min(1)
    .max(256 * 1024 * 1024)
    .default(1024 * 1024),
  /** Bytes of one record; a longer one is refused while scanning, without being held whole. */
  recordBytesMax: z
    .int()
    .min(1)
    .max(512 * 1024 * 1024)
    .default(16 * 1024 * 1024),
  /** Shards read side by side, a block from each in turn. Corpora are sorted by category or date: this mixes them. */
  shardsOpenMax: z.int().min(1).max(64).default(4),
  /** 'interleaved' takes turns between open shards; 'in-order' reads one shard after the other. */
  order: z.enum(['interleaved', 'in-order']).default('interleaved'),
  /** Time to decode a row group, reading not counted: a damaged one can keep a decoder busy for ever. */
  decodeMsMax: z.int().min(1).max(86_400_000).default(300_000),
  /** Stored bytes of a row group of the mapped columns, and bytes that one range of its rows decodes to. */
  decodeBytesMax: z
    .int()
    .min(1024 * 1024)
    .max(2 ** 31)
    .default(512 * 1024 * 1024),
  /**
   * Window of a zstd frame, which its decoder holds in memory, one a shard that is open. The default is the zstd
   * command's own; `zstd --long=31` needs 2 GiB.
   */
  zstdWindowBytesMax: z
    .int()
    .min(1024)
    .max(2 ** 31)
    .default(128 * 1024 * 1024),
})

/** How shards are cut and ordered, defaults filled in. Bytes are decompressed ones. */
export type SourceOptions = z.infer<typeof sourceOptions>
