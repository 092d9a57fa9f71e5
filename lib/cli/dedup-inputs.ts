/** Inputs of `kun-stream dedup`: files and globs in the order given, named in messages as they were given. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { localShards, type Shard, stdinShard } from '../sources/index.js'
import type { FieldMapping } from '../text/mapping.js'

const split = 'dedup'

/**
 * Lists the shards of all arguments; '-', or no argument, is standard input. Unlike a run, which sorts them, the order is
 * that of the arguments: of two equal records the first one stays.
 *
 * @throws {SourceNotFoundError} an argument matches no readable file
 */
export async function dedupInputs(args: readonly string[], mapping: FieldMapping, stdin: Readable): Promise<Shard[]> {
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
