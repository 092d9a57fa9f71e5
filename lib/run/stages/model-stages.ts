/** The stages that call a model (perplexity, screen, label, score, polish, pair, ifd, columns) as stages of a graph. */

import type { z } from 'zod'
import type { Stage } from '../../core/types.js'
import { InvalidOptionError } from '../../errors.js'
import { columnStage } from '../../kun/column.js'
import { columnFaults } from '../../kun/column-checks.js'
import { columnOptions } from '../../kun/column-options.js'
import { ifdStage } from '../../kun/ifd.js'
import { labelStage } from '../../kun/label.js'
import {
  ifdOptions,
  labelOptions,
  pairOptions,
  perplexityOptions,
  polishOptions,
  scoreOptions,
  screenOptions,
} from '../../kun/options.js'
import { pairStage } from '../../kun/pair.js'
import { perplexityStage } from '../../kun/perplexity.js'
import { polishStage } from '../../kun/polish.js'
import { scoreStage } from '../../kun/score.js'
import { screenStage } from '../../kun/screen.js'
import { columnRank } from '../../kun/stage-ranks.js'
import type { Candidate, KunStage, Pair } from '../../kun/types.js'
import { say } from '../../language/say.js'
import type { ModelServers } from '../../llm/scheduler/model-servers.js'
import type { Model } from '../../llm/types.js'
import type { Column } from '../../parquet/columns.js'
import { recordsPerRequest } from '../record-credit.js'

/** The part of the model servers that a stage uses. */
type StageServers = Pick<ModelServers, 'model' | 'releaseUpTo'>

/** Records in flight in one of these stages by default. */
const stageRecordsMax = recordsPerRequest * 64

/** Options of all stages in this file. */
export interface ModelStageOptions {
  /** Records in flight in this stage; 1,536 by default, which keeps 64 concurrent requests busy. */
  readonly inFlightMax?: number
}

/** A stage that calls a model. */
export interface ModelStage<In, Out> extends Stage<In, Out> {
  /** Name of the model in rows. */
  readonly model: string
  /** `name@version` of its template. */
  readonly promptVersion: string
  /** Columns that it adds to the rows. */
  readonly columns: readonly Column[]
}

/** Measures the perplexity of a chunk; drops chunks outside of the bounds. The models need `readPrompts`, as `openModels` sets it. */
export const perplexity = stageOf(perplexityOptions, perplexityStage, ofChunks)

/** Grades the text of a chunk by a model; drops chunks below `keepAtLeast`. */
export const screen = stageOf(screenOptions, screenStage, ofChunks)

/** Back-translation: asks the label model for the instructions to which a chunk could be the reply. */
export const label = stageOf(labelOptions, labelStage, (stage, inFlightMax, servers) =>
  reportReleases(labelOf(stage, inFlightMax), servers),
)

/** Asks the judge how well the chunk answers the instruction; drops pairs below `keepAtLeast`. */
export const score = stageOf(scoreOptions, scoreStage)

/** Asks the model to rewrite the chunk as the reply to the instruction. */
export const polish = stageOf(polishOptions, (model, options) => {
  if (options.mode === 'raw')
    throw new InvalidOptionError(say`polish with mode 'raw' calls no model: leave the stage out`)
  return polishStage(model, options)
})

/** Grades a finished pair: does the output answer the instruction, and follow from the text? */
export const pair = stageOf(pairOptions, pairStage)

/** Measures how much the instruction helps a model to predict the answer; drops pairs outside of the bounds. */
export const ifd = stageOf(ifdOptions, ifdStage)

/** Asks a model one question about each chunk or pair, and keeps the answer as a column. `after` orders the service only. */
export function column<Value extends Candidate | Pair>(
  servers: StageServers,
  { inFlightMax = stageRecordsMax, ...options }: z.input<typeof columnOptions> & ModelStageOptions,
): ModelStage<Value, Value> {
  const parsed = columnOptions.parse(options)
  const [fault] = columnFaults(parsed)
  if (fault !== undefined) throw new InvalidOptionError(say`column ${parsed.name}: ${fault}`)
  const model = servers.model(parsed.model)
  const stage = columnStage<Value>(model, parsed, columnRank(parsed.after, 0))
  return described(modelStage(stage, inFlightMax), stage, model.name)
}

/**
 * Returns the function that makes a stage from its options, which it validates.
 *
 * @param inGraph makes it a stage of a graph
 */
function stageOf<Schema extends z.ZodType<{ readonly model: string }, object>, In, Out>(
  schema: Schema,
  make: (model: Model, options: z.output<Schema>) => KunStage<In, Out>,
  inGraph: (stage: KunStage<In, Out>, inFlightMax: number, servers: StageServers) => Stage<In, Out> = modelStage,
) {
  return (
    servers: StageServers,
    { inFlightMax = stageRecordsMax, ...options }: z.input<Schema> & ModelStageOptions,
  ): ModelStage<In, Out> => {
    const parsed = schema.parse(options)
    const model = servers.model(parsed.model)
    const stage = make(model, parsed)
    return described(inGraph(stage, inFlightMax, servers), stage, model.name)
  }
}

function ofChunks<Out>(stage: KunStage<Candidate, Out>, inFlightMax: number, servers: StageServers) {
  return reportReleases(modelStage(stage, inFlightMax), servers)
}

function described<In, Out>(graphStage: Stage<In, Out>, stage: KunStage<In, Out>, model: string): ModelStage<In, Out> {
  return { ...graphStage, model, promptVersion: stage.promptVersion, columns: stage.columns }
}

/** The label stage: from candidates to attempts. */
export function labelOf(stage: KunStage<Candidate, Pair>, inFlightMax: number): Stage<Candidate, Pair> {
  return { ...modelStage(stage, inFlightMax), unit: 'attempt' }
}

/**
 * Returns the first of the stages that call models, with each candidate that is released reported to the servers, for the
 * order of service.
 */
export function reportReleases<Out>(
  stage: Stage<Candidate, Out>,
  servers: Pick<ModelServers, 'releaseUpTo'>,
): Stage<Candidate, Out> {
  return {
    ...stage,
    process: (candidates, context) => {
      for (const [index, position] of context.positions.entries()) {
        // Infinity: includes all attempts of the candidate.
        context.hold?.(index, () => servers.releaseUpTo([...position, Number.POSITIVE_INFINITY]))
      }
      return stage.process(candidates, context)
    },
  }
}

/**
 * Returns a stage that calls a model. `inFlightMax` must admit all records that item credit allows between these
 * stages.
 */
export function modelStage<In, Out>(stage: KunStage<In, Out>, inFlightMax: number): Stage<In, Out> {
  return {
    name: stage.name,
    inFlightMax,
    process: (values, { positions, signal }) =>
      Promise.all(values.map((value, index) => stage.run(value, { position: positions[index] ?? [], signal }))),
  }
}
