/** The stages that call a model, label, score and polish, as stages of a graph. */
import type { z } from 'zod'
import type { Stage } from '../../core/types.js'
import { labelStage } from '../../kun/label.js'
import { labelOptions, polishOptions, scoreOptions } from '../../kun/options.js'
import { polishStage } from '../../kun/polish.js'
import { scoreStage } from '../../kun/score.js'
import type { Candidate, KunStage, Pair } from '../../kun/types.js'
import type { ModelServers } from '../../llm/scheduler/model-servers.js'

/** The model servers, as far as a stage uses them. */
export type StageServers = Pick<ModelServers, 'model' | 'releaseUpTo'>

/**
 * Records in flight in one of these stages by default. A run allows 24 per concurrent request: with fewer, one record in
 * a hundred that takes long leaves slots of the server empty.
 */
const recordsInFlightMax = 24 * 64

/** What every stage of this file takes besides the options of its call. */
export interface ModelStageOptions {
  /** Records in flight in this stage; 1,536 by default, which keeps 64 concurrent requests busy. */
  readonly inFlightMax?: number
}

/** Back-translation: asks the label model for the instructions that a chunk could be the reply to. */
export function label(
  servers: StageServers,
  { inFlightMax = recordsInFlightMax, ...options }: z.input<typeof labelOptions> & ModelStageOptions,
): Stage<Candidate, Pair> {
  const parsed = labelOptions.parse(options)
  return labelOf(labelStage(servers.model(parsed.model), parsed), inFlightMax, servers)
}

/** Asks the judge how well the chunk answers the instruction; drops pairs below `keepAtLeast`. */
export function score(
  servers: StageServers,
  { inFlightMax = recordsInFlightMax, ...options }: z.input<typeof scoreOptions> & ModelStageOptions,
): Stage<Pair, Pair> {
  const parsed = scoreOptions.parse(options)
  return modelStage(scoreStage(servers.model(parsed.model), parsed), inFlightMax)
}

/** Asks the model to rewrite the chunk as the reply to the instruction. */
export function polish(
  servers: StageServers,
  { inFlightMax = recordsInFlightMax, ...options }: z.input<typeof polishOptions> & ModelStageOptions,
): Stage<Pair, Pair> {
  const parsed = polishOptions.parse(options)
  return modelStage(polishStage(servers.model(parsed.model), parsed), inFlightMax)
}

/** The label stage: from candidates to attempts. Reports each candidate that is released, for the order of service. */
export function labelOf(
  stage: KunStage<Candidate, Pair>,
  inFlightMax: number,
  servers: Pick<ModelServers, 'releaseUpTo'>,
): Stage<Candidate, Pair> {
  const { process, ...rest } = modelStage(stage, inFlightMax)
  return {
    ...rest,
    unit: 'attempt',
    process: (candidates, context) => {
      for (const [index, position] of context.positions.entries()) {
        // All its attempts are released with it.
        context.hold?.(index, () => servers.releaseUpTo([...position, Number.POSITIVE_INFINITY]))
      }
      return process(candidates, context)
    },
  }
}

/** A stage that calls a model. Credit is the only window between these stages: `inFlightMax` admits all it allows. */
export function modelStage<In, Out>(stage: KunStage<In, Out>, inFlightMax: number): Stage<In, Out> {
  return {
    name: stage.name,
    inFlightMax,
    process: (values, { positions, signal }) =>
      Promise.all(values.map((value, index) => stage.run(value, { position: positions[index] ?? [], signal }))),
  }
}
