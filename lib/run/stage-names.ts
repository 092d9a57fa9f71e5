/** Names of the stages after dedup, as the account of a run has them. */
import type { KunOptions } from '../kun/options.js'
import type { KunStages } from '../kun/stages.js'
import type { ModelStageNames } from './accounting.js'
import { instructionsStage } from './cut-instructions.js'

/** Returns the names of the stages on chunks, and of the label stage and those after it. */
export function modelStageNames(
  { chunks, described }: Pick<KunStages, 'chunks' | 'described'>,
  { dedupInstructions }: Pick<KunOptions, 'dedupInstructions'>,
): ModelStageNames {
  const all = described.map(({ name }) => name)
  const written = dedupInstructions === 'off' ? [] : [instructionsStage]
  return { chunks: all.slice(0, chunks.length), attempts: [...all.slice(chunks.length), ...written] }
}
