/** The model stages of a recipe, in order, with their models. */
import type { Model } from '../llm/types.js'
import { columnStage } from './column.js'
import { ifdStage } from './ifd.js'
import { labelStage } from './label.js'
import type { KunOptions } from './options.js'
import { pairStage } from './pair.js'
import { perplexityStage } from './perplexity.js'
import { type PlannedStage, plannedStages, rowColumns } from './planned-stages.js'
import { polishStage } from './polish.js'
import type { RowOptions } from './row.js'
import { scoreStage } from './score.js'
import { screenStage } from './screen.js'
import type { Phase } from './stage-ranks.js'
import type { Candidate, KunStage, Pair } from './types.js'

export interface KunStages {
  /** Stages on chunks, before the label stage. */
  readonly chunks: readonly KunStage<Candidate, Candidate>[]
  /** Null if the selected phase stops before this stage. */
  readonly label: KunStage<Candidate, Pair> | null
  /** Stages on pairs. */
  readonly pairs: readonly KunStage<Pair, Pair>[]
  /** Facts about the stages for the row of a pair. */
  readonly row: Omit<RowOptions, 'shape'>
  /** Name, the recipe's name for its model, and the form of its requests if the capabilities decided it. */
  readonly described: readonly { readonly name: string; readonly model: string; readonly form: string | null }[]
}

/** Builds the stages. @param modelNames name of each model for the rows, by the recipe's name */
export function kunStages(
  kun: KunOptions,
  servers: { model(name: string): Model },
  modelNames: Readonly<Record<string, string>>,
  through?: Phase,
): KunStages {
  const planned = plannedStages(kun, through)
  const built = planned.map((stage) => stageOf(stage, kun, servers.model(stage.model)))
  return {
    chunks: built.flatMap((stage) => (stage.of === 'chunks' ? [stage.stage] : [])),
    label: built.flatMap((stage) => (stage.of === 'label' ? [stage.stage] : []))[0] ?? null,
    pairs: built.flatMap((stage) => (stage.of === 'pairs' ? [stage.stage] : [])),
    described: built.map(({ stage: { name, form = null } }, index) => ({
      ...{ name, form },
      model: planned[index]?.model ?? '',
    })),
    row: {
      columns: rowColumns(kun),
      models: planned.map(({ model }) => modelNames[model] ?? model),
      promptVersions: built.map(({ stage }) => stage.promptVersion),
    },
  }
}

type BuiltStage =
  | { readonly of: 'chunks'; readonly stage: KunStage<Candidate, Candidate> }
  | { readonly of: 'label'; readonly stage: KunStage<Candidate, Pair> }
  | { readonly of: 'pairs'; readonly stage: KunStage<Pair, Pair> }

function stageOf({ kind, rank, ofChunks, column }: PlannedStage, kun: KunOptions, model: Model): BuiltStage {
  if (column !== null && ofChunks) return { of: 'chunks', stage: columnStage<Candidate>(model, column, rank) }
  if (column !== null) return { of: 'pairs', stage: columnStage<Pair>(model, column, rank) }
  if (kind === 'perplexity' && kun.perplexity) {
    return { of: 'chunks', stage: perplexityStage(model, kun.perplexity) }
  }
  if (kind === 'screen' && kun.screen) return { of: 'chunks', stage: screenStage(model, kun.screen) }
  if (kind === 'score' && kun.score) return { of: 'pairs', stage: scoreStage(model, kun.score) }
  if (kind === 'polish' && kun.polish) return { of: 'pairs', stage: polishStage(model, kun.polish) }
  if (kind === 'pair' && kun.pair) return { of: 'pairs', stage: pairStage(model, kun.pair) }
  if (kind === 'ifd' && kun.ifd) return { of: 'pairs', stage: ifdStage(model, kun.ifd) }
  return { of: 'label', stage: labelStage(model, kun.label) }
}
