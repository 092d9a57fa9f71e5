/** Keeps whole shards of the Hub on disk, for sources that are read often. An interrupted download is resumed. */
import { createHash, type Hash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { HubAccessError, ShardChangedError } from '../errors.js'
import { say } from '../language/say.js'
import { nodeFiles, storageError } from '../storage/files.js'
import type { RangedFile } from '../storage/ranged-file.js'

/**
 * Returns the file, downloaded to `directory` at its first use and read from there.
 *
 * @throws {HubAccessError} the path of the file leads out of the directory
 */
export function cachedFile(remote: RangedFile, directory: string, repo: string, sha256: string | null): RangedFile {
  const commit = remote.version?.split(' ')[0] ?? 'unknown'
  const path = resolve(directory, join(...repo.split('/'), commit, ...remote.path.split('/')))
  if (!path.startsWith(resolve(directory) + sep)) {
    throw new HubAccessError(
      say`${repo} lists ${JSON.stringify(remote.path)} at ${JSON.stringify(commit)}, which leads out of the
        cache ${directory}: remove \`cache\` for this dataset, if you trust it`,
    )
  }
  let download: Promise<void> | null = null

  async function downloaded(signal: AbortSignal): Promise<void> {
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
      await downloaded(signal)
      yield* bytesOf(path, offset, signal)
    },
    async read(offset, lengthBytes, signal) {
      await downloaded(signal)
      const file = await nodeFiles.open(path, 'read')
      try {
        const bytes = await file.read(offset, lengthBytes)
        if (bytes.length !== lengthBytes)
          throw new ShardChangedError(say`${path} is too short: delete it and run again`)
        return bytes
      } finally {
        await file.close()
      }
    },
  }
}

const readBytes = 256 * 1024

/** Yields bytes of a file. @throws {StorageError} the disk fails; the shard is not rejected */
async function* bytesOf(
  path: string,
  offset: number,
  signal: AbortSignal,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await nodeFiles.open(path, 'read')
  try {
    for (let at = offset; ; ) {
      signal.throwIfAborted()
      const bytes = await file.read(at, Math.min(readBytes, end - at))
      if (bytes.length === 0) return
      at += bytes.length
      yield bytes
    }
  } finally {
    await file.close()
  }
}

async function fetchOnce(remote: RangedFile, path: string, sha256: string | null, signal: AbortSignal): Promise<void> {
  if ((await nodeFiles.sizeBytes(path)) === remote.sizeBytes) return
  await nodeFiles.makeDirectory(dirname(path))
  const part = `${path}.part`
  const have = Math.min((await nodeFiles.sizeBytes(part)) ?? 0, remote.sizeBytes ?? 0)
  // A download from the start is checked by `open`; only a resumed one is hashed here.
  const hash = have > 0 && sha256 !== null ? createHash('sha256') : null
  if (hash !== null) for await (const chunk of bytesOf(part, 0, signal, have)) hash.update(chunk)
  try {
    await fetchFrom(remote, part, have, hash, signal)
    if (hash !== null && hash.digest('hex') !== sha256) {
      throw new ShardChangedError(say`${path} was received with another sha256 than the Hub lists: run again`)
    }
  } catch (error) {
    if (error instanceof ShardChangedError) await rm(part, { force: true })
    throw error
  }
  await nodeFiles.rename(part, path)
}

async function fetchFrom(
  remote: RangedFile,
  part: string,
  have: number,
  hash: Hash | null,
  signal: AbortSignal,
): Promise<void> {
  const system = async <T>(operation: string, work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (cause) {
      throw storageError(operation, part, cause)
    }
  }
  const file = await system('open', open(part, have > 0 ? 'r+' : 'w'))
  try {
    let at = have
    for await (const chunk of remote.open(have, signal)) {
      hash?.update(chunk)
      await system('write', file.write(chunk, 0, chunk.length, at))
      at += chunk.length
    }
    await system('fsync', file.sync())
  } finally {
    await system('close', file.close())
  }
}
