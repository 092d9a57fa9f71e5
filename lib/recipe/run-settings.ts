/**
 * Builds the settings of a run from a recipe: lists shards, resolves secrets, starts the built-in server if used. And those
 * of its sample: a run over a few records in a directory of its own, beside the run directory. The replies of the sample
 * have the keys of the whole run, which uses them in place of requests.
 */

import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../core/objects.js'
import { UsageError } from '../errors.js'
import { reportWaits } from '../http/retry-messages.js'
import { say } from '../language/say.js'
import type { KunSettings, NoYieldSettings } from '../run/settings.js'
import { readRunRecord } from '../sinks/index.js'
import { type TokenFamily, tokenFamilyOf } from '../text/token-families.js'

import { modelsOf } from './models.js'
import { withPromptHashes } from './prompt-checks.js'
import { pinnedRecipe, storedRecipe } from './recipe-lock.js'
import { listShards, SourceConnections } from './recipe-sources.js'
import type { Recipe } from './schema.js'

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

/** A sample that was taken. */
interface Sampled {
  readonly directory: string
  readonly records: number
}

/** Returns the directory of the sample of a run. */
export function sampleDirectory(directory: string): string {
  return `${directory.replace(/\/+$/, '')}.sample`
}

/**
 * Returns the sample of a run directory if it was made with the same servers: their capabilities decide the form of
 * requests, and a run would be held to those of the sample.
 *
 * @param stored the recipe as run.json stores it
 */
async function sampleOf(directory: string, stored: Readonly<Record<string, unknown>>): Promise<Sampled | null> {
  const from = sampleDirectory(directory)
  const record = await readRunRecord(from)
  if (record === null || typeof record.pinned.sample !== 'number') return null
  const { recipe } = record.free
  if (!isRecord(recipe) || !isDeepStrictEqual(serversOf(recipe), serversOf(stored))) return null
  return { directory: from, records: record.pinned.sample }
}

/** Address and name of each model. */
function serversOf({ models }: Readonly<Record<string, unknown>>): unknown {
  if (!isRecord(models)) return null
  return Object.entries(models).map(([name, model]) => [name, isRecord(model) ? [model.endpoints, model.model] : null])
}

/**
 * Returns the settings of a sample of the run. It is not a dataset, so nothing stops or ends it early.
 *
 * @throws {UsageError} the directory of the sample holds another run, or the input can be read only once
 */
export async function sampleSettings(settings: KunSettings, records: number): Promise<KunSettings> {
  const dir = sampleDirectory(settings.output.dir)
  const record = await readRunRecord(dir)
  if (record !== null && record.pinned.sample === undefined) {
    throw new UsageError(say`${dir} holds a run that is not a sample: move it elsewhere, or give another --out`)
  }
  if (settings.shards.some(({ path, sizeBytes }) => path === '-' && sizeBytes === null)) {
    throw new UsageError(say`standard input can be read only once: --sample needs files`)
  }
  return {
    ...settings,
    sample: records,
    output: { ...settings.output, dir },
    replies: { keep: true, from: settings.replies.from.filter((earlier) => earlier !== dir) },
    limits: { ...settings.limits, rowsMax: Number.POSITIVE_INFINITY },
    workers: { ...settings.workers, threads: 1 },
    drift: false,
    noYield: { recordsMax: null, mayBeEmpty: true },
  }
}
