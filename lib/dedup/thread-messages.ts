/** Messages between the deduplicator and the thread that decides. */
import type { WireError } from '../core/wire-error.js'
import type { BlockToDecide, DecidedBlock, IndexFigures } from './block-decider.js'
import type { TextsPath } from './kept-texts.js'
import type { DecidePlan } from './plan.js'

export interface ThreadData {
  readonly plan: DecidePlan
}

/** Lengths of both logs. */
export interface LogLengths {
  readonly logBytes: number
  readonly textsBytes: number
}

/** `begin`: texts logs that the thread reads by itself; null if it asks for texts. Each has one reply, except `text`, which is the reply to `read`. */
export type ToThread =
  | { readonly restore: readonly Uint8Array[] }
  | { readonly begin: LogLengths; readonly texts: readonly TextsPath[] | null }
  | { readonly decide: BlockToDecide; readonly written: LogLengths }
  | { readonly text: string | null }

export type FromThread =
  | { readonly figures: IndexFigures }
  | { readonly decided: DecidedBlock }
  | { readonly error: WireError }
  | { readonly read: { readonly document: number; readonly offset: number } }
