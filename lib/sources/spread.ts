/** Where the samplers of a source look: entries spread over a list, and the footer of a Parquet shard. */
import type { ParquetFile } from '../parquet/parquet-file.js'
import type { Shard } from './shard.js'

/** Decompressed bytes that are read of the start of a shard without places to start from. */
export const headBytesMax = 4 * 1024 * 1024

/** Takes the middle of each distance. */
const middle = (): number => 0.5

/**
 * Returns `count` entries at equal distances over the list; an entry more than once if the list is shorter.
 *
 * @param within place in each distance, from 0 to below 1; the middle by default
 */
export function spreadOver<T>(all: readonly T[], count: number, within = middle): T[] {
  return Array.from({ length: count }, (_, place) => all[Math.floor(((place + within()) * all.length) / count)] as T)
}

/** Opens a Parquet shard of known size. Loads the reader. */
export async function openParquet(shard: Shard, sizeBytes: number, signal: AbortSignal): Promise<ParquetFile> {
  const { ParquetFile } = await import('../parquet/parquet-file.js')
  return ParquetFile.open({ sizeBytes, read: (offset, length) => shard.read(offset, length, signal) })
}
