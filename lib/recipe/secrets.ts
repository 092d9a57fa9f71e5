/** Resolves `env:NAME` at the start of a run. The result must not be stored. */
import { processSecrets } from '../core/redaction.js'
import { RecipeError } from '../errors.js'
import { say } from '../language/say.js'
import type { RecipeModel } from './schema.js'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Returns the value of a secret, and registers it for redaction; anything that is not `env:NAME` is returned unchanged.
 *
 * @throws {RecipeError} the variable is not set, or empty
 */
export function resolveSecret(reference: string, path: string, environment: Environment = process.env): string {
  if (!reference.startsWith('env:')) return reference
  const name = reference.slice('env:'.length)
  // A variable set from a file often ends in a line break.
  const value = environment[name]?.trim()
  if (value) {
    processSecrets.add(value)
    return value
  }
  throw new RecipeError(
    say`${path}: found ${reference}, but the environment variable ${name} is not set; set it, or remove the
      field`,
  )
}

/** Returns a model of the recipe with its key and headers resolved. */
export function resolveModel(name: string, model: RecipeModel, environment: Environment = process.env): RecipeModel {
  const path = `models.${name}`
  const headers = Object.entries(model.headers).map(([header, value]) => [
    header,
    resolveSecret(value, `${path}.headers.${header}`, environment),
  ])
  const { apiKey, ...rest } = model
  const resolved = { ...rest, headers: Object.fromEntries(headers) }
  return apiKey === undefined ? resolved : { ...resolved, apiKey: resolveSecret(apiKey, `${path}.apiKey`, environment) }
}
