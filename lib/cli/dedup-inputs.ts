/**
 * Inputs of `kun-stream dedup`: files and globs in the given order under the given names, standard input, or the Hub.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Source } from '../core/graph.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { blockSource, hubSource } from '../sources/block-sources.js'
import { storedBytesOf } from '../sources/blocks.js'
import { localShards, stdinShard } from '../sources/local-shards.js'
import { mappingOf } from '../sources/presets.js'
import type { Shard } from '../sources/shard.js'
import type { Block } from '../text/block.js'
import type { FieldMapping } from '../text/mapping.js'
import { sayOnStderr } from './terminal/output.js'

const split = 'dedup'
/** Bytes of one record; a longer one is unreadable. */
const recordBytesMax = 256 * 1024 * 1024

export interface DedupInputFlags {
  readonly text: string
  readonly id?: string
  readonly hub?: string
  readonly files: readonly string[]
  readonly revision: string
  readonly hubUrl?: string
  readonly token?: string
}

/**
 * Returns the source that the arguments name, and its bytes if they are known. Records are read with all their fields, because they are written
 * unchanged.
 *
 * @param shared blocks in shared memory, which the caller releases
 * @throws {UsageError} they name two sources, or none
 * @throws {SourceNotFoundError} an argument matches no readable file
 */
export async function dedupSource(
  args: readonly string[],
  flags: DedupInputFlags,
  shared = false,
): Promise<{ readonly source: Source<Block>; readonly storedBytes: number | null }> {
  const { text, id, hub, files, revision, hubUrl, token } = flags
  const options = { split, text, id, recordBytesMax, allColumns: true, shared }
  if (hub !== undefined) {
    if (args.length > 0) throw new UsageError(say`--hub and ${args.join(' ')} are two sources: give one`)
    if (files.length === 0)
      throw new UsageError(say`--hub ${hub} needs --files GLOB: kun-stream hub ls ${hub} lists them`)
    const source = hubSource({ ...options, repo: hub, files, revision, token, hubUrl, onEvent: sayOnStderr })
    return { source, storedBytes: null }
  }
  if (files.length > 0) throw new UsageError(say`--files requires --hub: files on disk are arguments`)
  const shards = await dedupInputs(args, mappingOf(options), process.stdin)
  return { source: blockSource(options, async () => ({ shards })), storedBytes: storedBytesOf(shards) }
}

/**
 * Lists the shards of all arguments; '-', or no argument, is standard input. Unlike a run, which sorts them, the order is
 * that of the arguments: of two equal records the first one is kept.
 */
async function dedupInputs(args: readonly string[], mapping: FieldMapping, stdin: Readable): Promise<Shard[]> {
  const shards: Shard[] = []
  for (const arg of args.length === 0 ? ['-'] : args) {
    if (arg === '-') shards.push(stdinShard({ split, mapping, input: stdin }))
    else if (await isPipe(arg))
      shards.push({ ...stdinShard({ split, mapping, input: createReadStream(arg) }), path: arg })
    else shards.push(...(await filesOf(arg, mapping)))
  }
  return shards
}

async function filesOf(glob: string, mapping: FieldMapping): Promise<Shard[]> {
  const shards = await localShards({ split, root: process.cwd(), files: [glob], mapping })
  const directory = /^(?:[^*?[{]*\/)?/.exec(glob)?.[0] ?? ''
  return shards.map((shard) => ({ ...shard, path: `${directory}${shard.path}` }))
}

/** Returns whether the path is a named pipe, as the shell makes for `<(command)`. */
async function isPipe(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null) // localShards reports what is wrong with the path
  return stats?.isFIFO() ?? false
}
