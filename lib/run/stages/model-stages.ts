/** The stages that call a model (screen, label, score, polish) as stages of a graph. */
import type { z } from 'zod'
import type { Stage } from '../../core/types.js'
import { labelStage } from '../../kun/label.js'
import { labelOptions, polishOptions, scoreOptions, screenOptions } from '../../kun/options.js'
import { polishStage } from '../../kun/polish.js'
import { scoreStage } from '../../kun/score.js'
import { screenStage } from '../../kun/screen.js'
import type { Candidate, KunStage, Pair } from '../../kun/types.js'
import type { ModelServers } from '../../llm/scheduler/model-servers.js'
import type { Column } from '../../parquet/columns.js'

/** The part of the model servers that a stage uses. */
type StageServers = Pick<ModelServers, 'model' | 'releaseUpTo'>

/**
 * Records in flight per concurrent request: with fewer, one slow record in a hundred leaves slots of the servers empty.
 */
const recordsPerRequest = 24
/** Records in flight in one of these stages by default. */
const stageRecordsMax = recordsPerRequest * 64

/** Returns the records that are needed in flight to keep all endpoints busy; models that share one count once. */
export function recordsInFlightMax(
  models: Readonly<Record<string, { readonly endpoints: readonly string[]; readonly inFlightMax: number }>>,
): number {
  const byEndpoint = new Map<string, number>()
  for (const { endpoints, inFlightMax } of Object.values(models)) {
    for (const endpoint of endpoints) byEndpoint.set(endpoint, Math.max(inFlightMax, byEndpoint.get(endpoint) ?? 0))
  }
  return recordsPerRequest * [...byEndpoint.values()].reduce((sum, each) => sum + each, 0)
}

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

/** Grades the text of a chunk by a model; drops chunks below `keepAtLeast`. */
export function screen(
  servers: StageServers,
  { inFlightMax = stageRecordsMax, ...options }: z.input<typeof screenOptions> & ModelStageOptions,
): ModelStage<Candidate, Candidate> {
  const parsed = screenOptions.parse(options)
  const model = servers.model(parsed.model)
  const stage = screenStage(model, parsed)
  const graphStage = reportReleases(modelStage(stage, inFlightMax), servers)
  return {
    ...graphStage,
    model: model.name,
    promptVersion: stage.promptVersion,
    columns: stage.columns,
  }
}

/** Back-translation: asks the label model for the instructions to which a chunk could be the reply. */
export function label(
  servers: StageServers,
  { inFlightMax = stageRecordsMax, ...options }: z.input<typeof labelOptions> & ModelStageOptions,
): ModelStage<Candidate, Pair> {
  const parsed = labelOptions.parse(options)
  const model = servers.model(parsed.model)
  const stage = labelStage(model, parsed)
  const graphStage = reportReleases(labelOf(stage, inFlightMax), servers)
  return {
    ...graphStage,
    model: model.name,
    promptVersion: stage.promptVersion,
    columns: stage.columns,
  }
}

/** Asks the judge how well the chunk answers the instruction; drops pairs below `keepAtLeast`. */
export function score(
  servers: StageServers,
  { inFlightMax = stageRecordsMax, ...options }: z.input<typeof scoreOptions> & ModelStageOptions,
): ModelStage<Pair, Pair> {
  const parsed = scoreOptions.parse(options)
  const model = servers.model(parsed.model)
  const stage = scoreStage(model, parsed)
  return {
    ...modelStage(stage, inFlightMax),
    model: model.name,
    promptVersion: stage.promptVersion,
    columns: stage.columns,
  }
}

/** Asks the model to rewrite the chunk as the reply to the instruction. */
export function polish(
  servers: StageServers,
  { inFlightMax = stageRecordsMax, ...options }: z.input<typeof polishOptions> & ModelStageOptions,
): ModelStage<Pair, Pair> {
  const parsed = polishOptions.parse(options)
  const model = servers.model(parsed.model)
  const stage = polishStage(model, parsed)
  return {
    ...modelStage(stage, inFlightMax),
    model: model.name,
    promptVersion: stage.promptVersion,
    columns: stage.columns,
  }
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
