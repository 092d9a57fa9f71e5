/** Turns `env:NAME` into what the environment holds, at the start of a run. The result is for the wire: never store it. */
import { processSecrets } from '../core/redaction.js'
import { RecipeError } from '../errors.js'
import type { Recipe, RecipeModel } from './schema.js'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The value of a secret; anything that is not `env:NAME` is taken as it stands.
 *
 * @throws {RecipeError} the environment has no such variable, or an empty one
 */
export function resolveSecret(reference: string, path: string, environment: Environment = process.env): string {
  if (!reference.startsWith('env:')) return reference
  const name = reference.slice('env:'.length)
  // A line break at the end is of the file that it was read from.
  const value = environment[name]?.trim()
  if (value) {
    processSecrets.add(value)
    return value
  }
  throw new RecipeError(
    `${path}: found ${reference}, but the environment has no ${name}; set it, or take the field out`,
  )
}

/** A model of the recipe with its key and headers resolved. */
export function resolveModel(recipe: Recipe, name: string, environment: Environment = process.env): RecipeModel {
  const model = recipe.models[name]
  if (model === undefined) throw new RecipeError(`models: there is no ${name}`)
  const path = `models.${name}`
  const headers = Object.entries(model.headers).map(([header, value]) => [
    header,
    resolveSecret(value, `${path}.headers.${header}`, environment),
  ])
  const { apiKey, ...rest } = model
  const resolved = { ...rest, headers: Object.fromEntries(headers) }
  return apiKey === undefined ? resolved : { ...resolved, apiKey: resolveSecret(apiKey, `${path}.apiKey`, environment) }
}

/**
 * A recipe to be kept beside its run: JSON-safe, `parseRecipe` takes its JSON. A header that is written out and the
 * password or query of an address may be secrets: they are left out, and `--set` gives them again.
 */
export function storedRecipe(recipe: Recipe): Readonly<Record<string, unknown>> {
  const models = Object.entries(recipe.models).map(([name, model]) => [
    name,
    {
      ...model,
      endpoints: model.endpoints.map(withoutPassword),
      headers: Object.fromEntries(Object.entries(model.headers).filter(([, value]) => value.startsWith('env:'))),
    },
  ])
  // A limit that is not set is Infinity, which JSON has not.
  return JSON.parse(
    JSON.stringify({ ...recipe, models: Object.fromEntries(models) }, (_, value) =>
      value === Number.POSITIVE_INFINITY ? undefined : value,
    ),
  )
}

function withoutPassword(endpoint: string): string {
  if (!URL.canParse(endpoint)) return endpoint
  const url = new URL(endpoint)
  if (url.username === '' && url.password === '' && url.search === '') return endpoint
  url.username = ''
  url.password = ''
  url.search = ''
  return url.href
}
