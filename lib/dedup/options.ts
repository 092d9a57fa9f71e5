/** What the recipe may say about duplicates, and what follows from it: signature, bands, kind of index. */
import { z } from 'zod'
import { type Banding, bandingFor } from './banding.js'

export const nearOptions = z.strictObject({
  /** Jaccard similarity of the shingle sets from which on a text is a near-duplicate. */
  threshold: z.number().min(0.5).max(0.98).default(0.8),
  /** UTF-16 units of the comparison form in a shingle; a shorter text is compared exactly only. */
  ngram: z.int().min(1).max(64).default(5),
  /** Minima of a signature: more estimate better, cost time and a byte each a kept document. */
  minima: z.int().min(16).max(512).default(128),
  seed: z.int().min(0).max(0xffffffff).default(1),
})

export const dedupOptions = z.strictObject({
  /** Texts whose comparison forms are equal. */
  exact: z.boolean().default(true),
  near: z.union([z.literal(false), nearOptions]).prefault({}),
  /**
   * 'exact' verifies every hit and names the document kept, in at most 400 bytes of memory a kept document;
   * 'bloom' does neither, in at most 64; 'auto' takes 'exact' unless the estimate passes `indexBytesMax`.
   */
  index: z.enum(['exact', 'bloom', 'auto']).default('auto'),
  /** Memory that 'auto' allows an exact index. Part of the recipe, not of the machine: it alters the output. */
  indexBytesMax: z
    .int()
    .min(1)
    .default(4 * 1024 ** 3),
  /** Earlier runs, or their index files: what they kept is dropped here. */
  against: z.array(z.string().min(1)).default([]),
})

export type NearOptions = z.infer<typeof nearOptions>
export type DedupOptions = z.infer<typeof dedupOptions>
export type IndexKind = 'exact' | 'bloom'

/** Memory of a kept document in an exact index, measured (docs/performance.md): what 'auto' reckons with. */
export const exactIndexBytesPerDocument = 400
/** Documents that a Bloom index makes room for when nobody says how many will come. */
export const documentsExpectedDefault = 1_000_000

/** 'auto' takes 'bloom' when the documents expected × 400 bytes pass `indexBytesMax`; unknown counts as few. */
export function indexKindFor(options: DedupOptions, documentsExpected = documentsExpectedDefault): IndexKind {
  if (options.index !== 'auto') return options.index
  return documentsExpected * exactIndexBytesPerDocument > options.indexBytesMax ? 'bloom' : 'exact'
}

/** Share of pairs at the threshold that share a band. Verification restores precision, so an exact index asks for more. */
const recallMin: Record<IndexKind, number> = { exact: 0.995, bloom: 0.9 }

export function bandingOf(near: NearOptions, kind: IndexKind): Banding {
  return bandingFor(near.threshold, near.minima, recallMin[kind])
}
