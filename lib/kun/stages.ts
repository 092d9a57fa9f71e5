/** The LLM stages that a recipe asks for, in order, with their models. */
import type { ModelServers } from '../llm/servers.js'
import { labelStage } from './label.js'
import type { KunOptions } from './options.js'
import { polishStage } from './polish.js'
import type { RowOptions } from './row.js'
import { scoreStage } from './score.js'
import type { Candidate, KunStage, Pair } from './types.js'

export interface KunStages {
  readonly label: KunStage<Candidate, Pair>
  readonly later: readonly KunStage<Pair, Pair>[]
  /** Names, in order. */
  readonly names: readonly string[]
  /** Model names as the recipe has them, and template versions, in order. */
  readonly row: Omit<RowOptions, 'shape'>
}

export function kunStages(
  { label, score, polish }: KunOptions,
  servers: ModelServers,
  modelNames: Readonly<Record<string, string>>,
): KunStages {
  const first = labelStage(servers.model(label.model), label)
  const later: KunStage<Pair, Pair>[] = []
  if (score !== undefined) later.push(scoreStage(servers.model(score.model), score))
  if (polish !== undefined) later.push(polishStage(servers.model(polish.model), polish))
  const used = [label, score, polish].flatMap((stage) =>
    stage === undefined ? [] : [modelNames[stage.model] ?? stage.model],
  )
  return {
    label: first,
    later,
    names: [first, ...later].map(({ name }) => name),
    row: {
      scored: score !== undefined,
      models: used,
      promptVersions: [first, ...later].map(({ promptVersion }) => promptVersion),
    },
  }
}
