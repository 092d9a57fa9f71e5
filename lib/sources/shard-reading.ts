/**
 * Reads a shard whose content is not pinned beforehand, and hashes the bytes, so that a later run can check that the
 * file is unchanged. The committed state is in the manifest.
 */
import { mapConcurrent } from '../core/concurrent.js'
import { RunMismatchError } from '../errors.js'
import { say } from '../language/say.js'
import { ContentHash, type ContentRead } from './content-hash.js'
import type { Shard } from './shard.js'

/** State of one shard after the committed blocks. JSON-safe. */
export interface ShardRead {
  /** Index in the list of shards. */
  readonly shard: number
  /** Absent if nothing was read (a reject), or if `version` pins the content. */
  readonly read?: ContentRead
  /** The shard gave only rejects. */
  readonly rejected?: true
}

interface ShardReading {
  /** The shard to read; its bytes are hashed as they are read. */
  readonly shard: Shard
  /** Resolves when the bytes of all blocks so far are hashed; null if they are. */
  settled(): Promise<void> | null
  /** What was read so far; undefined if it is not hashed. */
  read(): ContentRead | undefined
}

/**
 * @param from state of an earlier read; null at the start of the shard; undefined if unknown: then nothing is hashed
 */
export function readingOf(shard: Shard, from: ContentRead | null | undefined): ShardReading {
  const { stamp } = shard
  if (stamp === undefined || from === undefined) return { shard, settled: () => null, read: () => undefined }
  let hash: ContentHash | null = null
  /** For Parquet, whose ranges are read in any order: a separate pass that hashes the whole file. */
  let whole: Promise<void> | null = null
  let wholeDone = false

  async function begin(signal: AbortSignal): Promise<ContentHash> {
    hash ??=
      from === null || from === undefined
        ? await ContentHash.create()
        : await ContentHash.resume(from, (offset, lengthBytes) => shard.read(offset, lengthBytes, signal))
    return hash
  }

  async function hashWhole(signal: AbortSignal): Promise<void> {
    const target = await begin(signal)
    let offset = target.bytes
    for await (const chunk of shard.open(offset, signal)) {
      target.update(offset, chunk)
      offset += chunk.byteLength
    }
    wholeDone = true
  }

  return {
    shard: {
      ...shard,
      async *open(offset, signal, target) {
        const content = await begin(signal)
        let at = offset
        for await (const chunk of shard.open(offset, signal, target)) {
          if (whole === null) content.update(at, chunk)
          at += chunk.byteLength
          yield chunk
        }
      },
      async read(offset, lengthBytes, signal) {
        whole ??= hashWhole(signal)
        // A failure is thrown where it is awaited.
        whole.catch(() => undefined)
        return shard.read(offset, lengthBytes, signal)
      },
    },
    settled: () => (wholeDone ? null : whole),
    read: () => hash?.read(stamp.call(shard)) ?? from ?? undefined,
  }
}

/** Files compared at the same time. */
const comparedMax = 4

/**
 * Compares the shards that committed blocks were read from with the files now. If size, times and inode are equal, the
 * content is not read again.
 *
 * @throws {RunMismatchError} a file was changed since: the message names it
 */
export async function checkReads(
  shards: readonly Shard[],
  reads: readonly ShardRead[],
  onEvent: (message: string) => void = () => undefined,
): Promise<void> {
  const doubtful = reads.filter(({ shard, read }) => {
    const stamp = shards[shard]?.stamp?.()
    return read !== undefined && stamp !== undefined && (stamp === null || stamp !== read.stamp)
  })
  if (doubtful.length === 0) return
  const bytes = doubtful.reduce((sum, { read }) => sum + (read?.bytes ?? 0), 0)
  onEvent(
    `comparing ${doubtful.length} input files with what was read of them, ${bytes} bytes: their times of change differ`,
  )
  const { signal } = new AbortController()
  await mapConcurrent(doubtful, comparedMax, async ({ shard: index, read }) => {
    const shard = shards[index] as Shard
    if (read === undefined || (await isSame(shard, read, signal))) return
    throw new RunMismatchError(
      say`${shard.path} (${shard.split}) was changed since ${read.bytes} bytes of it were read: rows of two
        inputs would be in one dataset. Restore the file, use another directory, or delete this one to start over:
        \`run --fresh --force\` keeps the replies.`,
      { details: { shard: shard.path, split: shard.split, bytes: read.bytes } },
    )
  })
}

async function isSame(shard: Shard, read: ContentRead, signal: AbortSignal): Promise<boolean> {
  if (shard.sizeBytes === null || shard.sizeBytes < read.bytes) return false
  const hash = await ContentHash.create()
  for await (const chunk of shard.open(0, signal)) {
    hash.update(hash.bytes, chunk.subarray(0, read.bytes - hash.bytes))
    if (hash.bytes === read.bytes) break
  }
  return hash.matches(read)
}
