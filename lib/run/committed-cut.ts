/**
 * State from which a run resumes: the fields of manifest lines that lib/sinks stores without interpreting (source
 * cursor, state of the inputs, counters), checked when they are read.
 */

import { z } from 'zod'
import { dictionarySchema } from '../core/dictionary.js'
import { keysOf } from '../core/objects.js'
import { CorruptFileError } from '../errors.js'
import { rowFiguresSchema } from '../kun/row-figures.js'
import { say } from '../language/say.js'
import type { ManifestEntry } from '../sinks/index.js'
import type { ShardRead, SourceCursor } from '../sources/index.js'
import { manifestName } from '../storage/run-layout.js'
import { personalMasks } from '../text/personal/kinds.js'
import type { Counters } from './accounting.js'

const count = z.int().min(0)

const textCursor = z.union([
  z.object({ layout: z.literal('lines'), offset: count }),
  z.object({
    layout: z.literal('array'),
    offset: count,
    closing: z.enum(['bracket', 'wrapper', 'end']),
    closed: z.boolean(),
  }),
])
const codec = z.enum(['plain', 'gzip', 'zstd', 'xz'])
const sourceCursor: z.ZodType<SourceCursor> = z.object({
  block: count,
  nextShard: count,
  turn: count,
  open: z.array(
    z.object({
      shard: count,
      path: z.string(),
      at: z.union([
        z.enum(['start', 'end']),
        z.object({ codec, text: textCursor }),
        z.object({ codec, tar: count, member: z.object({ end: count, text: textCursor }).nullable() }),
        z.object({ group: count, row: count }),
      ]),
    }),
  ),
})

const shardRead: z.ZodType<ShardRead> = z.object({
  shard: count,
  read: z.object({ bytes: count, grid: z.string(), hash: z.string(), stamp: z.string().nullable() }).exactOptional(),
  rejected: z.literal(true).exactOptional(),
})

const reasons = dictionarySchema(count)
const rejects = dictionarySchema(reasons)
const personalCounts = z.partialRecord(z.enum(keysOf(personalMasks)), count)
/** Personal data in documents, as it is stored. */
export const personalAccount = z.object({ masked: personalCounts, dropped: personalCounts })
const counters: z.ZodType<Counters> = dictionarySchema(
  z.object({
    documents: count,
    documentsChunked: count,
    documentRejects: rejects,
    chunks: count,
    candidates: count,
    chunkRejects: rejects,
    attempts: count,
    rows: count,
    attemptRejects: rejects,
    stages: dictionarySchema(z.object({ in: count, out: count, dropped: reasons, failed: count })),
    figures: rowFiguresSchema,
    personal: z
      .object({
        text: personalAccount.exactOptional(),
        instruction: personalAccount.exactOptional(),
        output: personalAccount.exactOptional(),
      })
      .exactOptional(),
  }),
)

/** @throws {CorruptFileError} the field is not a cursor of this version */
export function cursorOf(entry: ManifestEntry): SourceCursor {
  return checked(entry, 'cursor', sourceCursor, entry.cursor)
}

/** @throws {CorruptFileError} the field does not hold the counters of this version */
export function countersOf(entry: Pick<ManifestEntry, 'cut' | 'counters'>): Counters {
  return checked(entry, 'counters', counters, entry.counters)
}

/** Returns the shards that committed blocks were read from, each once. */
export function readsOf(cuts: readonly ManifestEntry[]): ShardRead[] {
  const reads = new Map<number, ShardRead>()
  const keep = (entry: ManifestEntry, states: readonly unknown[]) => {
    for (const read of checked(entry, 'inputs', z.array(shardRead), states)) reads.set(read.shard, read)
  }
  for (const entry of cuts) keep(entry, entry.inputs?.ended ?? [])
  const last = cuts.at(-1)
  if (last !== undefined) keep(last, last.inputs?.open ?? [])
  return [...reads.values()]
}

function checked<T>({ cut }: Pick<ManifestEntry, 'cut'>, field: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = [field, ...(issue?.path ?? [])].join('.')
  throw new CorruptFileError(
    say`${manifestName}, cut ${cut}: ${path}: ${issue?.message}. Use the version of kun-stream that wrote
      it, or run the recipe in another directory with the replies of this one (replies.from)`,
    { details: { path, cut } },
  )
}
