/** Builds the settings of a run from a recipe: lists shards, resolves secrets, starts the built-in server if used. */

import { reportWaits } from '../hub/retry-messages.js'
import type { KunSettings, NoYieldSettings } from '../run/settings.js'
import { type TokenFamily, tokenFamilyOf } from '../text/token-families.js'
import { modelsOf } from './models.js'
import { withPromptHashes } from './prompt-checks.js'
import { pinnedRecipe } from './recipe-lock.js'
import { type Sampled, sampleOf } from './sample.js'
import type { Recipe } from './schema.js'
import { storedRecipe } from './secrets.js'
import { listShards, SourceConnections } from './source-shards.js'

/** Settings of a run, and the resources opened for them: `close` them after the run. */
export interface PreparedSettings {
  readonly settings: KunSettings
  /** A sample of this run, whose replies it uses; null without one. */
  readonly sampled: Sampled | null
  /** Whether the built-in server is used, for the summary of the run. */
  readonly builtin: boolean
  close(): Promise<void>
}

/**
 * @param print called with a message when a request to the Hub fails and will be retried
 * @throws {SourceNotFoundError | HubAccessError | RecipeError} nothing was written
 */
export async function settingsOf(
  given: Recipe,
  directory: string,
  print: (message: string) => void = () => undefined,
): Promise<PreparedSettings> {
  const recipe = withPromptHashes(given)
  const { models, builtin, close: closeModels } = await modelsOf(recipe.models)
  const connections = new SourceConnections({ ...recipe.hub, ...reportWaits(print) })
  const close = async (): Promise<void> => {
    await closeModels()
    await connections.close()
  }
  try {
    const stored = storedRecipe(recipe)
    const sampled = await sampleOf(directory, stored)
    const shards = await listShards(recipe.sources, connections)
    return { settings: settingsWith(recipe, { directory, models, shards, sampled, stored }), sampled, builtin, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Returns the settings without shards, for the model stages of a run whose sources another process read.
 *
 * @param directory null if the run is not in a directory
 */
export async function tailSettingsOf(given: Recipe, directory: string | null): Promise<PreparedSettings> {
  const recipe = withPromptHashes(given)
  const { models, builtin, close } = await modelsOf(recipe.models)
  try {
    const stored = storedRecipe(recipe)
    const sampled = directory === null ? null : await sampleOf(directory, stored)
    const settings = settingsWith(recipe, { directory: directory ?? '', models, shards: [], sampled, stored })
    return { settings, sampled, builtin, close }
  } catch (error) {
    await close()
    throw error
  }
}

function settingsWith(
  recipe: Recipe,
  {
    directory,
    sampled,
    stored,
    ...found
  }: Pick<KunSettings, 'models' | 'shards'> & {
    readonly directory: string
    readonly sampled: Sampled | null
    readonly stored: KunSettings['recipe']
  },
): KunSettings {
  const { sources, seed, read, workers, servers, kun, memory, replies, limits, brakes } = recipe
  const { dedup, ...text } = recipe.prepare
  return {
    ...found,
    seed,
    splits: [...new Set(sources.map(({ split }) => split))],
    read,
    workers,
    prepare: { ...text, chunk: { ...text.chunk, tokensOf: tokenFamilyFor(recipe) } },
    dedup,
    servers,
    kun,
    output: { ...recipe.output, dir: directory },
    memory,
    replies: sampled === null ? replies : { ...replies, from: [...replies.from, sampled.directory] },
    // `brakes` is the name in recipes and on disk (brakes.json); the code calls it drift detection.
    drift: brakes,
    noYield: noYieldOf(brakes),
    limits,
    pinned: pinnedRecipe(recipe),
    recipe: stored,
  }
}

/** Returns the family whose tokens limit a chunk: the recipe's, else that of the label model, which reads the chunks. */
function tokenFamilyFor({ prepare, kun, models }: Recipe): TokenFamily | 'server' {
  const { tokensOf } = prepare.chunk
  return tokensOf === 'auto' ? tokenFamilyOf(models[kun.label.model]?.model ?? '') : tokensOf
}

function noYieldOf(brakes: Recipe['brakes']): NoYieldSettings {
  if (brakes === false) return { recordsMax: null, mayBeEmpty: false }
  const { sameEndingRecords } = brakes
  return sameEndingRecords === false
    ? { recordsMax: null, mayBeEmpty: true }
    : { recordsMax: sameEndingRecords, mayBeEmpty: false }
}
