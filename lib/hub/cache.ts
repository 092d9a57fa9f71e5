/** Shards of the Hub kept whole on disk: for who reads a source often. A download that broke off goes on where it was. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { HubAccessError, ShardChangedError } from '../errors.js'
import { nodeFiles, storageError } from '../storage/files.js'
import type { RangedFile } from '../storage/ranged-file.js'

/**
 * The same shard, downloaded to `directory` at its first use and read from there.
 *
 * @throws {HubAccessError} the Hub lists the shard under a path that leads out of the directory
 */
export function cachedFile(remote: RangedFile, directory: string, repo: string, sha256: string | null): RangedFile {
  const commit = remote.version?.split(' ')[0] ?? 'unknown'
  const path = resolve(directory, join(...repo.split('/'), commit, ...remote.path.split('/')))
  if (!path.startsWith(resolve(directory) + sep)) {
    throw new HubAccessError(
      `${repo} lists ${JSON.stringify(remote.path)} at ${JSON.stringify(commit)}, which leads out of the cache ${directory}: ` +
        'leave cache out for this dataset, if you trust it at all',
    )
  }
  let download: Promise<void> | null = null

  async function stored(signal: AbortSignal): Promise<void> {
    download ??= fetchOnce(remote, path, sha256, signal)
    try {
      await download
    } catch (error) {
      download = null
      throw error
    }
  }

  return {
    path: remote.path,
    sizeBytes: remote.sizeBytes,
    version: remote.version,
    async *open(offset, signal) {
      await stored(signal)
      yield* createReadStream(path, { start: offset, highWaterMark: 256 * 1024, signal }) as AsyncIterable<Uint8Array>
    },
    async read(offset, lengthBytes, signal) {
      await stored(signal)
      const file = await open(path)
      try {
        const bytes = new Uint8Array(lengthBytes)
        const { bytesRead } = await file.read(bytes, 0, lengthBytes, offset)
        if (bytesRead !== lengthBytes) throw new ShardChangedError(`${path} is too short: delete it and run again`)
        return bytes
      } finally {
        await file.close()
      }
    },
  }
}

async function fetchOnce(remote: RangedFile, path: string, sha256: string | null, signal: AbortSignal): Promise<void> {
  if ((await sizeOf(path)) === remote.sizeBytes) return
  await nodeFiles.makeDirectory(dirname(path))
  const part = `${path}.part`
  const have = Math.min((await sizeOf(part)) ?? 0, remote.sizeBytes ?? 0)
  // A shard that is read from its start checks itself.
  const hash = have > 0 && sha256 !== null ? createHash('sha256') : null
  if (hash !== null) for await (const piece of createReadStream(part, { end: have - 1 })) hash.update(piece as Buffer)
  try {
    await fetchFrom(remote, part, have, hash, signal)
    if (hash !== null && hash.digest('hex') !== sha256) {
      throw new ShardChangedError(`${path} was received with another sha256 than the Hub lists: run again`)
    }
  } catch (error) {
    if (error instanceof ShardChangedError) await rm(part, { force: true })
    throw error
  }
  await rename(part, path)
}

async function fetchFrom(
  remote: RangedFile,
  part: string,
  have: number,
  hash: Hash | null,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(part, have > 0 ? 'r+' : 'w')
  try {
    let at = have
    for await (const piece of remote.open(have, signal)) {
      hash?.update(piece)
      await file.write(piece, 0, piece.length, at).catch((cause: unknown) => {
        throw storageError('write', part, cause)
      })
      at += piece.length
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
