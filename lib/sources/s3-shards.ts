/** Shards in a bucket: the objects that globs match, each pinned by its ETag and size. */

import picomatch from 'picomatch'
import { InvalidOptionError, SourceNotFoundError } from '../errors.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import { isS3Address, parseS3Address } from '../objects/s3/address.js'
import { type ListedObject, listObjects } from '../objects/s3/object-reads.js'
import { S3File } from '../objects/s3/s3-file.js'
import { s3Settings } from '../objects/s3/settings.js'
import { S3Transport } from '../objects/s3/transport.js'
import type { FieldMapping } from '../text/mapping.js'
import type { Shard } from './shard.js'

/** Options for `s3Shards`. */
interface S3ShardsOptions {
  /** s3://bucket/glob, all of one bucket; one that begins with `!` excludes objects. */
  readonly files: readonly string[]
  readonly split: string
  readonly mapping: FieldMapping
  /** A transport that the caller closes; an own one by default, with the settings of the AWS_* variables. */
  readonly transport?: S3Transport | undefined
}

interface S3Shards {
  /** Sorted by key, by code unit; the path of a shard is its key. */
  readonly shards: readonly Shard[]
  /** Closes the transport, unless it was given. */
  close(): Promise<void>
}

/** Whether a glob of a source names objects of a bucket. */
export function isS3Glob(glob: string): boolean {
  return isS3Address(glob.replace(/^!/, ''))
}

/** Returns the bucket of the globs. @throws {InvalidOptionError} they name several, or none, or a local file */
export function bucketOf(files: readonly string[]): string {
  const buckets = new Set(files.map((glob) => parseS3Address(glob.replace(/^!/, '').replace(/[*?{[(].*$/s, '')).bucket))
  const [bucket] = buckets
  if (bucket !== undefined && buckets.size === 1) return bucket
  throw new InvalidOptionError(
    say`a source reads one bucket, found ${listText([...buckets])}: write a source for each, with a name`,
  )
}

/**
 * Lists the shards of a source in a bucket.
 *
 * @throws {SourceNotFoundError} no object matches
 * @throws {StoreAccessError} the bucket refuses, or does not exist
 */
export async function s3Shards(options: S3ShardsOptions): Promise<S3Shards> {
  const { files, split, mapping } = options
  const bucket = bucketOf(files)
  const transport = options.transport ?? new S3Transport(bucket, s3Settings(), { renewed: s3Settings })
  const close = async () => {
    if (options.transport === undefined) await transport.close()
  }
  const objects = await matching(transport, files)
  const shards = objects.map((object): Shard => {
    const remote = new S3File(transport, object)
    const { path, sizeBytes, version } = remote
    return {
      ...{ split, mapping, path, sizeBytes, version },
      open: (offset, signal) => remote.open(offset, signal),
      read: (offset, lengthBytes, signal) => remote.read(offset, lengthBytes, signal),
    }
  })
  return { shards, close }
}

/** Shards of a source; a corpus has thousands. */
const shardsMax = 1_000_000

async function matching(transport: S3Transport, files: readonly string[]): Promise<ListedObject[]> {
  const globs = files.filter((glob) => !glob.startsWith('!')).map(keyGlob)
  const ignore = files.filter((glob) => glob.startsWith('!')).map((glob) => keyGlob(glob.slice(1)))
  const found = new Map<string, ListedObject>()
  for (const glob of globs) {
    const matches = picomatch(glob, { ignore })
    let [listed, matched] = [0, 0]
    for await (const object of listObjects(transport, glob.replace(/[\\*?{}[\]()!+@|].*$/s, ''))) {
      listed++
      // A key that ends with '/' stands for a folder.
      if (object.key.endsWith('/') || !matches(object.key)) continue
      matched++
      found.set(object.key, object)
      if (found.size > shardsMax) {
        throw new InvalidOptionError(say`more than ${shardsMax} objects match ${files.join(' ')}: divide the source`)
      }
    }
    if (matched === 0) {
      throw new SourceNotFoundError(
        say`no object matches s3://${transport.bucket}/${glob} (of ${listed} listed): check the path, for example
          s3://bucket/corpus/**/*.jsonl.zst`,
      )
    }
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** 's3://bucket/a/*.zst' → 'a/*.zst' */
function keyGlob(glob: string): string {
  return glob.replace(/^s3:\/\/[^/]*\/*/i, '')
}
