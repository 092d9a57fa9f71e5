/** The stages that a call of `kun-stream pipe` names, with their options from the recipe. */
import { dedupOptions } from '../dedup/index.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { Recipe } from '../recipe/index.js'
import { type PrepareOptions, prepareOptions } from '../text/plan.js'
import type { WorkersOptions } from '../workers/options.js'
import { modelStageNames, type StageName, stageNames } from './pipe-flags.js'

export interface PipeStages {
  readonly names: ReadonlySet<StageName>
  readonly recipe: Recipe | null
  readonly workers: Partial<WorkersOptions>
  /** Options of the recipe for the named stages, and options that reject nothing for the others. */
  readonly prepare: PrepareOptions
  readonly dedup: ReturnType<typeof dedupOptions.parse>
  /** The recipe's names of the models that are called. */
  readonly models: readonly string[]
}

/** Parses --stages. @throws {UsageError} an unknown stage, or stages out of order */
export function parseStages(given: string): Set<StageName> {
  const names = given.split(',').map((name) => name.trim())
  const places = names.map((name) => (stageNames as readonly string[]).indexOf(name))
  if (places.includes(-1) || places.some((place, index) => index > 0 && place <= (places[index - 1] as number))) {
    throw new UsageError(say`--stages is ${given}: give some of ${stageNames.join(',')}, in this order`)
  }
  return new Set(names as StageName[])
}

/** @throws {UsageError} a stage requires another one, or a recipe that configures it */
export function checkStages({ names, recipe, workers }: Pick<PipeStages, 'names' | 'recipe' | 'workers'>): PipeStages {
  const called = modelStageNames.filter((name) => names.has(name))
  const ofPairs = called.filter((name) => name !== 'screen' && name !== 'perplexity')
  if (ofPairs.length > 0 && !names.has('label')) {
    throw new UsageError(say`--stages has ${ofPairs.join(' and ')} without label: they need the pairs that it makes`)
  }
  const models = called.map((name) => {
    const model = recipe?.kun[name]?.model
    if (model !== undefined) return model
    throw new UsageError(
      recipe === null ? say`--stages has ${name}: name a recipe with --recipe` : say`the recipe has no kun.${name}`,
    )
  })
  const columns = called.length === 0 ? [] : (recipe?.kun.columns ?? []).filter(({ after }) => names.has(after))
  for (const { model } of columns) if (!models.includes(model)) models.push(model)
  const { dedup, ...prepare } = recipe?.prepare ?? { dedup: dedupOptions.parse({}), ...prepareOptions.parse({}) }
  return { names, recipe, workers, prepare: prepareFor(names, prepare), dedup, models }
}

/**
 * Returns options with which stages that are not named reject nothing: no quality filters, chunks of maximum length.
 */
function prepareFor(names: ReadonlySet<StageName>, options: PrepareOptions): PrepareOptions {
  const { quality } = options
  const off = Object.fromEntries(Object.keys(quality).map((key) => [key, false as const]))
  const whole = { tokensMax: 1_000_000, charsMin: 1 }
  return prepareOptions.parse({
    ...options,
    ...(!names.has('chunk') && { chunk: whole }),
    ...(!names.has('filter') && { quality: off, filters: [] }),
  })
}
