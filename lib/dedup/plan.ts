/** What decides duplicates, in the main thread or another one: settings after defaults, without a schema. */
import { type Banding, type SettleBand, settleBand } from './banding.js'
import { BloomIndex } from './bloom-index.js'
import { ExactIndex } from './exact-index.js'

export type IndexKind = 'exact' | 'bloom'

/** Settings of an index. JSON-safe. */
export interface DecidePlan {
  readonly kind: IndexKind
  readonly exact: boolean
  /** False if near-duplicates are not looked for. */
  readonly near: { readonly threshold: number; readonly ngram: number; readonly minima: number } | false
  readonly banding: Banding
  /** Documents for which a Bloom index is built. */
  readonly documentsExpected: number
}

/** Lengths of both logs. */
export interface LogLengths {
  readonly logBytes: number
  readonly textsBytes: number
}

/** @throws {MemoryRefusedError} the system provides no memory */
export function makeIndex({ kind, exact, near, banding, documentsExpected }: DecidePlan): ExactIndex | BloomIndex {
  if (kind === 'bloom') return new BloomIndex({ exact, near: near !== false, banding, documentsExpected })
  const signatureLength = signatureBytesOf({ near })
  return new ExactIndex({ exact, signatureLength, banding, settleBand: settleBandOf({ near }) })
}

/** Returns the bytes of a signature; 0 if near-duplicates are not looked for. */
export function signatureBytesOf({ near }: Pick<DecidePlan, 'near'>): number {
  return near === false ? 0 : near.minima
}

/** Returns the estimates for which texts are compared. */
export function settleBandOf({ near }: Pick<DecidePlan, 'near'>): SettleBand {
  return near === false ? { low: 1, high: 1 } : settleBand(near.threshold, near.minima)
}

/** Whether the texts of kept documents are stored, for comparing those whose estimate is too close to the threshold. */
export function keepsTexts({ kind, near }: DecidePlan): boolean {
  return kind === 'exact' && near !== false
}
