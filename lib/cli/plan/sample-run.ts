/**
 * Runs a recipe on a sample of records, in a temporary folder: through every stage, with the model servers of the recipe.
 * For `plan --records` and `compare`.
 */
import { Buffer } from 'node:buffer'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openPart, rowsOf } from '../../parquet/part-reader.js'
import type { Recipe } from '../../recipe/index.js'
import { settingsOf } from '../../recipe/run-settings.js'
import type { Counters } from '../../run/accounting.js'
import { startKunRun } from '../../run/run.js'
import { readManifest } from '../../sinks/index.js'
import type { Shard } from '../../sources/index.js'
import { spreadRecords } from '../../sources/spread-records.js'
import { temporaryFolder } from '../temporary-folder.js'

/** Records of one source, as a shard that a run can read. */
export interface SampledSource {
  readonly shard: Shard
  /** Records in the sample. */
  readonly records: number
  /** Records of the whole source, estimated; null if unknown. */
  readonly documents: number | null
  readonly exact: boolean
}

export type CellRow = Readonly<Record<string, unknown>>

/** What became of the sample. */
export interface SampleResult {
  readonly counters: Counters
  readonly rows: readonly CellRow[]
  readonly rejects: readonly CellRow[]
  readonly seconds: number
  /** Received from the servers, prompts not included. */
  readonly tokens: number
  /** Of data/, rejects/ and replies. */
  readonly bytes: number
}

/** Takes `records` records of all sources of a recipe, in proportion to their sizes. */
export async function sampleSources(shards: readonly Shard[], records: number): Promise<SampledSource[]> {
  const groups = new Map<string, Shard[]>()
  for (const shard of shards) {
    const key = JSON.stringify([shard.split, shard.source ?? null])
    groups.set(key, [...(groups.get(key) ?? []), shard])
  }
  const bytesOf = (all: readonly Shard[]) => all.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0)
  const total = Math.max(1, bytesOf(shards))
  const sources: SampledSource[] = []
  for (const all of groups.values()) {
    const first = all[0] as Shard
    const share = Math.max(Math.min(recordsMin, records), Math.round((records * bytesOf(all)) / total))
    const { records: lines, documents, exact } = await spreadRecords(all, share)
    const bytes = Buffer.concat(lines.flatMap((line) => [line, newline]))
    sources.push({ shard: memoryShard(first, bytes, sources.length), records: lines.length, documents, exact })
  }
  return sources
}

/** Records of a small source beside large ones. */
const recordsMin = 5
const newline = Buffer.from('\n')

/** Returns a shard of JSON Lines in memory, with the fields of another shard. */
function memoryShard({ split, source, mapping }: Shard, bytes: Buffer, index: number): Shard {
  return {
    ...{ split, mapping, path: `${source === undefined ? '' : `${source}/`}sample-${index}.jsonl`, format: 'jsonl' },
    ...(source !== undefined && { source }),
    sizeBytes: bytes.length,
    version: 'sample',
    async *open(offset) {
      yield bytes.subarray(offset)
    },
    read: async (offset, lengthBytes) => bytes.subarray(offset, offset + lengthBytes),
  }
}

/**
 * Runs the sample through every stage of a recipe. Nothing of it stays on the disk.
 *
 * @throws the error that stops a run
 */
export async function runSample(
  recipe: Recipe,
  sources: readonly SampledSource[],
  say: (line: string) => void,
): Promise<SampleResult> {
  const folder = temporaryFolder('plan')
  const directory = join(folder.path, 'run')
  try {
    // Sources are not listed again: the sample takes their place.
    const { settings, close } = await settingsOf({ ...recipe, sources: [] }, directory, say)
    try {
      const run = await startKunRun(
        {
          ...settings,
          shards: sources.map(({ shard }) => shard),
          splits: [...new Set(sources.map(({ shard }) => shard.split))],
          drift: false,
          noYield: { recordsMax: null, mayBeEmpty: true },
          limits: {
            rowsMax: Number.POSITIVE_INFINITY,
            tokensMax: Number.POSITIVE_INFINITY,
            hoursMax: Number.POSITIVE_INFINITY,
          },
        },
        { onEvent: say, onWait: say },
      )
      const startedMs = Date.now()
      await run.done
      const { counters, servers } = run.progress()
      const { rows, rejects, bytes } = await written(directory)
      return { counters, rows, rejects, seconds: (Date.now() - startedMs) / 1000, tokens: servers.tokens, bytes }
    } finally {
      await close()
    }
  } finally {
    folder.remove()
  }
}

async function written(directory: string) {
  const rows: CellRow[] = []
  const rejects: CellRow[] = []
  let bytes = await folderBytes(join(directory, 'replies'))
  for (const { path, split, bytes: size } of (await readManifest(directory)).flatMap(({ files }) => files)) {
    bytes += size
    const part = await openPart(join(directory, path))
    try {
      for await (const row of rowsOf(part)) (split === null ? rejects : rows).push(row)
    } finally {
      await part.close()
    }
  }
  return { rows, rejects, bytes }
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []) // a run without any reply has no such folder
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
