/** The models of a recipe, ready to be called: secrets resolved, the built-in server started if it is used. */
import type { EventLog } from '../core/event-log.js'
import { promptReaders } from '../kun/planned-stages.js'
import { listedEndpoints, type ModelOptions, modelOptions } from '../llm/options.js'
import { type ModelServers, openServers } from '../llm/scheduler/model-servers.js'
import { startSimulator } from '../simulator/on-demand.js'
import type { Recipe, RecipeModel } from './schema.js'
import { resolveModel } from './secrets.js'

/** Models by the recipe's name for them. */
interface RecipeModels {
  readonly models: Readonly<Record<string, ModelOptions>>
  /** Whether the built-in server serves one of them. */
  readonly builtin: boolean
  /** Stops the built-in server. */
  close(): Promise<void>
}

/**
 * Requests in flight at the built-in server: enough to keep it busy. Further calls wait in the dispatcher's queue, in
 * order.
 */
const builtinInFlightMax = 64
/** The same without a run: as fast there, and the first row waits for fewer others at each of its stages. */
const builtinInFlightMaxOfGraph = 8

/** Resolves the models of a recipe. @throws {RecipeError} an environment variable with a key is not set */
export async function modelsOf(
  recipeModels: Recipe['models'],
  inFlightMaxOfBuiltin = builtinInFlightMax,
): Promise<RecipeModels> {
  const builtin = Object.values(recipeModels).some(({ endpoints }) => usesBuiltin(endpoints))
  const simulator = builtin ? await startSimulator({}) : null
  const close = async (): Promise<void> => simulator?.close()
  try {
    const models = Object.entries(recipeModels).map(([name, given]) => {
      const model = resolveModel(name, given)
      const usesIt = usesBuiltin(model.endpoints)
      const endpoints = usesIt ? [simulator?.url ?? ''] : model.endpoints
      const inFlightMax = usesIt ? inFlightMaxOfBuiltin : model.inFlightMax
      return [name, modelOptions.parse({ ...model, endpoints, inFlightMax })] as const
    })
    return { models: Object.fromEntries(models), builtin, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** It is the only entry then (cross-checks.ts). */
function usesBuiltin(endpoints: RecipeModel['endpoints']): boolean {
  return listedEndpoints(endpoints).includes('builtin')
}

/** Model servers without a run: their replies are not kept. */
export interface OpenModels
  extends Pick<ModelServers, 'model' | 'releaseUpTo' | 'metrics' | 'slots' | 'onSlots' | 'close'> {
  readonly models: RecipeModels['models']
}

/** Options for `openModels`; all optional. */
export interface OpenModelsOptions {
  /** Names of the models to open; all by default. */
  readonly only?: readonly string[]
  /** Reports servers that go down and come back. */
  readonly onEvent?: (message: string) => void
  /** Receives each decision that changes what is sent. */
  readonly log?: EventLog
}

/**
 * Opens the model servers of a recipe, for `label`, `score` and `polish` in a graph without a run directory.
 *
 * @throws {EndpointError} a model has no endpoint that responds
 */
export async function openModels(recipe: Recipe, { only, onEvent, log }: OpenModelsOptions = {}): Promise<OpenModels> {
  const { models: all, ...opened } = await modelsOf(recipe.models, builtinInFlightMaxOfGraph)
  const models = Object.fromEntries(Object.entries(all).filter(([name]) => only === undefined || only.includes(name)))
  try {
    const servers = await openServers({
      models,
      seed: recipe.seed,
      servers: recipe.servers,
      readPrompts: promptReaders(recipe.kun),
      onEvent: ({ endpoint, words }) => onEvent?.(`${endpoint}: ${words}`),
      ...(log && { log }),
    })
    return {
      models,
      model: (name) => servers.model(name),
      releaseUpTo: (position) => servers.releaseUpTo(position),
      metrics: () => servers.metrics(),
      slots: () => servers.slots(),
      onSlots: (listener) => servers.onSlots(listener),
      close: async () => {
        await servers.close()
        await opened.close()
      },
    }
  } catch (error) {
    await opened.close()
    throw error
  }
}
