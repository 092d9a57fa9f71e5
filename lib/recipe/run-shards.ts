/** Lists the parts of an earlier run as shards, for a round that starts from its texts. */

import { basename, resolve } from 'node:path'
import { SourceNotFoundError } from '../errors.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import { mustBeCommitted, readManifest } from '../sinks/index.js'
import { compilePatterns, isSelected } from '../sources/globs.js'
import { localShards, type Shard } from '../sources/index.js'
import type { FieldMapping } from '../text/mapping.js'

/** Options for `runShards`. */
interface RunShardsOptions {
  /** The run directory. */
  readonly run: string
  /** Globs on the paths of parts; one that begins with `!` excludes. */
  readonly files: readonly string[]
  readonly split: string
  readonly mapping: FieldMapping
}

/**
 * Returns the committed parts that match. Other files in the folders of the run are ignored, and each part is compared
 * with its sha256 in the manifest, which reads it.
 *
 * @throws {SourceNotFoundError} no committed part matches
 * @throws {CorruptFileError} a part is not the one that was committed
 */
export async function runShards({ run, files, split, mapping }: RunShardsOptions): Promise<Shard[]> {
  const patterns = compilePatterns(files, resolve(run))
  const committed = (await readManifest(run)).flatMap((cut) => cut.files)
  const parts = committed.filter(({ path }) => isSelected(resolve(run, path), patterns))
  if (parts.length === 0) {
    const found = committed.length === 0 ? 'nothing is committed there' : `it has ${committed[0]?.path}, …`
    throw new SourceNotFoundError(say`no committed part of the run ${run} matches ${listText(files)}: ${found}`)
  }
  for (const part of parts) await mustBeCommitted(run, part)
  const paths = new Map(parts.map(({ path }) => [basename(path), path]))
  const shards = await localShards({ split, root: run, files: [...paths.values()], mapping })
  // Paths as in the manifest, whichever parts match: the file names in both folders differ.
  return shards.map((shard) => ({ ...shard, path: paths.get(basename(shard.path)) ?? shard.path }))
}
