/** From a recipe to the settings of a run: shards listed, secrets resolved, the built-in server started where it is asked for. */

import { SourceNotFoundError } from '../errors.js'
import { reportWaits } from '../hub/retry-messages.js'
import { hubSettings } from '../hub/settings.js'
import { type HubTransport, type HubTransportOptions, hubTransport } from '../hub/transport.js'
import type { KunSettings, NoYieldSettings } from '../run/settings.js'
import { hubShards } from '../sources/hub-shards.js'
import { localShards, mappingOf, type Shard, stdinShard } from '../sources/index.js'
import { pinnedRecipe, type Recipe, type RecipeSource, resolveSecret, storedRecipe } from './index.js'
import { modelsOf } from './models.js'

/** Settings that a run can start with, and what was opened for them: `close` it after the run. */
export interface PreparedSettings {
  readonly settings: KunSettings
  /** The built-in server answers: the result says so. */
  readonly builtin: boolean
  close(): Promise<void>
}

/**
 * @param say told when the Hub fails and is asked again
 * @throws {SourceNotFoundError | HubAccessError | RecipeError} nothing has been written then
 */
export async function settingsOf(
  recipe: Recipe,
  directory: string,
  say: (message: string) => void = () => undefined,
): Promise<PreparedSettings> {
  const closing: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const each of closing.reverse()) await each()
  }
  try {
    const connections = hubConnections(reportWaits(recipe.hub, say))
    closing.push(() => connections.close())
    const shards: Shard[] = []
    for (const [index, source] of recipe.sources.entries()) {
      const path = `sources[${index}]`
      const listed = await shardsOf(source, connections, path).catch((error: unknown) => {
        if (!(error instanceof SourceNotFoundError)) throw error
        throw new SourceNotFoundError(`${path}.files: ${error.message}`, { cause: error, details: error.details })
      })
      shards.push(...listed)
    }
    const { models, builtin, ...opened } = await modelsOf(recipe)
    closing.push(() => opened.close())
    const { dedup, ...prepare } = recipe.prepare
    const settings: KunSettings = {
      seed: recipe.seed,
      shards,
      splits: [...new Set(recipe.sources.map(({ split }) => split))],
      read: recipe.read,
      workers: recipe.workers,
      prepare,
      dedup,
      models,
      servers: recipe.servers,
      kun: recipe.kun,
      output: { ...recipe.output, dir: directory },
      memory: recipe.memory,
      replies: recipe.replies,
      // `brakes` is the name in recipes and on disk (brakes.json); the code calls it drift detection.
      drift: recipe.brakes,
      noYield: noYieldOf(recipe),
      limits: recipe.limits,
      pinned: pinnedRecipe(recipe),
      recipe: storedRecipe(recipe),
    }
    return { settings, builtin, close }
  } catch (error) {
    await close()
    throw error
  }
}

function noYieldOf({ brakes }: Recipe): NoYieldSettings {
  if (brakes === false) return { recordsMax: null, mayBeEmpty: false }
  const { sameEndingRecords } = brakes
  return sameEndingRecords === false
    ? { recordsMax: null, mayBeEmpty: true }
    : { recordsMax: sameEndingRecords, mayBeEmpty: false }
}

interface HubConnections {
  /** Sources of one account share its connections, and the budget of requests with them. */
  of(token: string | undefined): HubTransport
  close(): Promise<void>
}

function hubConnections(options: HubTransportOptions): HubConnections {
  const opened = new Map<string | undefined, HubTransport>()
  return {
    of(token) {
      const transport = opened.get(token) ?? hubTransport(hubSettings({ token }), options)
      opened.set(token, transport)
      return transport
    },
    async close() {
      for (const transport of opened.values()) await transport.close()
    },
  }
}

async function shardsOf(source: RecipeSource, hub: HubConnections, path: string): Promise<readonly Shard[]> {
  const { split, files } = source
  const mapping = mappingOf(source)
  if (source.hub !== undefined) {
    const token = source.token === undefined ? undefined : resolveSecret(source.token, `${path}.token`)
    const { revision, cache } = source
    const transport = hub.of(token)
    const { shards } = await hubShards({ repo: source.hub, split, files, mapping, revision, cache, token, transport })
    return shards
  }
  if (files.length === 1 && files[0] === '-') return [stdinShard({ split, mapping, input: process.stdin })]
  return localShards({ split, root: process.cwd(), files, mapping })
}
