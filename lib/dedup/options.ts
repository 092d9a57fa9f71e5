/** Options of a recipe for deduplication, and the bands and kind of index that they determine. */
import { z } from 'zod'
import { type Banding, bandingFor } from './banding.js'
import type { IndexKind } from './plan.js'

export const nearOptions = z.strictObject({
  threshold: z
    .number()
    .min(0.5)
    .max(0.98)
    .default(0.8)
    .describe('Jaccard similarity of the shingle sets from which on a text is a near-duplicate'),
  // UTF-16 units of the comparison form; a shorter text is compared exactly only.
  ngram: z.int().min(1).max(64).default(5).describe('Characters of a shingle'),
  minima: z
    .int()
    .min(16)
    .max(512)
    .default(128)
    .describe('Signature length: a longer one estimates better and costs time and one byte per kept document'),
  seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of the hash functions'),
})

export const dedupOptions = z.strictObject({
  exact: z.boolean().default(true).describe('Drops texts that are equal in letters and digits'),
  near: z
    .union([z.literal(false), nearOptions])
    .prefault({})
    .describe('Drops texts that are nearly equal; false disables it'),
  // At most 400 bytes of memory a kept document with exact, which names the document kept; 64 with bloom, which does not.
  index: z
    .enum(['exact', 'bloom', 'auto'])
    .default('auto')
    .describe('exact verifies every hit; bloom takes a sixth of the memory; auto is exact up to indexBytesMax'),
  // Part of the recipe, not of the machine: it alters the output.
  indexBytesMax: z
    .int()
    .min(1)
    .default(4 * 1024 ** 3)
    .describe('Memory limit of an exact index under auto'),
  against: z
    .array(z.string().min(1))
    .default([])
    .describe('Earlier runs, or their index files: texts that they kept are dropped'),
})

export type NearOptions = z.infer<typeof nearOptions>
export type DedupOptions = z.infer<typeof dedupOptions>
export type { IndexKind } from './plan.js'

/** Memory of a kept document in an exact index, measured (docs/performance.md), by which 'auto' decides. */
export const exactIndexBytesPerDocument = 400
/** Initial capacity of a Bloom index when the number of documents is unknown. */
export const documentsExpectedDefault = 1_000_000

/** Resolves 'auto': 'bloom' if the expected documents × 400 bytes exceed `indexBytesMax`. An unknown number counts as small. */
export function indexKindFor(options: DedupOptions, documentsExpected = documentsExpectedDefault): IndexKind {
  if (options.index !== 'auto') return options.index
  return documentsExpected * exactIndexBytesPerDocument > options.indexBytesMax ? 'bloom' : 'exact'
}

/** Minimum share of the pairs at the threshold that share a band. An exact index verifies hits, so it can take more bands. */
const recallMin: Record<IndexKind, number> = { exact: 0.995, bloom: 0.9 }

export function bandingOf(near: NearOptions, kind: IndexKind): Banding {
  return bandingFor(near.threshold, near.minima, recallMin[kind])
}
