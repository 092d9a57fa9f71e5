/** Messages between the deduplicator and the thread that decides. */
import type { WireError } from '../core/wire-error.js'
import type { DecidedBlock, IndexFigures } from './block-decider.js'
import type { EncodedFrames, KeptOfBlock } from './block-frames.js'
import type { BlockToDecide } from './block-rows.js'
import type { IdBytes } from './kept-frames.js'
import type { TextsPath } from './kept-texts.js'
import type { DecidePlan, LogLengths } from './plan.js'

export interface ThreadData {
  readonly plan: DecidePlan
  /** 1 if this thread does all of it, 2 if another one encodes frames; further ones have the tables of the index. */
  readonly threads: number
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

/** To the thread that encodes frames. `announce` and `encode` have a reply each, in order; `ids` are those of a block that was not announced. */
export type FramesRequest =
  | { readonly begin: LogLengths }
  | { readonly announce: BlockToDecide }
  | {
      /** Its number if it was announced. */
      readonly encode: BlockToDecide | number
      readonly kept: KeptOfBlock
      /** Null for those of a block that was announced, or has them. */
      readonly ids: IdBytes | null
      /** Lengths of the logs that are written. */
      readonly written: LogLengths
    }

export type FramesReply = { readonly ids: IdBytes } | { readonly frames: EncodedFrames } | { readonly error: WireError }
