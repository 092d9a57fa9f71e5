/** The facts of a dataset card, read from the run directory and the footers of its Parquet files. Writes nothing. */
import { join } from 'node:path'
import { z } from 'zod'
import { dictionarySchema } from '../core/dictionary.js'
import { rowFiguresSchema } from '../kun/row-figures.js'
import { type Feature, featuresOf } from '../parquet/features.js'
import { LocalPart } from '../parquet/part-reader.js'
import type { CutFile } from '../parquet/part-writer.js'
import { mustBeCommitted, readManifest, readRunRecord } from '../sinks/index.js'

export interface SplitFacts {
  readonly name: string
  readonly rows: number
  /** Uncompressed. */
  readonly bytes: number
}

interface SourceFacts {
  readonly split: string
  /** Name of the source in rows: that of the recipe, else the split. */
  readonly name: string
  /** `owner/name`; null for local files. */
  readonly hub: string | null
  /** Commit of the dataset on the Hub: 40 hexadecimal digits. */
  readonly commit: string | null
  readonly shards: number
  readonly bytes: number
}

const figures = z.object({
  in: z.number(),
  out: z.number(),
  dropped: dictionarySchema(z.number()),
  failed: z.number(),
})
const countersSchema = dictionarySchema(
  z.object({ rows: z.number(), stages: dictionarySchema(figures), figures: rowFiguresSchema.optional() }),
)

const shardSchema = z.object({
  split: z.string(),
  source: z.string().optional(),
  path: z.string(),
  sizeBytes: z.number().nullable(),
  removed: z.boolean().default(false),
  content: z.string().nullable(),
})

/** Split → rows, for each stage the items in, out, and dropped by reason, and what the rows are like. */
export type FunnelCounters = z.output<typeof countersSchema>

export interface CardFacts {
  readonly features: readonly Feature[]
  readonly samples: readonly { readonly split: string; readonly row: Readonly<Record<string, unknown>> }[]
  /** Null if the manifest has none, or has them in another format. */
  readonly counters: FunnelCounters | null
  /** The sources, sorted by split and name; empty without a run.json. */
  readonly sources: readonly SourceFacts[]
  /** True if the built-in extractive writer was used in place of a model. */
  readonly extractive: boolean
  /** Values that determine the rows: recipe, shards, versions. Null without a run.json. */
  readonly pinned: Readonly<Record<string, unknown>> | null
}

const samplesPerSplit = 2

export async function readCardFacts(directory: string): Promise<CardFacts> {
  const entries = await readManifest(directory)
  const firstOf = new Map<string, CutFile>()
  for (const { files } of entries) {
    for (const part of files)
      if (part.split !== null && part.rows > 0 && !firstOf.has(part.split)) firstOf.set(part.split, part)
  }
  const samples: { split: string; row: Record<string, unknown> }[] = []
  let features: Feature[] = []
  for (const [split, part] of [...firstOf].sort(([a], [b]) => (a < b ? -1 : 1))) {
    await mustBeCommitted(directory, part)
    const first = await firstRows(join(directory, part.path))
    if (features.length === 0) features = first.features
    for (const row of first.rows) samples.push({ split, row })
  }
  const run = (await readRunRecord(directory)) ?? undefined
  // Not stats.json, which holds the same counters but has no checksum.
  const stats = countersSchema.safeParse(entries.at(-1)?.counters)
  const record = runSchema.safeParse(run)
  const pinned = record.success ? record.data.pinned : null
  return {
    features,
    samples,
    counters: stats.success && Object.keys(stats.data).length > 0 ? stats.data : null,
    sources: record.success ? sourcesOf(record.data) : [],
    extractive: samples.some(({ row }) => String(row.model ?? '').includes('builtin-extractive')),
    pinned,
  }
}

const record = z.record(z.string(), z.unknown())
const runSchema = z.object({ pinned: record, free: record.default({}) })

/** A shard's content is pinned, on the Hub as `commit oid`. The dataset's name does not alter the output and is in `free`. */
function sourcesOf({ pinned, free }: z.output<typeof runSchema>): SourceFacts[] {
  const shards = z.array(shardSchema).safeParse(pinned.shards)
  const facts = new Map<string, SourceFacts>()
  for (const { split, name = split, hub = null } of [pinned, free].flatMap(({ recipe }) => sourcesIn(recipe))) {
    const before = facts.get(name) ?? { split, name, hub, commit: null, shards: 0, bytes: 0 }
    facts.set(name, { ...before, hub: hub ?? before.hub })
  }
  for (const { split, source: name = split, sizeBytes, content, removed } of shards.success ? shards.data : []) {
    if (removed) continue
    const before = facts.get(name) ?? { split, name, hub: null, commit: null, shards: 0, bytes: 0 }
    const commit = /^([0-9a-f]{40}) /.exec(content ?? '')?.[1] ?? before.commit
    facts.set(name, { ...before, commit, shards: before.shards + 1, bytes: before.bytes + (sizeBytes ?? 0) })
  }
  return [...facts.values()].filter(({ hub, shards }) => hub !== null || shards > 0).sort(bySplitAndName)
}

function bySplitAndName(a: SourceFacts, b: SourceFacts): number {
  if (a.split !== b.split) return a.split < b.split ? -1 : 1
  return a.name < b.name ? -1 : 1
}

const sourceSchema = z.object({ split: z.string(), name: z.string().optional(), hub: z.string().optional() })
const recipeSchema = z.object({ sources: z.array(sourceSchema) })

function sourcesIn(recipe: unknown): z.output<typeof sourceSchema>[] {
  return recipeSchema.safeParse(recipe).data?.sources ?? []
}

async function firstRows(path: string): Promise<{ features: Feature[]; rows: Record<string, unknown>[] }> {
  const part = await LocalPart.open(path)
  try {
    return { features: featuresOf(part.metadata), rows: await part.read(0, Math.min(samplesPerSplit, part.rows)) }
  } finally {
    await part.close()
  }
}
