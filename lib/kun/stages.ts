/** The model stages of a recipe, in order, with their models. */
import { ContractError } from '../errors.js'
import type { Model } from '../llm/types.js'
import { columnStage } from './column.js'
import type { ColumnOptions } from './column-options.js'
import { ifdStage } from './ifd.js'
import { labelStage } from './label.js'
import type { KunOptions } from './options.js'
import { pairStage } from './pair.js'
import { perplexityStage } from './perplexity.js'
import { type BuiltInStage, type PlannedStage, plannedStages, rowColumns } from './planned-stages.js'
import { polishStage } from './polish.js'
import type { RowOptions } from './row.js'
import { scoreStage } from './score.js'
import { screenStage } from './screen.js'
import { instructionsStage, type Phase } from './stage-ranks.js'
import type { Candidate, KunStage, Pair } from './types.js'

/** Names of the stages after dedup, in order, as the account of a run has them. */
export interface StageNames {
  /** Stages on chunks, before the label stage. */
  readonly chunks: readonly string[]
  /** The label stage and those after it. */
  readonly attempts: readonly string[]
}

export interface KunStages {
  /** Stages on chunks, before the label stage. */
  readonly chunks: readonly KunStage<Candidate, Candidate>[]
  /** Null if the selected phase stops before this stage. */
  readonly label: KunStage<Candidate, Pair> | null
  /** Stages on pairs. */
  readonly pairs: readonly KunStage<Pair, Pair>[]
  /** Facts about the stages for the row of a pair. */
  readonly row: Omit<RowOptions, 'shape'>
  readonly names: StageNames
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
  const built = planned.map((stage) => {
    const model = servers.model(stage.model)
    return stage.kind === 'column' ? ofColumn(stage.column, stage, model) : builtIn(stage.kind, kun, model)
  })
  const chunks = built.flatMap((stage) => (stage.of === 'chunks' ? [stage.stage] : []))
  const names = built.map(({ stage: { name } }) => name)
  return {
    chunks,
    label: built.flatMap((stage) => (stage.of === 'label' ? [stage.stage] : []))[0] ?? null,
    pairs: built.flatMap((stage) => (stage.of === 'pairs' ? [stage.stage] : [])),
    names: {
      chunks: names.slice(0, chunks.length),
      attempts: [...names.slice(chunks.length), ...(kun.dedupInstructions === 'off' ? [] : [instructionsStage])],
    },
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

/** Builds each built-in stage from its options in the recipe. */
const builders: { readonly [Kind in BuiltInStage]: (model: Model, options: OptionsOf<Kind>) => BuiltStage } = {
  perplexity: (model, options) => ({ of: 'chunks', stage: perplexityStage(model, options) }),
  screen: (model, options) => ({ of: 'chunks', stage: screenStage(model, options) }),
  label: (model, options) => ({ of: 'label', stage: labelStage(model, options) }),
  score: (model, options) => ({ of: 'pairs', stage: scoreStage(model, options) }),
  polish: (model, options) => ({ of: 'pairs', stage: polishStage(model, options) }),
  pair: (model, options) => ({ of: 'pairs', stage: pairStage(model, options) }),
  ifd: (model, options) => ({ of: 'pairs', stage: ifdStage(model, options) }),
}

type OptionsOf<Kind extends BuiltInStage> = NonNullable<KunOptions[Kind]>

function builtIn<Kind extends BuiltInStage>(kind: Kind, kun: KunOptions, model: Model): BuiltStage {
  const options = kun[kind]
  if (!options) throw new ContractError(`the recipe has no kun.${kind}`)
  return builders[kind](model, options)
}

function ofColumn(column: ColumnOptions, { rank, ofChunks }: PlannedStage, model: Model): BuiltStage {
  return ofChunks
    ? { of: 'chunks', stage: columnStage<Candidate>(model, column, rank) }
    : { of: 'pairs', stage: columnStage<Pair>(model, column, rank) }
}
