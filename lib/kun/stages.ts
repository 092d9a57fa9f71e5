/** The model stages of a recipe, in order, with their models. */
import type { Model } from '../llm/types.js'
import { labelStage } from './label.js'
import type { KunOptions } from './options.js'
import { polishStage } from './polish.js'
import type { RowOptions } from './row.js'
import { scoreColumns, scoreStage } from './score.js'
import type { Candidate, KunStage, Pair } from './types.js'

/** The last stage of a run in phases, so that one GPU can serve one model after the other. */
export const phases = ['dedup', 'label', 'score', 'polish'] as const
export type Phase = (typeof phases)[number]

export interface KunStages {
  /** Null if the selected phase stops before this stage. */
  readonly label: KunStage<Candidate, Pair> | null
  readonly later: readonly KunStage<Pair, Pair>[]
  /** Names, in order. */
  readonly names: readonly string[]
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
  const used = stagesThrough(kun, through)
  const built = used.map(({ name, model }) => {
    if (name === 'score' && kun.score !== undefined) return scoreStage(servers.model(model), kun.score)
    if (name === 'polish' && kun.polish !== undefined) return polishStage(servers.model(model), kun.polish)
    return null
  })
  const label = used.length > 0 ? labelStage(servers.model(kun.label.model), kun.label) : null
  const later = built.filter((stage) => stage !== null)
  const stages = label === null ? later : [label, ...later]
  return {
    label,
    later,
    names: stages.map(({ name }) => name),
    described: stages.map(({ name, form = null }, index) => ({ name, model: used[index]?.model ?? '', form })),
    row: {
      columns: kun.score === undefined ? [] : scoreColumns,
      models: used.map(({ model }) => modelNames[model] ?? model),
      promptVersions: stages.map(({ promptVersion }) => promptVersion),
    },
  }
}

/** Returns the names of the stages up to the phase, and the recipe's names for their models. */
export function stagesThrough(
  { label, score, polish }: KunOptions,
  through: Phase = 'polish',
): { readonly name: Phase; readonly model: string }[] {
  const stages = [
    { name: 'label' as const, model: label.model },
    ...(score === undefined ? [] : [{ name: 'score' as const, model: score.model }]),
    ...(polish === undefined ? [] : [{ name: 'polish' as const, model: polish.model }]),
  ]
  return stages.filter(({ name }) => phases.indexOf(name) <= phases.indexOf(through))
}
