/** The order of the model stages in a graph, as numbers: later stages are served first. */
import { mapNames } from '../core/objects.js'

/** Stages at which a run in phases can stop, so that one GPU can serve one model after the other. In order. */
export const phases = ['dedup', 'perplexity', 'screen', 'label', 'score', 'polish', 'pair', 'ifd'] as const
export type Phase = (typeof phases)[number]

/** Stage that drops duplicate instructions of a cut. A column of a recipe, which is a stage too, has no hyphen in its name. */
export const instructionsStage = 'dedup-instructions'

/** More than the columns that a recipe may have. */
const ranksPerStage = 100

/** `stageOrder` of the built-in stages. */
export const stageRanks: Readonly<Record<Phase, number>> = mapNames(
  phases,
  (name) => phases.indexOf(name) * ranksPerStage,
)

/** Returns the `stageOrder` of a column. @param index among the columns after the same stage, from 0 */
export function columnRank(after: Phase, index: number): number {
  return stageRanks[after] + 1 + index
}
